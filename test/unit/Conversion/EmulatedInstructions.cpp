//===- EmulatedInstructions.cpp - Instructions for any machine ----------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EmulatedInstructions.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;

/// Elements first, first + stride, ... of a vector.
static Value everyNth(ImplicitLocOpBuilder &builder, Value vector,
                      int32_t first, int32_t stride) {
  int32_t count = cast<VectorType>(vector.getType()).getDimSize(0);
  SmallVector<int32_t> mask;
  for (int32_t i = first; i < count; i += stride)
    mask.push_back(i);
  return LLVM::ShuffleVectorOp::create(builder, vector, vector, mask);
}

unsigned nlq::emulateVnni(ModuleOp module) {
  SmallVector<LLVM::CallIntrinsicOp> calls;
  module.walk([&](LLVM::CallIntrinsicOp op) {
    if (op.getIntrin() == "llvm.x86.avx512.vpdpbusd.512" ||
        op.getIntrin() == "llvm.x86.avx512.vpdpwssd.512")
      calls.push_back(op);
  });
  for (LLVM::CallIntrinsicOp op : calls) {
    ImplicitLocOpBuilder builder(op.getLoc(), op);
    bool isBytes = op.getIntrin().contains("vpdpbusd");
    int32_t count = isBytes ? 4 : 2;
    Value sum = op.getArgs()[0];
    Type type = sum.getType();
    for (int32_t i = 0; i < count; ++i) {
      Value left = everyNth(builder, op.getArgs()[1], i, count);
      Value right = everyNth(builder, op.getArgs()[2], i, count);
      // Bytes of the first source are unsigned.
      Value wideLeft =
          isBytes ? LLVM::ZExtOp::create(builder, type, left).getResult()
                  : LLVM::SExtOp::create(builder, type, left).getResult();
      Value wideRight = LLVM::SExtOp::create(builder, type, right);
      sum = LLVM::AddOp::create(
          builder, sum, LLVM::MulOp::create(builder, wideLeft, wideRight));
    }
    op.getResult(0).replaceAllUsesWith(sum);
    op.erase();
  }
  return calls.size();
}
