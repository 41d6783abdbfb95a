//===- SeparateBuffers.h - Buffers of arguments and results ---*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_PIPELINES_SEPARATEBUFFERS_H
#define NLQ_LIB_PIPELINES_SEPARATEBUFFERS_H

#include "mlir/Pass/Pass.h"

namespace nlq {

/// A pass on functions before bufferization. Arguments become read-only: a
/// caller's array is not scratch space. A value that is returned more than once
/// is copied: every result has a buffer of its own (which
/// buffer-results-to-out-params relies on).
std::unique_ptr<mlir::Pass> createSeparateBuffersPass();

} // namespace nlq

#endif // NLQ_LIB_PIPELINES_SEPARATEBUFFERS_H
