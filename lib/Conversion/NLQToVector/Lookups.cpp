//===- Lookups.cpp - Entries of tables
//--------------------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Lookups: by bytes or words that instructions of the target permute, or else
// by a gather.
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"
#include "Lanes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "nlq/Target/ByteLookup.h"
#include "nlq/Target/Fixed16.h"

using namespace mlir;
using namespace nlq;
using namespace nlq::kernel;

static bool hasWords(const Table &table) {
  return llvm::all_of(table, [](int64_t entry) {
    return entry >= INT16_MIN && entry <= INT16_MAX;
  });
}

/// By bytes, a lookup in few entries takes fewer instructions of AVX2 than by
/// words only if its index comes in bytes.
bool KernelEmitter::looksUpBytes(const Node &node) const {
  if (node.opcode != Opcode::Lookup || node.rate != Rate::Element)
    return false;
  const Table &table = graph.tables[node.imm];
  if (table.size() > 256 || !hasWords(table))
    return false;
  return table.size() > 16 || (features.avx2 && !features.avx512bw &&
                               hasLowBits(node.operands[0], 8));
}

static bool hasBytes(const Table &table, int64_t least, int64_t most) {
  return llvm::all_of(
      table, [&](int64_t entry) { return entry >= least && entry <= most; });
}

bool KernelEmitter::swapsQuarters(const Node &node, int64_t lanes) const {
  const Table &table = graph.tables[node.imm];
  return features.avx2 && !features.avx512bw && lanes == 32 &&
         !hasBytes(table, INT8_MIN, INT8_MAX) && !hasBytes(table, 0, UINT8_MAX);
}

Value KernelEmitter::swapQuarters(Value value) {
  SmallVector<int64_t> order;
  int64_t quarter = lanesOf(value) / 4;
  for (int64_t begin : {0, 2, 1, 3})
    for (int64_t i = 0; i < quarter; ++i)
      order.push_back(begin * quarter + i);
  return vector::ShuffleOp::create(builder, value, value, order);
}

/// A lookup of the low bytes of the entries and, unless these say all, one of
/// the high bytes. Null where the target has none.
Value KernelEmitter::emitByteLookups(const Table &table, Value index,
                                     unsigned width, bool isSwapped) {
  Value bytes = resize(index, 8);
  auto lookup = [&](unsigned shift) {
    SmallVector<uint8_t> part;
    for (int64_t entry : table)
      part.push_back(uint8_t(entry >> shift));
    return emitByteLookup(builder, part, bytes, features);
  };
  Value low = lookup(0);
  if (!low)
    return Value();
  if (hasBytes(table, INT8_MIN, INT8_MAX))
    return resize(low, width);
  if (hasBytes(table, 0, UINT8_MAX))
    return extendUnsigned(low, width);
  Value high = lookup(8), both;
  if (isSwapped) {
    // AVX2's unpacks, which work within halves.
    int64_t lanes = lanesOf(low), quarter = lanes / 4;
    SmallVector<int64_t> order;
    for (int64_t begin : {0, 2, 1, 3})
      for (int64_t i = begin * quarter; i < (begin + 1) * quarter; ++i)
        order.append({i, lanes + i});
    both = vector::ShuffleOp::create(builder, low, high, order);
  } else {
    both = vector::InterleaveOp::create(builder, low, high);
  }
  Value entry =
      vector::BitCastOp::create(builder, getType(16, lanesOf(bytes)), both);
  return resize(entry, width);
}

Value KernelEmitter::emitLookup(const Node &node, Value index, unsigned width) {
  Value table = tables[node.imm];
  unsigned entryWidth =
      cast<MemRefType>(table.getType()).getElementTypeBitWidth();
  int64_t lanes = lanesOf(index);
  if (!lanes) {
    Value position =
        arith::IndexCastOp::create(builder, builder.getIndexType(), index);
    Value entry = memref::LoadOp::create(builder, table, ValueRange(position));
    return resize(entry, std::max(width, entryWidth));
  }
  const Table &entriesOf = graph.tables[node.imm];
  if (looksUpBytes(node)) {
    bool isSwapped = swapsQuarters(node, lanes);
    if (Value entry = emitByteLookups(entriesOf, index, width, isSwapped))
      return entry;
    // The index, read as unsigned, is below the number of entries.
    index = extendUnsigned(index, 16);
  }
  if (entriesOf.size() <= 16 && hasWords(entriesOf)) {
    SmallVector<int16_t> words(entriesOf.begin(), entriesOf.end());
    if (Value entry = emitLookup16(builder, words, index, features))
      return entry;
  }
  // Entries of a row's table that no element has may ask for any.
  index = resize(index, std::max(widthOf(index), 32u));
  index = arith::MinUIOp::create(
      builder, index, constantLike(int64_t(entriesOf.size()) - 1, index));
  Value zero = arith::ConstantIndexOp::create(builder, 0);
  VectorType type =
      VectorType::get({lanes}, builder.getIntegerType(entryWidth));
  Value mask = arith::ConstantOp::create(
      builder, DenseElementsAttr::get(
                   VectorType::get({lanes}, builder.getI1Type()), true));
  Value passThrough =
      arith::ConstantOp::create(builder, builder.getZeroAttr(type));
  Value entries =
      vector::GatherOp::create(builder, type, table, ValueRange(zero),
                               resize(index, 32), mask, passThrough);
  return resize(entries, std::max(width, entryWidth));
}
