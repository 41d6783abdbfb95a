//===- Calibration.h - From samples to a profile --------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Calibration runs a float model that returns all its values over samples:
//
//   1. clone the module and let `exposeValues` change the clone;
//   2. compile the clone into a ModelRunner;
//   3. `calibrate` runs it, sample by sample.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_QUANTIZATION_CALIBRATION_H
#define NLQ_QUANTIZATION_CALIBRATION_H

#include "mlir/IR/BuiltinOps.h"
#include "nlq/Quantization/Profile.h"
#include <optional>

namespace nlq {

/// A named value of a float model.
struct ExposedValue {
  std::string name;
  llvm::SmallVector<int64_t, 4> shape;
  /// Whether profiles keep arrays of it: arguments and results of the function,
  /// operands and results of non-linear operations and of matrix products.
  bool keepArrays = false;
  /// Whether profiles have moments of it: what products with constant weights
  /// read.
  bool keepMoments = false;
};

/// The interface of a model whose values were exposed.
struct ExposedModel {
  /// One for each argument of `main`, in order.
  std::vector<ExposedValue> arguments;
  /// One for each result of `main`, in order. All results are f32.
  std::vector<ExposedValue> results;
  /// Names of what `main` returned before, in order; empty for constants.
  std::vector<std::string> returned;
};

/// Makes `main` return all its named values (ValueNames.h) instead of its
/// results, which are among them; each value once, arguments not. Fails with an
/// error on the module if `main` is missing or has arguments that are not
/// static f32 tensors. `keptOnly` leaves out the values of which profiles keep
/// no arrays: enough for measuring, with less to store.
llvm::FailureOr<ExposedModel> exposeValues(mlir::ModuleOp module,
                                           bool keptOnly = false);

struct CalibrationOptions {
  /// Samples, the first ones, of which arrays are kept.
  uint64_t numKept = 8;
};

/// The next sample, one array per argument of `main`; nothing after the last.
using SampleSource =
    llvm::function_ref<llvm::Expected<std::optional<std::vector<Array>>>()>;

/// The profile of `model`, run by `runner` over all samples of `next`. One
/// sample is in memory at a time, besides the kept ones. Fails if there is no
/// sample, and, naming the sample (from 0) and the value, if a sample has
/// another shape than the argument or if a NaN or an infinity occurs in a
/// sample or in a value computed from it.
llvm::Expected<Profile> calibrate(const ExposedModel &model,
                                  ModelRunner &runner, SampleSource next,
                                  const CalibrationOptions &options = {});

} // namespace nlq

#endif // NLQ_QUANTIZATION_CALIBRATION_H
