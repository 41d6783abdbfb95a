//===- Bound.cpp - Intervals and lanes of nodes ---------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Kernel/Bound.h"
#include "nlq/Kernel/Semantics.h"
#include "nlq/Kernel/Verify.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>

using namespace nlq::kernel;

namespace {
/// An interval that may have left 64 bits.
struct Wide {
  Int128 lo = 0;
  Int128 hi = 0;

  Wide() = default;
  Wide(Int128 lo, Int128 hi) : lo(lo), hi(hi) {}
  Wide(Interval interval) : lo(interval.lo), hi(interval.hi) {}
};

class Analysis {
public:
  Analysis(const Graph &graph, NodeId numNodes, const BoundOptions &options);

  llvm::Error run();
  std::vector<Interval> intervals;

private:
  llvm::Expected<Wide> visit(const Node &node) const;
  llvm::Error requireDefined(const Node &node) const;
  Wide corners(const Node &node) const;
  Wide refine(const Node &node, Wide plain) const;
  Wide refineDifference(NodeId a, NodeId b, Wide plain) const;
  bool neverExceeds(NodeId a, NodeId b) const;
  bool isFloorMultiple(NodeId multiple, NodeId a, Int128 &largestRest) const;
  llvm::Error tooWide(const Node &node, Wide interval, unsigned allowed) const;

  Interval of(NodeId id) const { return intervals[id]; }
  const Node &get(NodeId id) const { return graph.nodes[id]; }
  std::string describe(const Node &node) const;

  const Graph &graph;
  const NodeId numNodes;
  const BoundOptions &options;
  /// What the assumptions made of each node leave of it.
  std::vector<Interval> assumed;
};
} // namespace

static llvm::Error refuse(const std::string &reason) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                 llvm::Twine(reason));
}

static std::string text(Wide interval) {
  return "[" + toString(interval.lo) + ", " + toString(interval.hi) + "]";
}

unsigned nlq::kernel::signedBits(Interval range) {
  return signedBits(range.lo, range.hi);
}

unsigned Bounds::lane(NodeId node) const {
  unsigned bits = signedBits(intervals[node]);
  return bits <= 8 ? 8 : bits <= 16 ? 16 : bits <= 32 ? 32 : 64;
}

Analysis::Analysis(const Graph &graph, NodeId numNodes,
                   const BoundOptions &options)
    : graph(graph), numNodes(numNodes), options(options) {
  assumed.assign(numNodes, {INT64_MIN, INT64_MAX});
  // An assumption holds wherever its operand is computed, so it narrows the
  // operand itself; operands come first, which makes the walk go backwards.
  for (NodeId id = numNodes; id-- > 0;) {
    const Node &node = get(id);
    if (node.opcode != Opcode::Assume)
      continue;
    for (NodeId target : {id, node.operands[0]}) {
      Interval narrower = id == target ? node.range : assumed[id];
      assumed[target].lo = std::max(assumed[target].lo, narrower.lo);
      assumed[target].hi = std::min(assumed[target].hi, narrower.hi);
    }
  }
}

std::string Analysis::describe(const Node &node) const {
  std::string mnemonic = getInfo(node.opcode).mnemonic;
  if (node.opcode == Opcode::Input)
    return "input '" + graph.inputs[node.imm].name + "'";
  if (node.opcode == Opcode::Assume)
    return "the assumption '" + node.text + "'";
  const NodeId id = &node - graph.nodes.data();
  std::string where = "node " + std::to_string(id);
  if (node.text.empty()) {
    std::string user = findNamedUser(graph, id);
    return where + " (" + mnemonic +
           (user.empty() ? "" : ", for '" + user + "'") + ")";
  }
  return "'" + node.text + "' (" + where + ", " + mnemonic + ")";
}

llvm::Error Analysis::run() {
  for (NodeId id = 0; id < numNodes; ++id) {
    const Node &node = get(id);
    llvm::Expected<Wide> computed = visit(node);
    if (!computed)
      return computed.takeError();
    // 64 bits are a limit and not knowledge: an end there assumes nothing.
    Interval assumption = assumed[id];
    Wide narrowed = *computed;
    if (assumption.lo != INT64_MIN)
      narrowed.lo = std::max<Int128>(narrowed.lo, assumption.lo);
    if (assumption.hi != INT64_MAX)
      narrowed.hi = std::min<Int128>(narrowed.hi, assumption.hi);
    if (narrowed.lo > narrowed.hi)
      return refuse(describe(node) + " lies in " + text(*computed) +
                    " and is assumed to lie in " + text(assumed[id]));
    bool perElement = node.rate == Rate::Element || node.rate == Rate::Column;
    unsigned allowed =
        std::min(64u, perElement ? options.maxElementBits : options.maxRowBits);
    if (signedBits(narrowed.lo, narrowed.hi) > allowed)
      return tooWide(node, narrowed, allowed);
    intervals.push_back({int64_t(narrowed.lo), int64_t(narrowed.hi)});
  }
  return llvm::Error::success();
}

