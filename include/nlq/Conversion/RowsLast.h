//===- RowsLast.h - Rows along the last dimension ---------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_CONVERSION_ROWSLAST_H
#define NLQ_CONVERSION_ROWSLAST_H

#include "mlir/IR/PatternMatch.h"

namespace nlq {

/// Patterns that make the last dimension the row of every operation on floats;
/// see the pass nlq-rows-last.
void populateRowsLastPatterns(mlir::RewritePatternSet &patterns);

/// Applies them inside of `op`.
llvm::LogicalResult moveRowsLast(mlir::Operation *op);

} // namespace nlq

#endif // NLQ_CONVERSION_ROWSLAST_H
