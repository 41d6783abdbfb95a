//===- AssignPasses.h - Measuring and assigning passes ----------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_QUANTIZATION_ASSIGNPASSES_H
#define NLQ_QUANTIZATION_ASSIGNPASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "nlq/Dialect/NLQ/IR/NLQDialect.h"

namespace nlq {

#define GEN_PASS_DECL
#include "nlq/Quantization/AssignPasses.h.inc"

#define GEN_PASS_REGISTRATION
#include "nlq/Quantization/AssignPasses.h.inc"

} // namespace nlq

#endif // NLQ_QUANTIZATION_ASSIGNPASSES_H
