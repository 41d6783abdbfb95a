//===- LowBits.cpp - Narrow lanes for sums and products -----------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The low bits of a sum, a difference, a product, a shift to the left or of
// what is selected follow from the low bits of the operands. So where a value
// is known to fit a lane, what it is made of need not: x * p - c is computed in
// 16 bits if it fits 16, however large x * p.
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace nlq;
using namespace nlq::kernel;

/// Whether the low bits of the node depend on those of its operands alone.
static bool isModular(const Node &node) {
  return node.opcode == Opcode::Add || node.opcode == Opcode::Sub ||
         node.opcode == Opcode::Mul || node.opcode == Opcode::Assume;
}

static bool isShiftBelow(const Graph &graph, const Node &node, unsigned width) {
  if (node.opcode != Opcode::ShiftLeft && node.opcode != Opcode::ShiftRight)
    return false;
  const Node &amount = graph.nodes[node.operands[1]];
  return amount.opcode == Opcode::Constant && amount.imm < int64_t(width);
}

bool KernelEmitter::hasLowBits(NodeId id, unsigned width) const {
  const Node &node = graph.nodes[id];
  if (!variesInRow(node) || getWidth(id) <= width)
    return true;
  if (node.opcode == Opcode::Input)
    return graph.inputs[node.imm].bits <= width;
  return followsFromLowBits(id, width);
}

bool KernelEmitter::followsFromLowBits(NodeId id, unsigned width) const {
  const Node &node = graph.nodes[id];
  // There is no product of bytes.
  if (isModular(node))
    return (node.opcode != Opcode::Mul || width >= 16) &&
           llvm::all_of(node.operands, [&](NodeId operand) {
             return hasLowBits(operand, width);
           });
  if (node.opcode == Opcode::Select)
    return hasLowBits(node.operands[1], width) &&
           hasLowBits(node.operands[2], width);
  if (!isShiftBelow(graph, node, width) || !hasLowBits(node.operands[0], width))
    return false;
  // What is shifted in from the left must be zeros.
  Interval shifted = bounds.intervals[node.operands[0]];
  return node.opcode == Opcode::ShiftLeft ||
         (node.rounding == Rounding::Floor && shifted.lo >= 0 &&
          shifted.hi < int64_t(1) << width);
}

Value KernelEmitter::emitLowBits(NodeId id, unsigned width, Chunk &chunk,
                                 Scope &row) {
  const Node &node = graph.nodes[id];
  if (variesInRow(node) && getWidth(id) <= width)
    return emitResized(id, width, chunk, row);
  // An input of unsigned words, in lanes of 32, which resize() would clamp.
  if (variesInRow(node) && !followsFromLowBits(id, width))
    return arith::TruncIOp::create(builder, getType(width, chunk.lanes),
                                   emitChunk(id, chunk, row));
  return emitFromLowBits(id, width, chunk, row);
}

/// A select's condition: where all its bits are among the low ones, in lanes of
/// these, so that it need not be brought to the lanes of what it selects.
Value KernelEmitter::emitCondition(NodeId id, unsigned width, Chunk &chunk,
                                   Scope &row) {
  Value value = getBits(id) <= width && hasLowBits(id, width)
                    ? emitLowBits(id, width, chunk, row)
                    : emitChunk(id, chunk, row);
  return arith::CmpIOp::create(builder, arith::CmpIPredicate::ne, value,
                               constantLike(0, value));
}

Value KernelEmitter::emitFromLowBits(NodeId id, unsigned width, Chunk &chunk,
                                     Scope &row) {
  const Node &node = graph.nodes[id];
  if (Value known = chunk.lowBits.lookup({id, width}))
    return known;
  Value value;
  if (node.opcode == Opcode::Constant) {
    value = constant(node.imm, width, chunk.lanes);
  } else if (!variesInRow(node)) {
    value = emitInAllLanes(id, width, chunk.lanes, row);
  } else if (node.opcode == Opcode::Select) {
    Value condition = emitCondition(node.operands[0], width, chunk, row);
    value = arith::SelectOp::create(
        builder, condition, emitLowBits(node.operands[1], width, chunk, row),
        emitLowBits(node.operands[2], width, chunk, row));
  } else {
    SmallVector<Value> operands;
    for (NodeId operand : node.operands)
      operands.push_back(emitLowBits(operand, width, chunk, row));
    switch (node.opcode) {
    case Opcode::Add:
      value = arith::AddIOp::create(builder, operands[0], operands[1]);
      break;
    case Opcode::Sub:
      value = arith::SubIOp::create(builder, operands[0], operands[1]);
      break;
    case Opcode::Mul:
      value = arith::MulIOp::create(builder, operands[0], operands[1]);
      break;
    case Opcode::ShiftLeft:
      value = arith::ShLIOp::create(builder, operands[0], operands[1]);
      break;
    case Opcode::ShiftRight:
      value = arith::ShRUIOp::create(builder, operands[0], operands[1]);
      break;
    case Opcode::Assume:
      value = operands[0];
      break;
    default:
      llvm_unreachable("a leaf");
    }
  }
  return chunk.lowBits[{id, width}] = value;
}
