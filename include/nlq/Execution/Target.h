//===- Target.h - The machine code is made for ----------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_EXECUTION_TARGET_H
#define NLQ_EXECUTION_TARGET_H

#include "nlq/Target/VectorFeatures.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>

namespace llvm {
class TargetMachine;
} // namespace llvm

namespace nlq {

/// A target by name: never read from the host except through getHostTarget,
/// which drivers call for `native`.
struct Target {
  /// LLVM triple, e.g. `x86_64-linux-gnu`.
  std::string triple;
  /// LLVM processor name, e.g. `x86-64-v3` or `znver4`.
  std::string cpu;
  /// LLVM feature string, e.g. `+avx2,-avx512f`; may be empty.
  std::string features;
};

/// The machine this process runs on.
Target getHostTarget();

/// The target that a user's word names: `native`, `aarch64`, `riscv64` (without
/// vectors), or a processor of LLVM, of x86-64 (`x86-64-v3`, `znver4`, ...) or
/// AArch64 (`cortex-a72`, ...). Fails with the word where LLVM does not know
/// it.
llvm::Expected<Target> parseTarget(llvm::StringRef name);

/// What the target has of the instruction sets that lowerings know.
llvm::Expected<VectorFeatures> getVectorFeatures(const Target &target);

/// True if this machine has the architecture and every instruction of `target`.
llvm::Expected<bool> runsHere(const Target &target);

/// LLVM's code generator for a target, position independent.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createTargetMachine(const Target &target);

} // namespace nlq

#endif // NLQ_EXECUTION_TARGET_H
