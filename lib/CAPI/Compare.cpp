//===- Compare.cpp - C interface: comparing runs ------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Quantization/Compare.h"
#include "ExposedRunner.h"
#include "nlq/Execution/ReferenceRunner.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

using namespace mlir;
using namespace nlq;
using namespace nlq::capi;
namespace json = llvm::json;

namespace {
/// A quantized module whose slots are results, ready to run.
struct ExposedRun {
  NlqModule module;
  std::vector<ExposedSlot> slots;
  Signature signature;
  std::unique_ptr<ModelRunner> runner;
};
} // namespace

static llvm::Expected<ExposedRun> exposeSlotsOf(const NlqModule &module) {
  ExposedRun run;
  run.module = clone(module);
  DiagnosticCollector diagnostics(run.module.context.get());
  FailureOr<std::vector<ExposedSlot>> slots =
      exposeSlots(run.module.module.get());
  if (failed(slots))
    return llvm::createStringError(diagnostics.getError());
  run.slots = std::move(*slots);
  llvm::Expected<Signature> signature = getSignature(run.module.module.get());
  if (!signature)
    return signature.takeError();
  run.signature = std::move(*signature);
  return run;
}

/// `target` is a processor, or `reference`.
static llvm::Error prepare(ExposedRun &run, StringRef target) {
  llvm::Expected<std::unique_ptr<ModelRunner>> runner = target == "reference"
      ? [&]() -> llvm::Expected<std::unique_ptr<ModelRunner>> {
    DiagnosticCollector diagnostics(run.module.context.get());
    return ReferenceRunner::create(run.module.module.get());
  }()
      : compile(run.module, run.signature, target);
  if (!runner)
    return runner.takeError();
  run.runner = std::move(*runner);
  return llvm::Error::success();
}

static json::Value toJson(std::optional<double> number) {
  return number ? json::Value(*number) : json::Value(nullptr);
}

static char *describe(const Comparison &comparison, bool hasSecond) {
  json::Array values;
  for (const SlotComparison &slot : comparison.slots) {
    json::Object value{{"name", slot.slot.name},
                       {"op", slot.slot.op},
                       {"elements", slot.slot.numElements},
                       {"sqnr_db", toJson(slot.sqnr)}};
    if (hasSecond) {
      value["other_sqnr_db"] = toJson(slot.otherSqnr);
      value["different"] = int64_t(slot.numDifferent);
      value["largest_difference"] = slot.largestDifference;
    }
    values.push_back(std::move(value));
  }
  json::Object result{{"samples", int64_t(comparison.numSamples)},
                      {"values", std::move(values)}};
  if (hasSecond)
    result["first_difference"] =
        comparison.firstDifference
            ? json::Value(
                  comparison.slots[*comparison.firstDifference].slot.name)
            : json::Value(nullptr);
  return copyString(llvm::formatv("{0}", json::Value(std::move(result))).str());
}

static llvm::Expected<char *>
compare(const NlqModule &module, StringRef target, const NlqModule *other,
        StringRef otherTarget, const NlqModule *floatModel, int64_t count,
        const void *const *arguments) {
  llvm::Expected<ExposedRun> first = exposeSlotsOf(module);
  if (!first)
    return first.takeError();
  std::optional<ExposedRun> second;
  if (other) {
    llvm::Expected<ExposedRun> exposed = exposeSlotsOf(*other);
    if (!exposed)
      return exposed.takeError();
    second = std::move(*exposed);
    // Before anything is compiled.
    if (llvm::Error error = checkComparable(first->slots, second->slots))
      return error;
    if (llvm::Error error = prepare(*second, otherTarget))
      return error;
  }
  if (llvm::Error error = prepare(*first, target))
    return error;
  std::optional<ExposedRunner> floats;
  if (floatModel) {
    llvm::Expected<ExposedRunner> exposed = exposeAndCompile(
        *floatModel, /*keptOnly=*/true, "native", count, arguments);
    if (!exposed)
      return exposed.takeError();
    floats = std::move(*exposed);
  }
  int64_t next = 0;
  auto getNext = [&]() -> llvm::Expected<std::optional<std::vector<Array>>> {
    if (next == count)
      return std::nullopt;
    return getSample(first->signature.arguments, arguments, next++);
  };
  llvm::Expected<Comparison> comparison = compareRuns(
      first->slots, *first->runner, second ? second->runner.get() : nullptr,
      getNext, floats ? &floats->model : nullptr,
      floats ? floats->runner.get() : nullptr);
  if (!comparison)
    return comparison.takeError();
  return describe(*comparison, second.has_value());
}

char *nlqCompare(const NlqModule *module, const char *target,
                 const NlqModule *other, const char *otherTarget,
                 const NlqModule *floatModel, int64_t count,
                 const void *const *arguments, char **error) {
  llvm::Expected<char *> text =
      compare(*module, target, other, otherTarget ? otherTarget : "",
              floatModel, count, arguments);
  if (text)
    return *text;
  fail(error, text.takeError());
  return nullptr;
}

char *nlqModuleSlots(const NlqModule *module, char **error) {
  llvm::Expected<ExposedRun> exposed = exposeSlotsOf(*module);
  if (!exposed) {
    fail(error, exposed.takeError());
    return nullptr;
  }
  json::Array slots;
  for (const ExposedSlot &slot : exposed->slots)
    slots.push_back(json::Object{
        {"name", slot.name}, {"op", slot.op}, {"elements", slot.numElements}});
  return copyString(llvm::formatv("{0}", json::Value(std::move(slots))).str());
}
