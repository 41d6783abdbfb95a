//===- Grid.cpp - Scales along any dimensions ---------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Grid.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "nlq/Quantization/QuantizeTypes.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace nlq;

//===----------------------------------------------------------------------===//
// Grids and types
//===----------------------------------------------------------------------===//

Grid Grid::get(quant::QuantizedType type, int64_t rank) {
  Grid grid;
  grid.bits = type.getStorageTypeIntegralWidth();
  grid.lo = type.getStorageTypeMin();
  grid.hi = type.getStorageTypeMax();
  grid.shape.assign(rank, 1);
  if (auto uniform = dyn_cast<quant::UniformQuantizedType>(type)) {
    grid.zeroPoint = uniform.getZeroPoint();
    grid.scales = {uniform.getScale()};
    return grid;
  }
  auto perAxis = cast<quant::UniformQuantizedPerAxisType>(type);
  assert(llvm::all_equal(perAxis.getZeroPoints()) && "one zero point");
  grid.zeroPoint = perAxis.getZeroPoints().front();
  grid.shape[perAxis.getQuantizedDimension()] = perAxis.getScales().size();
  llvm::append_range(grid.scales, perAxis.getScales());
  return grid;
}

quant::QuantizedType Grid::getType(MLIRContext *context) const {
  auto storage = IntegerType::get(context, bits);
  auto expressed = Float32Type::get(context);
  if (isUniform())
    return quant::UniformQuantizedType::get(quant::QuantizationFlags::Signed,
                                            storage, expressed, scales[0],
                                            zeroPoint, lo, hi);
  if (int64_t(scales.size()) != shape.back())
    return nullptr;
  SmallVector<int64_t> zeroPoints(scales.size(), zeroPoint);
  return quant::UniformQuantizedPerAxisType::get(
      quant::QuantizationFlags::Signed, storage, expressed, scales, zeroPoints,
      int32_t(shape.size() - 1), lo, hi);
}

/// Where the scale of the element at `indices` stands.
static int64_t getOffset(ArrayRef<int64_t> shape, ArrayRef<int64_t> indices) {
  int64_t offset = 0;
  for (auto [extent, index] : llvm::zip_equal(shape, indices))
    offset = offset * extent + (extent == 1 ? 0 : index);
  return offset;
}

double Grid::getScale(ArrayRef<int64_t> indices) const {
  return scales[getOffset(shape, indices)];
}

//===----------------------------------------------------------------------===//
// Moving
//===----------------------------------------------------------------------===//

bool nlq::isShapeOp(Operation *op) {
  if (!op)
    return false;
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
    return llvm::none_of(slice.getStaticOffsets(), ShapedType::isDynamic) &&
           llvm::none_of(slice.getStaticStrides(), ShapedType::isDynamic);
  return isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp,
             linalg::TransposeOp>(op);
}

Value nlq::moveElements(OpBuilder &builder, Operation *op, Value storage) {
  RankedTensorType type = withElementType(
      op->getResult(0).getType(),
      cast<RankedTensorType>(storage.getType()).getElementType());
  if (auto transpose = dyn_cast<linalg::TransposeOp>(op)) {
    Value init = tensor::EmptyOp::create(builder, op->getLoc(), type.getShape(),
                                         type.getElementType());
    return linalg::TransposeOp::create(builder, op->getLoc(), storage, init,
                                       transpose.getPermutation())
        ->getResult(0);
  }
  Operation *moved = builder.clone(*op);
  moved->setOperand(0, storage);
  moved->getResult(0).setType(type);
  return moved->getResult(0);
}

/// The next indices in row-major order; false after the last ones.
static bool advance(SmallVectorImpl<int64_t> &indices,
                    ArrayRef<int64_t> shape) {
  for (int64_t dim = int64_t(shape.size()) - 1; dim >= 0; --dim) {
    if (++indices[dim] < shape[dim])
      return true;
    indices[dim] = 0;
  }
  return false;
}

/// Scales over all of `shape`, as `scaleAt` says for indices.
static std::vector<double>
tabulate(ArrayRef<int64_t> shape,
         function_ref<double(ArrayRef<int64_t>)> scaleAt) {
  std::vector<double> scales;
  SmallVector<int64_t> indices(shape.size(), 0);
  do
    scales.push_back(scaleAt(indices));
  while (advance(indices, shape));
  return scales;
}

