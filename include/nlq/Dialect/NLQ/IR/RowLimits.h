//===- RowLimits.h - How long the rows of a function may be ---*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernels on rows of dynamic length are proved not to overflow on rows of up to
// a declared length. Whoever calls a function must keep to it; the functions
// that pipelines make check it first. This is where both ask.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_DIALECT_NLQ_IR_ROWLIMITS_H
#define NLQ_DIALECT_NLQ_IR_ROWLIMITS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/MapVector.h"

namespace nlq {

/// A dimension of an argument of a function: the argument, then the dimension.
using ArgumentExtent = std::pair<unsigned, int64_t>;

/// The dimension of an argument of the function around it that dimension `dim`
/// of `value`, a tensor, is as long as; nothing where that can't be seen. It is
/// followed through operations of nlq and casts of quantized types, which keep
/// shapes, and through the destinations that results take their shapes from.
std::optional<ArgumentExtent> findArgumentExtent(mlir::Value value,
                                                 int64_t dim);

struct RowLimits {
  /// The longest rows that the function may be called with, in extents of its
  /// arguments that are dynamic.
  llvm::MapVector<ArgumentExtent, int64_t> limits;
  /// The first operation with a limit whose rows are no extent of an argument.
  mlir::Operation *unknown = nullptr;
};

/// The limits of `nlq.kernel` and of quantized operations with a declared
/// `max_row_length` in a function on tensors, where rows have a dynamic length.
RowLimits findRowLimits(mlir::func::FuncOp function);

} // namespace nlq

#endif // NLQ_DIALECT_NLQ_IR_ROWLIMITS_H
