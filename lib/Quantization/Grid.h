//===- Grid.h - Scales along any dimensions -------------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the integers of a tensor mean while they are moved about. The types in
// the IR have one scale, or one per entry of the last dimension; in between,
// where heads are split and dimensions change places, scales follow their
// elements.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_QUANTIZATION_GRID_H
#define NLQ_LIB_QUANTIZATION_GRID_H

#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/Operation.h"
#include <vector>

namespace nlq {

/// real = scale * (q - zeroPoint), q between `lo` and `hi`, signed.
struct Grid {
  unsigned bits = 8;
  int64_t lo = 0, hi = 0;
  int64_t zeroPoint = 0;
  /// For each dimension of the tensor its extent, or 1 where scales do not
  /// change along it.
  llvm::SmallVector<int64_t, 4> shape;
  /// Row-major over `shape`.
  std::vector<double> scales;

  /// Of the integers of `type` in a tensor of `rank` dimensions. The zero
  /// points of a type of several are the same ones.
  static Grid get(mlir::quant::QuantizedType type, int64_t rank);
  /// The type that says the same; null where scales change along another
  /// dimension than the last.
  mlir::quant::QuantizedType getType(mlir::MLIRContext *context) const;

  bool isUniform() const { return scales.size() == 1; }
  /// False where scales change along `dim`.
  bool isConstantAlong(int64_t dim) const { return shape[dim] == 1; }
  /// The scale of the element at `indices`.
  double getScale(llvm::ArrayRef<int64_t> indices) const;
  int64_t getLargestMagnitude() const { return std::max(-lo, hi); }
};

/// True for operations that only move elements: tensor.collapse_shape and
/// expand_shape, tensor.extract_slice of static places, linalg.transpose. Their
/// first operand holds the elements.
bool isShapeOp(mlir::Operation *op);

/// The grid of a shape operation's result, whose operand has `grid`.
Grid moveGrid(mlir::Operation *op, const Grid &grid);

/// The type of a shape operation's operand from that of its result, for types
/// per channel where the operation keeps the channels as they are; null
/// elsewhere.
mlir::quant::QuantizedType unmoveType(mlir::Operation *op,
                                      mlir::quant::QuantizedType type);

/// What `op` does to its elements, done to the integers `storage`.
mlir::Value moveElements(mlir::OpBuilder &builder, mlir::Operation *op,
                         mlir::Value storage);

} // namespace nlq

#endif // NLQ_LIB_QUANTIZATION_GRID_H
