//===- Tabulate.h - Lookups in place of functions of few values -*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What depends on one node of at most 256 values can be looked up: for all rows
// in a table that is made with the kernel, or in each row in one that is made
// of its values. Rewrites keep the result bit for bit.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_KERNEL_TABULATE_H
#define NLQ_KERNEL_TABULATE_H

#include "nlq/Kernel/Bound.h"
#include "nlq/Kernel/Graph.h"

namespace nlq::kernel {

/// The values of `node` for each value of `from`, from its least on, if it
/// depends on nothing but `from` and constants, and `from` takes at most 256
/// values.
std::optional<Table> tabulateNode(const Graph &graph, const Bounds &bounds,
                                  NodeId from, NodeId node);

/// If some element node takes at most 256 values and everything from it to the
/// result depends on nothing else, one lookup in place of all that; nothing if
/// there is no such node or nothing to gain. The first such node is taken, that
/// is, the lookup replaces as much as it can. The index is the node minus the
/// low end of its interval.
std::optional<Kernel> tabulate(const Kernel &kernel);

/// One lookup by `index` in place of each node that depends on nothing but it
/// and constants and that something else reads, or the kernel as it is.
Kernel tabulateFunctionsOf(const Kernel &kernel, NodeId index);

/// select(c, f(i), k) as f(select(c, i, j)) where f(j) is the constant k: a
/// masked function of few values is one of a masked index then.
Kernel selectIndices(const Kernel &kernel);

/// A row's result as a function of one node of it and of values that are the
/// same in the whole row.
struct RowFunction {
  /// An element node of at most 256 values.
  NodeId index;
  /// The result is the same for the last one of so many values of the index,
  /// counted from its least, and all beyond it: 64, 128 or 256.
  int64_t entries;
};

/// The function that takes the fewest operations if it is computed for each of
/// its entries and then looked up for each element; nothing if it takes fewer
/// to compute it for each of the longest row's elements.
std::optional<RowFunction> findRowFunction(const Graph &graph,
                                           const Bounds &bounds);

} // namespace nlq::kernel

#endif // NLQ_KERNEL_TABULATE_H
