//===- Measure.cpp - Scores of candidates ---------------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Quantization/Measure.h"
#include "Measurers.h"
#include "nlq/Kernel/Cost.h"
#include "nlq/Quantization/ValueNames.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/Support/xxhash.h"
#include <cmath>

using namespace mlir;
using namespace nlq;

double nlq::roundScore(double decibels) {
  return std::round(decibels * 1e4) / 1e4 + 0.0; // no -0
}

LogicalResult nlq::failMeasuring(Operation *op, llvm::Error error) {
  return emitError(op->getLoc())
         << "measuring failed: " << llvm::toString(std::move(error));
}

llvm::Expected<std::unique_ptr<ReferenceProgram>>
nlq::makeCandidateProgram(const MeasuredSlot &slot,
                          MethodAttrInterface candidate) {
  NonlinearOpInterface op = slot.op;
  MethodMap methods = {{op, candidate}};
  SmallVector<Value, 2> inputs = {slot.operand.value};
  if (slot.mask)
    inputs.push_back(slot.mask);
  return ReferenceProgram::create(op.getOperation(), inputs, slot.result.value,
                                  &methods);
}

//===----------------------------------------------------------------------===//
// Samples
//===----------------------------------------------------------------------===//

/// The index of each argument of `main` among the values of the samples.
static FailureOr<SmallVector<size_t>>
findArguments(func::FuncOp main, const FloatSamples &samples) {
  SmallVector<size_t> indices;
  for (BlockArgument argument : main.getArguments()) {
    unsigned number = argument.getArgNumber();
    auto name =
        main.getArgAttrOfType<StringAttr>(number, NLQDialect::kNameAttr);
    std::string key = name ? name.str() : "arg" + std::to_string(number);
    std::optional<size_t> index = samples.find(key);
    if (!index) {
      main.emitError() << "measuring failed: the samples have no values of the "
                          "argument '"
                       << key << "'";
      return failure();
    }
    indices.push_back(*index);
  }
  if (indices.empty()) {
    main.emitError("measuring failed: the function has no arguments");
    return failure();
  }
  return indices;
}

/// Adds the bytes of arrays to a hash of what came before.
static std::string hashArrays(std::string hash, ArrayRef<Array> arrays) {
  for (const Array &array : arrays) {
    hash += llvm::utohexstr(
        llvm::xxh3_64bits(StringRef(array.bytes.data(), array.bytes.size())));
    hash = llvm::utohexstr(llvm::xxh3_64bits(hash), /*LowerCase=*/true,
                           /*Width=*/16);
  }
  return hash;
}

/// What the model with exact functions makes of one sample.
static FailureOr<SampleValues> runExact(const MeasureContext &context,
                                        ArrayRef<Array> arguments) {
  MethodMap methods;
  SmallVector<Value> taps;
  for (const MeasuredSlot &slot : context.slots) {
    methods[slot.op] = nullptr;
    taps.push_back(slot.operand.value);
    for (const QuantizedValue &value :
         llvm::concat<const QuantizedValue>(slot.consumers, slot.others))
      taps.push_back(value.value);
  }
  for (const QuantizedValue &value : context.results)
    taps.push_back(value.value);
  auto runner = ReferenceRunner::create(context.module, &methods);
  if (!runner)
    return failMeasuring(context.module, runner.takeError());
  SampleValues exact;
  auto results =
      (*runner)->run(arguments, taps, [&](Value value, const Array &array) {
        exact[value] = array;
      });
  if (!results)
    return failMeasuring(context.module, results.takeError());
  return exact;
}

//===----------------------------------------------------------------------===//
// Measuring
//===----------------------------------------------------------------------===//

/// Names, sizes and costs.
static LogicalResult describeSlot(const MeasuredSlot &slot,
                                  const FloatSamples &samples,
                                  SlotScores &scores) {
  NonlinearOpInterface op = slot.op;
  scores.name = slot.name;
  scores.op = op->getName().getStringRef().str();
  scores.numElements =
      cast<ShapedType>(slot.result.value.getType()).getNumElements();
  for (const QuantizedValue &consumer : slot.consumers)
    scores.consumers.push_back(samples.getNames()[*consumer.reference]);
  int64_t rowLength =
      cast<ShapedType>(slot.operand.value.getType()).getShape().back();
  for (MethodAttrInterface method : getCandidates(slot)) {
    CandidateScores &candidate = scores.candidates.emplace_back();
    llvm::raw_string_ostream(candidate.method) << method;
    auto kernel = op.buildKernel(method);
    if (!kernel)
      return failMeasuring(op, kernel.takeError());
    auto bounds = kernel::bound(kernel->graph);
    if (!bounds)
      return failMeasuring(op, bounds.takeError());
    candidate.cost = roundScore(
        kernel::cost(kernel->graph, *bounds, kernel::NodeCosts(), rowLength));
  }
  return success();
}

