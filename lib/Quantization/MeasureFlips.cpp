//===- MeasureFlips.cpp - One slot changed, end to end --------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `logits`: for each sample the model runs once as it is, and its state is kept
// before every slot. A candidate costs the slot's operation and what comes
// after it: half of a run on average, and nothing is compiled.
//
//===----------------------------------------------------------------------===//

#include "Measurers.h"

using namespace mlir;
using namespace nlq;

namespace {

class FlipMeasurer : public Measurer {
public:
  explicit FlipMeasurer(const MeasureContext &context) : context(context) {}

  LogicalResult prepare();
  llvm::Error addTasks(ArrayRef<Array> sample, ArrayRef<Array> arguments,
                       std::vector<Task> &tasks) override;
  void write(Scores &scores) const override;

private:
  /// One candidate at a slot.
  struct Flip {
    size_t candidate;
    std::unique_ptr<ReferenceProgram> program;
    Sqnr sqnr;
  };
  llvm::Error run(const MeasuredSlot &slot, std::vector<Flip> &flips,
                  const ReferenceRun &before, ArrayRef<Array> sample) const;

  const MeasureContext &context;
  std::unique_ptr<ReferenceRunner> base;
  /// Those of each slot.
  std::vector<std::vector<Flip>> flips;
};

} // namespace

LogicalResult FlipMeasurer::prepare() {
  auto runner = ReferenceRunner::create(context.module);
  if (!runner)
    return failMeasuring(context.module, runner.takeError());
  base = std::move(*runner);
  for (const MeasuredSlot &slot : context.slots) {
    std::vector<Flip> &all = flips.emplace_back();
    for (auto [index, method] : llvm::enumerate(getCandidates(slot))) {
      if (!context.allows(slot, method))
        continue;
      auto program = makeCandidateProgram(slot, method);
      if (!program)
        return failMeasuring(slot.op, program.takeError());
      all.push_back({index, std::move(*program), Sqnr()});
    }
  }
  return success();
}

llvm::Error FlipMeasurer::run(const MeasuredSlot &slot,
                              std::vector<Flip> &flips,
                              const ReferenceRun &before,
                              ArrayRef<Array> sample) const {
  SmallVector<Array, 2> inputs = {before.get(slot.operand.value)};
  if (slot.mask)
    inputs.push_back(before.get(slot.mask));
  SameResults<Sqnr> ratios;
  for (Flip &flip : flips) {
    auto result = flip.program->run(inputs);
    if (!result)
      return result.takeError();
    auto ratio = ratios.get(result->front(), [&]() -> llvm::Expected<Sqnr> {
      ReferenceRun after = before;
      after.skip(result->front());
      Sqnr sqnr;
      for (auto [value, array] : llvm::zip(context.results, after.finish()))
        sqnr.add(sample[*value.reference].as<float>(),
                 dequantizeArray(value.type, array));
      return sqnr;
    });
    if (!ratio)
      return ratio.takeError();
    flip.sqnr.add(*ratio);
  }
  return llvm::Error::success();
}

llvm::Error FlipMeasurer::addTasks(ArrayRef<Array> sample,
                                   ArrayRef<Array> arguments,
                                   std::vector<Task> &tasks) {
  auto run = ReferenceRun::start(base->getProgram(), arguments);
  if (!run)
    return run.takeError();
  for (auto [slot, all] : llvm::zip(context.slots, flips)) {
    run->runBefore(slot.op);
    auto before = std::make_shared<const ReferenceRun>(*run);
    tasks.push_back([this, &slot = slot, &all = all, before, sample] {
      return this->run(slot, all, *before, sample);
    });
  }
  return llvm::Error::success();
}

void FlipMeasurer::write(Scores &scores) const {
  for (auto [all, slot] : llvm::zip(flips, scores.slots))
    for (const Flip &flip : all)
      slot.candidates[flip.candidate].set(Metric::Logits,
                                          roundScore(flip.sqnr.getDecibels()));
}

FailureOr<std::unique_ptr<Measurer>>
nlq::makeFlipMeasurer(const MeasureContext &context) {
  auto measurer = std::make_unique<FlipMeasurer>(context);
  if (failed(measurer->prepare()))
    return failure();
  return std::unique_ptr<Measurer>(std::move(measurer));
}
