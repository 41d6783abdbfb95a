//===- ValueNames.h - Names of a float module's values --------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_QUANTIZATION_VALUENAMES_H
#define NLQ_QUANTIZATION_VALUENAMES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringRef.h"
#include <string>

namespace nlq {

/// Attribute of a quantized non-linear operation: the name of its result in the
/// float module, under which the profile and the scores know it.
inline constexpr llvm::StringLiteral kSlotAttr = "nlq.slot";

/// The names of the float tensors of a function that change with its arguments:
/// arguments first, then results of operations in order. Constants and what is
/// computed from constants only (weights, broadcast biases, empty tensors) have
/// no name.
///
/// An argument's name is its `nlq.name` attribute, or "arg<index>". Another
/// value's name is the NameLoc of its operation (the first one inside of a
/// fused or call-site location), or the operation's own name where it has none.
/// A name that is taken gets "#2", "#3", ... in this order.
llvm::MapVector<mlir::Value, std::string> nameValues(mlir::func::FuncOp func);

/// The function `main` of a model, with one block; null after an error on
/// `module`.
mlir::func::FuncOp lookupMain(mlir::ModuleOp module);

} // namespace nlq

#endif // NLQ_QUANTIZATION_VALUENAMES_H
