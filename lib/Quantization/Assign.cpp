//===- Assign.cpp - Assigning a method to each operation ------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Quantization/Assign.h"
#include "nlq/Methods/Registry.h"
#include "nlq/Quantization/ValueNames.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace nlq;

static constexpr llvm::StringLiteral kPolicies[] = {"paper", "best", "uniform"};

StringRef nlq::stringify(Policy policy) { return kPolicies[unsigned(policy)]; }

llvm::Expected<Policy> nlq::parsePolicy(StringRef word) {
  for (Policy policy : {Policy::Paper, Policy::Best, Policy::Uniform})
    if (stringify(policy) == word)
      return policy;
  return llvm::createStringError("unknown policy '" + word +
                                 "'; paper, best and uniform are known");
}

namespace {

/// Decides one slot after the other; nothing is written before all are decided.
class Assigner {
public:
  Assigner(const Scores *scores, const AssignOptions &options)
      : scores(scores), options(options) {}

  FailureOr<SlotAssignment> decide(NonlinearOpInterface op);

private:
  LogicalResult addScores(NonlinearOpInterface op, SlotAssignment &slot);
  LogicalResult decideUniform(NonlinearOpInterface op, SlotAssignment &slot);
  LogicalResult decideByScore(NonlinearOpInterface op, SlotAssignment &slot);
  LogicalResult reportNothingAllowed(NonlinearOpInterface op,
                                     const SlotAssignment &slot,
                                     const CandidateFilter &filter);
  /// Scores of a slot by a metric, where candidates have one.
  static bool hasScores(const SlotScores &measured, Metric metric) {
    return llvm::any_of(measured.candidates, [&](const CandidateScores &entry) {
      return entry.get(metric).has_value();
    });
  }

  const Scores *scores;
  const AssignOptions &options;
};

} // namespace

static std::string formatDecibels(double decibels) {
  return llvm::formatv("{0:F1} dB", decibels).str();
}

/// Fills costs, and the scores by the metric that decides.
LogicalResult Assigner::addScores(NonlinearOpInterface op,
                                  SlotAssignment &slot) {
  if (!scores)
    return success();
  const SlotScores *measured = scores->lookup(slot.name);
  if (!measured)
    return op->emitOpError() << "'" << slot.name << "' is not in the scores";
  if (options.policy != Policy::Uniform) {
    Metric metric =
        options.policy == Policy::Paper ? Metric::Paper : options.metric;
    if (metric == Metric::Consumer && measured->consumers.empty())
      metric = Metric::Own;
    if (!hasScores(*measured, metric))
      return op->emitOpError() << "'" << slot.name << "' has no score by '"
                               << stringify(metric) << "': it was not measured";
    slot.metric = metric;
  }
  for (SlotAssignment::Choice &choice : slot.candidates) {
    std::string text;
    llvm::raw_string_ostream(text) << choice.method;
    for (const CandidateScores &entry : measured->candidates)
      if (entry.method == text) {
        choice.cost = entry.cost;
        if (slot.metric)
          choice.score = entry.get(*slot.metric);
      }
  }
  return success();
}

LogicalResult Assigner::reportNothingAllowed(NonlinearOpInterface op,
                                             const SlotAssignment &slot,
                                             const CandidateFilter &filter) {
  auto diag = op->emitOpError()
              << "'" << slot.name << "' has no candidate that policy '"
              << stringify(options.policy) << "' may choose (" << filter.str()
              << ")";
  std::string available;
  for (const SlotAssignment::Choice &choice : slot.candidates)
    available += (available.empty() ? "" : ", ") + describe(choice.method);
  diag.attachNote() << "available: "
                    << (available.empty() ? "nothing" : available);
  return failure();
}

LogicalResult Assigner::decideUniform(NonlinearOpInterface op,
                                      SlotAssignment &slot) {
  const methods::Method *method = methods::lookup(options.method);
  StringRef name = getMethodFor(*method, op.getFunction());
  if (name.empty())
    return op->emitOpError()
           << "'" << slot.name << "': the method '" << method->name
           << "' has no " << op.getFunction() << " and no fallback for it";
  slot.chosen = findUniform(op, options.method, options.filter);
  CandidateFilter filter = options.filter;
  filter.methods = {name.str()};
  for (SlotAssignment::Choice &choice : slot.candidates)
    choice.isAllowed = filter.allows(choice.method, op.getFunction());
  if (!slot.chosen)
    return reportNothingAllowed(op, slot, filter);
  slot.reason = "by policy 'uniform'";
  if (name != method->name)
    slot.reason += (", in place of '" + method->name + "', which has no " +
                    op.getFunction())
                       .str();
  return success();
}

