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
  struct Flip {
    size_t slot, candidate;
    std::unique_ptr<ReferenceProgram> program;
    Sqnr sqnr;
  };
  llvm::Error run(Flip &flip, const ReferenceRun &before,
                  ArrayRef<Array> sample) const;
  void add(Sqnr &sqnr, ArrayRef<Array> results, ArrayRef<Array> sample) const;

  const MeasureContext &context;
  std::unique_ptr<ReferenceRunner> base;
  std::vector<Flip> flips;
};

} // namespace

LogicalResult FlipMeasurer::prepare() {
  auto runner = ReferenceRunner::create(context.module);
  if (!runner)
    return failMeasuring(context.module, runner.takeError());
  base = std::move(*runner);
  for (auto [index, slot] : llvm::enumerate(context.slots))
    for (auto [number, method] : llvm::enumerate(getCandidates(slot))) {
      if (!context.allows(slot, method))
        continue;
      auto program = makeCandidateProgram(slot, method);
      if (!program)
        return failMeasuring(slot.op, program.takeError());
      flips.push_back({index, number, std::move(*program), Sqnr()});
    }
  return success();
}

void FlipMeasurer::add(Sqnr &sqnr, ArrayRef<Array> results,
                       ArrayRef<Array> sample) const {
  for (auto [value, array] : llvm::zip(context.results, results))
    sqnr.add(sample[*value.reference].as<float>(),
             dequantizeArray(value.type, array));
}

llvm::Error FlipMeasurer::run(Flip &flip, const ReferenceRun &before,
                              ArrayRef<Array> sample) const {
  Array operand = before.get(context.slots[flip.slot].operand.value);
  auto result = flip.program->run(operand);
  if (!result)
    return result.takeError();
  ReferenceRun after = before;
  after.skip(std::move(result->front()));
  add(flip.sqnr, after.finish(), sample);
  return llvm::Error::success();
}

llvm::Error FlipMeasurer::addTasks(ArrayRef<Array> sample,
                                   ArrayRef<Array> arguments,
                                   std::vector<Task> &tasks) {
  auto run = ReferenceRun::start(base->getProgram(), arguments);
  if (!run)
    return run.takeError();
  auto states = std::make_shared<std::vector<ReferenceRun>>();
  for (const MeasuredSlot &slot : context.slots) {
    run->runBefore(slot.op);
    states->push_back(*run);
  }
  for (Flip &flip : flips)
    tasks.push_back([this, &flip, states, sample] {
      return this->run(flip, (*states)[flip.slot], sample);
    });
  return llvm::Error::success();
}

void FlipMeasurer::write(Scores &scores) const {
  for (const Flip &flip : flips)
    scores.slots[flip.slot].candidates[flip.candidate].set(
        Metric::Logits, roundScore(flip.sqnr.getDecibels()));
}

FailureOr<std::unique_ptr<Measurer>>
nlq::makeFlipMeasurer(const MeasureContext &context) {
  auto measurer = std::make_unique<FlipMeasurer>(context);
  if (failed(measurer->prepare()))
    return failure();
  return std::unique_ptr<Measurer>(std::move(measurer));
}
