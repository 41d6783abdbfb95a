//===- ConvertProductToVector.cpp - nlq.product to vector code ----------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProductOperands.h"
#include "nlq/Conversion/Passes.h"
#include "nlq/Target/Dot.h"
#include "llvm/Support/MathExtras.h"

namespace nlq {
#define GEN_PASS_DEF_CONVERTPRODUCTTOVECTOR
#include "nlq/Conversion/Passes.h.inc"
} // namespace nlq

using namespace mlir;
using namespace nlq;

namespace {

/// Lowers one product. Rows are done in chunks whose copy of the left operand
/// stays in the cache; within a chunk each block of columns of the right
/// operand is read once and multiplied with all blocks of rows.
class ProductLowering {
public:
  ProductLowering(LoopBuilder &builder, ProductOp op,
                  const VectorFeatures &features)
      : builder(builder), op(op), features(features), shape(op, features) {}

  void run();

private:
  /// Columns that are computed together.
  struct Columns {
    Value block;
    /// Registers, of which the last stores `lastLanes` elements.
    int64_t vectors, lastLanes;
  };

  void allocate();
  void lowerMatrix(Value batch);
  void lowerChunk(Value begin, Value end);
  /// Rows that fill no block; they are done with the last chunk.
  int64_t getRestRows() { return shape.rows % shape.tile.rows; }
  int64_t getFullRows() { return shape.rows - getRestRows(); }
  /// A multiple of the block's rows: chunks of about the same size.
  int64_t getChunkRows();
  void lowerBlock(Value row, Value chunkRow, int64_t blockRows,
                  Columns columns);
  SmallVector<Value> startAccumulators(int64_t blockRows, Columns columns);
  SmallVector<Value> addGroup(Value group, ArrayRef<Value> lefts,
                              Columns columns, ValueRange accumulators);
  Value loadLeft(Value row, Value chunkRow, Value group);
  Value loadLastOfOddDepth(Value row);
  void storeRow(Value row, ArrayRef<Value> accumulators, Columns columns);
  MemRefType bufferType(ArrayRef<int64_t> extents, unsigned bits) {
    return MemRefType::get(extents, builder.getIntegerType(bits));
  }
  Value allocateBuffer(ArrayRef<int64_t> extents, unsigned bits);
  /// Groups that are as instructions take them are read where they lie: pairs
  /// of i16, and four signed i8 where none is padded.
  bool copiesLeft() {
    return op.getLhsType().getElementType().isInteger(8) &&
           (shape.tile.group != 4 || shape.tile.isLeftUnsigned ||
            shape.depth % 4 != 0);
  }

  LoopBuilder &builder;
  ProductOp op;
  const VectorFeatures &features;
  ProductShape shape;
  MatrixOperand left, output;
  /// The packed right operand, [blocks, groups, columns * group].
  Value packed;
  /// Accumulators' first values, one per column and of the padding too; null
  /// for zeros.
  Value start;
  /// The copy of a chunk's rows of the left operand.
  Value leftCopy;
  SmallVector<Value> buffers;
};

/// Bytes of a chunk's rows of the left operand: they fit in the second-level
/// cache beside a block of the right operand. (On Zen 3 a whole ViT-S takes the
/// same time from 24 to 512 KB.)
constexpr int64_t kChunkBytes = 128 * 1024;

} // namespace

Value ProductLowering::allocateBuffer(ArrayRef<int64_t> extents,
                                      unsigned bits) {
  buffers.push_back(memref::AllocOp::create(builder, bufferType(extents, bits),
                                            builder.getI64IntegerAttr(64)));
  return buffers.back();
}

void ProductLowering::allocate() {
  const ProductTile &tile = shape.tile;
  unsigned leftBits = tile.group == 4 ? 8 : 16;
  if (copiesLeft()) {
    int64_t width = shape.getGroups() * tile.group;
    int64_t copyRows = std::min(getChunkRows() + getRestRows(), shape.rows);
    leftCopy = allocateBuffer({copyRows, width}, leftBits);
    // What pads the depth is multiplied by zeros, but must be there.
    if (width != shape.depth)
      builder.loop(0, copyRows, 1, [&](Value row) {
        for (int64_t k = shape.depth; k < width; ++k)
          builder.store(builder.zeros(VectorType::get(
                            {1}, builder.getIntegerType(leftBits))),
                        leftCopy, {row, builder.index(k)});
      });
  }
  if (shape.isPacked) {
    SmallVector<ReassociationIndices> dims = {{0}, {1}, {2, 3}};
    packed = memref::CollapseShapeOp::create(builder, op.getRhs(), dims);
    start = op.getStart();
    return;
  }
  packed = allocateBuffer(
      {shape.getBlocks(), shape.getGroups(), tile.getColumns() * tile.group},
      leftBits);
  if (shape.depth % tile.group != 0 || shape.columns % tile.getColumns() != 0) {
    Value zero = arith::ConstantIntOp::create(builder, 0, leftBits);
    linalg::FillOp::create(builder, zero, packed);
  }
  if (tile.isLeftUnsigned)
    start = allocateBuffer({shape.getBlocks() * tile.getColumns()}, 32);
}

