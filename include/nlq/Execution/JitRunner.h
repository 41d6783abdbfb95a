//===- JitRunner.h - Running a lowered model in this process --*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_EXECUTION_JITRUNNER_H
#define NLQ_EXECUTION_JITRUNNER_H

#include "mlir/IR/BuiltinOps.h"
#include "nlq/Execution/ModelRunner.h"
#include "nlq/Execution/Target.h"

namespace nlq {

/// Element kind and shape of one argument or result.
struct ArrayType {
  ElementKind kind = ElementKind::F32;
  llvm::SmallVector<int64_t, 4> shape;
};

/// What `main` takes and makes.
struct Signature {
  std::vector<ArrayType> arguments;
  std::vector<ArrayType> results;
};

/// The signature of `main` in a module on tensors of static shape; an error
/// names the argument or result that is none.
llvm::Expected<Signature> getSignature(mlir::ModuleOp module);

/// Fails unless the arrays have the kinds and shapes of the signature.
llvm::Error checkArguments(const Signature &signature,
                           llvm::ArrayRef<Array> arguments);

/// Compiles a module in the LLVM dialect, as `nlq-lower-to-llvm` leaves it, and
/// runs it. `signature` is that of the module before lowering.
llvm::Expected<std::unique_ptr<ModelRunner>>
createJitRunner(mlir::ModuleOp module, Signature signature,
                const Target &target);

} // namespace nlq

#endif // NLQ_EXECUTION_JITRUNNER_H
