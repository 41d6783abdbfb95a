//===- BytePack.cpp - Words packed to bytes -------------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Target/BytePack.h"
#include "VectorPieces.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace nlq;

Value nlq::emitBytePack(ImplicitLocOpBuilder &builder, Value words,
                        bool isSigned) {
  auto half = [&](int64_t begin) -> Value {
    return vector::ExtractStridedSliceOp::create(
        builder, words, ArrayRef<int64_t>(begin),
        ArrayRef<int64_t>(kPackedLanes / 2), ArrayRef<int64_t>(1));
  };
  return callIntrinsic(builder,
                       VectorType::get({kPackedLanes}, builder.getI8Type()),
                       isSigned ? "llvm.x86.avx512.packsswb.512"
                                : "llvm.x86.avx512.packuswb.512",
                       {half(0), half(kPackedLanes / 2)});
}

Value nlq::orderPackedBytes(ImplicitLocOpBuilder &builder, Value bytes) {
  SmallVector<int64_t> order;
  for (int64_t lane = 0; lane < kPackedLanes; ++lane)
    order.push_back(getPackedLane(lane));
  return vector::ShuffleOp::create(builder, bytes, bytes, order);
}
