//===- Handles.h - What the C interface's handles are ---------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_CAPI_HANDLES_H
#define NLQ_LIB_CAPI_HANDLES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/OwningOpRef.h"
#include "nlq-c/NLQ.h"
#include "nlq/Execution/JitRunner.h"
#include <memory>
#include <string>

struct NlqModule {
  std::shared_ptr<mlir::MLIRContext> context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

struct NlqRunner {
  /// Runners may refer to the module they were made of.
  NlqModule module;
  std::unique_ptr<nlq::ModelRunner> runner;
  nlq::Signature signature;
};

namespace nlq::capi {

/// A copy of `text` for nlqFreeString.
char *copyString(llvm::StringRef text);

/// Stores `message` in `error` and returns 1.
int fail(char **error, const llvm::Twine &message);
int fail(char **error, llvm::Error failure);

/// Gathers the diagnostics of a context while it lives.
class DiagnosticCollector {
public:
  explicit DiagnosticCollector(mlir::MLIRContext *context);

  /// The errors with their notes, one a line, or a sentence that there is none.
  std::string getError() const;
  /// All remarks, one a line.
  const std::string &getRemarks() const { return remarks; }

private:
  std::string errors, remarks;
  mlir::ScopedDiagnosticHandler handler;
};

/// A clone of the module in its context.
NlqModule clone(const NlqModule &module);

/// Runs a pipeline in nlq-opt's syntax.
llvm::Error runPasses(NlqModule &module, llvm::StringRef pipeline,
                      std::string *remarks = nullptr);

/// Lowers a float module or an assigned one to the LLVM dialect, in place.
llvm::Error lower(NlqModule &module, const Target &target,
                  llvm::StringRef threads = "none");

/// Lowers a copy of a float module or of an assigned one and loads it.
llvm::Expected<std::unique_ptr<ModelRunner>> compile(const NlqModule &module,
                                                     const Signature &signature,
                                                     llvm::StringRef target);

/// The types in `signature`, that of `main`, as nlqModuleSignature says them.
std::string describeMain(mlir::ModuleOp module, const Signature &signature);

/// The arrays of sample `index` out of those of all samples.
std::vector<Array> getSample(llvm::ArrayRef<ArrayType> types,
                             const void *const *data, int64_t index);

} // namespace nlq::capi

#endif // NLQ_LIB_CAPI_HANDLES_H
