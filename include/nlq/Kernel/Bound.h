//===- Bound.h - Intervals and lanes of nodes -------------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Interval analysis: one interval per node, proved for every input within the
// declared ranges and every row length from 1 to the declared longest. A graph
// for which it fails may overflow, or may take a quotient by zero, and has no
// meaning; the reason is one sentence.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_KERNEL_BOUND_H
#define NLQ_KERNEL_BOUND_H

#include "nlq/Kernel/Graph.h"
#include "llvm/Support/Error.h"

namespace nlq::kernel {

/// Widest signed lanes allowed. Corrected forms have elements of 32 bits.
struct BoundOptions {
  /// For nodes of element and column rate.
  unsigned maxElementBits = 64;
  /// For nodes of row and uniform rate.
  unsigned maxRowBits = 64;
};

struct Bounds {
  /// One per node.
  std::vector<Interval> intervals;

  /// The narrowest signed lane, of 8, 16, 32 or 64 bits, that holds every value
  /// of the node.
  unsigned lane(NodeId node) const;
};

/// Number of bits of the narrowest signed integer that holds `range`.
unsigned signedBits(Interval range);

/// Intervals of all nodes. An assumption narrows the node it is made of, too.
/// Fails, naming the node, if the graph is malformed, a node needs more bits
/// than `options` allow, a divisor may be 0, a shift amount, a root or the
/// operand of BitLength may be negative, a table may be read outside of its
/// entries, an assumption contradicts the interval, or the result does not fit
/// in its storage.
llvm::Expected<Bounds> bound(const Graph &graph,
                             const BoundOptions &options = BoundOptions());

/// The interval of one node of a graph that may still be growing: nodes after
/// it and the result are not looked at.
llvm::Expected<Interval> boundNode(const Graph &graph, NodeId node);

} // namespace nlq::kernel

#endif // NLQ_KERNEL_BOUND_H
