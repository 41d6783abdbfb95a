//===- Scores.h - What measuring found --------------------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_QUANTIZATION_SCORES_H
#define NLQ_QUANTIZATION_SCORES_H

#include "mlir/IR/BuiltinOps.h"
#include "nlq/Quantization/Metric.h"
#include <array>
#include <string>
#include <vector>

namespace nlq {

/// One candidate at one slot.
struct CandidateScores {
  /// The method attribute as it prints.
  std::string method;
  /// In dB, by Metric, rounded to 1e-4; none where it was not measured or does
  /// not exist.
  std::array<std::optional<double>, kNumMetrics> decibels;
  /// Estimated instructions per element (kernel::cost).
  double cost = 0;

  std::optional<double> get(Metric metric) const {
    return decibels[unsigned(metric)];
  }
  void set(Metric metric, double value) { decibels[unsigned(metric)] = value; }
};

/// One quantized non-linear operation.
struct SlotScores {
  /// Its `nlq.slot`, and the operation's name.
  std::string name;
  std::string op;
  /// Names of the linear operations that `consumer` was measured after.
  std::vector<std::string> consumers;
  /// Elements of the result.
  int64_t numElements = 0;
  /// In the order of the operation's `candidates`.
  std::vector<CandidateScores> candidates;
};

/// The scores of a module, with what they were measured on.
struct Scores {
  /// Hashes (xxh3, hexadecimal) of the quantized module without its methods, of
  /// the samples (the model's arguments), and of what was asked for.
  std::string moduleHash;
  std::string samplesHash;
  std::string optionsHash;
  /// Samples that were used.
  uint64_t numSamples = 0;
  /// In the order of the function.
  std::vector<SlotScores> slots;

  /// The slot of that name, or null.
  const SlotScores *lookup(llvm::StringRef name) const;

  /// Fails with the reason if the scores were not measured on this module.
  llvm::Error checkFresh(mlir::ModuleOp module) const;

  /// The bytes depend on the scores only.
  std::string toJSON() const;
  /// Reads what toJSON wrote; fails with the place of the first mistake.
  static llvm::Expected<Scores> fromJSON(llvm::StringRef text);

  /// Writes beside `path` and renames: no half-written file is left.
  llvm::Error save(llvm::StringRef path) const;
  /// Fails, naming the file, if it is missing or malformed.
  static llvm::Expected<Scores> load(llvm::StringRef path);
};

/// The hash of a module's text without the assigned methods, so that assigning
/// does not make scores stale.
std::string hashModule(mlir::ModuleOp module);

} // namespace nlq

#endif // NLQ_QUANTIZATION_SCORES_H
