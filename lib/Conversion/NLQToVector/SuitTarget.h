//===- SuitTarget.h - Graphs by what targets can do ----------- -*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_CONVERSION_NLQTOVECTOR_SUITTARGET_H
#define NLQ_LIB_CONVERSION_NLQTOVECTOR_SUITTARGET_H

#include "nlq/Kernel/Tabulate.h"
#include "nlq/Target/VectorFeatures.h"

namespace nlq {

/// A graph by operations that the target has instructions for.
struct SuitedGraph {
  /// It has the inputs and the result, bit for bit, of the graph that it was
  /// made of.
  kernel::Graph graph;
  /// How results are looked up in a table of their row, if they are.
  std::optional<kernel::RowFunction> function;
};

SuitedGraph suitTarget(const kernel::Graph &graph,
                       const VectorFeatures &features);

} // namespace nlq

#endif // NLQ_LIB_CONVERSION_NLQTOVECTOR_SUITTARGET_H
