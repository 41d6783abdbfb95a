//===- Verify.cpp - Well-formed kernel graphs -----------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Kernel/Verify.h"

using namespace nlq::kernel;

Rate nlq::kernel::inferRate(const Graph &graph, const Node &node) {
  switch (node.opcode) {
  case Opcode::Input:
    return graph.inputs[node.imm].rate;
  case Opcode::RowIndex:
  case Opcode::ReduceMax:
  case Opcode::ReduceSum:
    return Rate::Row;
  case Opcode::ColumnIndex:
    return Rate::Column;
  default:
    break;
  }
  Rate rate = Rate::Uniform;
  for (NodeId operand : node.operands)
    rate = joinRates(rate, graph.nodes[operand].rate);
  return rate;
}

template <typename... Args>
static llvm::Error malformed(const char *format, Args... args) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), format,
                                 args...);
}

static llvm::Error verifyNode(const Graph &graph, NodeId id) {
  const Node &node = graph.nodes[id];
  if (unsigned(node.opcode) >= kNumOpcodes)
    return malformed("node %u has no known opcode", id);
  const OpcodeInfo &info = getInfo(node.opcode);
  if (node.operands.size() != info.numOperands)
    return malformed("node %u (%s) has %u operands and must have %u", id,
                     info.mnemonic, unsigned(node.operands.size()),
                     info.numOperands);
  for (NodeId operand : node.operands)
    if (operand >= id)
      return malformed("node %u (%s) uses node %u, which does not come before "
                       "it",
                       id, info.mnemonic, operand);
  if (node.opcode == Opcode::Input && uint64_t(node.imm) >= graph.inputs.size())
    return malformed("node %u reads input %lld of %u", id,
                     static_cast<long long>(node.imm),
                     unsigned(graph.inputs.size()));
  if (node.opcode == Opcode::Lookup &&
      uint64_t(node.imm) >= graph.tables.size())
    return malformed("node %u reads table %lld of %u", id,
                     static_cast<long long>(node.imm),
                     unsigned(graph.tables.size()));
  Rate rate = inferRate(graph, node);
  if (node.rate != rate)
    return malformed("node %u (%s) has rate %s and its operands make it %s", id,
                     info.mnemonic, stringify(node.rate), stringify(rate));
  if (node.opcode == Opcode::Sqrt && node.rate != Rate::Uniform &&
      node.rate != Rate::Row)
    return malformed("node %u takes a root of %s rate; only uniform and row "
                     "rate are allowed",
                     id, stringify(node.rate));
  if (isReduction(node)) {
    Rate operandRate = graph.nodes[node.operands[0]].rate;
    if (operandRate != Rate::Element && operandRate != Rate::Column)
      return malformed("node %u (%s) reduces a value of %s rate; only element "
                       "and column rate are allowed",
                       id, info.mnemonic, stringify(operandRate));
  }
  if (node.opcode == Opcode::Assume && node.range.lo > node.range.hi)
    return malformed("node %u assumes an empty interval", id);
  return llvm::Error::success();
}

llvm::Error nlq::kernel::verify(const Graph &graph) {
  if (graph.maxRowLength < 1)
    return malformed("the longest row must have at least one element");
  if (graph.resultBits < 1 || graph.resultBits > 64)
    return malformed("the result is stored in %u bits and 1 to 64 are allowed",
                     graph.resultBits);
  for (const Input &input : graph.inputs) {
    unsigned most = input.isSigned ? 64 : 63;
    if (input.bits < 1 || input.bits > most)
      return malformed("input '%s' has %u bits and 1 to %u are allowed",
                       input.name.c_str(), input.bits, most);
    if (input.range.lo > input.range.hi ||
        !storageRange(input.bits, input.isSigned).contains(input.range))
      return malformed("input '%s' has values in [%lld, %lld], which is not an "
                       "interval within its %u bits",
                       input.name.c_str(),
                       static_cast<long long>(input.range.lo),
                       static_cast<long long>(input.range.hi), input.bits);
  }
  for (const Table &table : graph.tables)
    if (table.empty())
      return malformed("a table has no entries");
  for (NodeId id = 0; id < graph.nodes.size(); ++id)
    if (llvm::Error error = verifyNode(graph, id))
      return error;
  if (graph.result >= graph.nodes.size())
    return malformed("the result is node %u of %u", graph.result,
                     unsigned(graph.nodes.size()));
  return llvm::Error::success();
}

llvm::Error nlq::kernel::verify(const Kernel &kernel) {
  if (llvm::Error error = verify(kernel.graph))
    return error;
  size_t next = 0;
  for (const Input &input : kernel.graph.inputs) {
    if (input.rate != Rate::Column)
      continue;
    if (next == kernel.columns.size())
      return malformed("column input '%s' has no values", input.name.c_str());
    const std::vector<int64_t> &values = kernel.columns[next];
    if (values.size() != kernel.columns[0].size())
      return malformed("column input '%s' has %u values and others have %u",
                       input.name.c_str(), unsigned(values.size()),
                       unsigned(kernel.columns[0].size()));
    for (int64_t value : values)
      if (!input.range.contains(value))
        return malformed("column input '%s' holds %lld, outside of [%lld, "
                         "%lld]",
                         input.name.c_str(), static_cast<long long>(value),
                         static_cast<long long>(input.range.lo),
                         static_cast<long long>(input.range.hi));
    ++next;
  }
  if (next != kernel.columns.size())
    return malformed("there are values for %u column inputs and %u inputs",
                     unsigned(kernel.columns.size()), unsigned(next));
  return llvm::Error::success();
}
