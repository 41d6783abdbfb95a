//===- Signature.h - What functions take and make -------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_EXECUTION_SIGNATURE_H
#define NLQ_EXECUTION_SIGNATURE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "nlq/Execution/ModelRunner.h"

namespace nlq {

/// Element kind and shape of one argument or result. A quantized tensor is the
/// array of its stored integers.
struct ArrayType {
  ElementKind kind = ElementKind::F32;
  /// mlir::ShapedType::kDynamic for extents known at run time only.
  llvm::SmallVector<int64_t, 4> shape;
  /// Of arguments: the largest that each extent may be, which compiled
  /// functions check; 0 where they do not.
  llvm::SmallVector<int64_t, 4> limits;
  /// Whether compiled functions are told how far its rows lie apart.
  bool isStrided = false;
};

/// What a function takes and makes.
struct Signature {
  std::vector<ArrayType> arguments;
  std::vector<ArrayType> results;
};

/// The signature of a function on tensors; an error names the function and the
/// type that arrays do not have.
llvm::Expected<Signature> getSignature(mlir::func::FuncOp function);

/// The signature of `main`, whose shapes must be static and dense.
llvm::Expected<Signature> getSignature(mlir::ModuleOp module);

/// The functions that a compiled module exports: those that are public and have
/// a body, in their order.
llvm::SmallVector<mlir::func::FuncOp> getEntries(mlir::ModuleOp module);

/// Fails unless the arrays have the kinds and shapes of the signature.
llvm::Error checkArguments(const Signature &signature,
                           llvm::ArrayRef<Array> arguments);

} // namespace nlq

#endif // NLQ_EXECUTION_SIGNATURE_H
