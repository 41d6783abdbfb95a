//===- Metric.cpp - How good a candidate is -------------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Quantization/Metric.h"
#include <algorithm>
#include <cassert>
#include <cmath>

using namespace nlq;

static constexpr llvm::StringLiteral kNames[kNumMetrics] = {"own", "consumer",
                                                            "paper", "logits"};

llvm::StringLiteral nlq::stringify(Metric metric) {
  return kNames[unsigned(metric)];
}

llvm::Expected<Metric> nlq::parseMetric(llvm::StringRef word) {
  for (unsigned index = 0; index < kNumMetrics; ++index)
    if (kNames[index] == word)
      return Metric(index);
  return llvm::createStringError(
      "unknown metric '" + word +
      "'; own, consumer, paper and logits are known");
}

llvm::Expected<llvm::SmallVector<Metric, kNumMetrics>>
nlq::parseMetrics(llvm::StringRef list) {
  llvm::SmallVector<llvm::StringRef> words;
  list.split(words, ',');
  bool wanted[kNumMetrics] = {};
  for (llvm::StringRef word : words) {
    llvm::Expected<Metric> metric = parseMetric(word.trim());
    if (!metric)
      return metric.takeError();
    wanted[unsigned(*metric)] = true;
  }
  llvm::SmallVector<Metric, kNumMetrics> metrics;
  for (unsigned index = 0; index < kNumMetrics; ++index)
    if (wanted[index])
      metrics.push_back(Metric(index));
  return metrics;
}

bool nlq::isBetter(Metric metric, double a, double b) {
  return metric == Metric::Paper ? a < b : a > b;
}

/// The squared norms of x and of x - y.
static std::pair<double, double> getPowers(llvm::ArrayRef<float> reference,
                                           llvm::ArrayRef<double> value) {
  assert(reference.size() == value.size() && "values of two shapes");
  double signal = 0, noise = 0;
  for (size_t i = 0; i < reference.size(); ++i) {
    double x = reference[i], error = x - value[i];
    signal += x * x;
    noise += error * error;
  }
  return {signal, noise};
}

void Sqnr::add(llvm::ArrayRef<float> reference, llvm::ArrayRef<double> value) {
  auto [x, error] = getPowers(reference, value);
  signal += x;
  noise += error;
}

double Sqnr::getDecibels() const {
  if (noise == 0)
    return kLargestDecibels;
  if (signal == 0)
    return -kLargestDecibels;
  return std::clamp(10 * std::log10(signal / noise), -kLargestDecibels,
                    kLargestDecibels);
}

void MeanRatio::add(llvm::ArrayRef<float> reference,
                    llvm::ArrayRef<double> value) {
  static const double largest = std::pow(10, kLargestDecibels / 20);
  auto [signal, noise] = getPowers(reference, value);
  sum += noise == 0 ? largest : std::min(std::sqrt(signal / noise), largest);
  ++count;
}

double MeanRatio::getDecibels() const {
  if (sum == 0)
    return -kLargestDecibels;
  return std::max(20 * std::log10(sum / double(count)), -kLargestDecibels);
}
