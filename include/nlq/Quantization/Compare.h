//===- Compare.h - Two runs of a model, slot by slot ------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// How far a quantized model is from its float self at every slot (its quantized
// non-linear operations), and where two runs of it part: compiled code and the
// reference, two targets, two assignments.
//
//   1. clone the quantized module and let `exposeSlots` change the clone;
//   2. make a ModelRunner of it, or two;
//   3. `compareRuns` runs them, sample by sample.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_QUANTIZATION_COMPARE_H
#define NLQ_QUANTIZATION_COMPARE_H

#include "nlq/Methods/Problem.h"
#include "nlq/Quantization/Calibration.h"
#include <optional>

namespace nlq {

/// A result of a quantized module whose slots are exposed.
struct ExposedSlot {
  /// The slot's name, or that of a result of the function.
  std::string name;
  /// The operation's name, or `result`.
  std::string op;
  /// How the integers are read; none for results in float.
  std::optional<methods::Quantized> type;
  /// Elements.
  int64_t numElements = 0;
};

/// Makes `main` return the integers of every slot's result before its own
/// results: the storage of the quantized type. Fails after an error on a slot
/// without `nlq.slot` or on the module: no `main`, no slots, results that are
/// not f32.
llvm::FailureOr<std::vector<ExposedSlot>> exposeSlots(mlir::ModuleOp module);

/// Fails, naming the slot, unless two modules have the same slots of the same
/// types in the same order: then their integers can be compared.
llvm::Error checkComparable(llvm::ArrayRef<ExposedSlot> first,
                            llvm::ArrayRef<ExposedSlot> second);

/// One slot or result.
struct SlotComparison {
  ExposedSlot slot;
  /// SQNR in dB of the first and of the second run against the float model,
  /// over all samples (Metric.h); none without a float model or where it has no
  /// value of the slot's name.
  std::optional<double> sqnr, otherSqnr;
  /// Elements that differ between the runs, over all samples, and the largest
  /// difference, in steps of the slot's type or in the unit of a float result.
  uint64_t numDifferent = 0;
  double largestDifference = 0;
};

struct Comparison {
  uint64_t numSamples = 0;
  /// Slots in the order of the function, then its results.
  std::vector<SlotComparison> slots;
  /// The first one of them that differs; none where the runs are the same.
  std::optional<size_t> firstDifference;
};

/// Runs `first` and, unless it is null, `second`, both of modules with the same
/// exposed slots, over all samples of `next`. With `floatModel`, as
/// exposeValues describes it, `floatRunner` runs it beside them. Fails if there
/// is no sample and where a run fails.
llvm::Expected<Comparison> compareRuns(llvm::ArrayRef<ExposedSlot> slots,
                                       ModelRunner &first, ModelRunner *second,
                                       SampleSource next,
                                       const ExposedModel *floatModel = nullptr,
                                       ModelRunner *floatRunner = nullptr);

} // namespace nlq

#endif // NLQ_QUANTIZATION_COMPARE_H