LogicalResult Assigner::decideByScore(NonlinearOpInterface op,
                                      SlotAssignment &slot) {
  CandidateFilter filter = options.filter;
  if (options.policy == Policy::Paper)
    filter.set = methods::Profile::Seed;
  using Choice = SlotAssignment::Choice;
  auto isBetterChoice = [&](const Choice &a, const Choice &b) {
    if (*a.score != *b.score)
      return isBetter(*slot.metric, *a.score, *b.score);
    return a.cost.value_or(0) < b.cost.value_or(0);
  };
  for (auto [index, choice] : llvm::enumerate(slot.candidates)) {
    choice.isAllowed =
        choice.score && filter.allows(choice.method, op.getFunction());
    if (!choice.isAllowed)
      continue;
    if (!slot.chosen || isBetterChoice(choice, slot.candidates[*slot.chosen])) {
      slot.runnerUp = slot.chosen;
      slot.chosen = index;
    } else if (!slot.runnerUp ||
               isBetterChoice(choice, slot.candidates[*slot.runnerUp])) {
      slot.runnerUp = index;
    }
  }
  if (!slot.chosen)
    return reportNothingAllowed(op, slot, filter);
  double best = *slot.candidates[*slot.chosen].score;
  slot.reason =
      ("by " + stringify(*slot.metric) + " " + formatDecibels(best)).str();
  if (slot.runnerUp) {
    const Choice &next = slot.candidates[*slot.runnerUp];
    slot.margin = std::abs(best - *next.score);
    bool isDifference = *slot.metric == Metric::Paper;
    slot.reason += ", " + formatDecibels(*slot.margin) +
                   (isDifference ? " under " : " over ") +
                   describe(next.method);
  } else {
    slot.reason += ", the only one";
  }
  return success();
}

FailureOr<SlotAssignment> Assigner::decide(NonlinearOpInterface op) {
  SlotAssignment slot;
  slot.op = op->getName().getStringRef().str();
  auto name = op->getAttrOfType<StringAttr>(kSlotAttr);
  if (!name)
    return op->emitOpError()
           << "has no name: the attribute '" << kSlotAttr << "' is missing";
  slot.name = name.str();
  if (ArrayAttr candidates = op.getCandidatesAttr())
    for (Attribute candidate : candidates)
      slot.candidates.emplace_back().method =
          cast<MethodAttrInterface>(candidate);
  if (options.keepAssigned && op.getMethodAttr()) {
    for (auto [index, choice] : llvm::enumerate(slot.candidates))
      if (choice.method == op.getMethodAttr())
        slot.chosen = index;
    slot.reason = "kept, it was assigned before";
    return slot;
  }
  if (failed(addScores(op, slot)))
    return failure();
  if (failed(options.policy == Policy::Uniform ? decideUniform(op, slot)
                                               : decideByScore(op, slot)))
    return failure();
  return slot;
}

/// Checks what does not depend on a slot.
static LogicalResult checkOptions(ModuleOp module, const Scores *scores,
                                  const AssignOptions &options) {
  if (scores) {
    if (llvm::Error error = scores->checkFresh(module))
      return module.emitError(llvm::toString(std::move(error)));
  } else if (options.policy != Policy::Uniform) {
    return module.emitError("policy '")
           << stringify(options.policy) << "' needs scores; measure first";
  }
  if (options.policy == Policy::Uniform && !methods::lookup(options.method)) {
    auto diag = module.emitError("policy 'uniform' needs a method of the "
                                 "registry, found '")
                << options.method << "'; known are";
    for (const methods::Method *method : methods::allMethods())
      diag << " " << method->name;
    return diag;
  }
  return success();
}

FailureOr<AssignReport> nlq::assignModule(ModuleOp module, const Scores *scores,
                                          const AssignOptions &options) {
  func::FuncOp main = lookupMain(module);
  if (!main || failed(checkOptions(module, scores, options)))
    return failure();
  Assigner assigner(scores, options);
  AssignReport report;
  SmallVector<NonlinearOpInterface> ops;
  bool anyFailed = false;
  main.walk([&](NonlinearOpInterface op) {
    if (!op.isQuantized())
      return;
    FailureOr<SlotAssignment> slot = assigner.decide(op);
    if (failed(slot)) {
      anyFailed = true;
      return;
    }
    ops.push_back(op);
    report.slots.push_back(std::move(*slot));
  });
  if (anyFailed)
    return failure();
  for (auto [op, slot] : llvm::zip(ops, report.slots)) {
    if (slot.chosen)
      op.setMethodAttr(slot.candidates[*slot.chosen].method);
    // Not the operation's own emitRemark: that would print all of it.
    mlir::emitRemark(op->getLoc())
        << "nlq-assign: '" << slot.name << "' chosen "
        << describe(op.getMethodAttr()) << " " << slot.reason;
  }
  return report;
}