/// Drops the dimensions along which nothing changes.
static void compress(Grid &grid) {
  for (int64_t dim = 0, rank = grid.shape.size(); dim < rank; ++dim) {
    if (grid.shape[dim] == 1)
      continue;
    auto first = [&](ArrayRef<int64_t> indices) {
      SmallVector<int64_t> start(indices);
      start[dim] = 0;
      return grid.getScale(start);
    };
    if (tabulate(grid.shape, first) != grid.scales)
      continue;
    SmallVector<int64_t, 4> shape = grid.shape;
    shape[dim] = 1;
    grid.scales = tabulate(shape, first);
    grid.shape = shape;
  }
}

/// `shape` with every group of dimensions in full in which one is.
static SmallVector<int64_t, 4>
fillGroups(ArrayRef<int64_t> shape, ArrayRef<int64_t> extents,
           ArrayRef<ReassociationIndices> groups) {
  SmallVector<int64_t, 4> filled(shape);
  for (const ReassociationIndices &group : groups)
    if (llvm::any_of(group, [&](int64_t dim) { return shape[dim] != 1; }))
      for (int64_t dim : group)
        filled[dim] = extents[dim];
  return filled;
}

Grid nlq::moveGrid(Operation *op, const Grid &grid) {
  Grid moved = grid;
  auto source = cast<RankedTensorType>(op->getOperand(0).getType()).getShape();
  auto result = cast<RankedTensorType>(op->getResult(0).getType()).getShape();
  moved.shape.assign(result.size(), 1);
  if (grid.isUniform())
    return moved;
  TypeSwitch<Operation *>(op)
      .Case([&](linalg::TransposeOp transpose) {
        ArrayRef<int64_t> permutation = transpose.getPermutation();
        for (auto [dim, from] : llvm::enumerate(permutation))
          moved.shape[dim] = grid.shape[from];
        moved.scales = tabulate(moved.shape, [&](ArrayRef<int64_t> indices) {
          SmallVector<int64_t> old(indices.size());
          for (auto [dim, from] : llvm::enumerate(permutation))
            old[from] = indices[dim];
          return grid.getScale(old);
        });
      })
      .Case([&](tensor::CollapseShapeOp collapse) {
        auto groups = collapse.getReassociationIndices();
        SmallVector<int64_t, 4> full = fillGroups(grid.shape, source, groups);
        moved.scales = tabulate(full, [&](ArrayRef<int64_t> indices) {
          return grid.getScale(indices);
        });
        for (auto [dim, group] : llvm::enumerate(groups))
          for (int64_t from : group)
            moved.shape[dim] *= full[from];
      })
      .Case([&](tensor::ExpandShapeOp expand) {
        for (auto [dim, group] :
             llvm::enumerate(expand.getReassociationIndices()))
          for (int64_t to : group)
            moved.shape[to] = grid.shape[dim] == 1 ? 1 : result[to];
      })
      .Case([&](tensor::ExtractSliceOp slice) {
        llvm::SmallBitVector dropped = slice.getDroppedDims();
        SmallVector<int64_t> kept;
        for (int64_t dim = 0; dim < int64_t(source.size()); ++dim)
          if (!dropped.test(dim))
            kept.push_back(dim);
        for (auto [dim, from] : llvm::enumerate(kept))
          moved.shape[dim] = grid.shape[from] == 1 ? 1 : result[dim];
        moved.scales = tabulate(moved.shape, [&](ArrayRef<int64_t> indices) {
          SmallVector<int64_t> old(slice.getStaticOffsets());
          for (auto [dim, from] : llvm::enumerate(kept))
            old[from] += indices[dim] * slice.getStaticStrides()[from];
          return grid.getScale(old);
        });
      });
  compress(moved);
  return moved;
}

quant::QuantizedType nlq::unmoveType(Operation *op, quant::QuantizedType type) {
  auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(type);
  if (!perAxis)
    return type;
  auto source = cast<RankedTensorType>(op->getOperand(0).getType());
  if (source.getRank() == 0 ||
      source.getShape().back() != int64_t(perAxis.getScales().size()))
    return nullptr;
  // The same channels as the operand's last dimension, if moving gives back
  // what was asked for.
  Grid grid = Grid::get(
      type, cast<RankedTensorType>(op->getResult(0).getType()).getRank());
  grid.shape.assign(source.getRank(), 1);
  grid.shape.back() = source.getShape().back();
  quant::QuantizedType before = grid.getType(type.getContext());
  if (moveGrid(op, grid).getType(type.getContext()) != type)
    return nullptr;
  return before;
}
