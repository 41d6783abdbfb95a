//===- Measure.cpp - Scores of candidates ---------------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Quantization/Measure.h"
#include "MeasureNetworks.h"
#include "MeasureSlots.h"
#include "nlq/Kernel/Cost.h"
#include "nlq/Quantization/ValueNames.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/xxhash.h"
#include <cmath>

using namespace mlir;
using namespace nlq;

namespace {

/// Measures one module.
class Measurer {
public:
  Measurer(ModuleOp module, const Profile &profile,
           const MeasureOptions &options)
      : module(module), profile(profile), options(options) {}

  FailureOr<Scores> run();

private:
  bool wants(Metric metric) const {
    return llvm::is_contained(options.metrics, metric);
  }
  /// The arguments of `main` in the kept samples.
  LogicalResult collectSamples(func::FuncOp main);
  /// What the model with exact functions makes of the first sample.
  LogicalResult runExact();
  LogicalResult measureSlot(MeasuredSlot &slot, SlotScores &scores);
  /// The kernel and one kept result per sample.
  FailureOr<std::vector<Array>> runCandidate(MeasuredSlot &slot,
                                             MethodAttrInterface method,
                                             CandidateScores &scores);

  ModuleOp module;
  const Profile &profile;
  const MeasureOptions &options;
  std::vector<std::vector<Array>> samples;
  std::vector<MeasuredSlot> slots;
  SampleValues exact;
};

} // namespace

/// Scores are compared and written with four decimals: machines whose
/// mathematical library differs in the last bit then agree.
static double roundScore(double decibels) {
  return std::round(decibels * 1e4) / 1e4 + 0.0; // no -0
}

static LogicalResult fail(Operation *op, llvm::Error error) {
  return op->emitError() << "measuring failed: "
                         << llvm::toString(std::move(error));
}

LogicalResult Measurer::collectSamples(func::FuncOp main) {
  uint64_t count = options.maxSamples ? options.maxSamples : UINT64_MAX;
  SmallVector<const ValueProfile *> arguments;
  for (BlockArgument argument : main.getArguments()) {
    unsigned number = argument.getArgNumber();
    auto name =
        main.getArgAttrOfType<StringAttr>(number, NLQDialect::kNameAttr);
    std::string key = name ? name.str() : "arg" + std::to_string(number);
    const ValueProfile *known = profile.lookup(key);
    if (!known || known->kept.empty())
      return main.emitError() << "measuring failed: the profile keeps no "
                                 "samples of the argument '"
                              << key << "'";
    arguments.push_back(known);
    count = std::min<uint64_t>(count, known->kept.size());
  }
  if (arguments.empty())
    return main.emitError("measuring failed: the function has no arguments");
  for (uint64_t sample = 0; sample < count; ++sample) {
    samples.emplace_back();
    for (const ValueProfile *argument : arguments)
      samples.back().push_back(argument->kept[sample]);
  }
  return success();
}

LogicalResult Measurer::runExact() {
  MethodMap methods;
  SmallVector<Value> taps;
  for (MeasuredSlot &slot : slots) {
    methods[slot.op] = nullptr;
    taps.push_back(slot.operand.value);
    for (const QuantizedValue &value :
         llvm::concat<const QuantizedValue>(slot.consumers, slot.others))
      taps.push_back(value.value);
  }
  auto runner = ReferenceRunner::create(module, &methods);
  if (!runner)
    return fail(module, runner.takeError());
  auto results = (*runner)->run(
      samples.front(), taps,
      [&](Value value, const Array &array) { exact[value] = array; });
  if (!results)
    return fail(module, results.takeError());
  return success();
}

FailureOr<std::vector<Array>> Measurer::runCandidate(MeasuredSlot &slot,
                                                     MethodAttrInterface method,
                                                     CandidateScores &scores) {
  llvm::raw_string_ostream(scores.method) << method;
  auto kernel = slot.op.buildKernel(method);
  if (!kernel)
    return fail(slot.op, kernel.takeError());
  auto bounds = kernel::bound(kernel->graph);
  if (!bounds)
    return fail(slot.op, bounds.takeError());
  int64_t rowLength =
      cast<ShapedType>(slot.operand.value.getType()).getShape().back();
  scores.cost = roundScore(
      kernel::cost(kernel->graph, *bounds, kernel::NodeCosts(), rowLength));
  std::vector<Array> results;
  if (!wants(Metric::Own) && !wants(Metric::Consumer))
    return results;

  MethodMap methods = {{slot.op, method}};
  auto program = ReferenceProgram::create(
      slot.op.getOperation(), slot.operand.value, slot.result.value, &methods);
  if (!program)
    return fail(slot.op, program.takeError());
  for (size_t sample = 0; sample < samples.size(); ++sample) {
    auto result = (*program)->run(
        quantizeArray(slot.operand.type, slot.operand.reference->kept[sample]));
    if (!result)
      return fail(slot.op, result.takeError());
    results.push_back(std::move(result->front()));
  }
  return results;
}

