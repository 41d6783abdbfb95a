//===- Kernels.h - Functions compiled and loaded ----------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_TOOLS_NLQBENCH_KERNELS_H
#define NLQ_TOOLS_NLQBENCH_KERNELS_H

#include "mlir/IR/BuiltinOps.h"
#include "nlq/Execution/Signature.h"
#include "nlq/Execution/Target.h"
#include "nlq/Pipelines/Pipelines.h"
#include "llvm/ADT/SmallString.h"
#include <map>

namespace nlq::bench {

/// A function of a module, compiled alone.
struct Kernel {
  std::string name;
  Signature signature;
  /// The least and the greatest integer of each argument.
  std::vector<std::pair<int64_t, int64_t>> argumentRanges;
  /// CPU seconds of this thread from the function as it was read to its object
  /// file: kernels, vector code, LLVM.
  double compileSeconds = 0;
  size_t objectBytes = 0;
  /// Vector operations in the code that is handed to LLVM, by the vector type
  /// of their result, e.g. `32xi16`.
  std::map<std::string, unsigned> vectors;
  /// A shared library with this function alone. Empty where nothing is to run.
  std::string library;
};

/// Compiles every public function of `module`, whose quantized operations have
/// methods, for `target` and `threads`; writes libraries into `folder` unless
/// it is empty. Fails where a function is not of quantized operations from
/// integers to integers.
llvm::Expected<std::vector<Kernel>> compileKernels(mlir::ModuleOp module,
                                                   const Target &target,
                                                   Threads threads,
                                                   llvm::StringRef folder);

} // namespace nlq::bench

#endif // NLQ_TOOLS_NLQBENCH_KERNELS_H
