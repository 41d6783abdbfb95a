//===- KernelEmitter.cpp - Vector code of one chunk of a row ------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"
#include "../KernelArith.h"
#include "Lanes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "nlq/Target/BytePack.h"

using namespace mlir;
using namespace nlq;
using namespace nlq::kernel;

//===----------------------------------------------------------------------===//
// Widths and constants
//===----------------------------------------------------------------------===//

unsigned KernelEmitter::getBits(NodeId id) const {
  return signedBits(bounds.intervals[id]);
}

unsigned KernelEmitter::getWidth(Interval range) const {
  return getLane(signedBits(range));
}

unsigned KernelEmitter::getWidth(NodeId id) const {
  return getWidth(bounds.intervals[id]);
}

/// The type of `lanes` integers; 0 lanes is a scalar.
Type KernelEmitter::getType(unsigned width, int64_t lanes) {
  Type element = builder.getIntegerType(width);
  return lanes ? Type(VectorType::get({lanes}, element)) : element;
}

Value KernelEmitter::constant(int64_t value, unsigned width, int64_t lanes) {
  Type type = getType(width, lanes);
  TypedAttr attr = builder.getIntegerAttr(
      builder.getIntegerType(width),
      APInt(64, uint64_t(value), /*isSigned=*/true).sextOrTrunc(width));
  if (auto vector = dyn_cast<VectorType>(type))
    attr = SplatElementsAttr::get(vector, cast<IntegerAttr>(attr).getValue());
  return arith::ConstantOp::create(builder, attr);
}

Value KernelEmitter::constantLike(int64_t value, Value like) {
  return constant(value, widthOf(like), lanesOf(like));
}

Value KernelEmitter::resize(Value value, unsigned width) {
  unsigned from = widthOf(value);
  if (from == width)
    return value;
  Type type = getType(width, lanesOf(value));
  if (from < width)
    return arith::ExtSIOp::create(builder, type, value);
  // AVX2 narrows by packs that saturate. No lane does, which LLVM can't know
  // unless it sees a clamp.
  bool isClamped =
      isa_and_nonnull<arith::MinSIOp, arith::MinUIOp, arith::MaxSIOp>(
          value.getDefiningOp());
  if (from == 32 && width == 16 && features.avx2 && !features.avx512bw &&
      lanesOf(value) > 0 && !isClamped) {
    value =
        arith::MaxSIOp::create(builder, value, constantLike(INT16_MIN, value));
    value =
        arith::MinSIOp::create(builder, value, constantLike(INT16_MAX, value));
  }
  return arith::TruncIOp::create(builder, type, value);
}

