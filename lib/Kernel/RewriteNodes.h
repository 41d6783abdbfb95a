//===- RewriteNodes.h - Kernels with some nodes replaced --------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_KERNEL_REWRITENODES_H
#define NLQ_LIB_KERNEL_REWRITENODES_H

#include "nlq/Kernel/Bound.h"
#include "nlq/Kernel/Builder.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace nlq::kernel {

/// `node` with the copies of its operands.
inline Node withCopies(Node node, llvm::ArrayRef<Value> copies) {
  for (NodeId &operand : node.operands)
    operand = copies[operand].getId();
  return node;
}

/// The kernel with what `replace` makes in place of nodes; where it makes
/// nothing, the nodes as they are. It is asked in order and given the copies of
/// the nodes before. A kernel comes back as it is if `bound` refuses it.
inline Kernel rewriteNodes(
    const Kernel &kernel,
    llvm::function_ref<std::optional<Value>(
        Builder &, const Bounds &, NodeId id, llvm::ArrayRef<Value> copies)>
        replace) {
  const Graph &graph = kernel.graph;
  llvm::Expected<Bounds> bounds = bound(graph);
  if (!bounds) {
    llvm::consumeError(bounds.takeError());
    return kernel;
  }
  Builder builder(kernel);
  std::vector<Value> copies;
  for (auto [id, node] : llvm::enumerate(graph.nodes)) {
    std::optional<Value> made = replace(builder, *bounds, NodeId(id), copies);
    copies.push_back(made ? *made : builder.append(withCopies(node, copies)));
  }
  return builder.finish(copies[graph.result], graph.resultBits);
}

} // namespace nlq::kernel

#endif // NLQ_LIB_KERNEL_REWRITENODES_H