void ProductLowering::run() {
  allocate();
  if (shape.batches)
    builder.loop(0, shape.batches, 1, [&](Value batch) { lowerMatrix(batch); });
  else
    lowerMatrix(Value());
  for (Value buffer : buffers)
    memref::DeallocOp::create(builder, buffer);
}

void ProductLowering::lowerMatrix(Value batch) {
  left = {op.getLhs(), batch};
  output = {op.getOutput(), batch};
  if (!shape.isPacked) {
    emitRightPacking(builder, shape, {op.getRhs(), batch}, packed);
    if (shape.tile.isLeftUnsigned)
      emitCompensation(builder, shape, packed, start, features);
  }
  int64_t full = getFullRows(), step = getChunkRows();
  if (full == 0)
    return lowerChunk(builder.index(0), builder.index(0));
  builder.loop(0, full, step, [&](Value begin) {
    Value end = arith::MinUIOp::create(builder, builder.add(begin, step),
                                       builder.index(full));
    lowerChunk(begin, end);
  });
}

int64_t ProductLowering::getChunkRows() {
  int64_t rowBytes =
      shape.getGroups() * shape.tile.group * (shape.tile.group == 4 ? 1 : 2);
  int64_t blocks = getFullRows() / shape.tile.rows;
  if (blocks == 0)
    return shape.tile.rows;
  int64_t fitting =
      std::max<int64_t>(kChunkBytes / rowBytes / shape.tile.rows, 1);
  int64_t chunks = llvm::divideCeil(blocks, fitting);
  return int64_t(llvm::divideCeil(blocks, chunks)) * shape.tile.rows;
}

/// Rows `[begin, end)`, a multiple of the block's, and after the last of them
/// the rest.
void ProductLowering::lowerChunk(Value begin, Value end) {
  int64_t blockRows = shape.tile.rows;
  Value fullRows = builder.index(getFullRows());
  Value isLast =
      arith::CmpIOp::create(builder, arith::CmpIPredicate::eq, end, fullRows);
  if (copiesLeft()) {
    Value copyEnd = arith::SelectOp::create(builder, isLast,
                                            builder.index(shape.rows), end);
    emitLeftCopy(builder, shape, left, begin, copyEnd, leftCopy);
  }
  auto lowerRows = [&](Value row, int64_t rows, Columns columns) {
    Value chunkRow = arith::SubIOp::create(builder, row, begin);
    lowerBlock(row, chunkRow, rows, columns);
  };
  auto lowerColumns = [&](Columns columns) {
    if (getFullRows() != 0)
      builder.loop(begin, end, blockRows,
                   [&](Value row) { lowerRows(row, blockRows, columns); });
    if (getRestRows() == 0)
      return;
    auto rest = scf::IfOp::create(builder, isLast);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(rest.thenBlock());
    lowerRows(fullRows, getRestRows(), columns);
  };
  const ProductTile &tile = shape.tile;
  int64_t full = shape.columns / tile.getColumns();
  builder.loop(0, full, 1, [&](Value block) {
    lowerColumns({block, tile.vectors, tile.lanes});
  });
  if (int64_t rest = shape.columns % tile.getColumns()) {
    int64_t vectors = (rest + tile.lanes - 1) / tile.lanes;
    lowerColumns(
        {builder.index(full), vectors, rest - (vectors - 1) * tile.lanes});
  }
}

SmallVector<Value> ProductLowering::startAccumulators(int64_t blockRows,
                                                      Columns columns) {
  Type i32 = builder.getI32Type();
  SmallVector<Value> row;
  Value first = builder.times(columns.block, shape.tile.getColumns());
  for (int64_t i = 0; i < columns.vectors; ++i) {
    int64_t lanes = shape.tile.lanes;
    row.push_back(
        start ? builder.load(start, builder.add(first, i * lanes), lanes, i32)
              : builder.zeros(VectorType::get({lanes}, i32)));
  }
  SmallVector<Value> accumulators;
  for (int64_t i = 0; i < blockRows; ++i)
    accumulators.append(row);
  return accumulators;
}

/// Adds the products of a group of the depth; `lefts` has the group of each row
/// as one i32.
SmallVector<Value> ProductLowering::addGroup(Value group, ArrayRef<Value> lefts,
                                             Columns columns,
                                             ValueRange accumulators) {
  const ProductTile &tile = shape.tile;
  int64_t elements = tile.lanes * tile.group;
  Type element = builder.getIntegerType(tile.group == 4 ? 8 : 16);
  auto elementsType = VectorType::get({elements}, element);
  auto wordsType = VectorType::get({tile.lanes}, builder.getI32Type());
  SmallVector<Value> rights;
  for (int64_t i = 0; i < columns.vectors; ++i)
    rights.push_back(builder.load(
        packed, {columns.block, group, builder.index(i * elements)}, elements,
        element));
  SmallVector<Value> next;
  for (Value word : lefts) {
    Value words = vector::BroadcastOp::create(builder, wordsType, word);
    Value repeated = vector::BitCastOp::create(builder, elementsType, words);
    for (Value right : rights) {
      Value accumulator = accumulators[next.size()];
      next.push_back(
          tile.group == 4
              ? emitQuadDot(builder, accumulator, repeated, tile.isLeftUnsigned,
                            right, features)
              : emitPairDot(builder, accumulator, repeated, right, features));
    }
  }
  return next;
}