llvm::Error Analysis::tooWide(const Node &node, Wide interval,
                              unsigned allowed) const {
  std::string needs = std::to_string(signedBits(interval.lo, interval.hi)) +
                      " bits and at most " + std::to_string(allowed) +
                      " are allowed";
  if (node.opcode != Opcode::ReduceSum)
    return refuse(describe(node) + " reaches " + text(interval) +
                  ", which needs " + needs);
  Wide term = of(node.operands[0]);
  Int128 largest = std::max(-term.lo, term.hi);
  std::string name = node.text.empty() ? "" : "'" + node.text + "': ";
  return refuse(name + "the sum of " + std::to_string(graph.maxRowLength) +
                " terms of up to " + toString(largest) + " needs " + needs);
}

//===----------------------------------------------------------------------===//
// Transfer functions
//===----------------------------------------------------------------------===//

llvm::Error Analysis::requireDefined(const Node &node) const {
  auto operand = [&](unsigned i) { return of(node.operands[i]); };
  switch (node.opcode) {
  case Opcode::Div:
    if (operand(1).contains(int64_t(0)))
      return refuse(describe(node) + " divides by " + text(operand(1)) +
                    ", which contains 0");
    break;
  case Opcode::MulShift:
    if (!Interval{0, 126}.contains(operand(2)))
      return refuse(describe(node) + " shifts right by " + text(operand(2)) +
                    " and 0 to 126 are allowed");
    break;
  case Opcode::ShiftLeft:
  case Opcode::ShiftRight:
    if (operand(1).lo < 0)
      return refuse(describe(node) + " shifts by " + text(operand(1)) +
                    ", and amounts must not be negative");
    break;
  case Opcode::Sqrt:
  case Opcode::BitLength:
    if (operand(0).lo < 0)
      return refuse(describe(node) + " is taken of " + text(operand(0)) +
                    ", which must not be negative");
    break;
  case Opcode::Lookup: {
    int64_t last = int64_t(graph.tables[node.imm].size()) - 1;
    if (!Interval{0, last}.contains(operand(0)))
      return refuse(describe(node) + " reads its table at " + text(operand(0)) +
                    " and it has entries 0 to " + toString(last));
    break;
  }
  default:
    break;
  }
  return llvm::Error::success();
}

/// The hull of the node's values at the corners of its operands' box. Exact for
/// opcodes that are monotone in each operand while the others stand still; the
/// direction may depend on the others, as for products. Shifts, rounded
/// quotients (the divisor's sign is constant) and roots are, since rounding
/// keeps the order.
Wide Analysis::corners(const Node &node) const {
  unsigned count = node.operands.size();
  Wide hull;
  for (unsigned corner = 0; corner < (1u << count); ++corner) {
    llvm::SmallVector<int64_t, 3> values;
    for (unsigned i = 0; i < count; ++i) {
      Interval operand = of(node.operands[i]);
      values.push_back(corner >> i & 1 ? operand.hi : operand.lo);
    }
    Int128 value = *applyExact(node, values, graph.tables);
    hull.lo = corner == 0 ? value : std::min(hull.lo, value);
    hull.hi = corner == 0 ? value : std::max(hull.hi, value);
  }
  return hull;
}

/// 1 if a and b always compare true, 0 if never, else both.
static Interval decide(Predicate predicate, Interval a, Interval b, bool same) {
  bool disjoint = a.hi < b.lo || b.hi < a.lo;
  bool point = same || (a == b && a.lo == a.hi);
  switch (predicate) {
  case Predicate::EQ:
    return {point, !disjoint};
  case Predicate::NE:
    return {disjoint, !point};
  case Predicate::LT:
    return {a.hi < b.lo, a.lo < b.hi && !same};
  case Predicate::LE:
    return {a.hi <= b.lo || same, a.lo <= b.hi};
  case Predicate::GT:
    return {b.hi < a.lo, b.lo < a.hi && !same};
  case Predicate::GE:
    return {b.hi <= a.lo || same, b.lo <= a.hi};
  }
  return {0, 1};
}

llvm::Expected<Wide> Analysis::visit(const Node &node) const {
  if (llvm::Error error = requireDefined(node))
    return std::move(error);
  auto operand = [&](unsigned i) { return of(node.operands[i]); };
  switch (node.opcode) {
  case Opcode::Constant:
    return Wide(node.imm, node.imm);
  case Opcode::Input:
    return Wide(graph.inputs[node.imm].range);
  case Opcode::RowIndex:
    // Tensors have fewer than 2^31 rows: emitted code counts them in 32 bits.
    return Wide(0, INT32_MAX);
  case Opcode::ColumnIndex:
    return Wide(0, graph.maxRowLength - 1);
  case Opcode::RowLength:
    return Wide(1, graph.maxRowLength);
  case Opcode::ReduceMax:
    return Wide(operand(0));
  case Opcode::ReduceSum: {
    Wide term = operand(0);
    return Wide(std::min(term.lo, term.lo * graph.maxRowLength),
                std::max(term.hi, term.hi * graph.maxRowLength));
  }
  case Opcode::Compare:
    return Wide(decide(node.predicate, operand(0), operand(1),
                       node.operands[0] == node.operands[1]));
  case Opcode::Select: {
    Wide yes = operand(1), no = operand(2);
    if (!operand(0).contains(int64_t(0)))
      return yes;
    if (operand(0) == Interval{0, 0})
      return no;
    return Wide(std::min(yes.lo, no.lo), std::max(yes.hi, no.hi));
  }
  case Opcode::Lookup: {
    const Table &table = graph.tables[node.imm];
    auto [lo, hi] = std::minmax_element(table.begin() + operand(0).lo,
                                        table.begin() + operand(0).hi + 1);
    return Wide(*lo, *hi);
  }
  default:
    return refine(node, corners(node));
  }
}

