//===- AssignPasses.cpp - Measuring and assigning passes ------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Quantization/AssignPasses.h"
#include "nlq/Quantization/Assign.h"
#include "nlq/Quantization/Measure.h"

namespace nlq {
#define GEN_PASS_DEF_NLQMEASURE
#define GEN_PASS_DEF_NLQASSIGN
#include "nlq/Quantization/AssignPasses.h.inc"
} // namespace nlq

using namespace mlir;
using namespace nlq;

namespace {

struct NLQMeasurePass : nlq::impl::NLQMeasureBase<NLQMeasurePass> {
  using NLQMeasureBase::NLQMeasureBase;

  void runOnOperation() override {
    if (failed(measure()))
      signalPassFailure();
  }

private:
  LogicalResult measure() {
    ModuleOp module = getOperation();
    if (profile.empty() || scores.empty())
      return module.emitError("nlq-measure needs the options 'profile' and "
                              "'scores'");
    for (auto [name, value] : {std::make_pair("samples", samples.getValue()),
                               std::make_pair("threads", threads.getValue())})
      if (value < 0)
        return module.emitError("nlq-measure: the option '")
               << name << "' must not be negative, found " << value;
    MeasureOptions options;
    options.numThreads = unsigned(threads);
    auto parsed = parseMetrics(metrics);
    if (!parsed)
      return module.emitError("nlq-measure: ")
             << llvm::toString(parsed.takeError());
    options.metrics = *parsed;
    auto filter = CandidateFilter::parse(methods, form, set, inBits, outBits);
    if (!filter)
      return module.emitError("nlq-measure: ")
             << llvm::toString(filter.takeError());
    options.filter = *filter;
    auto loaded = Profile::load(profile);
    if (!loaded)
      return module.emitError("nlq-measure: ")
             << llvm::toString(loaded.takeError());
    FailureOr<Scores> measured =
        measureModule(module, *loaded, options, uint64_t(samples));
    if (failed(measured))
      return failure();
    if (llvm::Error error = measured->save(scores))
      return module.emitError("nlq-measure: ")
             << llvm::toString(std::move(error));
    markAllAnalysesPreserved();
    return success();
  }
};

struct NLQAssignPass : nlq::impl::NLQAssignBase<NLQAssignPass> {
  using NLQAssignBase::NLQAssignBase;

  void runOnOperation() override {
    std::optional<Scores> loaded;
    llvm::Expected<AssignOptions> options = readOptions(loaded);
    if (!options) {
      getOperation().emitError("nlq-assign: ")
          << llvm::toString(options.takeError());
      return signalPassFailure();
    }
    FailureOr<AssignReport> choices =
        assignModule(getOperation(), loaded ? &*loaded : nullptr, *options);
    if (failed(choices))
      return signalPassFailure();
    if (report.empty())
      return;
    if (llvm::Error error = choices->save(report)) {
      getOperation().emitError("nlq-assign: ")
          << llvm::toString(std::move(error));
      signalPassFailure();
    }
  }

private:
  /// The options as C++ has them; loads the scores where a file is named.
  llvm::Expected<AssignOptions> readOptions(std::optional<Scores> &loaded) {
    AssignOptions options;
    auto parsedPolicy = parsePolicy(policy);
    if (!parsedPolicy)
      return parsedPolicy.takeError();
    options.policy = *parsedPolicy;
    auto parsedMetric = parseMetric(metric);
    if (!parsedMetric)
      return parsedMetric.takeError();
    options.metric = *parsedMetric;
    options.within = within;
    auto filter = CandidateFilter::parse(methods, form, set, inBits, outBits);
    if (!filter)
      return filter.takeError();
    options.filter = *filter;
    options.method = method;
    options.keepAssigned = keepAssigned;
    if (!scores.empty()) {
      auto file = Scores::load(scores);
      if (!file)
        return file.takeError();
      loaded = std::move(*file);
    }
    return options;
  }
};

} // namespace
