//===- Measure.h - Scores of candidates -------------------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_QUANTIZATION_MEASURE_H
#define NLQ_QUANTIZATION_MEASURE_H

#include "mlir/IR/BuiltinOps.h"
#include "nlq/Quantization/AssignCandidates.h"
#include "nlq/Quantization/FloatSamples.h"
#include "nlq/Quantization/Scores.h"

namespace nlq {

struct MeasureOptions {
  llvm::SmallVector<Metric, kNumMetrics> metrics = {
      Metric::Own, Metric::Consumer, Metric::Paper};
  /// Candidates that `own`, `consumer` and `logits` are measured of; others
  /// have no such score.
  CandidateFilter filter;
  /// Threads that measure; 0 is as many as the machine has. Scores do not
  /// depend on it.
  unsigned numThreads = 1;
};

/// The scores of every candidate of every quantized non-linear operation of
/// `main` over all samples, of which one is in memory at a time. The module is
/// not changed. Its methods, where it has some, matter to `logits` only.
///
/// `own`, `consumer`: the operation reads the float value of its operand,
/// quantized to the operand's type (half to even, clamped). `consumer` then
/// runs what stands between the result and the next matrix products (casts,
/// requantizations and operations that move elements). Their other operands are
/// the constants, or the float values quantized to the type they are read in.
/// Signals and errors of all products that read a result are added up. There is
/// no such score where no product follows: `own` is measured there, whether it
/// is asked for or not.
///
/// `paper`: for each method that the registry has at the mixed method's widths
/// (the set `seed`), the whole model with the method throughout: the reference
/// form if there is one, the method's fallback where it lacks the function. The
/// score of a slot belongs to the candidate that the network has there; slots
/// at which the network has a fallback and candidates of no network have none.
/// Where a method is not legal, its network has the first one of the set that
/// is.
///
/// `logits`: the whole model with the candidate at this slot. All other slots
/// have the method that the module assigns to them and are exact where it
/// assigns none: a module that is not assigned shows what a candidate costs by
/// itself, an assigned one what changing it would cost. The results of the
/// function, all of them, are held to the float model's.
///
/// Float values are found in the samples by name: a quantized operation has the
/// location of the float operation. Where a multiplication that became part of
/// a type or a name that several operations have leaves that open, it is the
/// value nearest to that of the model with exact functions in the first sample.
///
/// Fails after an error on an operation or on the module: no candidates, no
/// `nlq.slot`, no samples or none of a value that is needed, operations without
/// a rule in the reference runner, results that are not f32 (`logits` only).
llvm::FailureOr<Scores> measureModule(mlir::ModuleOp module,
                                      FloatSamples &samples,
                                      const MeasureOptions &options = {});

/// The same on the samples that a profile keeps: at most `maxSamples`, the
/// first ones; 0 is all.
llvm::FailureOr<Scores> measureModule(mlir::ModuleOp module,
                                      const Profile &profile,
                                      const MeasureOptions &options = {},
                                      uint64_t maxSamples = 0);

} // namespace nlq

#endif // NLQ_QUANTIZATION_MEASURE_H
