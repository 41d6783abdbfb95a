//===- ByteLookup.cpp - Lookups in tables of bytes ----------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Target/ByteLookup.h"
#include "FoldedTable.h"
#include "VectorPieces.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace nlq;

/// Bytes that one instruction works on; 0 if there is none for a vector of
/// `lanes`.
static int64_t getStep(int64_t lanes, const VectorFeatures &features) {
  if (features.avx512bw && lanes % 64 == 0)
    return 64;
  if ((features.avx2 || features.avx512bw) && lanes % 32 == 0)
    return 32;
  if ((features.avx2 || features.avx512bw || features.neon) && lanes % 16 == 0)
    return 16;
  return 0;
}

/// Entries `begin` to `begin + count` of the table, zero past its end, again
/// and again until there are `lanes`.
static Value entriesOf(ImplicitLocOpBuilder &builder, ArrayRef<uint8_t> table,
                       size_t begin, size_t count, int64_t lanes) {
  SmallVector<APInt> entries;
  for (int64_t lane = 0; lane < lanes; ++lane) {
    size_t entry = begin + lane % count;
    entries.emplace_back(8, entry < table.size() ? table[entry] : 0);
  }
  return constantOf(builder, builder.getI8Type(), entries);
}

/// Bit `bit` of every byte.
static Value getBit(ImplicitLocOpBuilder &builder, Value bytes, unsigned bit) {
  auto type = cast<VectorType>(bytes.getType());
  Value shifted = bytes;
  if (bit < 7) {
    // There are no shifts of bytes. What comes from a neighbour stays below the
    // highest bit, the only one that is read.
    auto words =
        VectorType::get({type.getDimSize(0) / 2}, builder.getI16Type());
    Value amount = arith::ConstantOp::create(
        builder, SplatElementsAttr::get(words, APInt(16, 7 - bit)));
    shifted = arith::ShLIOp::create(
        builder, vector::BitCastOp::create(builder, words, bytes), amount);
    shifted = vector::BitCastOp::create(builder, type, shifted);
  }
  Value zero = arith::ConstantOp::create(builder, builder.getZeroAttr(type));
  return arith::CmpIOp::create(builder, arith::CmpIPredicate::slt, shifted,
                               zero);
}

/// One of `values` by the bits of `index` from `bit` on; an index past them
/// does not occur.
static Value selectByBits(ImplicitLocOpBuilder &builder,
                          SmallVector<Value> values, Value index,
                          unsigned bit) {
  for (; values.size() > 1; ++bit) {
    Value isSet = getBit(builder, index, bit);
    SmallVector<Value> chosen;
    for (size_t i = 0; i < values.size(); i += 2)
      chosen.push_back(i + 1 == values.size()
                           ? values[i]
                           : arith::SelectOp::create(builder, isSet,
                                                     values[i + 1], values[i])
                                 .getResult());
    values = std::move(chosen);
  }
  return values.front();
}

/// Bytes that one permutation of AVX-512 VBMI chooses among.
constexpr int64_t kPermuted = 64;

/// A permutation of 64 entries, or of 128 in two vectors.
static Value permute(ImplicitLocOpBuilder &builder, ArrayRef<Value> entries,
                     Value index) {
  if (entries.size() == 1)
    return callIntrinsic(builder, index.getType(),
                         "llvm.x86.avx512.permvar.qi.512", {entries[0], index});
  return callIntrinsic(builder, index.getType(),
                       "llvm.x86.avx512.vpermi2var.qi.512",
                       {entries[0], index, entries[1]});
}

/// `part` of an index of 64 bytes: of pieces of the index, or of the index and
/// what does not matter.
static Value inPermutes(ImplicitLocOpBuilder &builder, Value index,
                        llvm::function_ref<Value(Value)> part) {
  auto type = cast<VectorType>(index.getType());
  int64_t lanes = type.getDimSize(0);
  if (lanes >= kPermuted)
    return inPieces(builder, kPermuted, index,
                    [&](ArrayRef<Value> pieces) { return part(pieces[0]); });
  Value zeros = arith::ConstantOp::create(
      builder,
      builder.getZeroAttr(VectorType::get({kPermuted}, type.getElementType())));
  Value whole = vector::InsertStridedSliceOp::create(
      builder, index, zeros, ArrayRef<int64_t>(0), ArrayRef<int64_t>(1));
  return vector::ExtractStridedSliceOp::create(
      builder, part(whole), ArrayRef<int64_t>(0), ArrayRef<int64_t>(lanes),
      ArrayRef<int64_t>(1));
}

Value nlq::emitBytePermute(ImplicitLocOpBuilder &builder,
                           ArrayRef<Value> entries, Value index) {
  return inPermutes(builder, index, [&](Value bytes) {
    SmallVector<Value> halves;
    for (size_t begin = 0; begin < entries.size(); begin += 2)
      halves.push_back(
          permute(builder, entries.slice(begin).take_front(2), bytes));
    return selectByBits(builder, std::move(halves), bytes, /*bit=*/7);
  });
}

