//===- ProductOperands.cpp - Operands as product instructions read them -===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProductOperands.h"
#include "nlq/Target/Dot.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace nlq;

ProductShape::ProductShape(ProductOp op, const VectorFeatures &features)
    : isPacked(op.isPacked()), isTransposed(op.getTransposed()) {
  ArrayRef<int64_t> output = op.getOutputType().getShape();
  batches = output.size() == 3 ? output.front() : 0;
  rows = output[output.size() - 2];
  columns = output.back();
  depth = op.getLhsType().getShape().back();
  tile = getProductTile(op.getLhsType().getElementTypeBitWidth(),
                        op.getRhsType().getElementTypeBitWidth(), features);
  if (!isPacked)
    return;
  ArrayRef<int64_t> packed = op.getRhsType().getShape();
  int64_t powerOfTwo = int64_t(1) << llvm::countr_zero(uint64_t(packed[2]));
  tile.lanes = std::min(tile.lanes, powerOfTwo);
  tile.vectors = packed[2] / tile.lanes;
  tile.group = packed[3];
  tile.isLeftUnsigned = op.getShifted();
}

void nlq::emitLeftCopy(LoopBuilder &builder, const ProductShape &shape,
                       MatrixOperand left, Value begin, Value end,
                       Value target) {
  Type element = cast<MemRefType>(target.getType()).getElementType();
  Value first = begin;
  builder.loop(begin, end, 1, [&](Value row) {
    Value targetRow = arith::SubIOp::create(builder, row, first);
    builder.pieces(shape.depth, 64, [&](Value k, int64_t width) {
      Value part = builder.load(left.buffer, left.at(row, k), width, element);
      if (shape.tile.isLeftUnsigned) {
        auto type = cast<VectorType>(part.getType());
        Value highest = arith::ConstantOp::create(
            builder, SplatElementsAttr::get(type, APInt(8, 0x80)));
        part = arith::XOrIOp::create(builder, part, highest);
      }
      builder.store(part, target, {targetRow, k});
    });
  });
}

/// Rows as one vector, element by element in turn.
static Value interleave(LoopBuilder &builder, ArrayRef<Value> rows) {
  if (rows.size() == 1)
    return rows[0];
  SmallVector<Value, 2> even, odd;
  for (size_t i = 0; i < rows.size(); i += 2) {
    even.push_back(rows[i]);
    odd.push_back(rows[i + 1]);
  }
  return vector::InterleaveOp::create(builder, interleave(builder, even),
                                      interleave(builder, odd));
}

/// Packs `[K, N]`: a group of rows is interleaved.
static void packRows(LoopBuilder &builder, const ProductShape &shape,
                     MatrixOperand right, Value target) {
  const ProductTile &tile = shape.tile;
  Type element = cast<MemRefType>(target.getType()).getElementType();
  // `count` rows of a group, the others zero.
  auto packGroup = [&](Value group, int64_t count) {
    Value firstRow = builder.times(group, tile.group);
    auto packPiece = [&](Value block, Value lane, Value column, int64_t width) {
      SmallVector<Value, 4> rows;
      for (int64_t i = 0; i < count; ++i)
        rows.push_back(builder.load(right.buffer,
                                    right.at(builder.add(firstRow, i), column),
                                    width, element));
      rows.resize(tile.group, builder.zeros(VectorType::get({width}, element)));
      builder.store(interleave(builder, rows), target,
                    {block, group, builder.times(lane, tile.group)});
    };
    int64_t full = shape.columns / tile.getColumns();
    builder.loop(0, full, 1, [&](Value block) {
      packPiece(block, builder.index(0),
                builder.times(block, tile.getColumns()), tile.getColumns());
    });
    int64_t done = full * tile.getColumns();
    builder.pieces(
        shape.columns - done, llvm::bit_floor(uint64_t(tile.getColumns())),
        [&](Value lane, int64_t width) {
          packPiece(builder.index(full), lane, builder.add(lane, done), width);
        });
  };
  int64_t full = shape.depth / tile.group;
  builder.loop(0, full, 1, [&](Value group) { packGroup(group, tile.group); });
  if (shape.depth % tile.group != 0)
    packGroup(builder.index(full), shape.depth % tile.group);
}

/// Packs `[N, K]`: a group lies together in its column's row.
static void packColumns(LoopBuilder &builder, const ProductShape &shape,
                        MatrixOperand right, Value target) {
  const ProductTile &tile = shape.tile;
  Type element = cast<MemRefType>(target.getType()).getElementType();
  auto packColumn = [&](Value block, Value lane) {
    Value column = arith::AddIOp::create(
        builder, builder.times(block, tile.getColumns()), lane);
    Value offset = builder.times(lane, tile.group);
    auto packPart = [&](Value group, int64_t begin, int64_t width) {
      Value k = builder.add(builder.times(group, tile.group), begin);
      Value part =
          builder.load(right.buffer, right.at(column, k), width, element);
      builder.store(part, target, {block, group, builder.add(offset, begin)});
    };
    int64_t full = shape.depth / tile.group;
    builder.loop(0, full, 1,
                 [&](Value group) { packPart(group, 0, tile.group); });
    for (int64_t i = 0; i < shape.depth % tile.group; ++i)
      packPart(builder.index(full), i, 1);
  };
  int64_t full = shape.columns / tile.getColumns();
  builder.loop(0, full, 1, [&](Value block) {
    builder.loop(0, tile.getColumns(), 1,
                 [&](Value lane) { packColumn(block, lane); });
  });
  builder.loop(0, shape.columns % tile.getColumns(), 1,
               [&](Value lane) { packColumn(builder.index(full), lane); });
}

void nlq::emitRightPacking(LoopBuilder &builder, const ProductShape &shape,
                           MatrixOperand right, Value target) {
  if (shape.isTransposed)
    packColumns(builder, shape, right, target);
  else
    packRows(builder, shape, right, target);
}

void nlq::emitCompensation(LoopBuilder &builder, const ProductShape &shape,
                           Value packed, Value start,
                           const VectorFeatures &features) {
  const ProductTile &tile = shape.tile;
  auto bytes = VectorType::get({tile.lanes * tile.group}, builder.getI8Type());
  auto sums = VectorType::get({tile.lanes}, builder.getI32Type());
  Value factor = arith::ConstantOp::create(
      builder, SplatElementsAttr::get(bytes, APInt(8, 128)));
  Value zero = builder.zeros(sums);
  builder.loop(0, shape.getBlocks(), 1, [&](Value block) {
    builder.loop(0, tile.getColumns(), tile.lanes, [&](Value lane) {
      Value offset = builder.times(lane, tile.group);
      auto loop = scf::ForOp::create(builder, builder.index(0),
                                     builder.index(shape.getGroups()),
                                     builder.index(1), zero);
      {
        OpBuilder::InsertionGuard guard(builder);
        builder.setInsertionPointToStart(loop.getBody());
        Value part =
            builder.load(packed, {block, loop.getInductionVar(), offset},
                         tile.lanes * tile.group, builder.getI8Type());
        scf::YieldOp::create(
            builder, emitQuadDot(builder, loop.getRegionIterArg(0), factor,
                                 /*isLeftUnsigned=*/true, part, features));
      }
      Value column = arith::AddIOp::create(
          builder, builder.times(block, tile.getColumns()), lane);
      builder.store(arith::SubIOp::create(builder, zero, loop.getResult(0)),
                    start, column);
    });
  });
}
