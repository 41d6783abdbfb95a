//===- StridedCopies.h - Copies between parts of buffers ------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_PIPELINES_STRIDEDCOPIES_H
#define NLQ_LIB_PIPELINES_STRIDEDCOPIES_H

#include "mlir/Pass/Pass.h"

namespace nlq {

/// A pass on functions: copies of which one side is not contiguous, such as
/// those of a concatenation along an inner dimension, become linalg.generic.
/// MLIR would call its runtime library, which compiled models do without.
std::unique_ptr<mlir::Pass> createStridedCopiesPass();

} // namespace nlq

#endif // NLQ_LIB_PIPELINES_STRIDEDCOPIES_H
