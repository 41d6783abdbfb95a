//===- ObjectFile.h - Object files of lowered modules ---------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_EXECUTION_OBJECTFILE_H
#define NLQ_EXECUTION_OBJECTFILE_H

#include "mlir/IR/BuiltinOps.h"
#include "nlq/Execution/Target.h"

namespace nlq {

/// Compiles a module in the LLVM dialect to a position-independent object file
/// for `target`, in memory. Its public functions are exported under their
/// names, `main` as `entry`, since a program has a main of its own; nothing
/// else is. Fails where nothing is public or a name is one that code generation
/// itself calls.
llvm::Expected<llvm::SmallVector<char>>
emitObject(mlir::ModuleOp module, const Target &target, llvm::StringRef entry);

/// The same as a file at `path` (written beside it, then renamed: a failure
/// leaves nothing behind).
llvm::Error emitObjectFile(mlir::ModuleOp module, const Target &target,
                           llvm::StringRef entry, llvm::StringRef path);

} // namespace nlq

#endif // NLQ_EXECUTION_OBJECTFILE_H
