//===- QuantizeRanges.cpp - Ranges and scales of activations ------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Quantization/QuantizeRanges.h"
#include "nlq/Quantization/QuantizeTypes.h"
#include <cmath>

using namespace mlir;
using namespace nlq;

static constexpr std::pair<RangeChoice, llvm::StringLiteral> kChoices[] = {
    {RangeChoice::Extremes, llvm::StringLiteral("extremes")},
    {RangeChoice::Percentile, llvm::StringLiteral("percentile")},
    {RangeChoice::LeastSquares, llvm::StringLiteral("least-squares")}};

StringRef nlq::stringify(RangeChoice choice) {
  for (auto [known, word] : kChoices)
    if (known == choice)
      return word;
  llvm_unreachable("covered by the table");
}

llvm::Expected<RangeChoice> nlq::parseRangeChoice(StringRef word) {
  for (auto [choice, known] : kChoices)
    if (known == word)
      return choice;
  return llvm::createStringError(
      "ranges must be extremes, percentile or least-squares, found '" + word +
      "'");
}

//===----------------------------------------------------------------------===//
// Ranges
//===----------------------------------------------------------------------===//

/// Cuts half of the fraction that is not covered from each side.
static RealRange coverPercentile(const ValueProfile &value, double percentile) {
  ArrayRef<uint64_t> bins = value.histogram.getBins();
  double spared = double(value.histogram.getCount()) * (100 - percentile) / 200;
  double below = 0, above = 0;
  int first = 0, last = int(bins.size()) - 1;
  while (first < last && below + double(bins[first]) <= spared)
    below += double(bins[first++]);
  while (last > first && above + double(bins[last]) <= spared)
    above += double(bins[last--]);
  return {value.histogram.getEdge(first), value.histogram.getEdge(last + 1)};
}

/// Squared error of a range, all values taken in the middle of their bins.
static double getError(const Histogram &histogram, RealRange range,
                       double numSteps) {
  double step = (range.hi - range.lo) / numSteps;
  double error = 0;
  for (auto [bin, count] : llvm::enumerate(histogram.getBins())) {
    if (count == 0)
      continue;
    double middle =
        (histogram.getEdge(int(bin)) + histogram.getEdge(int(bin) + 1)) / 2;
    double clamped = std::clamp(middle, range.lo, range.hi);
    double difference = middle - step * std::nearbyint(clamped / step);
    error += double(count) * difference * difference;
  }
  return error;
}

/// The best of all ranges whose ends are multiples of 1/64 of the whole one's.
static RealRange coverLeastSquares(const ValueProfile &value, RealRange whole,
                                   unsigned bits) {
  constexpr int numSteps = 64;
  const double numLevels = double((int64_t(1) << bits) - 1);
  RealRange best = whole;
  double least = getError(value.histogram, whole, numLevels);
  for (int lo = 0; lo < (whole.lo < 0 ? numSteps : 1); ++lo)
    for (int hi = 0; hi < (whole.hi > 0 ? numSteps : 1); ++hi) {
      RealRange range = {whole.lo * (1 - double(lo) / numSteps),
                         whole.hi * (1 - double(hi) / numSteps)};
      double error = getError(value.histogram, range, numLevels);
      if (error < least) {
        least = error;
        best = range;
      }
    }
  return best;
}

RealRange nlq::chooseRange(const ValueProfile &value, unsigned bits,
                           const RangeOptions &options) {
  RealRange whole = {std::min(0.0, double(value.min)),
                     std::max(0.0, double(value.max))};
  if (options.choice == RangeChoice::Extremes ||
      value.histogram.getCount() == 0)
    return whole;
  RealRange range = options.choice == RangeChoice::Percentile
                        ? coverPercentile(value, options.percentile)
                        : coverLeastSquares(value, whole, bits);
  return {std::clamp(range.lo, whole.lo, 0.0),
          std::clamp(range.hi, 0.0, whole.hi)};
}

//===----------------------------------------------------------------------===//
// Channels
//===----------------------------------------------------------------------===//

static double getAbsMax(const ChannelProfile &channels, size_t channel) {
  return std::max(-double(channels.min[channel]),
                  double(channels.max[channel]));
}

std::vector<double> nlq::getChannelFactors(const ValueProfile &value,
                                           double exponent) {
  const ChannelProfile &channels = value.channels;
  double largest = value.getAbsMax();
  std::vector<double> factors;
  if (exponent == 0 || channels.empty() || !(largest > 0))
    return factors;
  constexpr double least = 0x1p-8;
  for (size_t channel = 0; channel < channels.size(); ++channel)
    factors.push_back(roundScale(std::max(
        least, std::pow(getAbsMax(channels, channel) / largest, exponent))));
  return factors;
}

quant::QuantizedType nlq::getActivationType(MLIRContext *context, unsigned bits,
                                            const ValueProfile &value,
                                            ArrayRef<double> factors,
                                            bool isAsymmetric, int64_t rank,
                                            const RangeOptions &options) {
  RealRange range = chooseRange(value, bits, options);
  // In units of the factors.
  RealRange scaled = factors.empty() ? range : RealRange();
  for (auto [channel, factor] : llvm::enumerate(factors)) {
    double lo = value.channels.min[channel], hi = value.channels.max[channel];
    scaled.lo = std::min(scaled.lo, std::max(lo, range.lo) / factor);
    scaled.hi = std::max(scaled.hi, std::min(hi, range.hi) / factor);
  }

  int64_t lo = -getSymmetricLimit(bits), hi = -lo, zeroPoint = 0;
  double scale = getSymmetricScale(std::max(-scaled.lo, scaled.hi), bits);
  if (isAsymmetric && scaled.lo < scaled.hi) {
    --lo;
    scale =
        roundScale(std::max((scaled.hi - scaled.lo) / double(hi - lo), 1e-15));
    zeroPoint =
        std::clamp(lo + int64_t(std::nearbyint(-scaled.lo / scale)), lo, hi);
  }
  auto storage = IntegerType::get(context, 8);
  auto expressed = Float32Type::get(context);
  if (factors.empty())
    return quant::UniformQuantizedType::get(quant::QuantizationFlags::Signed,
                                            storage, expressed, scale,
                                            zeroPoint, lo, hi);
  SmallVector<double> scales;
  for (double factor : factors)
    scales.push_back(roundScale(scale * factor));
  SmallVector<int64_t> zeroPoints(scales.size(), zeroPoint);
  return quant::UniformQuantizedPerAxisType::get(
      quant::QuantizationFlags::Signed, storage, expressed, scales, zeroPoints,
      int32_t(rank - 1), lo, hi);
}