LogicalResult Measurer::measureSlot(MeasuredSlot &slot, SlotScores &scores) {
  scores.name = slot.name;
  scores.op = slot.op->getName().getStringRef().str();
  scores.numElements =
      cast<ShapedType>(slot.result.value.getType()).getNumElements();
  SmallVector<Value> inputs = {slot.result.value}, outputs;
  for (const QuantizedValue &other : slot.others)
    inputs.push_back(other.value);
  for (const QuantizedValue &consumer : slot.consumers) {
    outputs.push_back(consumer.value);
    scores.consumers.push_back(consumer.name);
  }
  std::unique_ptr<ReferenceProgram> consumers;
  std::vector<std::vector<Array>> others(samples.size());
  if (wants(Metric::Consumer) && !outputs.empty()) {
    auto program = ReferenceProgram::create(slot.path, inputs, outputs);
    if (!program)
      return fail(slot.op, program.takeError());
    consumers = std::move(*program);
    for (size_t sample = 0; sample < samples.size(); ++sample)
      for (const QuantizedValue &other : slot.others)
        others[sample].push_back(
            quantizeArray(other.type, other.reference->kept[sample]));
  }

  for (Attribute attr : slot.op.getCandidatesAttr()) {
    CandidateScores &candidate = scores.candidates.emplace_back();
    auto results =
        runCandidate(slot, cast<MethodAttrInterface>(attr), candidate);
    if (failed(results))
      return failure();
    Sqnr own, consumer;
    for (auto [sample, result] : llvm::enumerate(*results)) {
      own.add(slot.result.reference->kept[sample].as<float>(),
              dequantizeArray(slot.result.type, result));
      if (!consumers)
        continue;
      std::vector<Array> arguments = {result};
      llvm::append_range(arguments, others[sample]);
      auto sums = consumers->run(arguments);
      if (!sums)
        return fail(slot.op, sums.takeError());
      for (auto [value, array] : llvm::zip(slot.consumers, *sums))
        consumer.add(value.reference->kept[sample].as<float>(),
                     dequantizeArray(value.type, array));
    }
    if (wants(Metric::Own))
      candidate.decibels[unsigned(Metric::Own)] = roundScore(own.getDecibels());
    if (consumers)
      candidate.decibels[unsigned(Metric::Consumer)] =
          roundScore(consumer.getDecibels());
  }
  return success();
}

FailureOr<Scores> Measurer::run() {
  func::FuncOp main = lookupMain(module);
  if (!main)
    return failure();
  FailureOr<std::vector<MeasuredSlot>> found = collectSlots(main);
  if (failed(found) || failed(collectSamples(main)))
    return failure();
  slots = std::move(*found);
  if (failed(runExact()) || failed(findReferences(slots, profile, exact)))
    return failure();
  Scores scores;
  scores.numSamples = samples.size();
  for (MeasuredSlot &slot : slots)
    if (failed(measureSlot(slot, scores.slots.emplace_back())))
      return failure();
  if (wants(Metric::Paper)) {
    auto networks = measureNetworks(module, slots, samples);
    if (!networks)
      return fail(module, networks.takeError());
    for (const NetworkScore &score : *networks)
      scores.slots[score.slot]
          .candidates[score.candidate]
          .decibels[unsigned(Metric::Paper)] = roundScore(score.decibels);
  }
  scores.moduleHash = hashModule(module);
  scores.profileHash = hashProfile(profile);
  std::string text = "samples=" + std::to_string(samples.size());
  for (Metric metric : options.metrics)
    text += "," + stringify(metric).str();
  scores.optionsHash = llvm::utohexstr(llvm::xxh3_64bits(text),
                                       /*LowerCase=*/true, /*Width=*/16);
  return scores;
}

FailureOr<Scores> nlq::measureModule(ModuleOp module, const Profile &profile,
                                     const MeasureOptions &options) {
  return Measurer(module, profile, options).run();
}
