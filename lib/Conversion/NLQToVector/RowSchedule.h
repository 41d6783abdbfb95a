//===- RowSchedule.h - Passes over the columns of a row ---------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_CONVERSION_NLQTOVECTOR_ROWSCHEDULE_H
#define NLQ_LIB_CONVERSION_NLQTOVECTOR_ROWSCHEDULE_H

#include "nlq/Kernel/Graph.h"
#include "llvm/ADT/DenseMap.h"

namespace nlq {

/// One pass over the columns of a row.
struct Phase {
  /// Reductions that this pass accumulates.
  llvm::SmallVector<kernel::NodeId> reductions;
  /// Element nodes that this pass leaves in scratch for later ones.
  llvm::SmallVector<kernel::NodeId> spills;
};

/// Which nodes are computed in which pass over the row.
struct Schedule {
  /// The phase in which each node can first be known.
  std::vector<unsigned> levels;
  std::vector<Phase> phases;
  /// Every node that lies in scratch, with the phase that writes it.
  llvm::DenseMap<kernel::NodeId, unsigned> spilledIn;
};

/// The passes that a graph takes: one more than reductions follow each other.
/// `last` is what the last of them computes for each element: the result, or
/// what it is looked up by.
Schedule makeSchedule(const kernel::Graph &graph, kernel::NodeId last);

} // namespace nlq

#endif // NLQ_LIB_CONVERSION_NLQTOVECTOR_ROWSCHEDULE_H
