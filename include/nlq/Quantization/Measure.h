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
#include "nlq/Quantization/Profile.h"
#include "nlq/Quantization/Scores.h"

namespace nlq {

struct MeasureOptions {
  llvm::SmallVector<Metric, kNumMetrics> metrics = {
      Metric::Own, Metric::Consumer, Metric::Paper};
  /// Kept samples of the profile to use, the first ones; 0 is all of them.
  uint64_t maxSamples = 0;
};

/// The scores of every candidate of every quantized non-linear operation of
/// `main`, on the samples that `profile` keeps. The module is not changed and
/// its methods, where it has some, do not matter.
///
/// `own`, `consumer`: the operation reads the float value of its operand,
/// quantized to the operand's type (half to even, clamped). `consumer` then
/// runs what stands between the result and the next matrix products (casts,
/// requantizations and operations that move elements). Their other operands are
/// the constants, or the float values quantized to the type they are read in.
/// Signals and errors of all products that read a result are added up. There is
/// no such score where no product follows.
///
/// `paper`: for each method that the registry has at the mixed method's widths
/// (the set `seed`), the whole model with the method throughout: the reference
/// form if there is one, the method's fallback where it lacks the function. The
/// score of a slot belongs to the candidate that the network has there; slots
/// at which the network has a fallback and candidates of no network have none.
/// A network that lacks a legal candidate at some slot is left out.
///
/// Float values are found in the profile by name: a quantized operation has the
/// location of the float operation. Where a multiplication that became part of
/// a type or a name that several operations have leaves that open, it is the
/// value nearest to that of the model with exact functions.
///
/// Fails after an error on an operation or on the module: no candidates, no
/// `nlq.slot`, a profile that keeps no samples or none of a value that is
/// needed, operations without a rule in the reference runner.
llvm::FailureOr<Scores> measureModule(mlir::ModuleOp module,
                                      const Profile &profile,
                                      const MeasureOptions &options = {});

} // namespace nlq

#endif // NLQ_QUANTIZATION_MEASURE_H