static Value lookupByPermutes(ImplicitLocOpBuilder &builder,
                              ArrayRef<uint8_t> table, Value index) {
  return inPermutes(builder, index, [&](Value bytes) {
    SmallVector<Value> halves;
    for (size_t begin = 0; begin < table.size(); begin += 2 * kPermuted) {
      ArrayRef<uint8_t> half = table.slice(begin).take_front(2 * kPermuted);
      bool isUniform = llvm::all_equal(half);
      SmallVector<Value> entries;
      for (size_t i = 0; i < half.size(); i += kPermuted)
        entries.push_back(
            entriesOf(builder, half, i, isUniform ? 1 : kPermuted, kPermuted));
      halves.push_back(isUniform ? entries[0]
                                 : permute(builder, entries, bytes));
    }
    return selectByBits(builder, std::move(halves), bytes, /*bit=*/7);
  });
}

/// Entries that one shuffle chooses among.
constexpr size_t kShuffled = 16;

/// Runs of entries that take a shuffle: those that are not all the same.
static size_t countShuffles(ArrayRef<uint8_t> table) {
  size_t count = 0;
  for (; !table.empty();
       table = table.drop_front(std::min<size_t>(kShuffled, table.size())))
    count += !llvm::all_equal(table.take_front(kShuffled));
  return count;
}

static Value lookupByShuffles(ImplicitLocOpBuilder &builder,
                              ArrayRef<uint8_t> table, Value index) {
  auto type = cast<VectorType>(index.getType());
  int64_t lanes = type.getDimSize(0);
  StringRef shuffle = lanes == 64   ? "llvm.x86.avx512.pshuf.b.512"
                      : lanes == 32 ? "llvm.x86.avx2.pshuf.b"
                                    : "llvm.x86.ssse3.pshuf.b.128";
  Value low = arith::AndIOp::create(
      builder, index,
      arith::ConstantOp::create(builder,
                                SplatElementsAttr::get(type, APInt(8, 0x0f))));
  SmallVector<Value> rows;
  for (size_t begin = 0; begin < table.size(); begin += kShuffled) {
    bool isUniform =
        countShuffles(table.slice(begin).take_front(kShuffled)) == 0;
    Value entries =
        entriesOf(builder, table, begin, isUniform ? 1 : kShuffled, lanes);
    rows.push_back(isUniform
                       ? entries
                       : callIntrinsic(builder, type, shuffle, {entries, low}));
  }
  return selectByBits(builder, std::move(rows), index, /*bit=*/4);
}

/// By the half of the table that says the other, if that takes fewer
/// instructions.
static Value lookupByFewShuffles(ImplicitLocOpBuilder &builder,
                                 ArrayRef<uint8_t> table, Value index) {
  // What folding takes beside; with a shuffle goes about one selection.
  constexpr size_t kExtra = 3;
  std::optional<FoldedTable> folded = FoldedTable::find(table);
  if (!folded || countShuffles(folded->half) + kExtra >= countShuffles(table))
    return lookupByShuffles(builder, table, index);
  return folded->emit(builder, index, [&](Value position) {
    return lookupByShuffles(builder, folded->half, position);
  });
}

static Value lookupByTables(ImplicitLocOpBuilder &builder,
                            ArrayRef<uint8_t> table, Value index) {
  constexpr size_t size = 16, most = 4;
  auto type = cast<VectorType>(index.getType());
  Value found;
  for (size_t begin = 0; begin < table.size(); begin += most * size) {
    size_t count = std::min(most, llvm::divideCeil(table.size() - begin, size));
    SmallVector<Value> operands;
    if (found)
      operands.push_back(found);
    for (size_t i = 0; i < count; ++i)
      operands.push_back(
          entriesOf(builder, table, begin + i * size, size, size));
    // An index below `begin` wraps around to one beyond the table.
    Value offset = arith::ConstantOp::create(
        builder, SplatElementsAttr::get(type, APInt(8, begin)));
    operands.push_back(arith::SubIOp::create(builder, index, offset));
    found = callIntrinsic(builder, type,
                          (Twine("llvm.aarch64.neon.") +
                           (found ? "tbx" : "tbl") + Twine(count) + ".v16i8")
                              .str(),
                          operands);
  }
  return found;
}

Value nlq::emitByteLookup(ImplicitLocOpBuilder &builder,
                          ArrayRef<uint8_t> table, Value index,
                          const VectorFeatures &features) {
  int64_t step = getStep(lanesOf(index), features);
  if (step == 0 || table.empty() || table.size() > 256)
    return Value();
  if (features.avx512vbmi && table.size() > kShuffled)
    return lookupByPermutes(builder, table, index);
  return inPieces(builder, step, index, [&](ArrayRef<Value> pieces) {
    return features.neon ? lookupByTables(builder, table, pieces[0])
                         : lookupByFewShuffles(builder, table, pieces[0]);
  });
}

bool nlq::hasByteLookup(const VectorFeatures &features) {
  return features.avx2 || features.avx512bw || features.neon;
}
