//===- Tabulate.cpp - Lookups in place of functions of few values ---------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Kernel/Tabulate.h"
#include "RewriteNodes.h"
#include "nlq/Kernel/Semantics.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>

using namespace nlq::kernel;

static bool hasFewValues(const Graph &graph, const Bounds &bounds, NodeId id) {
  Interval domain = bounds.intervals[id];
  return graph.nodes[id].rate == Rate::Element &&
         Int128(domain.hi) - domain.lo <= 255;
}

/// The element nodes between `from` and `to`, in order, `to` included, if `to`
/// depends on nothing but `from`, constants and, if `allowRows`, values that
/// are the same in the whole row.
static std::optional<llvm::SmallVector<NodeId>>
functionOf(const Graph &graph, NodeId from, NodeId to, bool allowRows = false) {
  llvm::BitVector reached(graph.nodes.size());
  reached.set(to);
  llvm::SmallVector<NodeId> between;
  for (NodeId id = to + 1; id-- > 0;) {
    if (!reached[id] || id == from)
      continue;
    const Node &node = graph.nodes[id];
    if (node.opcode == Opcode::Constant || (allowRows && !variesInRow(node)))
      continue;
    if (node.rate != Rate::Element || node.opcode == Opcode::Input)
      return std::nullopt;
    between.push_back(id);
    for (NodeId operand : node.operands)
      reached.set(operand);
  }
  if (!reached[from])
    return std::nullopt;
  std::reverse(between.begin(), between.end());
  return between;
}

/// The last node's value for every value that `from` can take.
static Table tabulateFunction(const Graph &graph, NodeId from,
                              llvm::ArrayRef<NodeId> between,
                              const Bounds &bounds) {
  Table table;
  std::vector<int64_t> values(graph.nodes.size());
  for (NodeId id = 0; id < graph.nodes.size(); ++id)
    if (graph.nodes[id].opcode == Opcode::Constant)
      values[id] = graph.nodes[id].imm;
  Interval domain = bounds.intervals[from];
  for (int64_t x = domain.lo; x <= domain.hi; ++x) {
    values[from] = x;
    for (NodeId id : between) {
      const Node &node = graph.nodes[id];
      llvm::SmallVector<int64_t, 3> operands;
      for (NodeId operand : node.operands)
        operands.push_back(values[operand]);
      // A value outside of its interval belongs to an x that an assumption
      // excludes: any entry will do that keeps what follows defined.
      Int128 value = applyExact(node, operands, graph.tables).value_or(0);
      Interval known = bounds.intervals[id];
      values[id] = int64_t(std::clamp<Int128>(value, known.lo, known.hi));
    }
    table.push_back(values[between.back()]);
  }
  return table;
}

std::optional<Table> nlq::kernel::tabulateNode(const Graph &graph,
                                               const Bounds &bounds,
                                               NodeId from, NodeId node) {
  if (from == node || !hasFewValues(graph, bounds, from))
    return std::nullopt;
  auto between = functionOf(graph, from, node);
  if (!between)
    return std::nullopt;
  return tabulateFunction(graph, from, *between, bounds);
}

//===----------------------------------------------------------------------===//
// Tables for all rows
//===----------------------------------------------------------------------===//

/// A lookup by `from`, which is known to lie in `domain`: perhaps by an
/// assumption that nothing needs any more.
static Value lookUp(Builder &builder, Table table, Value from,
                    Interval domain) {
  llvm::Expected<Interval> plain = boundNode(builder.getGraph(), from.getId());
  if (!plain || !domain.contains(*plain))
    from = builder.assume(from, domain, "what is looked up by it assumes this");
  if (!plain)
    llvm::consumeError(plain.takeError());
  return builder.lookup(std::move(table), from - domain.lo);
}

