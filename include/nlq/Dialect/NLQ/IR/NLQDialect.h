//===- NLQDialect.h - The nlq dialect -------------------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_DIALECT_NLQ_IR_NLQDIALECT_H
#define NLQ_DIALECT_NLQ_IR_NLQDIALECT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/IR/Dialect.h"

#include "nlq/Dialect/NLQ/IR/NLQDialect.h.inc"

#endif // NLQ_DIALECT_NLQ_IR_NLQDIALECT_H
