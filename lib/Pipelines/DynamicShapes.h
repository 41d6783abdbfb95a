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

/// A pass that gives functions with dynamic extents or strided rows (the
/// attribute nlq.strided) in their signature one that plain C has: a pointer (a
/// buffer of rank 0) per argument, then per result, then an i64 per dynamic
/// extent of the arguments, in order, then an i64 per strided argument and
/// result. The body reads its tensors from these pointers and writes its
/// results through them.
///
/// ```mlir
/// func.func @f(%x: tensor<?x8xi8> {nlq.strided}) -> tensor<?x8xi8>
/// // becomes
/// func.func @f(%x: memref<i8>, %y: memref<i8>, %n: i64, %stride: i64)
/// ```
///
/// Where kernels have rows of dynamic length and a longest one that they are
/// made for, the function returns an i32: 0, or 1 if an argument's rows are
/// longer or have no elements, and then nothing is read or written.
///
/// Fails where an extent of a result is not one of an argument, nor the length
/// of such rows, and where such a function is called by another, which passes
/// tensors.
std::unique_ptr<mlir::Pass> createDynamicShapesPass();

} // namespace nlq

#endif // NLQ_LIB_PIPELINES_DYNAMICSHAPES_H