static LogicalResult
makeMeasurers(const MeasureContext &context,
              std::vector<std::unique_ptr<Measurer>> &measurers) {
  auto add = [&](FailureOr<std::unique_ptr<Measurer>> measurer) {
    if (succeeded(measurer))
      measurers.push_back(std::move(*measurer));
    return success(succeeded(measurer));
  };
  if ((context.wants(Metric::Own) || context.wants(Metric::Consumer)) &&
      failed(add(makeSlotMeasurer(context))))
    return failure();
  if (context.wants(Metric::Paper) && failed(add(makeNetworkMeasurer(context))))
    return failure();
  if (context.wants(Metric::Logits) && failed(add(makeFlipMeasurer(context))))
    return failure();
  return success();
}

/// The first error in the order of the tasks.
static llvm::Error runTasks(llvm::ThreadPoolInterface &pool,
                            ArrayRef<Task> tasks) {
  std::vector<std::string> errors(tasks.size());
  for (auto [task, error] : llvm::zip(tasks, errors))
    pool.async([&task = task, &error = error] {
      if (llvm::Error failure = task())
        error = llvm::toString(std::move(failure));
    });
  pool.wait();
  for (const std::string &error : errors)
    if (!error.empty())
      return llvm::createStringError(error);
  return llvm::Error::success();
}

static std::string hashOptions(const MeasureContext &context,
                               uint64_t numSamples) {
  std::string text = "samples=" + std::to_string(numSamples) +
                     ",filter=" + context.options.filter.str();
  for (Metric metric : context.options.metrics)
    text += "," + stringify(metric).str();
  // The others' methods matter to `logits` only.
  if (context.wants(Metric::Logits))
    for (MeasuredSlot slot : context.slots)
      llvm::raw_string_ostream(text) << "," << slot.op.getMethodAttr();
  return llvm::utohexstr(llvm::xxh3_64bits(text), /*LowerCase=*/true,
                         /*Width=*/16);
}

FailureOr<Scores> nlq::measureModule(ModuleOp module, FloatSamples &samples,
                                     const MeasureOptions &options) {
  func::FuncOp main = lookupMain(module);
  if (!main)
    return failure();
  FailureOr<std::vector<MeasuredSlot>> slots = collectSlots(main);
  if (failed(slots))
    return failure();
  FailureOr<SmallVector<size_t>> indices = findArguments(main, samples);
  if (failed(indices))
    return failure();
  MeasureContext context{module, options, std::move(*slots), {}};
  if (context.wants(Metric::Logits))
    for (Value result : main.getBody().front().getTerminator()->getOperands()) {
      QuantizedValue &value = context.results.emplace_back();
      value.value = result;
      if (!cast<ShapedType>(result.getType()).getElementType().isF32())
        return main.emitError("the metric 'logits' needs results of f32");
    }

  Scores scores;
  std::vector<std::unique_ptr<Measurer>> measurers;
  llvm::DefaultThreadPool pool(llvm::hardware_concurrency(options.numThreads));
  while (true) {
    auto sample = samples.next();
    if (!sample)
      return failMeasuring(module, sample.takeError());
    if (!*sample)
      break;
    std::vector<Array> arguments;
    for (size_t index : *indices)
      arguments.push_back((**sample)[index]);
    if (scores.numSamples == 0) {
      FailureOr<SampleValues> exact = runExact(context, arguments);
      if (failed(exact) || failed(findReferences(context.slots, context.results,
                                                 samples, **sample, *exact)))
        return failure();
      for (const MeasuredSlot &slot : context.slots)
        if (failed(describeSlot(slot, samples, scores.slots.emplace_back())))
          return failure();
      if (failed(makeMeasurers(context, measurers)))
        return failure();
    }
    std::vector<Task> tasks;
    for (const std::unique_ptr<Measurer> &measurer : measurers)
      if (llvm::Error error = measurer->addTasks(**sample, arguments, tasks))
        return failMeasuring(module, std::move(error));
    if (llvm::Error error = runTasks(pool, tasks))
      return failMeasuring(module, std::move(error));
    scores.samplesHash = hashArrays(scores.samplesHash, arguments);
    ++scores.numSamples;
  }
  if (scores.numSamples == 0)
    return main.emitError("measuring failed: there are no samples");
  for (const std::unique_ptr<Measurer> &measurer : measurers)
    measurer->write(scores);
  scores.moduleHash = hashModule(module);
  scores.optionsHash = hashOptions(context, scores.numSamples);
  return scores;
}

FailureOr<Scores> nlq::measureModule(ModuleOp module, const Profile &profile,
                                     const MeasureOptions &options,
                                     uint64_t maxSamples) {
  KeptSamples samples(profile, maxSamples);
  return measureModule(module, samples, options);
}
