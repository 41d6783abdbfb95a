//===- Rewrites.cpp - Graph-to-graph rewrites -----------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Kernel/Rewrites.h"
#include "llvm/ADT/BitVector.h"

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
