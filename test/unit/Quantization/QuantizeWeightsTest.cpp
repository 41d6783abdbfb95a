//===- QuantizeWeightsTest.cpp - Integer weights --------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Quantization/QuantizeWeights.h"
#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace nlq;

namespace {
constexpr size_t kDepth = 24, kColumns = 5;

class QuantizeWeights : public testing::Test {
protected:
  QuantizeWeights() {
    std::normal_distribution<double> normal(0, 0.3);
    for (size_t i = 0; i < kDepth * kColumns; ++i)
      weights.push_back(normal(random));
    for (size_t n = 0; n < kColumns; ++n)
      bias.push_back(normal(random));
    channels.zeroPoint = -37;
    channels.limit = 128;
    for (size_t k = 0; k < kDepth; ++k) {
      channels.scales.push_back(std::exp(normal(random)) * 0.05);
      means.push_back(normal(random));
      channels.variances.push_back(std::exp(4 * normal(random)));
    }
  }

  static IntegerWeights quantize(llvm::ArrayRef<double> weights,
                                 llvm::ArrayRef<double> bias,
                                 const ActivationChannels &channels,
                                 unsigned bits, WeightScale how) {
    return llvm::cantFail(quantizeWeights(weights, bias, channels, bits, how,
                                          WeightRounding::Nearest));
  }

  /// sum_k m_k (E - t Q)^2 of a column.
  double getError(const IntegerWeights &integers, size_t n) const {
    double sum = 0;
    for (size_t k = 0; k < kDepth; ++k)
      sum += channels.variances[k] *
             std::pow(weights[k * kColumns + n] * channels.scales[k] -
                          integers.scales[n] *
                              double(integers.weights[k * kColumns + n]),
                      2);
    return sum;
  }

  std::mt19937 random{3};
  std::vector<double> weights, bias, means;
  ActivationChannels channels;
};
} // namespace

/// The integers stand for y = sum s_k (q_k - z) W + b within half a step of the
/// weights for each term.
TEST_F(QuantizeWeights, AccumulatorIsTheProduct) {
  for (auto how : {WeightScale::Extremes, WeightScale::LeastSquares}) {
    IntegerWeights integers = quantize(weights, bias, channels, 8, how);
    ASSERT_EQ(integers.bias.size(), kColumns);
    for (int trial = 0; trial < 50; ++trial) {
      std::vector<int64_t> q(kDepth);
      for (int64_t &value : q)
        value = int64_t(random() % 256) - 128;
      for (size_t n = 0; n < kColumns; ++n) {
        double real = bias[n], room = integers.scales[n];
        int64_t accumulator = integers.bias[n];
        for (size_t k = 0; k < kDepth; ++k) {
          double x = channels.scales[k] * double(q[k] - channels.zeroPoint);
          real += x * weights[k * kColumns + n];
          accumulator += q[k] * integers.weights[k * kColumns + n];
          room += std::fabs(double(q[k] - channels.zeroPoint)) *
                  std::fabs(weights[k * kColumns + n] * channels.scales[k] -
                            integers.scales[n] *
                                double(integers.weights[k * kColumns + n]));
        }
        EXPECT_NEAR(integers.scales[n] * double(accumulator), real, room);
        EXPECT_LE(std::abs(accumulator), integers.limit);
      }
    }
  }
}

/// Against an exhaustive search over a finer grid of scales.
TEST_F(QuantizeWeights, LeastSquaresIsNearlyTheBest) {
  for (unsigned bits : {8u, 6u, 4u}) {
    IntegerWeights plain =
        quantize(weights, bias, channels, bits, WeightScale::Extremes);
    IntegerWeights best =
        quantize(weights, bias, channels, bits, WeightScale::LeastSquares);
    double limit = double((1 << (bits - 1)) - 1);
    for (size_t n = 0; n < kColumns; ++n) {
      EXPECT_LE(getError(best, n), getError(plain, n) * (1 + 1e-4));
      double least = INFINITY;
      for (int step = 500; step <= 1000; ++step) {
        double scale = plain.scales[n] * step / 1000, error = 0;
        for (size_t k = 0; k < kDepth; ++k) {
          double value = weights[k * kColumns + n] * channels.scales[k];
          double q = std::clamp(std::round(value / scale), -limit, limit);
          error += channels.variances[k] * std::pow(value - scale * q, 2);
        }
        least = std::min(least, error);
      }
      // Scales are tried in steps of 1 %, a step of the largest 8-bit integer.
      EXPECT_LE(getError(best, n), (bits == 8 ? 2 : 1.25) * least) << bits;
    }
  }
}

/// The mean activation has the mean result, whatever rounding did to the
/// weights.
TEST_F(QuantizeWeights, BiasCorrectionKeepsTheMean) {
  channels.means = means;
  IntegerWeights integers =
      quantize(weights, bias, channels, 4, WeightScale::Extremes);
  for (size_t n = 0; n < kColumns; ++n) {
    double wanted = bias[n];
    double found = integers.scales[n] * double(integers.bias[n]);
    for (size_t k = 0; k < kDepth; ++k) {
      wanted += means[k] * weights[k * kColumns + n];
      double q = means[k] / channels.scales[k] + double(channels.zeroPoint);
      found +=
          integers.scales[n] * q * double(integers.weights[k * kColumns + n]);
    }
    EXPECT_NEAR(found, wanted, integers.scales[n] * 0.501);
  }
}

TEST_F(QuantizeWeights, NothingToAdd) {
  channels.zeroPoint = 0;
  EXPECT_TRUE(quantize(weights, {}, channels, 8, WeightScale::LeastSquares)
                  .bias.empty());
  std::vector<double> zeros(kDepth * kColumns, 0.0);
  IntegerWeights none =
      quantize(zeros, {}, channels, 8, WeightScale::LeastSquares);
  EXPECT_EQ(none.limit, 1);
  EXPECT_GT(none.scales[0], 0);
}

TEST_F(QuantizeWeights, LargeBiasLeavesRoom) {
  bias.assign(kColumns, 1e9);
  IntegerWeights integers =
      quantize(weights, bias, channels, 8, WeightScale::LeastSquares);
  for (int64_t value : integers.bias)
    EXPECT_LE(value, (int64_t(1) << 30) + (1 << 20));
}
