//===- Evaluate.cpp - Exact evaluation of kernels -------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Kernel/Evaluate.h"
#include "EvaluateLoops.h"
#include <algorithm>
#include <cassert>
#include <numeric>

using namespace nlq::kernel;

static bool isPerElement(Rate rate) {
  return rate == Rate::Element || rate == Rate::Column;
}
static bool isPerRow(Rate rate) {
  return rate == Rate::Element || rate == Rate::Row;
}

Evaluator::Evaluator(const Kernel &kernel, int64_t rowLength,
                     const Bounds *known)
    : kernel(kernel), rowLength(rowLength) {
  const std::vector<Node> &nodes = kernel.graph.nodes;
  buffers.resize(nodes.size());
  data.resize(nodes.size());
  lengths.resize(nodes.size());
  narrowProduct.resize(nodes.size());
  llvm::Expected<Bounds> bounds =
      known ? llvm::Expected<Bounds>(*known) : bound(kernel.graph);
  for (NodeId id = 0; id < nodes.size(); ++id) {
    lengths[id] = isPerElement(nodes[id].rate) ? size_t(rowLength) : 1;
    if (nodes[id].opcode != Opcode::Input)
      buffers[id].resize(lengths[id]);
    data[id] = buffers[id].data();
    if (bounds && nodes[id].opcode == Opcode::MulShift)
      narrowProduct[id] = productFits(bounds->intervals[nodes[id].operands[0]],
                                      bounds->intervals[nodes[id].operands[1]]);
  }
  if (!bounds)
    llvm::consumeError(bounds.takeError());
  bindInputs({}, /*columnsOnly=*/true);
  for (NodeId id = 0; id < nodes.size(); ++id)
    if (!isPerRow(nodes[id].rate))
      computeFast(id, /*rowIndex=*/0);
}

void Evaluator::bindInputs(llvm::ArrayRef<llvm::ArrayRef<int64_t>> inputs,
                           bool columnsOnly) {
  for (NodeId id = 0; id < kernel.graph.nodes.size(); ++id) {
    const Node &node = kernel.graph.nodes[id];
    if (node.opcode != Opcode::Input)
      continue;
    // Columns and other inputs are numbered apart.
    size_t column = 0, other = 0;
    for (int64_t i = 0; i < node.imm; ++i)
      ++(kernel.graph.inputs[i].rate == Rate::Column ? column : other);
    bool isColumn = kernel.graph.inputs[node.imm].rate == Rate::Column;
    if (isColumn != columnsOnly)
      continue;
    llvm::ArrayRef<int64_t> values =
        isColumn ? llvm::ArrayRef<int64_t>(kernel.columns[column])
                 : inputs[other];
    assert(values.size() >= lengths[id] && "an input row is too short");
    data[id] = values.data();
  }
}

void Evaluator::run(llvm::ArrayRef<llvm::ArrayRef<int64_t>> inputs,
                    int64_t rowIndex, llvm::MutableArrayRef<int64_t> out) {
  bindInputs(inputs, /*columnsOnly=*/false);
  for (NodeId id = 0; id < kernel.graph.nodes.size(); ++id)
    if (isPerRow(kernel.graph.nodes[id].rate))
      computeFast(id, rowIndex);
  store(out);
}

llvm::Error
Evaluator::runChecked(llvm::ArrayRef<llvm::ArrayRef<int64_t>> inputs,
                      int64_t rowIndex, llvm::MutableArrayRef<int64_t> out,
                      const Bounds &bounds) {
  bindInputs(inputs, /*columnsOnly=*/false);
  for (NodeId id = 0; id < kernel.graph.nodes.size(); ++id)
    if (llvm::Error error = computeExact(id, rowIndex, bounds))
      return error;
  store(out);
  return llvm::Error::success();
}

void Evaluator::store(llvm::MutableArrayRef<int64_t> out) const {
  llvm::ArrayRef<int64_t> result = values(kernel.graph.result);
  if (result.size() == 1)
    std::fill(out.begin(), out.end(), result[0]);
  else
    std::copy(result.begin(), result.end(), out.begin());
}

//===----------------------------------------------------------------------===//
// Fast mode
//===----------------------------------------------------------------------===//

