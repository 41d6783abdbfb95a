//===- Rewrites.h - Graph-to-graph rewrites ---------------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Rewrites keep the result bit for bit, on every input within the declared
// ranges; the tests hold each to evaluate.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_KERNEL_REWRITES_H
#define NLQ_KERNEL_REWRITES_H

#include "nlq/Kernel/Graph.h"

namespace nlq::kernel {

/// Drops the nodes, column inputs and tables that do not reach the result, and
/// renumbers the others. Element and row inputs stay.
void removeDeadNodes(Kernel &kernel);

/// Algebraic identities (x + 0, x * 1, shifts by 0, quotients by powers of
/// two), minima, maxima, comparisons and selections that the intervals decide,
/// and nodes that can take one value only. Assumptions that reach the result
/// stay. A kernel comes back as it is if `bound` refuses it, or proves less of
/// the simpler one.
Kernel simplify(const Kernel &kernel);

/// floor(a / 2^b + 1/2) = floor((a 2^(15-b) + 2^14) / 2^15) for elements a of
/// 16 bits and b of 1 to 15 that is the same in the whole row: a rounded
/// product of words, which targets have one instruction for. The power is a
/// value of the row.
Kernel multiplyForShifts(const Kernel &kernel);

} // namespace nlq::kernel

#endif // NLQ_KERNEL_REWRITES_H
