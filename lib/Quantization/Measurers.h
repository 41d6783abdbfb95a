//===- Measurers.h - Ways to score candidates -------------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A measurer prepares its programs once, adds up one sample after the other,
// and writes its scores at the end. What it has to do for a sample is a list of
// tasks that touch nothing in common: they may run at once and in any order,
// and the sums are the same whatever happens.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_QUANTIZATION_MEASURERS_H
#define NLQ_LIB_QUANTIZATION_MEASURERS_H

#include "MeasureSlots.h"
#include "nlq/Quantization/Measure.h"
#include <functional>

namespace nlq {

using Task = std::function<llvm::Error()>;

class Measurer {
public:
  virtual ~Measurer() = default;

  /// Appends the tasks of one sample: its values and, among them, the arguments
  /// of `main`. Both stay alive until all tasks are done.
  virtual llvm::Error addTasks(llvm::ArrayRef<Array> sample,
                               llvm::ArrayRef<Array> arguments,
                               std::vector<Task> &tasks) = 0;

  /// Writes the scores of its metrics.
  virtual void write(Scores &scores) const = 0;
};

/// What all measurers work on.
struct MeasureContext {
  mlir::ModuleOp module;
  const MeasureOptions &options;
  /// With the float values found.
  std::vector<MeasuredSlot> slots;
  /// What `main` returns; empty unless `logits` is wanted.
  std::vector<QuantizedValue> results;

  bool wants(Metric metric) const {
    return llvm::is_contained(options.metrics, metric);
  }
  /// True if the options allow the candidate of a slot.
  bool allows(const MeasuredSlot &slot, MethodAttrInterface candidate) const {
    NonlinearOpInterface op = slot.op;
    return options.filter.allows(candidate, op.getFunction());
  }
};

/// The candidates of a slot in order, for loops.
inline auto getCandidates(const MeasuredSlot &slot) {
  NonlinearOpInterface op = slot.op;
  return op.getCandidatesAttr().getAsRange<MethodAttrInterface>();
}

/// The program of one slot's operation alone, by one of its candidates, from
/// operand, and mask if the slot has one, to result. The error is of the
/// operation.
llvm::Expected<std::unique_ptr<ReferenceProgram>>
makeCandidateProgram(const MeasuredSlot &slot, MethodAttrInterface candidate);

/// What was made of results, for those that occur again: some methods give the
/// same integers as others, layer normalizations of I-BERT and I-ViT for one.
template <typename T> class SameResults {
public:
  /// What `make` made of an equal result, or makes of this one.
  template <typename F> llvm::Expected<T> get(const Array &result, F make) {
    for (const auto &[array, made] : known)
      if (array == result)
        return made;
    llvm::Expected<T> made = make();
    if (made)
      known.emplace_back(result, *made);
    return made;
  }

private:
  std::vector<std::pair<Array, T>> known;
};

/// `own` and `consumer`. Fails after an error on an operation.
llvm::FailureOr<std::unique_ptr<Measurer>>
makeSlotMeasurer(const MeasureContext &context);

/// `paper`: the model with each method of the mixed method's set throughout.
/// Networks that lack a legal candidate at some slot give no scores.
llvm::FailureOr<std::unique_ptr<Measurer>>
makeNetworkMeasurer(const MeasureContext &context);

/// `logits`: the model with one candidate at one slot, from there on.
llvm::FailureOr<std::unique_ptr<Measurer>>
makeFlipMeasurer(const MeasureContext &context);

/// Scores are compared and written with four decimals: machines whose
/// mathematical library differs in the last bit then agree.
double roundScore(double decibels);

/// An error on `op`: "measuring failed: ...".
llvm::LogicalResult failMeasuring(mlir::Operation *op, llvm::Error error);

} // namespace nlq

#endif // NLQ_LIB_QUANTIZATION_MEASURERS_H
