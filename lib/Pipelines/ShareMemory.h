//===- ShareMemory.h - Buffers in one allocation --------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_PIPELINES_SHAREMEMORY_H
#define NLQ_LIB_PIPELINES_SHAREMEMORY_H

#include "mlir/Pass/Pass.h"

namespace nlq {

/// A pass on functions after the deallocation of buffers. The buffers of static
/// shape that a function's first block allocates and frees become views of one
/// allocation, in which buffers that are not in use at the same time lie on
/// each other. A buffer that may be known by a name that the pass can't follow
/// stays an allocation of its own.
std::unique_ptr<mlir::Pass> createShareMemoryPass();

} // namespace nlq

#endif // NLQ_LIB_PIPELINES_SHAREMEMORY_H
