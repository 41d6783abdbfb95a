//===- Cost.h - What kernels cost -------------------------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An estimate of a kernel's run time from its graph: what is compared when
// assignments are made before anything is compiled.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_KERNEL_COST_H
#define NLQ_KERNEL_COST_H

#include "nlq/Kernel/Bound.h"
#include "nlq/Kernel/Graph.h"

namespace nlq::kernel {

/// Instructions that a target needs for a node: plain data, supplied by a
/// target. The default is a generic machine with vectors of 64 bytes.
struct NodeCosts {
  /// Lanes of 8, 16, 32, 64 bits.
  static constexpr unsigned kNumLanes = 4;

  NodeCosts();

  unsigned vectorBytes = 64;
  /// Instructions per vector of an opcode, by lane. Inputs are loads.
  double perVector[kNumOpcodes][kNumLanes];
  /// Div by a divisor that is not a constant, per vector.
  double variableDiv[kNumLanes];
  /// Lookup in more than 256 entries, or with entries or index beyond 8 bits
  /// that cannot be looked up by bytes, per vector.
  double gather[kNumLanes];
  /// Lookup in at most 16 entries of 16 bits, per vector.
  double smallLookup = 1;
  /// The upper half of a product, by lane: MulShift by more than the lane.
  double highHalf[kNumLanes];
  /// MulShift by 15, half up, of 16 bits, per vector, rounding included.
  double roundedProduct = 1;
  /// One change of lane width by a factor of two, per vector of the wider lane.
  double convert = 1;
  /// The final store, per vector of the stored width.
  double store = 1;
  /// More instructions per vector of a rounded node, by Rounding.
  double rounding[5];
  /// Instructions of an opcode computed once per row.
  double perRow[kNumOpcodes];
};

/// Estimated instructions per element in rows of `rowLength`: nodes of element
/// and column rate at the lane that holds them and their operands, row nodes
/// shared by the row, uniform nodes free.
double cost(const Graph &graph, const Bounds &bounds, const NodeCosts &costs,
            int64_t rowLength);

/// Bytes of the graph's tables, each entry in the narrowest of 8, 16, 32 and 64
/// bits that holds all of its table.
int64_t tableBytes(const Graph &graph);

} // namespace nlq::kernel

#endif // NLQ_KERNEL_COST_H
