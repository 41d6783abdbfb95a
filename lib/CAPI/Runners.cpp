//===- Runners.cpp - C interface: runners -------------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Handles.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "nlq/Dialect/NLQ/IR/NLQOps.h"
#include "nlq/Execution/ReferenceRunner.h"
#include "llvm/ADT/StringExtras.h"
#include <cstring>
#include <ctime>

using namespace mlir;
using namespace nlq;
using namespace nlq::capi;

//===----------------------------------------------------------------------===//
// Runners
//===----------------------------------------------------------------------===//

llvm::Error capi::lower(NlqModule &module, const Target &target,
                        StringRef threads) {
  llvm::Expected<VectorFeatures> features = getVectorFeatures(target);
  if (!features)
    return features.takeError();
  // A module in which nothing is quantized is a float model; float non-linear
  // operations in others are islands that somebody asked for (nlq-to-float).
  bool isQuantized = false, hasIslands = false;
  module.module.get()->walk([&](Operation *op) {
    isQuantized |= isa<quant::QuantizeCastOp, quant::DequantizeCastOp>(op);
    if (auto nonlinear = dyn_cast<NonlinearOpInterface>(op)) {
      isQuantized |= nonlinear.isQuantized();
      hasIslands |= !nonlinear.isQuantized();
    }
  });
  bool hasFloat = !isQuantized || hasIslands;
  std::string options = ("threads=" + threads).str();
  if (hasFloat)
    options += " allow-float";
  if (std::vector<std::string> names = features->getNames(); !names.empty())
    options += " features=" + llvm::join(names, ",");
  return runPasses(module, "nlq-compile{" + options + "}");
}

llvm::Expected<std::unique_ptr<ModelRunner>>
capi::compile(const NlqModule &module, const Signature &signature,
              StringRef target) {
  llvm::Expected<Target> parsed = parseTarget(target);
  if (!parsed)
    return parsed.takeError();
  NlqModule lowered = clone(module);
  if (llvm::Error error = lower(lowered, *parsed))
    return error;
  return createJitRunner(lowered.module.get(), signature, *parsed);
}

static NlqRunner *
makeRunner(const NlqModule *module, char **error,
           llvm::function_ref<
               llvm::Expected<std::unique_ptr<ModelRunner>>(NlqRunner &)>
               create) {
  auto handle = std::make_unique<NlqRunner>();
  handle->module = clone(*module);
  llvm::Expected<Signature> signature =
      getSignature(handle->module.module.get());
  if (!signature) {
    fail(error, signature.takeError());
    return nullptr;
  }
  handle->signature = std::move(*signature);
  llvm::Expected<std::unique_ptr<ModelRunner>> runner = create(*handle);
  if (!runner) {
    fail(error, runner.takeError());
    return nullptr;
  }
  handle->runner = std::move(*runner);
  return handle.release();
}

NlqRunner *nlqRunnerCompile(const NlqModule *module, const char *target,
                            char **error) {
  return makeRunner(module, error, [&](NlqRunner &handle) {
    return compile(handle.module, handle.signature, target);
  });
}

NlqRunner *nlqRunnerReference(const NlqModule *module, char **error) {
  return makeRunner(
      module, error,
      [](NlqRunner &handle) -> llvm::Expected<std::unique_ptr<ModelRunner>> {
        DiagnosticCollector diagnostics(handle.module.context.get());
        return ReferenceRunner::create(handle.module.module.get());
      });
}

void nlqRunnerDestroy(NlqRunner *runner) { delete runner; }

char *nlqRunnerSignature(const NlqRunner *runner) {
  return copyString(
      describeMain(runner->module.module.get(), runner->signature));
}

std::vector<Array> capi::getSample(llvm::ArrayRef<ArrayType> types,
                                   const void *const *data, int64_t index) {
  std::vector<Array> arrays;
  for (auto [i, type] : llvm::enumerate(types)) {
    Array &array = arrays.emplace_back(type.kind, type.shape);
    const char *source = static_cast<const char *>(data[i]);
    std::memcpy(array.bytes.data(), source + index * array.bytes.size(),
                array.bytes.size());
  }
  return arrays;
}

/// CPU time of this thread: on a machine that others share, wall time tells
/// little about code.
static double getThreadSeconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

int nlqRunnerRun(NlqRunner *runner, int64_t count, const void *const *arguments,
                 void *const *results, double *seconds, char **error) {
  for (int64_t sample = 0; sample < count; ++sample) {
    std::vector<Array> inputs =
        getSample(runner->signature.arguments, arguments, sample);
    double start = getThreadSeconds();
    llvm::Expected<std::vector<Array>> outputs = runner->runner->run(inputs);
    if (!outputs)
      return fail(error, outputs.takeError());
    if (seconds)
      seconds[sample] = getThreadSeconds() - start;
    for (auto [i, array] : llvm::enumerate(*outputs))
      std::memcpy(static_cast<char *>(results[i]) + sample * array.bytes.size(),
                  array.bytes.data(), array.bytes.size());
  }
  return 0;
}
