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
#include "llvm/ADT/STLFunctionalExtras.h"

namespace nlq::kernel {

/// `node` with the copies of its operands.
Node withCopies(Node node, llvm::ArrayRef<Value> copies);

/// The kernel with what `replace` makes in place of nodes; where it makes
/// nothing, the nodes as they are. It is asked in order and given the copies of
/// the nodes before. A kernel comes back as it is if `bound` refuses it.
Kernel rewriteNodes(
    const Kernel &kernel,
    llvm::function_ref<std::optional<Value>(
        Builder &, const Bounds &, NodeId id, llvm::ArrayRef<Value> copies)>
        replace);

} // namespace nlq::kernel

#endif // NLQ_LIB_KERNEL_REWRITENODES_H
