//===- Passes.h - Quantization passes -------------------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_QUANTIZATION_PASSES_H
#define NLQ_QUANTIZATION_PASSES_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "nlq/Dialect/NLQ/IR/NLQDialect.h"

namespace nlq {

#define GEN_PASS_DECL
#include "nlq/Quantization/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "nlq/Quantization/Passes.h.inc"

} // namespace nlq

#endif // NLQ_QUANTIZATION_PASSES_H
