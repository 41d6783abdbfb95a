//===- QuantizeWeights.cpp - Weights of a matrix product ----------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Quantization/QuantizeWeights.h"
#include "nlq/Quantization/ErrorFeedback.h"
#include "nlq/Quantization/QuantizeTypes.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cmath>

using namespace nlq;

llvm::Expected<WeightScale> nlq::parseWeightScale(llvm::StringRef word) {
  if (word == "extremes")
    return WeightScale::Extremes;
  if (word == "least-squares")
    return WeightScale::LeastSquares;
  return llvm::createStringError(
      "weight-scales must be extremes or least-squares, found '" + word + "'");
}

llvm::Expected<WeightRounding> nlq::parseWeightRounding(llvm::StringRef word) {
  if (word == "nearest")
    return WeightRounding::Nearest;
  if (word == "feedback")
    return WeightRounding::Feedback;
  return llvm::createStringError(
      "weight-rounding must be nearest or feedback, found '" + word + "'");
}

/// The integer of `value` at 1 / `inverse`, clamped.
static double toInteger(double value, double inverse, double limit) {
  return std::clamp(std::nearbyint(value * inverse), -limit, limit);
}

static double getSquaredError(llvm::ArrayRef<double> column,
                              llvm::ArrayRef<double> variances, double scale,
                              double limit) {
  double sum = 0, inverse = 1 / scale;
  for (auto [value, variance] : llvm::zip_equal(column, variances)) {
    double error = value - scale * toInteger(value, inverse, limit);
    sum += variance * error * error;
  }
  return sum;
}

/// The scale of least squared error, between half of `extreme`, at which the
/// largest entry becomes `limit`, and all of it.
static double searchScale(llvm::ArrayRef<double> column,
                          llvm::ArrayRef<double> variances, double extreme,
                          double limit) {
  constexpr int numSteps = 50;
  double best = extreme;
  double least = getSquaredError(column, variances, extreme, limit);
  for (int step = 1; step <= numSteps; ++step) {
    double scale = extreme * (1 - 0.5 * step / numSteps);
    double error = getSquaredError(column, variances, scale, limit);
    if (error < least) {
      least = error;
      best = scale;
    }
  }
  return best;
}

/// t of a column: `largest` stands in for the extreme of one that is all zeros.
static double chooseScale(llvm::ArrayRef<double> column,
                          llvm::ArrayRef<double> variances, double bias,
                          unsigned bits, double largest, WeightScale how) {
  double absMax = 0;
  for (double value : column)
    absMax = std::max(absMax, std::fabs(value));
  double scale = getSymmetricScale(absMax == 0 ? largest : absMax, bits);
  if (how == WeightScale::LeastSquares && absMax != 0)
    scale =
        searchScale(column, variances, scale, double(getSymmetricLimit(bits)));
  return roundScale(std::max(scale, std::fabs(bias) / (1 << 30)));
}

llvm::Expected<IntegerWeights>
nlq::quantizeWeights(llvm::ArrayRef<double> weights,
                     llvm::ArrayRef<double> bias,
                     const ActivationChannels &channels, unsigned bits,
                     WeightScale how, WeightRounding rounding) {
  const size_t depth = channels.scales.size();
  const size_t columns = weights.size() / depth;
  const int64_t limit = getSymmetricLimit(bits);
  std::vector<double> scaled(weights.size());
  double largest = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    scaled[i] = weights[i] * channels.scales[i / columns];
    largest = std::max(largest, std::fabs(scaled[i]));
  }

  IntegerWeights result;
  std::vector<double> column(depth), variances = channels.variances;
  if (variances.empty())
    variances.assign(depth, 1);
  for (size_t n = 0; n < columns; ++n) {
    for (size_t k = 0; k < depth; ++k)
      column[k] = scaled[k * columns + n];
    result.scales.push_back(chooseScale(
        column, variances, bias.empty() ? 0 : bias[n], bits, largest, how));
  }
  if (rounding == WeightRounding::Feedback && !channels.covariance.empty()) {
    auto rounded =
        roundWithFeedback(scaled, result.scales, channels.covariance, limit);
    if (!rounded)
      return rounded.takeError();
    result.weights = std::move(*rounded);
  } else {
    result.weights.resize(weights.size());
    for (size_t i = 0; i < weights.size(); ++i)
      result.weights[i] = int64_t(
          toInteger(scaled[i], 1 / result.scales[i % columns], double(limit)));
  }

  for (size_t n = 0; n < columns; ++n) {
    double scale = result.scales[n], real = bias.empty() ? 0 : bias[n];
    int64_t sum = 0, magnitudes = 0;
    for (size_t k = 0; k < depth; ++k) {
      int64_t integer = result.weights[k * columns + n];
      sum += integer;
      magnitudes += std::abs(integer);
      if (!channels.means.empty())
        real += channels.means[k] / channels.scales[k] *
                (scaled[k * columns + n] - scale * double(integer));
    }
    int64_t integerBias =
        int64_t(std::nearbyint(real / scale)) - channels.zeroPoint * sum;
    result.bias.push_back(integerBias);
    // A range of nothing is no type.
    result.limit = std::max(result.limit, magnitudes * channels.limit +
                                              std::abs(integerBias));
  }
  if (llvm::all_of(result.bias, [](int64_t value) { return value == 0; }))
    result.bias.clear();
  return result;
}
