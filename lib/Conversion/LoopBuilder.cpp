//===- LoopBuilder.cpp - Loops and vectors over dense rows --------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LoopBuilder.h"

using namespace mlir;
using namespace nlq;

Value LoopBuilder::load(Value buffer, ValueRange position, int64_t width,
                        Type element) {
  Type from = cast<MemRefType>(buffer.getType()).getElementType();
  Value value = vector::LoadOp::create(*this, VectorType::get({width}, from),
                                       buffer, position);
  if (from == element)
    return value;
  return arith::ExtSIOp::create(*this, VectorType::get({width}, element),
                                value);
}

void LoopBuilder::loop(Value begin, Value end, int64_t step,
                       llvm::function_ref<void(Value)> body) {
  auto op = scf::ForOp::create(*this, begin, end, index(step));
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(op.getBody());
  body(op.getInductionVar());
}

void LoopBuilder::pieces(int64_t extent, int64_t widest,
                         llvm::function_ref<void(Value, int64_t)> body) {
  int64_t done = 0;
  for (int64_t width = widest; width >= 1; width /= 2) {
    int64_t end = done + (extent - done) / width * width;
    loop(done, end, width, [&](Value begin) { body(begin, width); });
    done = end;
  }
}
