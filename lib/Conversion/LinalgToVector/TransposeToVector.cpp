//===- TransposeToVector.cpp - Transposes of whole rows to copies -------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../LoopBuilder.h"
#include "nlq/Conversion/Passes.h"
#include "llvm/ADT/bit.h"

namespace nlq {
#define GEN_PASS_DEF_CONVERTTRANSPOSETOVECTOR
#include "nlq/Conversion/Passes.h.inc"
} // namespace nlq

using namespace mlir;
using namespace nlq;

/// Bytes of the vectors that are copied; LLVM splits those that a target does
/// not have.
static constexpr int64_t kVectorBytes = 64;

/// True if rows, the last dimension, move as a whole, on dense buffers of
/// static shape.
static bool movesRows(linalg::TransposeOp op) {
  ArrayRef<int64_t> permutation = op.getPermutation();
  if (!op.hasPureBufferSemantics() || permutation.empty() ||
      permutation.back() != int64_t(permutation.size()) - 1)
    return false;
  return llvm::all_of(op->getOperandTypes(), [](Type type) {
    auto buffer = cast<MemRefType>(type);
    return buffer.hasStaticShape() && buffer.isLastDimUnitStride() &&
           buffer.getElementType().isIntOrFloat() &&
           buffer.getElementTypeBitWidth() % 8 == 0;
  });
}

/// Loops over the dimensions of the result but the last, then copies a row.
static void copyRows(LoopBuilder &builder, linalg::TransposeOp op,
                     SmallVector<Value> position) {
  auto type = cast<MemRefType>(op.getInit().getType());
  int64_t dim = position.size();
  if (dim + 1 < type.getRank()) {
    builder.loop(0, type.getDimSize(dim), 1, [&](Value index) {
      SmallVector<Value> next(position);
      next.push_back(index);
      copyRows(builder, op, next);
    });
    return;
  }
  SmallVector<Value> source(type.getRank());
  for (auto [to, from] : llvm::enumerate(op.getPermutation().drop_back()))
    source[from] = position[to];
  int64_t lanes = llvm::bit_floor(
      uint64_t(kVectorBytes * 8 / type.getElementTypeBitWidth()));
  builder.pieces(
      type.getShape().back(), lanes, [&](Value column, int64_t width) {
        SmallVector<Value> target(position);
        target.push_back(column);
        source.back() = column;
        Value row =
            builder.load(op.getInput(), source, width, type.getElementType());
        builder.store(row, op.getInit(), target);
      });
}

namespace {
struct ConvertTransposeToVectorPass
    : nlq::impl::ConvertTransposeToVectorBase<ConvertTransposeToVectorPass> {
  void runOnOperation() override {
    SmallVector<linalg::TransposeOp> transposes;
    getOperation().walk([&](linalg::TransposeOp op) {
      if (movesRows(op))
        transposes.push_back(op);
    });
    for (linalg::TransposeOp op : transposes) {
      LoopBuilder builder(op.getLoc(), op);
      copyRows(builder, op, {});
      op->erase();
    }
  }
};
} // namespace
