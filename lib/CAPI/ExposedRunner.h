//===- ExposedRunner.h - Float models over samples ------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_CAPI_EXPOSEDRUNNER_H
#define NLQ_LIB_CAPI_EXPOSEDRUNNER_H

#include "Handles.h"
#include "nlq/Quantization/Calibration.h"

namespace nlq::capi {

/// A float model that returns its values, with the samples it is run on.
struct ExposedRunner {
  ExposedModel model;
  Signature signature;
  std::unique_ptr<ModelRunner> runner;
  const void *const *arguments = nullptr;
  int64_t count = 0, next = 0;

  /// The next sample's arguments; nothing after the last.
  llvm::Expected<std::optional<std::vector<Array>>> getNext();
};

/// Exposes the values of a copy of a float module and compiles it.
llvm::Expected<ExposedRunner>
exposeAndCompile(const NlqModule &module, bool keptOnly, llvm::StringRef target,
                 int64_t count, const void *const *arguments);

} // namespace nlq::capi

#endif // NLQ_LIB_CAPI_EXPOSEDRUNNER_H
