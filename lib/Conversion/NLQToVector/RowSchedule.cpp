//===- RowSchedule.cpp - Passes over the columns of a row ----------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RowSchedule.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace nlq;
using namespace nlq::kernel;

/// Schedule::levels.
static std::vector<unsigned> computeLevels(const Graph &graph) {
  std::vector<unsigned> levels(graph.nodes.size(), 0);
  for (auto [id, node] : llvm::enumerate(graph.nodes)) {
    for (NodeId operand : node.operands)
      levels[id] = std::max(levels[id], levels[operand]);
    if (isReduction(node))
      ++levels[id];
  }
  return levels;
}

/// Nodes whose recomputation costs more operations than this wait in scratch.
static constexpr unsigned kRecomputeLimit = 3;

Schedule nlq::makeSchedule(const Graph &graph, NodeId last) {
  Schedule schedule;
  schedule.levels = computeLevels(graph);
  const std::vector<unsigned> &levels = schedule.levels;
  schedule.phases.resize(levels[graph.result] + 1);
  // Operations needed to compute a node again from inputs and row values.
  std::vector<unsigned> cost(graph.nodes.size(), 0);
  for (auto [id, node] : llvm::enumerate(graph.nodes)) {
    if (!variesInRow(node))
      continue;
    cost[id] = 1;
    for (NodeId operand : node.operands)
      cost[id] += cost[operand];
  }
  // The phases in which a node's value is asked for.
  llvm::SetVector<std::pair<NodeId, unsigned>> wanted;
  for (auto [id, node] : llvm::enumerate(graph.nodes))
    if (isReduction(node) && levels[id] <= levels[graph.result]) {
      schedule.phases[levels[id] - 1].reductions.push_back(id);
      wanted.insert({node.operands[0], levels[id] - 1});
    }
  wanted.insert({last, levels[graph.result]});
  llvm::DenseMap<NodeId, unsigned> firstUse;
  for (size_t i = 0; i < wanted.size(); ++i) {
    auto [id, phase] = wanted[i];
    auto [it, inserted] = firstUse.try_emplace(id, phase);
    it->second = std::min(it->second, phase);
    if (variesInRow(graph.nodes[id]))
      for (NodeId operand : graph.nodes[id].operands)
        wanted.insert({operand, phase});
  }
  // A dear node that two phases ask for is stored by the first of them. Only
  // the outermost such nodes matter: walk from what each phase makes.
  for (unsigned phase = 0; phase < schedule.phases.size(); ++phase) {
    SmallVector<NodeId> stack;
    for (NodeId reduction : schedule.phases[phase].reductions)
      stack.push_back(graph.nodes[reduction].operands[0]);
    if (phase + 1 == schedule.phases.size())
      stack.push_back(last);
    llvm::DenseSet<NodeId> visited;
    while (!stack.empty()) {
      NodeId id = stack.pop_back_val();
      if (!variesInRow(graph.nodes[id]) || !visited.insert(id).second)
        continue;
      if (firstUse.lookup(id) < phase && cost[id] > kRecomputeLimit &&
          graph.nodes[id].rate == Rate::Element) {
        unsigned writer = firstUse.lookup(id);
        if (schedule.spilledIn.try_emplace(id, writer).second)
          schedule.phases[writer].spills.push_back(id);
        continue;
      }
      llvm::append_range(stack, graph.nodes[id].operands);
    }
  }
  return schedule;
}
