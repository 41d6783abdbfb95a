//===- Fixed16.cpp - 16-bit fixed-point instructions --------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Target/Fixed16.h"
#include "VectorPieces.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace nlq;

/// Elements of i16 that one instruction works on; 0 if there is none for a
/// vector of `lanes`.
static int64_t getStep(int64_t lanes, const VectorFeatures &features) {
  if (features.avx512bw && lanes % 32 == 0)
    return 32;
  if ((features.avx2 || features.avx512bw) && lanes % 16 == 0)
    return 16;
  if (features.neon && lanes % 8 == 0)
    return 8;
  return 0;
}

bool nlq::hasRoundedProduct(const VectorFeatures &features) {
  return features.avx2 || features.avx512bw || features.neon;
}

Value nlq::emitRoundedProduct(ImplicitLocOpBuilder &builder, Value a, Value b,
                              const VectorFeatures &features) {
  int64_t step = getStep(lanesOf(a), features);
  if (step == 0)
    return Value();
  return inPieces(builder, step, {a, b}, [&](ArrayRef<Value> pieces) {
    return callIntrinsic(builder, pieces[0].getType(),
                         step == 32   ? "llvm.x86.avx512.pmul.hr.sw.512"
                         : step == 16 ? "llvm.x86.avx2.pmul.hr.sw"
                                      : "llvm.aarch64.neon.sqrdmulh.v8i16",
                         pieces);
  });
}

/// One permutation of words.
static Value permuteWords(ImplicitLocOpBuilder &builder,
                          ArrayRef<int16_t> table, Value index) {
  int64_t lanes = lanesOf(index);
  SmallVector<APInt> entries;
  for (int64_t i = 0; i < lanes; ++i)
    entries.emplace_back(16, i < int64_t(table.size()) ? table[i] : 0,
                         /*isSigned=*/true);
  return callIntrinsic(
      builder, index.getType(),
      lanes == 32 ? "llvm.x86.avx512.permvar.hi.512"
                  : "llvm.x86.avx512.permvar.hi.256",
      {constantOf(builder, builder.getI16Type(), entries), index});
}

/// A byte shuffle for each half of the entries. A control byte with its highest
/// bit set gives 0, so that each half lands in its place beside zeros.
static Value shuffleBytes(ImplicitLocOpBuilder &builder,
                          ArrayRef<int16_t> table, Value index) {
  auto words = cast<VectorType>(index.getType());
  auto bytes = VectorType::get({2 * words.getDimSize(0)}, builder.getI8Type());
  auto word = [&](int64_t value) -> Value {
    return arith::ConstantOp::create(
        builder, SplatElementsAttr::get(words, APInt(16, value)));
  };
  auto half = [&](unsigned shift, Value control) -> Value {
    SmallVector<APInt> entries;
    for (int64_t i = 0; i < bytes.getDimSize(0); ++i) {
      uint16_t entry = i % 16 < int64_t(table.size()) ? table[i % 16] : 0;
      entries.emplace_back(8, (entry >> shift) & 0xff);
    }
    Value shuffled = callIntrinsic(
        builder, bytes, "llvm.x86.avx2.pshuf.b",
        {constantOf(builder, builder.getI8Type(), entries),
         vector::BitCastOp::create(builder, bytes, control).getResult()});
    return vector::BitCastOp::create(builder, words, shuffled);
  };
  Value low = half(0, arith::OrIOp::create(builder, index, word(0x8000)));
  Value high =
      half(8, arith::OrIOp::create(
                  builder, arith::ShLIOp::create(builder, index, word(8)),
                  word(0x0080)));
  return arith::OrIOp::create(builder, low, high);
}

/// One lookup of both bytes, which lie side by side in the table.
static Value lookupPairs(ImplicitLocOpBuilder &builder, ArrayRef<int16_t> table,
                         Value index) {
  auto words = cast<VectorType>(index.getType());
  auto bytes = VectorType::get({2 * words.getDimSize(0)}, builder.getI8Type());
  auto word = [&](int64_t value) -> Value {
    return arith::ConstantOp::create(
        builder, SplatElementsAttr::get(words, APInt(16, value)));
  };
  // 2 * index in the low byte, 2 * index + 1 in the high one.
  Value control = arith::AddIOp::create(
      builder, arith::MulIOp::create(builder, index, word(0x0202)),
      word(0x0100));
  SmallVector<Value> operands;
  for (int64_t begin : {0, 8}) {
    SmallVector<APInt> entries;
    for (int64_t i = 0; i < 16; ++i) {
      int64_t at = begin + i / 2;
      uint16_t entry = at < int64_t(table.size()) ? table[at] : 0;
      entries.emplace_back(8, (entry >> (i % 2 * 8)) & 0xff);
    }
    operands.push_back(constantOf(builder, builder.getI8Type(), entries));
  }
  operands.push_back(vector::BitCastOp::create(builder, bytes, control));
  return vector::BitCastOp::create(
      builder, words,
      callIntrinsic(builder, bytes, "llvm.aarch64.neon.tbl2.v16i8", operands));
}

Value nlq::emitLookup16(ImplicitLocOpBuilder &builder, ArrayRef<int16_t> table,
                        Value index, const VectorFeatures &features) {
  int64_t step = getStep(lanesOf(index), features);
  if (step == 0 || table.size() > 16)
    return Value();
  return inPieces(builder, step, index, [&](ArrayRef<Value> pieces) {
    return features.neon       ? lookupPairs(builder, table, pieces[0])
           : features.avx512bw ? permuteWords(builder, table, pieces[0])
                               : shuffleBytes(builder, table, pieces[0]);
  });
}
