//===- MeasureLocal.cpp - Candidates with their surroundings --------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `own` and `consumer`: every slot for itself, on the float values around it.
//
//===----------------------------------------------------------------------===//

#include "Measurers.h"

using namespace mlir;
using namespace nlq;

namespace {

/// One slot's programs and sums.
struct LocalSlot {
  struct Candidate {
    /// Null where the options do not allow the candidate.
    std::unique_ptr<ReferenceProgram> program;
    Sqnr own, consumer;
  };
  const MeasuredSlot *slot;
  std::vector<Candidate> candidates;
  /// From the function's arguments to the mask; null where there is none.
  std::unique_ptr<ReferenceProgram> mask;
  /// From the slot's result and the other operands of the products to their
  /// accumulators; null where no product is measured.
  std::unique_ptr<ReferenceProgram> consumers;
  /// Also where `consumer` is wanted and does not exist.
  bool wantsOwn = false;

  llvm::Error add(ArrayRef<Array> sample, ArrayRef<Array> arguments);

private:
  /// `own` and `consumer` of one sample, of the result in the first place.
  llvm::Expected<std::pair<Sqnr, Sqnr>> getRatios(ArrayRef<Array> inputs,
                                                  ArrayRef<Array> sample) const;
};

class LocalMeasurer : public Measurer {
public:
  explicit LocalMeasurer(const MeasureContext &context) : context(context) {}

  LogicalResult prepare();
  llvm::Error addTasks(ArrayRef<Array> sample, ArrayRef<Array> arguments,
                       std::vector<Task> &tasks) override;
  void write(Scores &scores) const override;

private:
  const MeasureContext &context;
  std::vector<LocalSlot> slots;
};

} // namespace

LogicalResult LocalMeasurer::prepare() {
  for (const MeasuredSlot &slot : context.slots) {
    LocalSlot &local = slots.emplace_back();
    local.slot = &slot;
    if (slot.mask) {
      NonlinearOpInterface op = slot.op;
      auto program = ReferenceProgram::create(
          slot.maskPath, op->getParentOfType<func::FuncOp>().getArguments(),
          slot.mask);
      if (!program)
        return failMeasuring(slot.op, program.takeError());
      local.mask = std::move(*program);
    }
    local.wantsOwn = context.wants(Metric::Own) || slot.consumers.empty();
    for (MethodAttrInterface method : getCandidates(slot)) {
      LocalSlot::Candidate &candidate = local.candidates.emplace_back();
      if (!context.allows(slot, method))
        continue;
      auto program = makeCandidateProgram(slot, method);
      if (!program)
        return failMeasuring(slot.op, program.takeError());
      candidate.program = std::move(*program);
    }
    if (!context.wants(Metric::Consumer) || slot.consumers.empty())
      continue;
    SmallVector<Value> inputs = {slot.result.value}, outputs;
    for (const QuantizedValue &other : slot.others)
      inputs.push_back(other.value);
    for (const QuantizedValue &consumer : slot.consumers)
      outputs.push_back(consumer.value);
    auto program = ReferenceProgram::create(slot.path, inputs, outputs);
    if (!program)
      return failMeasuring(slot.op, program.takeError());
    local.consumers = std::move(*program);
  }
  return success();
}

llvm::Expected<std::pair<Sqnr, Sqnr>>
LocalSlot::getRatios(ArrayRef<Array> inputs, ArrayRef<Array> sample) const {
  Sqnr own, consumer;
  if (wantsOwn)
    own.add(sample[*slot->result.reference].as<float>(),
            dequantizeArray(slot->result.type, inputs.front()));
  if (!consumers)
    return std::make_pair(own, consumer);
  auto sums = consumers->run(inputs);
  if (!sums)
    return sums.takeError();
  for (auto [value, array] : llvm::zip(slot->consumers, *sums))
    consumer.add(sample[*value.reference].as<float>(),
                 dequantizeArray(value.type, array));
  return std::make_pair(own, consumer);
}

llvm::Error LocalSlot::add(ArrayRef<Array> sample, ArrayRef<Array> arguments) {
  SmallVector<Array, 2> operands = {
      quantizeArray(slot->operand.type, sample[*slot->operand.reference])};
  if (mask) {
    auto bytes = mask->run(arguments);
    if (!bytes)
      return bytes.takeError();
    operands.push_back(std::move(bytes->front()));
  }
  // The result of a candidate takes the first place.
  std::vector<Array> inputs(1);
  if (consumers)
    for (const QuantizedValue &other : slot->others)
      inputs.push_back(quantizeArray(other.type, sample[*other.reference]));
  SameResults<std::pair<Sqnr, Sqnr>> ratios;
  for (Candidate &candidate : candidates) {
    if (!candidate.program)
      continue;
    auto result = candidate.program->run(operands);
    if (!result)
      return result.takeError();
    inputs.front() = std::move(result->front());
    auto pair =
        ratios.get(inputs.front(), [&] { return getRatios(inputs, sample); });
    if (!pair)
      return pair.takeError();
    candidate.own.add(pair->first);
    candidate.consumer.add(pair->second);
  }
  return llvm::Error::success();
}

llvm::Error LocalMeasurer::addTasks(ArrayRef<Array> sample,
                                    ArrayRef<Array> arguments,
                                    std::vector<Task> &tasks) {
  for (LocalSlot &slot : slots)
    tasks.push_back(
        [&slot, sample, arguments] { return slot.add(sample, arguments); });
  return llvm::Error::success();
}

void LocalMeasurer::write(Scores &scores) const {
  for (auto [slot, entry] : llvm::zip(slots, scores.slots))
    for (auto [candidate, to] : llvm::zip(slot.candidates, entry.candidates)) {
      if (!candidate.program)
        continue;
      if (slot.wantsOwn)
        to.set(Metric::Own, roundScore(candidate.own.getDecibels()));
      if (slot.consumers)
        to.set(Metric::Consumer, roundScore(candidate.consumer.getDecibels()));
    }
}

FailureOr<std::unique_ptr<Measurer>>
nlq::makeSlotMeasurer(const MeasureContext &context) {
  auto measurer = std::make_unique<LocalMeasurer>(context);
  if (failed(measurer->prepare()))
    return failure();
  return std::unique_ptr<Measurer>(std::move(measurer));
}
