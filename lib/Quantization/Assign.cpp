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
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

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

/// Whether `a` is to be chosen rather than `b`, by score and then by cost.
static bool isBetterChoice(Metric metric, const SlotAssignment::Choice &a,
                           const SlotAssignment::Choice &b) {
  if (*a.score != *b.score)
    return isBetter(metric, *a.score, *b.score);
  return a.cost.value_or(0) < b.cost.value_or(0);
}

/// The best of the candidates that are allowed, besides `other`.
static std::optional<size_t> findBest(const SlotAssignment &slot,
                                      std::optional<size_t> other = {}) {
  std::optional<size_t> best;
  for (auto [index, choice] : llvm::enumerate(slot.candidates))
    if (choice.isAllowed && index != other &&
        (!best || isBetterChoice(*slot.metric, choice, slot.candidates[*best])))
      best = index;
  return best;
}

/// The cheapest of the candidates that are allowed and at most `within` dB
/// worse than `best`; of equal cost the better one.
static size_t findCheapest(const SlotAssignment &slot, size_t best,
                           double within) {
  size_t cheapest = best;
  for (auto [index, choice] : llvm::enumerate(slot.candidates)) {
    // Scores have four decimals; what is left beyond them is no difference.
    if (!choice.isAllowed ||
        std::abs(*choice.score - *slot.candidates[best].score) > within + 1e-9)
      continue;
    const SlotAssignment::Choice &least = slot.candidates[cheapest];
    double cost = choice.cost.value_or(0), other = least.cost.value_or(0);
    if (cost < other ||
        (cost == other && isBetterChoice(*slot.metric, choice, least)))
      cheapest = index;
  }
  return cheapest;
}

LogicalResult Assigner::decideByScore(NonlinearOpInterface op,
                                      SlotAssignment &slot) {
  CandidateFilter filter = options.filter;
  if (options.policy == Policy::Paper)
    filter.set = methods::Profile::Seed;
  for (SlotAssignment::Choice &choice : slot.candidates)
    choice.isAllowed =
        choice.score && filter.allows(choice.method, op.getFunction());
  std::optional<size_t> best = findBest(slot);
  if (!best)
    return reportNothingAllowed(op, slot, filter);
  double within = options.policy == Policy::Best ? options.within : 0;
  slot.chosen = within > 0 ? findCheapest(slot, *best, within) : *best;
  slot.runnerUp = findBest(slot, slot.chosen);
  const SlotAssignment::Choice &chosen = slot.candidates[*slot.chosen];
  slot.reason =
      ("by " + stringify(*slot.metric) + " " + formatDecibels(*chosen.score))
          .str();
  if (!slot.runnerUp) {
    slot.reason += ", the only one";
    return success();
  }
  const SlotAssignment::Choice &next = slot.candidates[*slot.runnerUp];
  double distance = std::abs(*chosen.score - *next.score);
  if (slot.chosen != best) {
    slot.margin = -distance;
    llvm::raw_string_ostream(slot.reason)
        << ", the cheapest within " << llvm::format("%g", within)
        << " dB of the best: "
        << llvm::formatv("{0:F1} instead of {1:F1} instructions of {2}, {3} "
                         "better",
                         chosen.cost.value_or(0), next.cost.value_or(0),
                         describe(next.method), formatDecibels(distance));
    return success();
  }
  slot.margin = distance;
  slot.reason += ", " + formatDecibels(distance) +
                 (*slot.metric == Metric::Paper ? " under " : " over ") +
                 describe(next.method);
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
  if (!(options.within >= 0) || std::isinf(options.within))
    return module.emitError("'within' must be a number of dB of at least 0, "
                            "found ")
           << options.within;
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
