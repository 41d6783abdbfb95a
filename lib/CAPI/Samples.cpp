//===- Samples.cpp - C interface: float models over samples -------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ExposedRunner.h"
#include "nlq/Quantization/Measure.h"

using namespace mlir;
using namespace nlq;
using namespace nlq::capi;

llvm::Expected<std::optional<std::vector<Array>>> ExposedRunner::getNext() {
  if (next == count)
    return std::nullopt;
  return getSample(signature.arguments, arguments, next++);
}

llvm::Expected<ExposedRunner>
capi::exposeAndCompile(const NlqModule &module, bool keptOnly, StringRef target,
                       int64_t count, const void *const *arguments) {
  NlqModule exposed = clone(module);
  ExposedRunner result;
  result.arguments = arguments;
  result.count = count;
  {
    DiagnosticCollector diagnostics(exposed.context.get());
    FailureOr<ExposedModel> model =
        exposeValues(exposed.module.get(), keptOnly);
    if (failed(model))
      return llvm::createStringError(diagnostics.getError());
    result.model = std::move(*model);
  }
  llvm::Expected<Signature> signature = getSignature(exposed.module.get());
  if (!signature)
    return signature.takeError();
  result.signature = std::move(*signature);
  auto runner = compile(exposed, result.signature, target);
  if (!runner)
    return runner.takeError();
  result.runner = std::move(*runner);
  return result;
}

//===----------------------------------------------------------------------===//
// Calibration
//===----------------------------------------------------------------------===//

int nlqCalibrate(const NlqModule *module, int64_t count,
                 const void *const *arguments, int64_t kept, const char *target,
                 const char *path, char **error) {
  auto exposed =
      exposeAndCompile(*module, /*keptOnly=*/false, target, count, arguments);
  if (!exposed)
    return fail(error, exposed.takeError());
  CalibrationOptions options;
  options.numKept = kept;
  llvm::Expected<Profile> profile = calibrate(
      exposed->model, *exposed->runner, [&] { return exposed->getNext(); },
      options);
  if (!profile)
    return fail(error, profile.takeError());
  if (llvm::Error failure = profile->save(path))
    return fail(error, std::move(failure));
  return 0;
}

//===----------------------------------------------------------------------===//
// Measuring
//===----------------------------------------------------------------------===//

static llvm::Expected<MeasureOptions> readOptions(const NlqMeasureOptions &in) {
  auto text = [](const char *word) { return StringRef(word ? word : ""); };
  MeasureOptions options;
  if (!text(in.metrics).empty()) {
    auto metrics = parseMetrics(in.metrics);
    if (!metrics)
      return metrics.takeError();
    options.metrics = *metrics;
  }
  auto filter = CandidateFilter::parse(text(in.methods), text(in.form),
                                       text(in.set), in.in_bits, in.out_bits);
  if (!filter)
    return filter.takeError();
  options.filter = std::move(*filter);
  options.numThreads = unsigned(in.threads);
  return options;
}

int nlqMeasure(const NlqModule *quantized, const NlqModule *model,
               int64_t count, const void *const *arguments,
               const NlqMeasureOptions *options, const char *target,
               const char *path, char **error) {
  llvm::Expected<MeasureOptions> parsed = readOptions(*options);
  if (!parsed)
    return fail(error, parsed.takeError());
  auto exposed =
      exposeAndCompile(*model, /*keptOnly=*/true, target, count, arguments);
  if (!exposed)
    return fail(error, exposed.takeError());
  auto next = [&] { return exposed->getNext(); };
  ModelSamples samples(exposed->model, *exposed->runner, next);
  DiagnosticCollector diagnostics(quantized->context.get());
  FailureOr<Scores> scores =
      measureModule(quantized->module.get(), samples, *parsed);
  if (failed(scores))
    return fail(error, diagnostics.getError());
  if (llvm::Error failure = scores->save(path))
    return fail(error, std::move(failure));
  return 0;
}