std::optional<Kernel> nlq::kernel::tabulate(const Kernel &kernel) {
  const Graph &graph = kernel.graph;
  llvm::Expected<Bounds> bounds = bound(graph);
  if (!bounds) {
    llvm::consumeError(bounds.takeError());
    return std::nullopt;
  }
  for (NodeId from = 0; from < graph.result; ++from) {
    if (!hasFewValues(graph, *bounds, from))
      continue;
    auto between = functionOf(graph, from, graph.result);
    if (!between)
      continue;
    // The lookup replaces them, and a subtraction if the index needs one.
    int64_t least = bounds->intervals[from].lo;
    if (between->size() <= (least == 0 ? 1 : 2))
      return std::nullopt;
    Builder builder(kernel);
    for (NodeId id = 0; id <= from; ++id)
      builder.getGraph().nodes.push_back(graph.nodes[id]);
    return builder.finish(
        lookUp(builder, tabulateFunction(graph, from, *between, *bounds),
               Value(&builder, from), bounds->intervals[from]),
        graph.resultBits);
  }
  return std::nullopt;
}

Kernel nlq::kernel::tabulateFunctionsOf(const Kernel &kernel, NodeId index) {
  const Graph &graph = kernel.graph;
  // The nodes between the index and each function of it; none of a function
  // that only others read.
  llvm::DenseMap<NodeId, llvm::SmallVector<NodeId>> functions;
  for (NodeId id = index + 1; id < graph.nodes.size(); ++id)
    if (variesInRow(graph.nodes[id]))
      if (auto between = functionOf(graph, index, id))
        functions[id] = std::move(*between);
  llvm::BitVector isRead(graph.nodes.size());
  isRead.set(graph.result);
  for (auto [id, node] : llvm::enumerate(graph.nodes))
    if (!functions.contains(id))
      for (NodeId operand : node.operands)
        isRead.set(operand);

  return rewriteNodes(
      kernel,
      [&](Builder &builder, const Bounds &bounds, NodeId id,
          llvm::ArrayRef<Value> copies) -> std::optional<Value> {
        auto function = functions.find(id);
        // The lookup replaces them, and a subtraction if the index needs one.
        Interval domain = bounds.intervals[index];
        if (function == functions.end() || !isRead[id] ||
            function->second.size() <= (domain.lo == 0 ? 1 : 2))
          return std::nullopt;
        Table table = tabulateFunction(graph, index, function->second, bounds);
        return lookUp(builder, std::move(table), copies[index], domain)
            .named(graph.nodes[id].text);
      });
}

/// The last node before `node` that takes few values and that it is a function
/// of.
static std::optional<NodeId> findIndex(const Graph &graph, const Bounds &bounds,
                                       NodeId node) {
  for (NodeId from = node; from-- > 0;)
    if (hasFewValues(graph, bounds, from) && functionOf(graph, from, node))
      return from;
  return std::nullopt;
}

Kernel nlq::kernel::selectIndices(const Kernel &kernel) {
  const Graph &graph = kernel.graph;
  return rewriteNodes(
      kernel,
      [&](Builder &builder, const Bounds &bounds, NodeId id,
          llvm::ArrayRef<Value> copies) -> std::optional<Value> {
        const Node &node = graph.nodes[id];
        if (node.opcode != Opcode::Select || node.rate != Rate::Element ||
            graph.nodes[node.operands[2]].opcode != Opcode::Constant)
          return std::nullopt;
        std::optional<NodeId> index =
            findIndex(graph, bounds, node.operands[1]);
        if (!index)
          return std::nullopt;
        Table table = *tabulateNode(graph, bounds, *index, node.operands[1]);
        auto entry =
            llvm::find(llvm::reverse(table), graph.nodes[node.operands[2]].imm);
        if (entry == table.rend())
          return std::nullopt;
        Interval domain = bounds.intervals[*index];
        int64_t other = domain.lo + (table.rend() - entry) - 1;
        Value chosen = builder.select(copies[node.operands[0]], copies[*index],
                                      builder.constant(other));
        return lookUp(builder, std::move(table), chosen, domain)
            .named(node.text);
      });
}

//===----------------------------------------------------------------------===//
// Tables of a row
//===----------------------------------------------------------------------===//

