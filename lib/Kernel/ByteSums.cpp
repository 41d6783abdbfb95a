//===- ByteSums.cpp - Sums that dot products of bytes add -----------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Kernel/ByteSums.h"
#include "RewriteNodes.h"
#include <algorithm>

using namespace nlq::kernel;

/// The kernel with what `makeSum` makes in place of sums: none, or a node that
/// is equal to the sum of a term.
static Kernel replaceSums(
    const Kernel &kernel,
    llvm::function_ref<std::optional<Value>(
        Builder &, const Bounds &, NodeId term, llvm::ArrayRef<Value> copies)>
        makeSum) {
  return rewriteNodes(
      kernel,
      [&](Builder &builder, const Bounds &bounds, NodeId id,
          llvm::ArrayRef<Value> copies) -> std::optional<Value> {
        const Node &node = kernel.graph.nodes[id];
        if (node.opcode != Opcode::ReduceSum)
          return std::nullopt;
        std::optional<Value> sum =
            makeSum(builder, bounds, node.operands[0], copies);
        if (!sum)
          return std::nullopt;
        return builder.assume(sum->named(node.text), bounds.intervals[id],
                              "it is equal to a sum of which as much is known");
      });
}

Kernel nlq::kernel::sumBytesOfLookups(const Kernel &kernel) {
  const Graph &graph = kernel.graph;
  return replaceSums(
      kernel,
      [&](Builder &builder, const Bounds &, NodeId term,
          llvm::ArrayRef<Value> copies) -> std::optional<Value> {
        const Node &lookup = graph.nodes[term];
        if (lookup.opcode != Opcode::Lookup || lookup.rate != Rate::Element)
          return std::nullopt;
        const Table &table = graph.tables[lookup.imm];
        auto [lo, hi] = std::minmax_element(table.begin(), table.end());
        if (*lo < 0 || *hi > UINT32_MAX || *hi <= UINT8_MAX)
          return std::nullopt;
        Value sum = builder.constant(0);
        for (int64_t shift = 0; *hi >> shift != 0; shift += 8) {
          Table bytes;
          for (int64_t entry : table)
            bytes.push_back((entry >> shift) & UINT8_MAX);
          Value part = builder.reduceSum(
              builder.lookup(std::move(bytes), copies[lookup.operands[0]]));
          sum = builder.shiftLeft(part, shift) + sum;
        }
        return sum;
      });
}

Kernel nlq::kernel::sumBiasedSquares(const Kernel &kernel) {
  const Graph &graph = kernel.graph;
  return replaceSums(
      kernel,
      [&](Builder &builder, const Bounds &bounds, NodeId term,
          llvm::ArrayRef<Value> copies) -> std::optional<Value> {
        const Node &square = graph.nodes[term];
        if (square.opcode != Opcode::Mul || square.rate != Rate::Element ||
            square.operands[0] != square.operands[1] ||
            !storageRange(8).contains(bounds.intervals[square.operands[0]]))
          return std::nullopt;
        Value v = copies[square.operands[0]];
        return builder.reduceSum((v + 128) * v) -
               builder.shiftLeft(builder.reduceSum(v), 7);
      });
}
