//===- VectorPieces.h - Instructions on parts of vectors ------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_TARGET_VECTORPIECES_H
#define NLQ_LIB_TARGET_VECTORPIECES_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace nlq {

int64_t lanesOf(mlir::Value vector);

/// The result of an LLVM intrinsic.
mlir::Value callIntrinsic(mlir::ImplicitLocOpBuilder &builder, mlir::Type type,
                          llvm::StringRef name, mlir::ValueRange operands);

/// A vector constant.
mlir::Value constantOf(mlir::ImplicitLocOpBuilder &builder, mlir::Type element,
                       llvm::ArrayRef<llvm::APInt> values);

/// Applies `part` to pieces of `step` elements of the operands, which divides
/// their number, and puts the results together.
mlir::Value
inPieces(mlir::ImplicitLocOpBuilder &builder, int64_t step,
         llvm::ArrayRef<mlir::Value> operands,
         llvm::function_ref<mlir::Value(llvm::ArrayRef<mlir::Value>)> part);

} // namespace nlq

#endif // NLQ_LIB_TARGET_VECTORPIECES_H