Value KernelEmitter::extendUnsigned(Value value, unsigned width) {
  return arith::ExtUIOp::create(builder, getType(width, lanesOf(value)), value);
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

Value KernelEmitter::emitRow(NodeId id, Scope &row) {
  if (Value known = row.lookup(id))
    return known;
  const Node &node = graph.nodes[id];
  SmallVector<Value> operands;
  for (NodeId operand : node.operands)
    operands.push_back(emitRow(operand, row));
  Value value = resize(emitNode(id, operands, /*lanes=*/0), 64);
  return row[id] = value;
}

Value KernelEmitter::emitInAllLanes(NodeId id, unsigned width, int64_t lanes,
                                    Scope &row) {
  Type type = getType(width, lanes);
  Value repeated = row.repeated.lookup({id, width});
  if (int64_t bits = lanes * width; repeated && bits % 32 == 0)
    return vector::BitCastOp::create(
        builder, type,
        vector::BroadcastOp::create(builder, getType(32, bits / 32), repeated));
  return vector::BroadcastOp::create(builder, type,
                                     resize(emitRow(id, row), width));
}

Value KernelEmitter::emitChunk(NodeId id, Chunk &chunk, Scope &row) {
  Value value = emitUnordered(id, chunk, row);
  if (!chunk.swapped.contains(id))
    return value;
  Value &ordered = chunk.inOrder[id];
  if (!ordered)
    ordered = swapQuarters(value);
  return ordered;
}

Value KernelEmitter::emitResized(NodeId id, unsigned width, Chunk &chunk,
                                 Scope &row) {
  if (features.avx512bw && width == 8 && chunk.lanes == kPackedLanes &&
      getWidth(id) == 16 && variesInRow(graph.nodes[id]) &&
      !looksUpBytes(graph.nodes[id]))
    return orderPackedBytes(builder, emitPacked(id, chunk, row));
  // A pack puts words back into order, if the quarters are swapped after it.
  Value value = resize(emitUnordered(id, chunk, row), width);
  return chunk.swapped.contains(id) ? swapQuarters(value) : value;
}

Value KernelEmitter::emitPacked(NodeId id, Chunk &chunk, Scope &row) {
  const Node &node = graph.nodes[id];
  const Interval unsignedBytes = {0, UINT8_MAX}, signedBytes = storageRange(8);
  auto pack = [&](NodeId words, bool isSigned) {
    return emitBytePack(builder, resize(emitChunk(words, chunk, row), 16),
                        isSigned);
  };
  auto isConstant = [&](NodeId operand, int64_t value) {
    return bounds.intervals[operand] == Interval{value, value};
  };
  // What is added to bytes can be added after the pack.
  if (node.opcode == Opcode::Add &&
      graph.nodes[node.operands[1]].opcode == Opcode::Constant &&
      unsignedBytes.contains(bounds.intervals[node.operands[0]]))
    return arith::AddIOp::create(
        builder, emitPacked(node.operands[0], chunk, row),
        constant(graph.nodes[node.operands[1]].imm, 8, chunk.lanes));
  // It saturates, as a clamp does.
  if (node.opcode == Opcode::Min && getWidth(node.operands[0]) == 16 &&
      bounds.intervals[node.operands[0]].lo >= 0 &&
      isConstant(node.operands[1], UINT8_MAX))
    return pack(node.operands[0], /*isSigned=*/false);
  NodeId inner = id;
  auto isClamp = [&](const Node &clamp) {
    return (clamp.opcode == Opcode::Min &&
            isConstant(clamp.operands[1], signedBytes.hi)) ||
           (clamp.opcode == Opcode::Max &&
            isConstant(clamp.operands[1], signedBytes.lo));
  };
  while (signedBytes.contains(bounds.intervals[id]) &&
         isClamp(graph.nodes[inner]) &&
         getWidth(graph.nodes[inner].operands[0]) == 16)
    inner = graph.nodes[inner].operands[0];
  if (inner != id)
    return pack(inner, /*isSigned=*/true);
  return pack(id, /*isSigned=*/!unsignedBytes.contains(bounds.intervals[id]));
}

/// Whether all values have their quarters swapped that have an order: not those
/// that are one for the row.
bool KernelEmitter::areSwapped(ArrayRef<NodeId> ids, Chunk &chunk, Scope &row) {
  bool areSome = false;
  for (NodeId id : ids) {
    if (!variesInRow(graph.nodes[id]))
      continue;
    emitUnordered(id, chunk, row);
    if (!chunk.swapped.contains(id))
      return false;
    areSome = true;
  }
  return areSome;
}

Value KernelEmitter::emitUnordered(NodeId id, Chunk &chunk, Scope &row) {
  if (Value known = chunk.values.lookup(id))
    return known;
  const Node &node = graph.nodes[id];
  const int64_t lanes = chunk.lanes;
  unsigned width = getWidth(id);
  auto isWide = [&](NodeId operand) { return getWidth(operand) > width; };
  Value value;
  if (node.opcode == Opcode::Constant) {
    value = constant(node.imm, width, lanes);
  } else if (!variesInRow(node)) {
    value = emitInAllLanes(id, width, lanes, row);
  } else if (llvm::any_of(node.operands, isWide) &&
             followsFromLowBits(id, width)) {
    value = emitFromLowBits(id, width, chunk, row);
  } else {
    bool byBytes = node.opcode == Opcode::Lookup && looksUpBytes(node);
    bool isSwapped = byBytes ? swapsQuarters(node, lanes)
                             : areSwapped(node.operands, chunk, row);
    SmallVector<Value> operands;
    for (NodeId operand : node.operands)
      operands.push_back(byBytes     ? emitLowBits(operand, 8, chunk, row)
                         : isSwapped ? emitUnordered(operand, chunk, row)
                                     : emitChunk(operand, chunk, row));
    value = resize(emitNode(id, operands, lanes), width);
    if (isSwapped)
      chunk.swapped.insert(id);
  }
  return chunk.values[id] = value;
}

/// One node from its operands, in a width that holds operands and value.
Value KernelEmitter::emitNode(NodeId id, ArrayRef<Value> operands,
                              int64_t lanes) {
  const Node &node = graph.nodes[id];
  unsigned width = getWidth(id);
  for (NodeId operand : node.operands)
    width = std::max(width, getWidth(operand));
  auto wide = [&](unsigned index) { return resize(operands[index], width); };
  switch (node.opcode) {
  case Opcode::Constant:
    return constant(node.imm, width, lanes);
  case Opcode::Add:
    return arith::AddIOp::create(builder, wide(0), wide(1));
  case Opcode::Sub:
    return arith::SubIOp::create(builder, wide(0), wide(1));
  case Opcode::Mul:
    return arith::MulIOp::create(builder, wide(0), wide(1));
  case Opcode::Min:
    // LLVM sees no sign to narrow with then.
    if (llvm::all_of(node.operands, [&](NodeId operand) {
          return bounds.intervals[operand].lo >= 0;
        }))
      return arith::MinUIOp::create(builder, wide(0), wide(1));
    return arith::MinSIOp::create(builder, wide(0), wide(1));
  case Opcode::Max:
    return arith::MaxSIOp::create(builder, wide(0), wide(1));
  case Opcode::Compare: {
    Value bit = arith::CmpIOp::create(builder, getPredicate(node.predicate),
                                      wide(0), wide(1));
    return extendUnsigned(bit, width);
  }
  case Opcode::Select: {
    Value bit =
        arith::CmpIOp::create(builder, arith::CmpIPredicate::ne, operands[0],
                              constantLike(0, operands[0]));
    return arith::SelectOp::create(builder, bit, wide(1), wide(2));
  }
  case Opcode::MulShift:
    return emitMulShift(id, operands);
  case Opcode::ShiftLeft: {
    Value amount = wide(1);
    // A zero may be shifted by more than its lane.
    if (bounds.intervals[node.operands[1]].hi >= int64_t(width))
      amount = arith::MinSIOp::create(builder, amount,
                                      constant(width - 1, width, lanes));
    return arith::ShLIOp::create(builder, wide(0), amount);
  }
  case Opcode::ShiftRight:
    return emitShiftRight(operands[0], bounds.intervals[node.operands[0]].lo,
                          bounds.intervals[node.operands[0]].hi, operands[1],
                          bounds.intervals[node.operands[1]], node.rounding);
  case Opcode::Div:
    return emitDiv(id, operands);
  case Opcode::BitLength: {
    Value zeros = math::CountLeadingZerosOp::create(builder, wide(0));
    return arith::SubIOp::create(builder, constant(width, width, lanes), zeros);
  }
  case Opcode::Lookup:
    return emitLookup(node, operands[0], getWidth(id));
  case Opcode::Sqrt:
    return emitSqrt(resize(operands[0], 64),
                    bounds.intervals[node.operands[0]]);
  case Opcode::Assume:
    return operands[0];
  case Opcode::Input:
  case Opcode::RowIndex:
  case Opcode::ColumnIndex:
  case Opcode::RowLength:
  case Opcode::ReduceMax:
  case Opcode::ReduceSum:
    break;
  }
  llvm_unreachable("the row lowering places these nodes");
}
