//===- FlattenGlobals.h - Constants as flat arrays ------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_PIPELINES_FLATTENGLOBALS_H
#define NLQ_LIB_PIPELINES_FLATTENGLOBALS_H

#include "mlir/Pass/Pass.h"

namespace nlq {

/// A pass on modules of the LLVM dialect. Global constants of several
/// dimensions, arrays of arrays, become one array of the same bytes, whose
/// elements LLVM keeps as they are in memory. (It makes one object of each
/// innermost array of an array of arrays, which takes seconds and hundreds of
/// megabytes for the packed weights of a model.)
std::unique_ptr<mlir::Pass> createFlattenGlobalsPass();

} // namespace nlq

#endif // NLQ_LIB_PIPELINES_FLATTENGLOBALS_H
