//===- ErrorFeedbackTest.cpp - Rounding with error feedback ---------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Quantization/ErrorFeedback.h"
#include "nlq/Quantization/Moments.h"
#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace nlq;

namespace {
/// Rows of channels that move together: a few hidden ones, mixed, and noise.
struct Activations {
  Activations(size_t depth, size_t hidden, size_t count, double noise)
      : depth(depth), count(count) {
    std::normal_distribution<double> normal;
    std::vector<double> mix(depth * hidden);
    for (double &value : mix)
      value = 10 * normal(random);
    for (size_t row = 0; row < count; ++row) {
      std::vector<double> sources(hidden);
      for (double &value : sources)
        value = normal(random);
      for (size_t k = 0; k < depth; ++k) {
        double sum = noise * normal(random);
        for (size_t h = 0; h < hidden; ++h)
          sum += mix[k * hidden + h] * sources[h];
        rows.push_back(sum);
      }
    }
    covariance.resize(depth * depth);
    for (size_t row = 0; row < count; ++row)
      for (size_t i = 0; i < depth; ++i)
        for (size_t j = 0; j < depth; ++j)
          covariance[i * depth + j] +=
              rows[row * depth + i] * rows[row * depth + j] / double(count);
  }

  /// The mean square of sum_k q_k e_k over the rows, by the definition.
  double getError(llvm::ArrayRef<double> weights, double scale,
                  llvm::ArrayRef<int64_t> integers) const {
    double sum = 0;
    for (size_t row = 0; row < count; ++row) {
      double difference = 0;
      for (size_t k = 0; k < depth; ++k)
        difference +=
            rows[row * depth + k] * (weights[k] - scale * double(integers[k]));
      sum += difference * difference;
    }
    return sum / double(count);
  }

  size_t depth, count;
  std::mt19937 random{7};
  std::vector<double> rows, covariance;
};

std::vector<double> drawWeights(size_t count, std::mt19937 &random) {
  std::normal_distribution<double> normal(0, 0.3);
  std::vector<double> weights(count);
  for (double &weight : weights)
    weight = normal(random);
  return weights;
}

std::vector<int64_t> roundRows(llvm::ArrayRef<double> weights,
                               llvm::ArrayRef<double> scales,
                               llvm::ArrayRef<double> covariance,
                               int64_t limit) {
  return llvm::cantFail(roundWithFeedback(weights, scales, covariance, limit));
}

int64_t toNearest(double value, int64_t limit) {
  return std::clamp<int64_t>(std::llrint(value), -limit, limit);
}
} // namespace

/// Channels that are not correlated have nothing to make up for.
TEST(ErrorFeedback, RoundsToNearestWithoutCorrelation) {
  constexpr size_t depth = 70, columns = 3;
  std::mt19937 random(1);
  std::vector<double> weights = drawWeights(depth * columns, random);
  std::vector<double> covariance(depth * depth, 0);
  for (size_t k = 0; k < depth; ++k)
    covariance[k * depth + k] = double(1 + random() % 9);
  std::vector<double> scales = {0.05, 0.02, 0.1};
  std::vector<int64_t> integers = roundRows(weights, scales, covariance, 31);
  for (size_t i = 0; i < weights.size(); ++i)
    EXPECT_EQ(integers[i], toNearest(weights[i] / scales[i % columns], 31));
}

/// Two channels that are nearly the same: the weight that comes second takes
/// back what the first one left, so that their sum is right within one
/// rounding.
TEST(ErrorFeedback, TwinsAddUp) {
  std::vector<double> covariance = {1 + 1e-9, 1, 1, 1};
  for (double first : {0.4, -0.3, 1.45, 2.26})
    for (double second : {0.4, 0.45, -1.38}) {
      std::vector<int64_t> integers =
          roundRows({first, second}, {1.0}, covariance, 7);
      EXPECT_EQ(integers[0], std::llrint(first));
      EXPECT_EQ(integers[1],
                std::llrint(second + first - std::nearbyint(first)));
    }
}

