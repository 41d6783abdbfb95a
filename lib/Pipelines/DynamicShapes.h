//===- DynamicShapes.h - Functions of tensors of any size -----*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_PIPELINES_DYNAMICSHAPES_H
#define NLQ_LIB_PIPELINES_DYNAMICSHAPES_H

#include "mlir/Pass/Pass.h"

namespace nlq {

/// A pass that gives functions with dynamic extents in their signature one that
/// plain C has: a pointer (a buffer of rank 0) per argument, then per
/// result, then an i64 per dynamic extent of the arguments, in order. The body
/// reads its tensors from these pointers and writes its results through them.
///
/// ```mlir
/// func.func @f(%x: tensor<?x8xi8>) -> tensor<?x8xi8>
/// // becomes
/// func.func @f(%x: memref<i8>, %y: memref<i8>, %n: i64)
/// ```
///
/// Fails where an extent of a result is not one of an argument, and where a
/// function with dynamic extents is called by another, which passes tensors.
std::unique_ptr<mlir::Pass> createDynamicShapesPass();

} // namespace nlq

#endif // NLQ_LIB_PIPELINES_DYNAMICSHAPES_H
