//===- RowReductions.cpp - Sums and maxima of a row -----------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RowReductions.h"
#include "Lanes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "nlq/Target/Dot.h"

using namespace mlir;
using namespace nlq;
using namespace nlq::kernel;

//===----------------------------------------------------------------------===//
// Terms
//===----------------------------------------------------------------------===//

/// Bits of an accumulator.
unsigned RowReductions::getWidth(NodeId id) const {
  const Node &node = graph.nodes[id];
  if (node.opcode == Opcode::ReduceMax)
    return isByte(node.operands[0], /*isUnsigned=*/false)
               ? 8
               : emitter.getWidth(node.operands[0]);
  // Every partial sum lies in the interval of all sums and zero.
  Interval range = bounds.intervals[id];
  Interval term = bounds.intervals[node.operands[0]];
  range.lo = std::min<int64_t>({range.lo, term.lo, 0});
  range.hi = std::max<int64_t>({range.hi, term.hi, 0});
  return std::max(emitter.getWidth(range), emitter.getWidth(node.operands[0]));
}

bool RowReductions::isByte(NodeId id, bool isUnsigned) const {
  Interval bytes =
      isUnsigned ? Interval{0, UINT8_MAX} : Interval{INT8_MIN, INT8_MAX};
  return bytes.contains(bounds.intervals[id]);
}

/// Whether pairs of the node's factors can be multiplied and added in 32 bits.
bool RowReductions::isProductOfWords(NodeId id) const {
  const Node &term = graph.nodes[id];
  Interval range = bounds.intervals[id];
  return term.opcode == Opcode::Mul &&
         emitter.getWidth(term.operands[0]) == 16 &&
         emitter.getWidth(term.operands[1]) == 16 &&
         range.lo >= INT32_MIN / 2 && range.hi <= INT32_MAX / 2;
}

/// Factors of a product of bytes that the target adds four of.
std::optional<RowReductions::Factors>
RowReductions::getByteFactors(NodeId id) const {
  const Node &term = graph.nodes[id];
  for (bool isLeftUnsigned : {false, true}) {
    if (!hasQuadDot(isLeftUnsigned, features))
      continue;
    auto make = [&](std::optional<NodeId> left, std::optional<NodeId> right) {
      return Factors{left, right, isLeftUnsigned, 4};
    };
    if (isByte(id, isLeftUnsigned))
      return make(id, std::nullopt);
    if (isByte(id, /*isUnsigned=*/false))
      return make(std::nullopt, id);
    if (term.opcode != Opcode::Mul)
      continue;
    NodeId a = term.operands[0], b = term.operands[1];
    for (auto [left, right] : {std::pair(a, b), std::pair(b, a)})
      if (isByte(left, isLeftUnsigned) && isByte(right, /*isUnsigned=*/false))
        return make(left, right);
  }
  return std::nullopt;
}

bool RowReductions::takesBytes(NodeId id) const {
  return getWidth(id) == 8 || getFactors(id, /*lanes=*/64).group == 4;
}

RowReductions::Factors RowReductions::getFactors(NodeId id,
                                                 int64_t lanes) const {
  if (lanes < 8 || graph.nodes[id].opcode != Opcode::ReduceSum)
    return {};
  NodeId term = graph.nodes[id].operands[0];
  if (!variesInRow(graph.nodes[term]))
    return {};
  if (lanes % 16 == 0 && lanes <= kMostGroupedLanes)
    if (std::optional<Factors> factors = getByteFactors(term))
      return *factors;
  if (!hasPairDot(features) || getWidth(id) < 32)
    return {};
  const Node &product = graph.nodes[term];
  if (isProductOfWords(term))
    return {product.operands[0], product.operands[1], false, 2};
  if (emitter.getWidth(term) == 16)
    return {term, std::nullopt, false, 2};
  return {};
}

//===----------------------------------------------------------------------===//
// Accumulators
//===----------------------------------------------------------------------===//

Value RowReductions::combine(NodeId id, Value a, Value b) {
  if (graph.nodes[id].opcode == Opcode::ReduceMax)
    return arith::MaxSIOp::create(builder, a, b);
  return arith::AddIOp::create(builder, a, b);
}

