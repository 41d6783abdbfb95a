//===- Assign.h - Assigning a method to each operation ----------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_QUANTIZATION_ASSIGN_H
#define NLQ_QUANTIZATION_ASSIGN_H

#include "nlq/Quantization/AssignCandidates.h"
#include "nlq/Quantization/Scores.h"

namespace nlq {

enum class Policy {
  /// Per slot the best by the metric `paper`, among the set `seed`: the mixed
  /// method's paper.
  Paper,
  /// Per slot the best by a metric.
  Best,
  /// One method throughout, its fallback where it lacks the function.
  Uniform,
};

llvm::StringRef stringify(Policy policy);
/// Fails, naming the word, unless it is `paper`, `best` or `uniform`.
llvm::Expected<Policy> parsePolicy(llvm::StringRef word);

struct AssignOptions {
  Policy policy = Policy::Best;
  /// For Policy::Best.
  Metric metric = Metric::Consumer;
  /// For Policy::Best: of the candidates whose score is at most so many dB
  /// worse than the best one's, the cheapest is chosen.
  double within = 0;
  /// For Policy::Uniform: a name of the registry.
  std::string method;
  /// Candidates that may be chosen. Policy::Uniform takes the first one
  /// allowed; `filter.methods` is then not looked at.
  CandidateFilter filter;
  /// Leave operations alone that have a method.
  bool keepAssigned = false;
};

/// What was chosen at one slot, and why.
struct SlotAssignment {
  /// One candidate of the operation, in its order.
  struct Choice {
    MethodAttrInterface method;
    /// By the metric that decided; none if there is none or the candidate was
    /// not measured.
    std::optional<double> score;
    std::optional<double> cost;
    /// Whether the filter and the policy allow it.
    bool isAllowed = false;
  };
  std::string name;
  std::string op;
  std::vector<Choice> candidates;
  /// Index of the chosen one; none where the operation kept a method that is
  /// not among its candidates.
  std::optional<size_t> chosen;
  /// The best of the others that are allowed.
  std::optional<size_t> runnerUp;
  /// By how many dB the chosen one is better; negative where a cheaper one was
  /// chosen instead of the best.
  std::optional<double> margin;
  /// The metric that decided; none for Policy::Uniform and kept methods. `own`
  /// in place of `consumer` where no product follows the operation.
  std::optional<Metric> metric;
  /// The remark, a sentence.
  std::string reason;
};

struct AssignReport {
  /// In the order of the function.
  std::vector<SlotAssignment> slots;

  /// The choices with their reasons, in the format `nlq-assignment` that the
  /// pass nlq-assign describes.
  std::string toJSON() const;
  /// Writes it beside `path` and renames: no half-written file is left.
  llvm::Error save(llvm::StringRef path) const;
};

/// Sets the method of every quantized non-linear operation of `main` that has
/// candidates, with a remark on each: what was chosen, its score, and the
/// margin to the runner-up. Equal scores are decided by cost, equal costs by
/// the score, then by the order of the candidates. `scores` may be null for
/// Policy::Uniform only; where they are given they must be fresh.
///
/// Fails after errors that name the operation, changing nothing: no candidate
/// is allowed (with the filter and what is available), the method lacks the
/// function and has no fallback, a slot or the metric is missing in the scores;
/// or, on the module, stale or missing scores and an unknown method.
llvm::FailureOr<AssignReport> assignModule(mlir::ModuleOp module,
                                           const Scores *scores,
                                           const AssignOptions &options);

} // namespace nlq

#endif // NLQ_QUANTIZATION_ASSIGN_H
