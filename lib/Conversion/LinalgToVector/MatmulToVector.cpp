//===- MatmulToVector.cpp - Matrix products to vector code --------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../LoopBuilder.h"
#include "nlq/Conversion/Passes.h"
#include "llvm/Support/MathExtras.h"

namespace nlq {
#define GEN_PASS_DEF_CONVERTMATMULTOVECTOR
#include "nlq/Conversion/Passes.h.inc"
} // namespace nlq

using namespace mlir;
using namespace nlq;

namespace {

/// Lowers C += A * B for one matrix, or for each matrix of a batch. Blocks of
/// `rows` x `lanes` of C stay in registers over the whole reduction; what is
/// left of the columns is done in narrower blocks of a power of two, what is
/// left of the rows one by one.
class MatmulLowering {
public:
  MatmulLowering(LoopBuilder &builder, linalg::LinalgOp op, int64_t rows,
                 int64_t lanes)
      : builder(builder), a(op.getDpsInputs()[0]), b(op.getDpsInputs()[1]),
        c(op.getDpsInits()[0]), rows(rows), lanes(lanes) {
    auto aType = cast<MemRefType>(a.getType());
    auto cType = cast<MemRefType>(c.getType());
    batches = cType.getRank() == 3 ? cType.getDimSize(0) : 0;
    numRows = cType.getShape().take_back(2).front();
    numColumns = cType.getShape().back();
    depth = aType.getShape().back();
    element = cType.getElementType();
  }

  void run();

private:
  void lowerMatrix();
  void lowerBlock(Value row, int64_t blockRows, Value column,
                  int64_t blockLanes);
  Value loadLeft(Value row, Value k, int64_t blockLanes);
  Value multiplyAdd(Value left, Value right, Value accumulator);
  SmallVector<Value> position(Value row, Value column) {
    if (batch)
      return {batch, row, column};
    return {row, column};
  }

  LoopBuilder &builder;
  Value a, b, c;
  int64_t rows, lanes;
  int64_t batches, numRows, numColumns, depth;
  Type element;
  Value batch;
};

} // namespace

void MatmulLowering::run() {
  if (batches)
    builder.loop(0, batches, 1, [&](Value matrix) {
      batch = matrix;
      lowerMatrix();
    });
  else
    lowerMatrix();
}

void MatmulLowering::lowerMatrix() {
  auto lowerRows = [&](Value row, int64_t blockRows) {
    builder.pieces(numColumns, lanes, [&](Value column, int64_t width) {
      lowerBlock(row, blockRows, column, width);
    });
  };
  int64_t full = numRows / rows * rows;
  builder.loop(0, full, rows, [&](Value row) { lowerRows(row, rows); });
  builder.loop(full, numRows, 1, [&](Value row) { lowerRows(row, 1); });
}

/// Step k of a row of A, repeated for every column of a block.
Value MatmulLowering::loadLeft(Value row, Value k, int64_t blockLanes) {
  auto type = VectorType::get({blockLanes}, element);
  Value scalar = memref::LoadOp::create(builder, a, position(row, k));
  if (scalar.getType() != element)
    scalar = arith::ExtSIOp::create(builder, element, scalar);
  return vector::BroadcastOp::create(builder, type, scalar);
}

Value MatmulLowering::multiplyAdd(Value left, Value right, Value accumulator) {
  if (isa<FloatType>(element))
    return vector::FMAOp::create(builder, left, right, accumulator);
  return arith::AddIOp::create(builder, accumulator,
                               arith::MulIOp::create(builder, left, right));
}

void MatmulLowering::lowerBlock(Value row, int64_t blockRows, Value column,
                                int64_t blockLanes) {
  SmallVector<Value> blockRowIndices, accumulators;
  for (int64_t i = 0; i < blockRows; ++i) {
    Value r = builder.add(row, i);
    blockRowIndices.push_back(r);
    accumulators.push_back(
        builder.load(c, position(r, column), blockLanes, element));
  }
  auto reduction =
      scf::ForOp::create(builder, builder.index(0), builder.index(depth),
                         builder.index(1), accumulators);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(reduction.getBody());
    Value k = reduction.getInductionVar();
    Value right = builder.load(b, position(k, column), blockLanes, element);
    SmallVector<Value> next;
    for (auto [r, accumulator] :
         llvm::zip(blockRowIndices, reduction.getRegionIterArgs()))
      next.push_back(
          multiplyAdd(loadLeft(r, k, blockLanes), right, accumulator));
    scf::YieldOp::create(builder, next);
  }
  for (auto [r, result] : llvm::zip(blockRowIndices, reduction.getResults()))
    builder.store(result, c, position(r, column));
}

/// True for products this lowering takes: plain (not transposed, not of
/// unsigned integers), on buffers of static shape, of integers that widen to
/// those of C or of one float type.
static bool isSupported(linalg::LinalgOp op) {
  bool plain = false;
  if (auto matmul = dyn_cast<linalg::MatmulOp>(op.getOperation()))
    plain = !matmul.hasUserDefinedMaps() &&
            matmul.getCast() == linalg::TypeFn::cast_signed;
  else if (auto batched = dyn_cast<linalg::BatchMatmulOp>(op.getOperation()))
    plain = !batched.hasUserDefinedMaps() &&
            batched.getCast() == linalg::TypeFn::cast_signed;
  if (!plain || !op.hasPureBufferSemantics())
    return false;
  Type element = getElementTypeOrSelf(op.getDpsInits()[0].getType());
  return llvm::all_of(op->getOperandTypes(), [&](Type type) {
    auto memref = dyn_cast<MemRefType>(type);
    if (!memref || !memref.hasStaticShape() || !memref.isLastDimUnitStride())
      return false;
    Type from = memref.getElementType();
    return from == element ||
           (from.isSignlessInteger() && element.isSignlessInteger() &&
            from.getIntOrFloatBitWidth() < element.getIntOrFloatBitWidth());
  });
}

namespace {
struct ConvertMatmulToVectorPass
    : nlq::impl::ConvertMatmulToVectorBase<ConvertMatmulToVectorPass> {
  using ConvertMatmulToVectorBase::ConvertMatmulToVectorBase;

  void runOnOperation() override {
    if (lanes < 1 || !llvm::isPowerOf2_64(lanes)) {
      getOperation().emitError("lanes must be a power of two, found ")
          << int64_t(lanes);
      return signalPassFailure();
    }
    if (rows < 1) {
      getOperation().emitError("rows must be at least 1, found ")
          << int64_t(rows);
      return signalPassFailure();
    }
    SmallVector<linalg::LinalgOp> products;
    getOperation().walk([&](linalg::LinalgOp op) {
      if (isSupported(op))
        products.push_back(op);
    });
    for (linalg::LinalgOp op : products) {
      LoopBuilder builder(op.getLoc(), op);
      MatmulLowering(builder, op, rows, lanes).run();
      op->erase();
    }
  }
};
} // namespace