/// Against every choice of rounding up or down, and against the nearest, on the
/// error of results itself. Feedback is greedy, so not always the best.
TEST(ErrorFeedback, ComesNearTheBest) {
  constexpr size_t depth = 10;
  Activations activations(depth, 3, 200, 0.5);
  double nearestSum = 0, feedbackSum = 0, bestSum = 0;
  for (int trial = 0; trial < 20; ++trial) {
    std::vector<double> weights = drawWeights(depth, activations.random);
    constexpr double scale = 0.1;
    std::vector<int64_t> integers =
        roundRows(weights, {scale}, activations.covariance, 127);
    feedbackSum += activations.getError(weights, scale, integers);
    for (size_t k = 0; k < depth; ++k)
      integers[k] = toNearest(weights[k] / scale, 127);
    nearestSum += activations.getError(weights, scale, integers);
    double best = INFINITY;
    for (unsigned choice = 0; choice < 1u << depth; ++choice) {
      for (size_t k = 0; k < depth; ++k)
        integers[k] =
            int64_t(std::floor(weights[k] / scale)) + (choice >> k & 1);
      best = std::min(best, activations.getError(weights, scale, integers));
    }
    bestSum += best;
  }
  EXPECT_LT(feedbackSum, nearestSum / 10);
  EXPECT_LT(bestSum, feedbackSum);
}

/// More rows than a block, and a limit that is reached: the error of what the
/// limit cuts off is made up for as well.
TEST(ErrorFeedback, MakesUpForTheLimit) {
  constexpr size_t depth = 90;
  Activations activations(depth, 8, 400, 1);
  std::vector<double> weights = drawWeights(depth, activations.random);
  weights[11] = 2;
  constexpr double scale = 0.1;
  constexpr int64_t limit = 7;
  std::vector<int64_t> integers =
      roundRows(weights, {scale}, activations.covariance, limit);
  for (int64_t integer : integers)
    EXPECT_LE(std::abs(integer), limit);
  std::vector<int64_t> nearest;
  for (double weight : weights)
    nearest.push_back(toNearest(weight / scale, limit));
  EXPECT_LT(activations.getError(weights, scale, integers),
            activations.getError(weights, scale, nearest) / 10);
}

TEST(ErrorFeedback, IndefiniteCovarianceIsAnError) {
  auto rounded = roundWithFeedback({0.4, 0.3}, {1.0}, {1, 2, 2, 1}, 7);
  ASSERT_FALSE(bool(rounded));
  EXPECT_EQ(llvm::toString(rounded.takeError()),
            "the covariance of its operand is not positive definite");
}

/// Sums by the definition, of rows far from 0 and given piece by piece.
TEST(Moments, SumsOfProducts) {
  constexpr size_t channels = 5, count = 64;
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  std::vector<float> rows(channels * count);
  for (size_t i = 0; i < rows.size(); ++i)
    rows[i] = normal(random) + (i % channels == 2 ? 1000.0f : 0.0f);
  Moments moments, later;
  EXPECT_TRUE(moments.empty());
  llvm::ArrayRef<float> all = rows;
  moments.add(all.take_front(16 * channels), channels);
  moments.add(all.slice(16 * channels, 16 * channels), channels);
  later.add(all.drop_front(32 * channels), channels);
  moments.merge(later);
  ASSERT_EQ(moments.size(), channels);
  for (size_t i = 0; i < channels; ++i)
    for (size_t j = 0; j < channels; ++j) {
      double sum = 0, magnitude = 0;
      for (size_t row = 0; row < count; ++row) {
        double product =
            double(rows[row * channels + i]) * double(rows[row * channels + j]);
        sum += product;
        magnitude += std::fabs(
            double(rows[row * channels + i] - (i == 2 ? 1000.0f : 0.0f)) *
            double(rows[row * channels + j] - (j == 2 ? 1000.0f : 0.0f)));
      }
      EXPECT_NEAR(moments.get(i, j), sum, 1e-5 * magnitude) << i << " " << j;
      EXPECT_EQ(moments.get(i, j), moments.get(j, i));
    }
}
