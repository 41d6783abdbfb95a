//===- NLQToVector.h - nlq.kernel to vector code --------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_CONVERSION_NLQTOVECTOR_H
#define NLQ_CONVERSION_NLQTOVECTOR_H

#include "nlq/Target/VectorFeatures.h"
#include "llvm/Support/LogicalResult.h"

namespace mlir {
class RewriterBase;
} // namespace mlir

namespace nlq {
class KernelOp;

/// Replaces a kernel on buffers by loops over its rows, whose body is vector
/// code of at most `maxLanes` elements (0: as many as suit the kernel). A row
/// is passed over once per phase: a phase ends with the reductions that the
/// next one needs; element values that are dear to compute again wait in a
/// row-sized scratch buffer. `features` says which instructions the target has
/// special forms for. Fails, with an error on the operation, where `bound`
/// refuses the graph or the operands are tensors.
llvm::LogicalResult lowerKernelToVector(mlir::RewriterBase &rewriter,
                                        KernelOp op, int64_t maxLanes,
                                        const VectorFeatures &features);

} // namespace nlq

#endif // NLQ_CONVERSION_NLQTOVECTOR_H