//===----------------------------------------------------------------------===//
// Relations between operands
//===----------------------------------------------------------------------===//

/// `plain`, narrowed by what is known where operands depend on each other.
Wide Analysis::refine(const Node &node, Wide plain) const {
  if (node.operands.size() < 2)
    return plain;
  NodeId a = node.operands[0], b = node.operands[1];
  switch (node.opcode) {
  case Opcode::Sub:
    return refineDifference(a, b, plain);
  case Opcode::Mul:
    if (a == b) // a square
      plain.lo = std::max<Int128>(plain.lo, 0);
    return plain;
  case Opcode::Max: {
    // max(x, 0 - x) is |x|.
    const Node &negated = get(b);
    bool isAbs = negated.opcode == Opcode::Sub && negated.operands[1] == a &&
                 of(negated.operands[0]) == Interval{0, 0};
    if (isAbs)
      plain.lo = std::max<Int128>(plain.lo, 0);
    return plain;
  }
  default:
    return plain;
  }
}

Wide Analysis::refineDifference(NodeId a, NodeId b, Wide plain) const {
  if (a == b)
    return Wide(0, 0);
  if (neverExceeds(a, b))
    plain.hi = std::min<Int128>(plain.hi, 0);
  if (neverExceeds(b, a))
    plain.lo = std::max<Int128>(plain.lo, 0);
  Int128 largestRest;
  if (isFloorMultiple(b, a, largestRest)) {
    plain.lo = std::max<Int128>(plain.lo, 0);
    plain.hi = std::min(plain.hi, largestRest);
  }
  return plain;
}

/// Whether a <= b by construction: b is a maximum with a, or a is a minimum
/// with b.
bool Analysis::neverExceeds(NodeId a, NodeId b) const {
  const Node &larger = get(b), &smaller = get(a);
  if (larger.opcode == Opcode::Max || larger.opcode == Opcode::ReduceMax)
    if (llvm::is_contained(larger.operands, a))
      return true;
  return smaller.opcode == Opcode::Min &&
         llvm::is_contained(smaller.operands, b);
}

/// Whether `multiple` is floor(a / d) * d for some d > 0, so that a minus it is
/// a remainder of 0 to d - 1.
bool Analysis::isFloorMultiple(NodeId multiple, NodeId a,
                               Int128 &largestRest) const {
  const Node &product = get(multiple);
  if (product.operands.size() != 2)
    return false;
  for (unsigned i = 0; i < 2; ++i) {
    const Node &quotient = get(product.operands[i]);
    NodeId d = product.operands[1 - i];
    if (quotient.operands.size() != 2 || quotient.operands[0] != a ||
        quotient.operands[1] != d || quotient.rounding != Rounding::Floor)
      continue;
    if (product.opcode == Opcode::Mul && quotient.opcode == Opcode::Div &&
        of(d).lo > 0) {
      largestRest = Int128(of(d).hi) - 1;
      return true;
    }
    if (product.opcode == Opcode::ShiftLeft && i == 0 &&
        quotient.opcode == Opcode::ShiftRight && of(d).hi <= 64) {
      largestRest = (Int128(1) << of(d).hi) - 1;
      return true;
    }
  }
  return false;
}

//===----------------------------------------------------------------------===//
// Entry points
//===----------------------------------------------------------------------===//

llvm::Expected<Bounds> nlq::kernel::bound(const Graph &graph,
                                          const BoundOptions &options) {
  if (llvm::Error error = verify(graph))
    return std::move(error);
  Analysis analysis(graph, graph.nodes.size(), options);
  if (llvm::Error error = analysis.run())
    return std::move(error);
  Interval storage = storageRange(graph.resultBits);
  Interval result = analysis.intervals[graph.result];
  if (!storage.contains(result))
    return refuse("the result reaches " + text(result) + " and is stored in " +
                  std::to_string(graph.resultBits) + " bits, which hold " +
                  text(storage));
  Bounds bounds;
  bounds.intervals = std::move(analysis.intervals);
  return std::move(bounds);
}

llvm::Expected<Interval> nlq::kernel::boundNode(const Graph &graph,
                                                NodeId node) {
  BoundOptions options;
  Analysis analysis(graph, node + 1, options);
  if (llvm::Error error = analysis.run())
    return std::move(error);
  return analysis.intervals[node];
}