int64_t RowReductions::getNeutral(NodeId id) const {
  const Node &node = graph.nodes[id];
  return node.opcode == Opcode::ReduceMax
             ? bounds.intervals[node.operands[0]].lo
             : 0;
}

SmallVector<Value> RowReductions::start(ArrayRef<NodeId> ids, int64_t lanes) {
  SmallVector<Value> values;
  for (NodeId id : ids) {
    // What is taken in groups is added in no less than 32 bits.
    int64_t group = getFactors(id, lanes).group;
    IntegerType element = builder.getIntegerType(
        group == 1 ? getWidth(id) : std::max(getWidth(id), 32u));
    auto type = VectorType::get({lanes / group}, element);
    values.push_back(arith::ConstantOp::create(
        builder,
        SplatElementsAttr::get(
            type,
            APInt(64, getNeutral(id), true).sextOrTrunc(element.getWidth()))));
  }
  return values;
}

Value RowReductions::add(NodeId id, Value accumulator,
                         const CountedLanes &counted,
                         KernelEmitter::Chunk &chunk,
                         KernelEmitter::Scope &row) {
  NodeId term = graph.nodes[id].operands[0];
  if (Factors factors = getFactors(id, chunk.lanes); factors.group != 1)
    return addGroups(factors, term, accumulator, counted, chunk, row);
  unsigned width = getWidth(id);
  Value value =
      width == 8 ? emitter.emitLowBits(term, 8, chunk, row)
                 : emitter.resize(emitter.emitChunk(term, chunk, row), width);
  // A maximum may meet an element twice.
  if (graph.nodes[id].opcode == Opcode::ReduceSum ||
      counted.kind == CountedLanes::Kind::Below)
    value = replaceOthers(value, getNeutral(id), counted);
  return combine(id, accumulator, value);
}

/// `accumulator` plus the groups of one chunk.
Value RowReductions::addGroups(const Factors &factors, NodeId term,
                               Value accumulator, const CountedLanes &counted,
                               KernelEmitter::Chunk &chunk,
                               KernelEmitter::Scope &row) {
  const bool areBytes = factors.group == 4;
  auto type =
      VectorType::get({chunk.lanes}, builder.getIntegerType(areBytes ? 8 : 16));
  auto emit = [&](std::optional<NodeId> node) -> Value {
    if (!node)
      return arith::ConstantOp::create(
          builder, SplatElementsAttr::get(
                       type, APInt(type.getElementTypeBitWidth(), 1)));
    if (areBytes)
      return emitter.emitLowBits(*node, 8, chunk, row);
    // A sum has no order unless some of its terms don't count.
    Value value = factors.right || counted.kind != CountedLanes::Kind::All
                      ? emitter.emitChunk(*node, chunk, row)
                      : emitter.emitUnordered(*node, chunk, row);
    return emitter.resize(value, 16);
  };
  // Where the product is there already, that.
  bool isThere =
      !areBytes && chunk.values.contains(term) && emitter.getWidth(term) == 16;
  Value left = emit(isThere ? term : factors.left);
  Value right = emit(isThere ? std::nullopt : factors.right);
  left = replaceOthers(left, 0, counted);
  auto addTo = [&](Value sums) {
    return areBytes ? emitQuadDot(builder, sums, left, factors.isLeftUnsigned,
                                  right, features)
                    : emitPairDot(builder, sums, left, right, features);
  };
  auto sumsType =
      VectorType::get({chunk.lanes / factors.group}, builder.getI32Type());
  if (accumulator.getType() == sumsType)
    return addTo(accumulator);
  Value sums =
      addTo(arith::ConstantOp::create(builder, builder.getZeroAttr(sumsType)));
  return arith::AddIOp::create(
      builder, accumulator,
      arith::ExtSIOp::create(builder, accumulator.getType(), sums));
}

