//===- Verify.h - Well-formed kernel graphs ---------------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What every graph must satisfy before anything else reads it. Builder makes
// only such graphs; graphs read from text are checked here.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_KERNEL_VERIFY_H
#define NLQ_KERNEL_VERIFY_H

#include "nlq/Kernel/Graph.h"
#include "llvm/Support/Error.h"

namespace nlq::kernel {

/// The rate that `node` has in `graph`: that of its operands joined; an input's
/// own; Row for reductions. Operands and inputs must exist.
Rate inferRate(const Graph &graph, const Node &node);

/// Fails on the first node, input or table that is malformed: operands that are
/// missing or do not come before their user, numbers of inputs or tables that
/// do not exist, rates that do not follow from the operands, a root of
/// elements, input ranges outside of their storage, widths outside of 1 to 64,
/// rows of no elements.
llvm::Error verify(const Graph &graph);

/// Fails also if the columns do not match the Column inputs.
llvm::Error verify(const Kernel &kernel);

} // namespace nlq::kernel

#endif // NLQ_KERNEL_VERIFY_H