/// Whether the result is one value for all of the index's values from `least`
/// on.
static bool isConstantFrom(const Graph &graph, const Bounds &bounds,
                           NodeId index, llvm::ArrayRef<NodeId> between,
                           int64_t least) {
  // The nodes between once more, on an index that takes only these values.
  Graph copy = graph;
  llvm::DenseMap<NodeId, NodeId> copies;
  Node restricted = graph.nodes[index];
  restricted.opcode = Opcode::Input;
  restricted.operands.clear();
  restricted.imm = int64_t(copy.inputs.size());
  Interval range = {least, bounds.intervals[index].hi};
  copy.inputs.push_back({"index", Rate::Element, 64, true, range});
  auto append = [&](NodeId id, Node node) {
    for (NodeId &operand : node.operands)
      if (auto it = copies.find(operand); it != copies.end())
        operand = it->second;
    copies[id] = copy.nodes.size();
    copy.nodes.push_back(std::move(node));
  };
  append(index, std::move(restricted));
  // Assumptions are made of elements that rows have.
  for (NodeId id : between) {
    const Node &node = graph.nodes[id];
    if (node.opcode == Opcode::Assume && copies.count(node.operands[0]))
      copies[id] = copies[node.operands[0]];
    else
      append(id, node);
  }
  llvm::Expected<Interval> result = boundNode(copy, copies[graph.result]);
  if (!result) {
    llvm::consumeError(result.takeError());
    return false;
  }
  return result->lo == result->hi;
}

static int64_t countEntries(const Graph &graph, const Bounds &bounds,
                            NodeId index, llvm::ArrayRef<NodeId> between) {
  Interval domain = bounds.intervals[index];
  for (int64_t entries : {64, 128})
    if (domain.hi - domain.lo < entries ||
        isConstantFrom(graph, bounds, index, between, domain.lo + entries - 1))
      return entries;
  return 256;
}

/// Permutations of bytes that look up in so many entries, and selections
/// between them.
static int64_t countPermutations(int64_t entries) {
  return entries <= 64 ? 1 : entries <= 128 ? 2 : 5;
}

/// Operations on vectors of bytes that a node takes for as many elements: two
/// in lanes of words, as most nodes need.
static int64_t countOperations(const Graph &graph, const Node &node) {
  if (node.rate != Rate::Element || node.opcode == Opcode::Input)
    return 0;
  int64_t entries = node.opcode == Opcode::Lookup
                        ? int64_t(graph.tables[node.imm].size())
                        : 0;
  // Of words, both bytes are looked up and put together.
  return entries <= 16 ? 2 : 2 * countPermutations(entries) + 2;
}

std::optional<RowFunction> nlq::kernel::findRowFunction(const Graph &graph,
                                                        const Bounds &bounds) {
  // Nodes that each element node is made of, itself included.
  std::vector<llvm::BitVector> madeOf(graph.nodes.size());
  for (auto [id, node] : llvm::enumerate(graph.nodes)) {
    madeOf[id].resize(graph.nodes.size());
    madeOf[id].set(id);
    for (NodeId operand : node.operands)
      if (!isReduction(node))
        madeOf[id] |= madeOf[operand];
  }
  auto countAll = [&](NodeId id) {
    int64_t count = 0;
    for (unsigned part : madeOf[id].set_bits())
      count += countOperations(graph, graph.nodes[part]);
    return count;
  };
  const int64_t columns = graph.maxRowLength;
  int64_t least = columns * countAll(graph.result);
  std::optional<RowFunction> best;
  for (NodeId index = 0; index < graph.result; ++index) {
    if (!hasFewValues(graph, bounds, index))
      continue;
    auto between = functionOf(graph, index, graph.result, /*allowRows=*/true);
    if (!between)
      continue;
    // Entries that no element of a row has may divide by 0.
    if (llvm::any_of(*between, [&](NodeId id) {
          const Node &node = graph.nodes[id];
          return node.opcode == Opcode::Div &&
                 variesInRow(graph.nodes[node.operands[1]]) &&
                 !functionOf(graph, index, id);
        }))
      continue;
    int64_t perEntry = 0;
    for (NodeId id : *between)
      if (!functionOf(graph, index, id))
        perEntry += countOperations(graph, graph.nodes[id]);
    if (perEntry == 0)
      continue; // tabulate() has it
    // The index, in bytes, and a minimum with the last entry's.
    int64_t entries = countEntries(graph, bounds, index, *between);
    int64_t perElement = countAll(index) / 2 + 1 + countPermutations(entries);
    int64_t cost = columns * perElement + entries * perEntry;
    if (cost < least) {
      least = cost;
      best = RowFunction{index, entries};
    }
  }
  return best;
}
