//===- MatmulToVector.cpp - Matrix products to vector code --------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/ImplicitLocOpBuilder.h"
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
  MatmulLowering(ImplicitLocOpBuilder &builder, linalg::LinalgOp op,
                 int64_t rows, int64_t lanes)
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
  void lowerColumns(Value row, int64_t blockRows);
  void lowerBlock(Value row, int64_t blockRows, Value column,
                  int64_t blockLanes);
  Value load(Value memref, Value row, Value column, int64_t blockLanes);
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(builder, value);
  }
  /// A loop with `body(induction variable)`; nothing if it would be empty.
  template <typename Body>
  void loop(int64_t begin, int64_t end, int64_t step, Body body) {
    if (begin >= end)
      return;
    auto op =
        scf::ForOp::create(builder, index(begin), index(end), index(step));
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(op.getBody());
    body(op.getInductionVar());
  }
  SmallVector<Value> position(Value row, Value column) {
    if (batch)
      return {batch, row, column};
    return {row, column};
  }

  ImplicitLocOpBuilder &builder;
  Value a, b, c;
  int64_t rows, lanes;
  int64_t batches, numRows, numColumns, depth;
  Type element;
  Value batch;
};

} // namespace

void MatmulLowering::run() {
  auto lowerMatrix = [&]() {
    int64_t full = numRows / rows * rows;
    loop(0, full, rows, [&](Value row) { lowerColumns(row, rows); });
    loop(full, numRows, 1, [&](Value row) { lowerColumns(row, 1); });
  };
  if (!batches)
    return lowerMatrix();
  loop(0, batches, 1, [&](Value matrix) {
    batch = matrix;
    lowerMatrix();
  });
}

void MatmulLowering::lowerColumns(Value row, int64_t blockRows) {
  int64_t done = 0;
  for (int64_t width = lanes; width >= 1; width /= 2) {
    int64_t end = done + (numColumns - done) / width * width;
    loop(done, end, width,
         [&](Value column) { lowerBlock(row, blockRows, column, width); });
    done = end;
  }
}

/// A vector of a row, extended to the element type of C.
Value MatmulLowering::load(Value memref, Value row, Value column,
                           int64_t blockLanes) {
  Type from = cast<MemRefType>(memref.getType()).getElementType();
  Value value =
      vector::LoadOp::create(builder, VectorType::get({blockLanes}, from),
                             memref, position(row, column));
  if (from == element)
    return value;
  return arith::ExtSIOp::create(builder, VectorType::get({blockLanes}, element),
                                value);
}

void MatmulLowering::lowerBlock(Value row, int64_t blockRows, Value column,
                                int64_t blockLanes) {
  auto type = VectorType::get({blockLanes}, element);
  SmallVector<Value> blockRowIndices, accumulators;
  for (int64_t i = 0; i < blockRows; ++i) {
    Value r = arith::AddIOp::create(builder, row, index(i));
    blockRowIndices.push_back(r);
    accumulators.push_back(load(c, r, column, blockLanes));
  }
  auto reduction = scf::ForOp::create(builder, index(0), index(depth), index(1),
                                      accumulators);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(reduction.getBody());
    Value k = reduction.getInductionVar();
    Value right = load(b, k, column, blockLanes);
    SmallVector<Value> next;
    for (auto [r, accumulator] :
         llvm::zip(blockRowIndices, reduction.getRegionIterArgs())) {
      Value scalar = memref::LoadOp::create(builder, a, position(r, k));
      if (scalar.getType() != element)
        scalar = arith::ExtSIOp::create(builder, element, scalar);
      Value left = vector::BroadcastOp::create(builder, type, scalar);
      if (isa<FloatType>(element)) {
        next.push_back(
            vector::FMAOp::create(builder, left, right, accumulator));
      } else {
        Value product = arith::MulIOp::create(builder, left, right);
        next.push_back(arith::AddIOp::create(builder, accumulator, product));
      }
    }
    scf::YieldOp::create(builder, next);
  }
  for (auto [r, result] : llvm::zip(blockRowIndices, reduction.getResults()))
    vector::StoreOp::create(builder, result, c, position(r, column));
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
      getOperation().emitError("lanes must be a power of two, found ") << lanes;
      return signalPassFailure();
    }
    if (rows < 1) {
      getOperation().emitError("rows must be at least 1, found ") << rows;
      return signalPassFailure();
    }
    SmallVector<linalg::LinalgOp> products;
    getOperation().walk([&](linalg::LinalgOp op) {
      if (isSupported(op))
        products.push_back(op);
    });
    for (linalg::LinalgOp op : products) {
      ImplicitLocOpBuilder builder(op.getLoc(), op);
      MatmulLowering(builder, op, rows, lanes).run();
      op->erase();
    }
  }
};
} // namespace
