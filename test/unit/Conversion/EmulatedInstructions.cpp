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
#include "llvm/ADT/Sequence.h"

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

static Value constantOf(ImplicitLocOpBuilder &builder, unsigned width,
                        int64_t value) {
  return LLVM::ConstantOp::create(builder, builder.getIntegerType(width),
                                  value);
}

/// Byte `lane` of vpermi2b: the index's low seven bits choose among the bytes
/// of the first table and of the second.
static Value permutedByte(ImplicitLocOpBuilder &builder, ValueRange operands,
                          int64_t lane) {
  SmallVector<int32_t> all = llvm::to_vector(llvm::seq<int32_t>(0, 128));
  Value bytes =
      LLVM::ShuffleVectorOp::create(builder, operands[0], operands[2], all);
  Value index = LLVM::ExtractElementOp::create(builder, operands[1],
                                               constantOf(builder, 32, lane));
  index = LLVM::AndOp::create(builder, index, constantOf(builder, 8, 127));
  return LLVM::ExtractElementOp::create(builder, bytes, index);
}

/// Byte `lane` of vpshufb: the control's low four bits choose within the same
/// 16 bytes, its highest one makes it 0.
static Value shuffledByte(ImplicitLocOpBuilder &builder, ValueRange operands,
                          int64_t lane) {
  Value control = LLVM::ExtractElementOp::create(builder, operands[1],
                                                 constantOf(builder, 32, lane));
  Value index =
      LLVM::AndOp::create(builder, control, constantOf(builder, 8, 15));
  index = LLVM::AddOp::create(builder, index,
                              constantOf(builder, 8, lane / 16 * 16));
  Value byte = LLVM::ExtractElementOp::create(builder, operands[0], index);
  Value zero = constantOf(builder, 8, 0);
  Value isCleared =
      LLVM::ICmpOp::create(builder, LLVM::ICmpPredicate::slt, control, zero);
  return LLVM::SelectOp::create(builder, isCleared, zero, byte);
}

unsigned nlq::emulatePermutations(ModuleOp module) {
  SmallVector<LLVM::CallIntrinsicOp> calls;
  module.walk([&](LLVM::CallIntrinsicOp op) {
    if (op.getIntrin() == "llvm.x86.avx512.vpermi2var.qi.512" ||
        op.getIntrin() == "llvm.x86.avx512.pshuf.b.512")
      calls.push_back(op);
  });
  for (LLVM::CallIntrinsicOp op : calls) {
    ImplicitLocOpBuilder builder(op.getLoc(), op);
    bool permutes = op.getIntrin().contains("vpermi2var");
    Value result = LLVM::PoisonOp::create(builder, op.getResult(0).getType());
    for (int64_t lane = 0; lane < 64; ++lane) {
      Value byte = permutes ? permutedByte(builder, op.getArgs(), lane)
                            : shuffledByte(builder, op.getArgs(), lane);
      result = LLVM::InsertElementOp::create(builder, result, byte,
                                             constantOf(builder, 32, lane));
    }
    op.getResult(0).replaceAllUsesWith(result);
    op.erase();
  }
  return calls.size();
}
