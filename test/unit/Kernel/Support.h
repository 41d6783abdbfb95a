//===- Support.h - What tests of rewrites share -----------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_TEST_UNIT_KERNEL_SUPPORT_H
#define NLQ_TEST_UNIT_KERNEL_SUPPORT_H

#include "nlq/Kernel/Graph.h"
#include "llvm/ADT/STLExtras.h"

namespace nlq::kernel {

/// Nodes of an opcode.
inline unsigned count(const Kernel &kernel, Opcode opcode) {
  return unsigned(llvm::count_if(kernel.graph.nodes, [&](const Node &node) {
    return node.opcode == opcode;
  }));
}

/// lo, lo + 1, ... hi.
inline std::vector<int64_t> range(int64_t lo, int64_t hi) {
  std::vector<int64_t> values;
  for (; lo <= hi; ++lo)
    values.push_back(lo);
  return values;
}

} // namespace nlq::kernel

#endif // NLQ_TEST_UNIT_KERNEL_SUPPORT_H
