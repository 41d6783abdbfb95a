//===- ProductOperands.h - Operands as product instructions read them -*- C++
//-*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_CONVERSION_PRODUCTTOVECTOR_PRODUCTOPERANDS_H
#define NLQ_LIB_CONVERSION_PRODUCTTOVECTOR_PRODUCTOPERANDS_H

#include "../LoopBuilder.h"
#include "nlq/Dialect/NLQ/IR/NLQOps.h"
#include "nlq/Target/ProductTile.h"

namespace nlq {

/// What is the same for all matrices of a product.
struct ProductShape {
  ProductShape(ProductOp op, const VectorFeatures &features);

  /// 0 where the operands are matrices.
  int64_t batches;
  int64_t rows, columns, depth;
  bool isPacked, isTransposed;
  /// For a packed right operand its group and columns are the operand's.
  ProductTile tile;

  /// Groups along the depth; the last may be padded.
  int64_t getGroups() const { return (depth + tile.group - 1) / tile.group; }
  /// Blocks of columns; the last may be padded.
  int64_t getBlocks() const {
    return (columns + tile.getColumns() - 1) / tile.getColumns();
  }
};

/// The rows and columns of one matrix of a buffer.
struct MatrixOperand {
  mlir::Value buffer;
  /// Null if the buffer is one matrix.
  mlir::Value batch;

  llvm::SmallVector<mlir::Value, 3> at(mlir::Value row,
                                       mlir::Value column) const {
    if (batch)
      return {batch, row, column};
    return {row, column};
  }
};

/// Copies rows `[begin, end)` of a left operand of i8 to rows `[0, end -
/// begin)` of `target`: for groups of four as i8, with the highest bit inverted
/// where the tile's left operand is unsigned, for pairs as i16. Elements beyond
/// the depth are left as they are.
void emitLeftCopy(LoopBuilder &builder, const ProductShape &shape,
                  MatrixOperand left, mlir::Value begin, mlir::Value end,
                  mlir::Value target);

/// Packs a right operand into `target`, `[blocks, groups, columns * group]`
/// (see ProductOp). The padding is left as it is; it must be zero beyond the
/// depth.
void emitRightPacking(LoopBuilder &builder, const ProductShape &shape,
                      MatrixOperand right, mlir::Value target);

/// Writes to `start` what makes up for the inverted bits of the left operand:
/// -128 * (sum of each column of the packed right operand).
void emitCompensation(LoopBuilder &builder, const ProductShape &shape,
                      mlir::Value packed, mlir::Value start,
                      const VectorFeatures &features);

} // namespace nlq

#endif // NLQ_LIB_CONVERSION_PRODUCTTOVECTOR_PRODUCTOPERANDS_H