/// A group of a row of the left operand as one i32.
Value ProductLowering::loadLeft(Value row, Value chunkRow, Value group) {
  Value k = builder.times(group, shape.tile.group);
  Value buffer = copiesLeft() ? leftCopy : left.buffer;
  SmallVector<Value, 3> position = left.at(row, k);
  if (copiesLeft())
    position.assign({chunkRow, k});
  Value elements =
      builder.load(buffer, position, shape.tile.group,
                   cast<MemRefType>(buffer.getType()).getElementType());
  Value word = vector::BitCastOp::create(
      builder, VectorType::get({1}, builder.getI32Type()), elements);
  return vector::ExtractOp::create(builder, word, 0);
}

/// The last element of a row, which has no second one in its pair.
Value ProductLowering::loadLastOfOddDepth(Value row) {
  Value element = memref::LoadOp::create(
      builder, left.buffer, left.at(row, builder.index(shape.depth - 1)));
  return arith::ExtUIOp::create(builder, builder.getI32Type(), element);
}

void ProductLowering::storeRow(Value row, ArrayRef<Value> accumulators,
                               Columns columns) {
  const ProductTile &tile = shape.tile;
  Value first = builder.times(columns.block, tile.getColumns());
  for (auto [i, accumulator] : llvm::enumerate(accumulators)) {
    Value column = builder.add(first, i * tile.lanes);
    bool isLast = int64_t(i) + 1 == columns.vectors;
    int64_t rest = isLast ? columns.lastLanes : tile.lanes;
    int64_t done = 0;
    for (int64_t width = tile.lanes; width >= 1; width /= 2) {
      if (rest - done < width)
        continue;
      Value part = accumulator;
      if (width != tile.lanes)
        part = vector::ExtractStridedSliceOp::create(
            builder, accumulator, ArrayRef<int64_t>(done),
            ArrayRef<int64_t>(width), ArrayRef<int64_t>(1));
      builder.store(part, output.buffer,
                    output.at(row, builder.add(column, done)));
      done += width;
    }
  }
}

void ProductLowering::lowerBlock(Value row, Value chunkRow, int64_t blockRows,
                                 Columns columns) {
  SmallVector<Value> rows, chunkRows;
  for (int64_t i = 0; i < blockRows; ++i) {
    rows.push_back(builder.add(row, i));
    chunkRows.push_back(builder.add(chunkRow, i));
  }
  // The copy is padded; what lies where it lies is not.
  int64_t groups =
      copiesLeft() ? shape.getGroups() : shape.depth / shape.tile.group;
  auto loop = scf::ForOp::create(builder, builder.index(0),
                                 builder.index(groups), builder.index(1),
                                 startAccumulators(blockRows, columns));
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    Value group = loop.getInductionVar();
    SmallVector<Value> lefts;
    for (auto [r, c] : llvm::zip(rows, chunkRows))
      lefts.push_back(loadLeft(r, c, group));
    scf::YieldOp::create(
        builder, addGroup(group, lefts, columns, loop.getRegionIterArgs()));
  }
  SmallVector<Value> sums(loop.getResults());
  if (groups != shape.getGroups()) {
    SmallVector<Value> lefts;
    for (Value r : rows)
      lefts.push_back(loadLastOfOddDepth(r));
    sums = addGroup(builder.index(groups), lefts, columns, sums);
  }
  for (auto [i, r] : llvm::enumerate(rows))
    storeRow(r, ArrayRef(sums).slice(i * columns.vectors, columns.vectors),
             columns);
}

namespace {
struct ConvertProductToVectorPass
    : nlq::impl::ConvertProductToVectorBase<ConvertProductToVectorPass> {
  using ConvertProductToVectorBase::ConvertProductToVectorBase;

  void runOnOperation() override {
    llvm::Expected<VectorFeatures> vectorFeatures =
        VectorFeatures::parse(ArrayRef<std::string>(*features));
    if (!vectorFeatures) {
      getOperation().emitError(llvm::toString(vectorFeatures.takeError()));
      return signalPassFailure();
    }
    SmallVector<ProductOp> products;
    getOperation().walk([&](ProductOp op) { products.push_back(op); });
    for (ProductOp op : products) {
      if (failed(check(op)))
        return signalPassFailure();
      LoopBuilder builder(op.getLoc(), op);
      ProductLowering(builder, op, *vectorFeatures).run();
      op->erase();
    }
  }

private:
  static LogicalResult check(ProductOp op) {
    if (!op.hasPureBufferSemantics())
      return op->emitOpError("must be on buffers to become vector code");
    for (Type type : op->getOperandTypes())
      if (!cast<MemRefType>(type).isLastDimUnitStride())
        return op->emitOpError()
               << "has an operand whose rows are not dense: " << type;
    return success();
  }
};
} // namespace