Value CountedLanes::emitMask(ImplicitLocOpBuilder &builder, int64_t lanes,
                             unsigned width) const {
  Type element = builder.getIntegerType(width);
  auto type = VectorType::get({lanes}, element);
  SmallVector<APInt> numbers;
  for (int64_t i = 0; i < lanes; ++i)
    numbers.push_back(APInt(width, i));
  Value bound = vector::BroadcastOp::create(
      builder, type, arith::IndexCastOp::create(builder, element, lane));
  return arith::CmpIOp::create(
      builder,
      kind == Kind::From ? arith::CmpIPredicate::sge
                         : arith::CmpIPredicate::slt,
      arith::ConstantOp::create(builder,
                                DenseIntElementsAttr::get(type, numbers)),
      bound);
}

/// `neutral` in lanes that don't count.
Value RowReductions::replaceOthers(Value value, int64_t neutral,
                                   const CountedLanes &counted) {
  if (counted.kind == CountedLanes::Kind::All)
    return value;
  // Compared in the value's own width, which the mask then has, too.
  auto type = cast<VectorType>(value.getType());
  unsigned width = widthOf(value);
  Value mask = counted.emitMask(builder, lanesOf(value), width);
  Value others = arith::ConstantOp::create(
      builder, SplatElementsAttr::get(
                   type, APInt(64, neutral, true).sextOrTrunc(width)));
  return arith::SelectOp::create(builder, mask, value, others);
}

Value RowReductions::slice(Value vector, int64_t begin, int64_t lanes) {
  return vector::ExtractStridedSliceOp::create(
      builder, vector, ArrayRef<int64_t>(begin), ArrayRef<int64_t>(lanes),
      ArrayRef<int64_t>(1));
}

SmallVector<Value> RowReductions::fold(ArrayRef<NodeId> ids,
                                       ValueRange accumulators) {
  SmallVector<Value> folded;
  for (auto [id, value] : llvm::zip(ids, accumulators)) {
    int64_t half = lanesOf(value) / 2;
    folded.push_back(
        combine(id, slice(value, 0, half), slice(value, half, half)));
  }
  return folded;
}

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

/// Whether the sum can be finished together with another.
bool RowReductions::canJoin(NodeId id, Value accumulator) const {
  return features.avx2 && graph.nodes[id].opcode == Opcode::ReduceSum &&
         widthOf(accumulator) == 32 && lanesOf(accumulator) >= 4 &&
         lanesOf(accumulator) % 4 == 0;
}

/// The sums of two accumulators, which take little more than that of one: side
/// by side, by unpacks within pieces of four lanes.
std::pair<Value, Value> RowReductions::finishTwo(Value a, Value b) {
  int64_t lanes = lanesOf(a);
  auto unpack = [&](int64_t from) -> Value {
    SmallVector<int64_t> order;
    for (int64_t piece = from; piece < lanes; piece += 4)
      order.append({piece, lanes + piece, piece + 1, lanes + piece + 1});
    return vector::ShuffleOp::create(builder, a, b, order);
  };
  Value both = arith::AddIOp::create(builder, unpack(0), unpack(2));
  for (; lanes > 2; lanes /= 2)
    both = arith::AddIOp::create(builder, slice(both, 0, lanes / 2),
                                 slice(both, lanes / 2, lanes / 2));
  auto get = [&](int64_t lane) {
    return emitter.resize(vector::ExtractOp::create(builder, both, lane), 64);
  };
  return {get(0), get(1)};
}

SmallVector<Value> RowReductions::finish(ArrayRef<NodeId> ids,
                                         ValueRange accumulators) {
  SmallVector<Value> results(ids.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    if (results[i])
      continue;
    Value accumulator = accumulators[i];
    if (canJoin(ids[i], accumulator)) {
      size_t other = i + 1;
      while (other < ids.size() &&
             (!canJoin(ids[other], accumulators[other]) ||
              accumulators[other].getType() != accumulator.getType()))
        ++other;
      if (other < ids.size()) {
        std::tie(results[i], results[other]) =
            finishTwo(accumulator, accumulators[other]);
        continue;
      }
    }
    auto kind = graph.nodes[ids[i]].opcode == Opcode::ReduceMax
                    ? vector::CombiningKind::MAXSI
                    : vector::CombiningKind::ADD;
    results[i] = emitter.resize(
        vector::ReductionOp::create(builder, kind, accumulator), 64);
  }
  return results;
}
