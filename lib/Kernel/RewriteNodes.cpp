//===- RewriteNodes.cpp - Kernels with some nodes replaced ----------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RewriteNodes.h"
#include "llvm/ADT/STLExtras.h"

using namespace nlq::kernel;

Node nlq::kernel::withCopies(Node node, llvm::ArrayRef<Value> copies) {
  for (NodeId &operand : node.operands)
    operand = copies[operand].getId();
  return node;
}

Kernel nlq::kernel::rewriteNodes(
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
