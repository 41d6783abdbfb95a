//===- Cost.cpp - What kernels cost ---------------------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Kernel/Cost.h"
#include <algorithm>

using namespace nlq::kernel;

/// 0 to 3 for lanes of 8 to 64 bits.
static unsigned laneIndex(unsigned lane) {
  return lane == 8 ? 0 : lane == 16 ? 1 : lane == 32 ? 2 : 3;
}

// Instruction counts of 512-bit vectors as LLVM 22 compiles them for AVX-512
// (VBMI); where the count of an i8 form is not one instruction, the operation
// runs on wider lanes.
NodeCosts::NodeCosts() {
  auto set = [&](Opcode opcode, double i8, double i16, double i32, double i64) {
    double *lanes = perVector[unsigned(opcode)];
    lanes[0] = i8, lanes[1] = i16, lanes[2] = i32, lanes[3] = i64;
  };
  for (unsigned i = 0; i < kNumOpcodes; ++i)
    set(Opcode(i), 1, 1, 1, 1);
  set(Opcode::Constant, 0, 0, 0, 0);
  set(Opcode::RowLength, 0, 0, 0, 0);
  set(Opcode::Assume, 0, 0, 0, 0);
  set(Opcode::Mul, 5, 1, 1, 1);
  // A product of twice the width, shifted back.
  set(Opcode::MulShift, 10, 8, 8, 54);
  set(Opcode::ShiftLeft, 10, 1, 1, 1);
  set(Opcode::ShiftRight, 10, 1, 1, 1);
  set(Opcode::Div, 13, 5, 8, 70);
  set(Opcode::Compare, 2, 2, 2, 2);
  set(Opcode::BitLength, 6, 6, 2, 2);
  set(Opcode::Lookup, 3, 8, 16, 24);
  set(Opcode::Sqrt, 400, 200, 95, 80);
  set(Opcode::ReduceMax, 1, 1, 1, 1);
  set(Opcode::ReduceSum, 3, 2, 1, 1);
  const double divisions[] = {404, 179, 11, 80};
  std::copy(std::begin(divisions), std::end(divisions), variableDiv);
  const double gathers[] = {190, 100, 40, 22};
  std::copy(std::begin(gathers), std::end(gathers), gather);
  const double halves[] = {10, 1, 6, 54};
  std::copy(std::begin(halves), std::end(halves), highHalf);
  // Floor, TowardZero, HalfUp, HalfEven, HalfAway.
  const double roundings[] = {0, 3, 2, 5, 4};
  std::copy(std::begin(roundings), std::end(roundings), rounding);
  std::fill(std::begin(perRow), std::end(perRow), 1.0);
  perRow[unsigned(Opcode::Constant)] = 0;
  perRow[unsigned(Opcode::Assume)] = 0;
  perRow[unsigned(Opcode::Div)] = 20;
  perRow[unsigned(Opcode::Sqrt)] = 60;
  perRow[unsigned(Opcode::MulShift)] = 4;
  perRow[unsigned(Opcode::BitLength)] = 2;
  // Their vector part is counted per element; this is the fold of one vector.
  perRow[unsigned(Opcode::ReduceMax)] = 10;
  perRow[unsigned(Opcode::ReduceSum)] = 10;
}

/// Instructions per vector of `node` on lanes of `lane` bits.
static double vectorCost(const Graph &graph, const Node &node, unsigned lane,
                         const Bounds &bounds, const NodeCosts &costs) {
  unsigned index = laneIndex(lane);
  if (node.opcode == Opcode::Lookup && lane == 16 &&
      graph.tables[node.imm].size() <= 16)
    return costs.smallLookup;
  if (node.opcode == Opcode::MulShift) {
    Interval amount = bounds.intervals[node.operands[2]];
    if (lane == 16 && amount == Interval{15, 15} &&
        node.rounding == Rounding::HalfUp)
      return costs.roundedProduct;
    if (amount.lo > lane)
      return costs.highHalf[index] + costs.rounding[unsigned(node.rounding)];
  }
  double instructions = costs.perVector[unsigned(node.opcode)][index];
  auto isConstant = [&](unsigned i) {
    return graph.nodes[node.operands[i]].opcode == Opcode::Constant;
  };
  if (node.opcode == Opcode::Div && !isConstant(1))
    instructions = costs.variableDiv[index];
  if (node.opcode == Opcode::Lookup && graph.tables[node.imm].size() > 256)
    instructions = costs.gather[index];
  if (getInfo(node.opcode).hasRounding && node.opcode != Opcode::Div)
    instructions += costs.rounding[unsigned(node.rounding)];
  return instructions;
}

double nlq::kernel::cost(const Graph &graph, const Bounds &bounds,
                         const NodeCosts &costs, int64_t rowLength) {
  double perElement = 0, perRow = 0;
  for (NodeId id = 0; id < graph.nodes.size(); ++id) {
    const Node &node = graph.nodes[id];
    bool reduces = isReduction(node);
    if (node.rate == Rate::Row)
      perRow += costs.perRow[unsigned(node.opcode)];
    if (!variesInRow(node) && !reduces)
      continue;
    unsigned lane = reduces ? 8 : bounds.lane(id);
    // A lookup's index is converted, the entries are what is computed.
    for (NodeId operand : node.operands)
      if (variesInRow(graph.nodes[operand]) && node.opcode != Opcode::Lookup)
        lane = std::max(lane, bounds.lane(operand));
    double instructions = vectorCost(graph, node, lane, bounds, costs);
    // Each operand is widened in steps of two, the result narrowed.
    for (NodeId operand : node.operands)
      if (variesInRow(graph.nodes[operand]))
        for (unsigned from = bounds.lane(operand); from < lane; from *= 2)
          instructions += costs.convert;
    if (!reduces)
      for (unsigned to = bounds.lane(id); to < lane; to *= 2)
        instructions += costs.convert;
    perElement += instructions * (lane / 8) / costs.vectorBytes;
  }
  perElement += costs.store * graph.resultBits / 8 / costs.vectorBytes;
  return perElement + perRow / double(rowLength);
}

int64_t nlq::kernel::tableBytes(const Graph &graph) {
  int64_t bytes = 0;
  for (const Table &table : graph.tables) {
    auto [lo, hi] = std::minmax_element(table.begin(), table.end());
    // Tables may be stored unsigned.
    unsigned bits =
        *lo >= 0 ? signedBits({*lo, *hi}) - 1 : signedBits({*lo, *hi});
    int64_t entry = bits <= 8 ? 1 : bits <= 16 ? 2 : bits <= 32 ? 4 : 8;
    bytes += entry * int64_t(table.size());
  }
  return bytes;
}
