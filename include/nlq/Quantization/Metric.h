//===- Metric.h - How good a candidate is -----------------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_QUANTIZATION_METRIC_H
#define NLQ_QUANTIZATION_METRIC_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <optional>

namespace nlq {

/// What is measured of a candidate at a slot, in dB.
enum class Metric {
  /// Signal-to-quantization-noise ratio (SQNR) of the operation's output. Every
  /// candidate reads the same input, the float one quantized to the operand's
  /// type; the reference is the float output. Larger is better.
  Own,
  /// SQNR after the next linear operations, whose integer accumulators are
  /// compared with the float results. Errors that cancel in sums count less,
  /// errors that add up count more. Larger is better.
  Consumer,
  /// SQNR before the operation less SQNR after it, inside of a network that
  /// uses the candidate's method throughout ("SQNR difference", the mixed
  /// method's paper, arXiv 2407.18437, as its code is best read). Smaller is
  /// better.
  Paper,
  /// SQNR of the whole model's results with the candidate at this slot alone,
  /// all other slots being as the module has them. Larger is better.
  Logits,
};
inline constexpr unsigned kNumMetrics = 4;

llvm::StringLiteral stringify(Metric metric);
/// Fails, naming the word, unless it is `own`, `consumer`, `paper` or `logits`.
llvm::Expected<Metric> parseMetric(llvm::StringRef word);
/// The metrics of a comma-separated list, each once, in the order of the enum.
llvm::Expected<llvm::SmallVector<Metric, kNumMetrics>>
parseMetrics(llvm::StringRef list);

/// True if `a` is a better score than `b`.
bool isBetter(Metric metric, double a, double b);

/// The score where there is no error at all, and the largest there is.
inline constexpr double kLargestDecibels = 200;

/// SQNR over whole samples: 10 log10(sum x^2 / sum (x - y)^2), x the float
/// value and y the quantized one, sums over all that was added. Between -200
/// and 200 dB: 200 where there is no error, -200 where there is no signal.
class Sqnr {
public:
  void add(llvm::ArrayRef<float> reference, llvm::ArrayRef<double> value);
  /// Adds all that was added to `other`.
  void add(const Sqnr &other) {
    signal += other.signal;
    noise += other.noise;
  }
  double getDecibels() const;

private:
  double signal = 0;
  double noise = 0;
};

/// The SQNR of the mixed method's paper: 20 log10(mean over samples of
/// ||x|| / ||x - y||), x the float value and y the quantized one. The ratio of
/// one sample counts as 200 dB where there is no error.
class MeanRatio {
public:
  /// Adds one sample.
  void add(llvm::ArrayRef<float> reference, llvm::ArrayRef<double> value);
  double getDecibels() const;

private:
  double sum = 0;
  uint64_t count = 0;
};

} // namespace nlq

#endif // NLQ_QUANTIZATION_METRIC_H