void Evaluator::computeFast(NodeId id, int64_t rowIndex) {
  const Node &node = kernel.graph.nodes[id];
  auto operand = [&](unsigned i) -> Operand {
    NodeId from = node.operands[i];
    return {data[from], lengths[from] != 1};
  };
  auto operandValues = [&] { return values(node.operands[0]); };
  int64_t *out = buffers[id].data();
  size_t size = lengths[id];
  switch (node.opcode) {
  case Opcode::Input:
    return;
  case Opcode::Constant:
    *out = node.imm;
    return;
  case Opcode::RowIndex:
    *out = rowIndex;
    return;
  case Opcode::ColumnIndex:
    std::iota(out, out + size, int64_t(0));
    return;
  case Opcode::RowLength:
    *out = rowLength;
    return;
  case Opcode::ReduceMax: {
    int64_t largest = INT64_MIN;
    for (int64_t value : operandValues())
      largest = value > largest ? value : largest;
    *out = largest;
    return;
  }
  case Opcode::ReduceSum: {
    uint64_t sum = 0;
    for (int64_t value : operandValues())
      sum += uint64_t(value);
    *out = int64_t(sum);
    return;
  }
  case Opcode::MulShift:
    return mulShiftLoop(node.rounding, narrowProduct[id], operand(0),
                        operand(1), operand(2), out, size);
  case Opcode::Select:
    return selectLoop(operand(0), operand(1), operand(2), out, size);
  case Opcode::Lookup:
    return lookupLoop(kernel.graph.tables[node.imm], operand(0), out, size);
  case Opcode::Assume:
    data[id] = data[node.operands[0]];
    return;
  case Opcode::BitLength:
  case Opcode::Sqrt:
    return unaryLoop(node.opcode, operand(0), out, size);
  default:
    return binaryLoop(node, operand(0), operand(1), out, size);
  }
}

//===----------------------------------------------------------------------===//
// Checked mode
//===----------------------------------------------------------------------===//

static std::string describe(const Graph &graph, NodeId id) {
  const Node &node = graph.nodes[id];
  std::string text =
      "node " + std::to_string(id) + " (" + getInfo(node.opcode).mnemonic + ")";
  return node.text.empty() ? text : text + " '" + node.text + "'";
}

static llvm::Error leaves(const Graph &graph, NodeId id, size_t element,
                          const std::string &value, Interval interval) {
  return llvm::createStringError(
      llvm::inconvertibleErrorCode(),
      llvm::Twine(describe(graph, id) + " is " + value + " at element " +
                  std::to_string(element) + ", outside of [" +
                  std::to_string(interval.lo) + ", " +
                  std::to_string(interval.hi) + "]"));
}

llvm::Error Evaluator::computeExact(NodeId id, int64_t rowIndex,
                                    const Bounds &bounds) {
  const Graph &graph = kernel.graph;
  const Node &node = graph.nodes[id];
  Interval allowed = bounds.intervals[id];
  bool computesOneFromOne = false;
  switch (node.opcode) {
  case Opcode::Input:
  case Opcode::RowIndex:
  case Opcode::ColumnIndex:
  case Opcode::RowLength:
  case Opcode::ReduceMax:
    computeFast(id, rowIndex);
    break;
  case Opcode::ReduceSum: {
    Int128 sum = 0;
    for (size_t i = 0; i < size_t(rowLength); ++i)
      sum += values(node.operands[0])[i];
    if (sum < allowed.lo || sum > allowed.hi)
      return leaves(graph, id, 0, toString(sum), allowed);
    buffers[id][0] = int64_t(sum);
    break;
  }
  default:
    computesOneFromOne = true;
    data[id] = buffers[id].data();
  }
  for (size_t i = 0; i < lengths[id]; ++i) {
    if (computesOneFromOne) {
      llvm::SmallVector<int64_t, 3> operands;
      for (NodeId operand : node.operands)
        operands.push_back(data[operand][lengths[operand] == 1 ? 0 : i]);
      std::optional<Int128> value = applyExact(node, operands, graph.tables);
      if (!value || *value < allowed.lo || *value > allowed.hi)
        return leaves(graph, id, i, value ? toString(*value) : "undefined",
                      allowed);
      buffers[id][i] = int64_t(*value);
    }
    int64_t value = data[id][i];
    if (!allowed.contains(value))
      return leaves(graph, id, i, std::to_string(value), allowed);
    if (node.opcode == Opcode::Assume && !node.range.contains(value))
      return leaves(graph, id, i, std::to_string(value), node.range);
  }
  return llvm::Error::success();
}

std::vector<int64_t>
nlq::kernel::evaluateRow(const Kernel &kernel,
                         llvm::ArrayRef<llvm::ArrayRef<int64_t>> inputs,
                         int64_t rowIndex) {
  size_t rowLength = kernel.columns.empty() ? 1 : kernel.columns[0].size();
  size_t other = 0;
  for (const Input &input : kernel.graph.inputs) {
    if (input.rate == Rate::Element)
      rowLength = inputs[other].size();
    other += input.rate != Rate::Column;
  }
  std::vector<int64_t> out(rowLength);
  Evaluator(kernel, int64_t(rowLength)).run(inputs, rowIndex, out);
  return out;
}
