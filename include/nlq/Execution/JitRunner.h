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
#include "nlq/Execution/Signature.h"
#include "nlq/Execution/Target.h"

namespace nlq {

/// Compiles a module in the LLVM dialect, as `nlq-lower-to-llvm` leaves it, and
/// runs it. `signature` is that of the module before lowering.
llvm::Expected<std::unique_ptr<ModelRunner>>
createJitRunner(mlir::ModuleOp module, Signature signature,
                const Target &target);

} // namespace nlq

#endif // NLQ_EXECUTION_JITRUNNER_H
