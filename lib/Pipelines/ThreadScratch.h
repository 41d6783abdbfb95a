//===- ThreadScratch.h - Stack buffers of OpenMP loops --------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_PIPELINES_THREADSCRATCH_H
#define NLQ_LIB_PIPELINES_THREADSCRATCH_H

#include "mlir/Pass/Pass.h"

namespace nlq {

/// A pass that gives each thread of an `omp.parallel` one copy of the stack
/// buffers that the loop in it asks for in every iteration, and takes away the
/// `memref.alloca_scope` around them, which allows no control flow inside. It
/// belongs between convert-scf-to-openmp and convert-scf-to-cf.
std::unique_ptr<mlir::Pass> createThreadScratchPass();

} // namespace nlq

#endif // NLQ_LIB_PIPELINES_THREADSCRATCH_H
