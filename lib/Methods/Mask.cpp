//===- Mask.cpp - Rows with elements that take no part --------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel's rows meet in its reductions only, so the mask stands there:
//   - what a maximum is taken of is, where it takes no part, the least value it
//     can have, which is no more than any that does. All that is computed from
//     it sees the same, so that distances from the maximum stay positive;
//   - what is summed up is 0, in the sum and wherever else it is used, so that
//     a term never exceeds its sum;
//   - the result is 0, which it is by itself in methods whose result is 0 where
//     the term is.
// In a row without any element that takes part the sum is 0. Methods assume
// that a sum holds the exponential of the row's maximum (an assumption with a
// least value above 0); raised to that value it does, and where an element
// takes part raising changes nothing, by the same lemma.
//
//===----------------------------------------------------------------------===//

#include "Mask.h"
#include "Steps.h"
#include "nlq/Kernel/Bound.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include <algorithm>

using namespace nlq;
using namespace nlq::methods;
using kernel::Builder;
using kernel::Interval;
using kernel::NodeId;
using kernel::Opcode;
using kernel::Value;

namespace {
/// What a graph reduces.
struct Reduced {
  llvm::DenseSet<NodeId> maxima, terms;
  /// Sums that are assumed to have at least so much.
  llvm::DenseMap<NodeId, int64_t> leastSums;
};
} // namespace

static Reduced findReduced(const kernel::Graph &graph) {
  Reduced reduced;
  for (const kernel::Node &node : graph.nodes) {
    if (node.opcode == Opcode::ReduceMax)
      reduced.maxima.insert(node.operands[0]);
    if (node.opcode == Opcode::ReduceSum)
      reduced.terms.insert(node.operands[0]);
    if (node.opcode == Opcode::Assume && node.range.lo > 0 &&
        graph.nodes[node.operands[0]].opcode == Opcode::ReduceSum) {
      int64_t &least = reduced.leastSums[node.operands[0]];
      least = std::max(least, node.range.lo);
    }
  }
  return reduced;
}

/// Not 0 where an element takes part.
static Value makeCondition(Builder &builder, const Problem &problem) {
  Value mask;
  if (problem.hasMask)
    mask = builder.element("mask", 8, kernel::storageRange(8));
  if (!problem.isCausal)
    return mask;
  Value visible =
      builder
          .compare(kernel::Predicate::LT, builder.columnIndex(),
                   builder.row("visible", 32, {0, problem.maxRowLength}))
          .named("is_visible");
  if (!problem.hasMask)
    return visible;
  return builder.select(mask, visible, builder.constant(0)).named("takes_part");
}

/// Whether the result is `zero` wherever the terms of sums are 0.
static bool vanishesWithTerms(const MethodKernel &built, const Reduced &reduced,
                              int64_t zero) {
  const kernel::Graph &graph = built.kernel.graph;
  Builder builder(built.kernel);
  Value nothing = builder.constant(0);
  llvm::SmallVector<Value> values;
  for (kernel::Node node : graph.nodes) {
    const bool reduces =
        node.opcode == Opcode::ReduceMax || node.opcode == Opcode::ReduceSum;
    for (NodeId &operand : node.operands)
      operand = !reduces && reduced.terms.contains(operand)
                    ? nothing.getId()
                    : values[operand].getId();
    values.push_back(builder.append(std::move(node)));
  }
  Value result = values[graph.result];
  llvm::Expected<kernel::Bounds> bounds =
      kernel::bound(builder.finish(result, graph.resultBits).graph);
  if (!bounds) {
    llvm::consumeError(bounds.takeError());
    return false;
  }
  Interval range = bounds->intervals[result.getId()];
  return range.lo == zero && range.hi == zero;
}

llvm::Expected<MethodKernel> nlq::methods::maskRows(MethodKernel built,
                                                    const Problem &problem) {
  const kernel::Graph &graph = built.kernel.graph;
  llvm::Expected<kernel::Bounds> bounds = kernel::bound(graph);
  if (!bounds)
    return bounds.takeError();
  const Reduced reduced = findReduced(graph);
  Builder builder(built.kernel);
  Value condition = makeCondition(builder, problem);
  llvm::SmallVector<Value> values;
  for (NodeId id = 0; id < graph.nodes.size(); ++id) {
    kernel::Node node = graph.nodes[id];
    for (NodeId &operand : node.operands)
      operand = values[operand].getId();
    Value value = builder.append(std::move(node));
    if (reduced.maxima.contains(id))
      value = builder.select(condition, value,
                             builder.constant(bounds->intervals[id].lo));
    if (reduced.terms.contains(id))
      value = builder.select(condition, value, builder.constant(0));
    if (auto least = reduced.leastSums.find(id);
        least != reduced.leastSums.end())
      value = builder.max(value, least->second);
    values.push_back(value);
  }
  const Quantized &to = problem.result;
  const int64_t zero = std::clamp(to.zeroPoints[0], to.range.lo, to.range.hi);
  Value result = values[graph.result];
  if (!vanishesWithTerms(built, reduced, zero))
    result = builder.select(condition, result, builder.constant(zero));
  built.kernel = builder.finish(result, graph.resultBits);
  return built;
}
