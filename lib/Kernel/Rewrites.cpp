//===- Rewrites.cpp - Graph-to-graph rewrites -----------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Kernel/Rewrites.h"
#include "RewriteNodes.h"
#include "nlq/Kernel/Bound.h"
#include "nlq/Kernel/Builder.h"
#include "nlq/Kernel/Semantics.h"
#include "llvm/ADT/BitVector.h"
#include <algorithm>

using namespace nlq::kernel;

void nlq::kernel::removeDeadNodes(Kernel &kernel) {
  Graph &graph = kernel.graph;
  llvm::BitVector liveNodes(graph.nodes.size()),
      liveTables(graph.tables.size()), liveInputs(graph.inputs.size());
  liveNodes.set(graph.result);
  for (NodeId id = graph.nodes.size(); id-- > 0;) {
    if (!liveNodes[id])
      continue;
    const Node &node = graph.nodes[id];
    for (NodeId operand : node.operands)
      liveNodes.set(operand);
    if (node.opcode == Opcode::Lookup)
      liveTables.set(node.imm);
    if (node.opcode == Opcode::Input)
      liveInputs.set(node.imm);
  }

  std::vector<int64_t> newTable(graph.tables.size());
  std::vector<Table> tables;
  for (size_t i = 0; i < graph.tables.size(); ++i) {
    newTable[i] = int64_t(tables.size());
    if (liveTables[i])
      tables.push_back(std::move(graph.tables[i]));
  }
  std::vector<int64_t> newInput(graph.inputs.size());
  std::vector<Input> inputs;
  std::vector<std::vector<int64_t>> columns;
  size_t column = 0;
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    newInput[i] = int64_t(inputs.size());
    bool isColumn = graph.inputs[i].rate == Rate::Column;
    if (isColumn && liveInputs[i])
      columns.push_back(std::move(kernel.columns[column]));
    if (!isColumn || liveInputs[i])
      inputs.push_back(std::move(graph.inputs[i]));
    column += isColumn;
  }
  std::vector<NodeId> newId(graph.nodes.size());
  std::vector<Node> nodes;
  for (NodeId id = 0; id < graph.nodes.size(); ++id) {
    newId[id] = nodes.size();
    if (!liveNodes[id])
      continue;
    Node &node = nodes.emplace_back(std::move(graph.nodes[id]));
    for (NodeId &operand : node.operands)
      operand = newId[operand];
    if (node.opcode == Opcode::Lookup)
      node.imm = newTable[node.imm];
    if (node.opcode == Opcode::Input)
      node.imm = newInput[node.imm];
  }
  graph.result = newId[graph.result];
  graph.nodes = std::move(nodes);
  graph.tables = std::move(tables);
  graph.inputs = std::move(inputs);
  kernel.columns = std::move(columns);
}

//===----------------------------------------------------------------------===//
// simplify
//===----------------------------------------------------------------------===//

/// The exponent of `node` if it is a constant power of two.
static std::optional<int64_t> log2Of(const Graph &graph, NodeId id) {
  const Node &node = graph.nodes[id];
  if (node.opcode != Opcode::Constant || node.imm <= 0 ||
      (node.imm & (node.imm - 1)) != 0)
    return std::nullopt;
  return bitLength(uint64_t(node.imm)) - 1;
}

/// The operand that always is the node's value by the intervals, if any.
static std::optional<NodeId> decidedOperand(const Node &node,
                                            const Bounds &bounds) {
  auto of = [&](unsigned i) { return bounds.intervals[node.operands[i]]; };
  switch (node.opcode) {
  case Opcode::Min:
    if (of(0).hi <= of(1).lo)
      return node.operands[0];
    if (of(1).hi <= of(0).lo)
      return node.operands[1];
    break;
  case Opcode::Max:
    if (of(0).lo >= of(1).hi)
      return node.operands[0];
    if (of(1).lo >= of(0).hi)
      return node.operands[1];
    break;
  case Opcode::Select:
    if (node.operands[1] == node.operands[2] || !of(0).contains(int64_t(0)))
      return node.operands[1];
    if (of(0) == Interval{0, 0})
      return node.operands[2];
    break;
  default:
    break;
  }
  return std::nullopt;
}

/// `node`, whose operands are in `graph`, as a shift where powers of two round
/// as shifts do.
static Node asShift(Builder &builder, Node node) {
  const Graph &graph = builder.getGraph();
  if (node.opcode == Opcode::Div)
    if (std::optional<int64_t> amount = log2Of(graph, node.operands[1])) {
      node.opcode = Opcode::ShiftRight;
      node.operands[1] = builder.constant(*amount).getId();
    }
  if (node.opcode == Opcode::MulShift) {
    std::optional<int64_t> factor = log2Of(graph, node.operands[1]);
    const Node &shift = graph.nodes[node.operands[2]];
    if (factor && shift.opcode == Opcode::Constant && shift.imm >= *factor) {
      node.opcode = Opcode::ShiftRight;
      node.operands[1] = builder.constant(shift.imm - *factor).getId();
      node.operands.pop_back();
    }
  }
  return node;
}

Kernel nlq::kernel::simplify(const Kernel &kernel) {
  const Graph &graph = kernel.graph;
  Interval known;
  Kernel simple = rewriteNodes(
      kernel,
      [&](Builder &builder, const Bounds &bounds, NodeId id,
          llvm::ArrayRef<Value> copies) -> std::optional<Value> {
        known = bounds.intervals[graph.result];
        const Node &node = graph.nodes[id];
        Interval interval = bounds.intervals[id];
        if (interval.lo == interval.hi && node.opcode != Opcode::Assume)
          return builder.constant(interval.lo);
        if (std::optional<NodeId> same = decidedOperand(node, bounds))
          return copies[*same];
        return builder.append(asShift(builder, withCopies(node, copies)));
      });
  // With a maximum goes what `bound` knew of differences from it.
  llvm::Expected<Bounds> after = bound(simple.graph);
  bool asTight =
      bool(after) && known.contains(after->intervals[simple.graph.result]);
  if (!after)
    llvm::consumeError(after.takeError());
  return asTight ? simple : kernel;
}

//===----------------------------------------------------------------------===//
// multiplyForShifts
//===----------------------------------------------------------------------===//

Kernel nlq::kernel::multiplyForShifts(const Kernel &kernel) {
  const Graph &graph = kernel.graph;
  return rewriteNodes(
      kernel,
      [&](Builder &builder, const Bounds &bounds, NodeId id,
          llvm::ArrayRef<Value> copies) -> std::optional<Value> {
        const Node &shift = graph.nodes[id];
        if (shift.opcode != Opcode::ShiftRight || shift.rate != Rate::Element ||
            shift.rounding != Rounding::HalfUp ||
            variesInRow(graph.nodes[shift.operands[1]]) ||
            !storageRange(16).contains(bounds.intervals[shift.operands[0]]) ||
            !Interval{1, 15}.contains(bounds.intervals[shift.operands[1]]))
          return std::nullopt;
        Value exponent = 15 - copies[shift.operands[1]];
        Value power = builder.assume(
            builder.shiftLeft(builder.constant(1), exponent), {1, 1 << 14},
            "a power of two by an exponent of 0 to 14");
        return builder
            .mulShift(copies[shift.operands[0]], power, 15, Rounding::HalfUp)
            .named(shift.text);
      });
}
