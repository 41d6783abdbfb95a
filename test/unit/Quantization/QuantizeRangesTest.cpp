//===- QuantizeRangesTest.cpp - Ranges and types of activations -----------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Quantization/QuantizeRanges.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace mlir;
using namespace nlq;

namespace {
class QuantizeRanges : public testing::Test {
protected:
  QuantizeRanges() { context.loadDialect<quant::QuantDialect>(); }

  /// Four channels, the last one with large values, of 4000 rows.
  static std::vector<float> drawRows() {
    std::mt19937 random(5);
    std::normal_distribution<float> normal(0, 1);
    std::vector<float> values;
    for (int row = 0; row < 4000; ++row)
      for (float scale : {1.0f, 0.25f, 0.01f, 16.0f})
        values.push_back(scale * normal(random) + 0.1f * scale);
    return values;
  }

  static ValueProfile makeProfile(ArrayRef<float> values) {
    ValueProfile profile;
    profile.shape = {int64_t(values.size()) / 4, 4};
    profile.min = *llvm::min_element(values);
    profile.max = *llvm::max_element(values);
    profile.histogram.add(values);
    profile.channels.add(values, 4);
    return profile;
  }

  MLIRContext context;
};
} // namespace

TEST_F(QuantizeRanges, ExtremesHoldEverythingAndZero) {
  ValueProfile positive = makeProfile({1, 2, 3, 4});
  RealRange range = chooseRange(positive, 8, {});
  EXPECT_EQ(range.lo, 0);
  EXPECT_EQ(range.hi, 4);
}

TEST_F(QuantizeRanges, PercentileCutsAsManyAsItSays) {
  std::vector<float> values = drawRows();
  ValueProfile profile = makeProfile(values);
  RangeOptions options;
  options.choice = RangeChoice::Percentile;
  for (double percentile : {99.9, 99.0, 90.0}) {
    options.percentile = percentile;
    RealRange range = chooseRange(profile, 8, options);
    double below =
        llvm::count_if(values, [&](float x) { return x < range.lo; });
    double above =
        llvm::count_if(values, [&](float x) { return x > range.hi; });
    double spared = double(values.size()) * (100 - percentile) / 200;
    EXPECT_LE(below, spared);
    EXPECT_LE(above, spared);
    // A bin is 1/1024 of the histogram's limit.
    EXPECT_GT(below, 0.8 * spared - 1);
    EXPECT_GT(above, 0.8 * spared - 1);
  }
}

/// The error by quantizing the values themselves, not their histogram.
static double getError(ArrayRef<float> values, RealRange range, unsigned bits) {
  double step = (range.hi - range.lo) / double((1 << bits) - 1), error = 0;
  for (float value : values) {
    double clamped = std::clamp(double(value), range.lo, range.hi);
    double y = step * std::round(clamped / step);
    error += std::pow(value - y, 2);
  }
  return error;
}

TEST_F(QuantizeRanges, LeastSquaresClipsWhereItPays) {
  std::vector<float> values = drawRows();
  ValueProfile profile = makeProfile(values);
  RangeOptions options;
  options.choice = RangeChoice::LeastSquares;
  RealRange range = chooseRange(profile, 4, options);
  RealRange whole = chooseRange(profile, 4, {});
  EXPECT_LT(getError(values, range, 4), getError(values, whole, 4));
  for (double factor : {0.7, 0.8, 1.25, 1.4})
    EXPECT_LT(getError(values, range, 4),
              1.02 *
                  getError(values, {range.lo * factor, range.hi * factor}, 4));
}

/// Every value has its place, within half a step of its channel.
TEST_F(QuantizeRanges, TypesCoverTheirChannels) {
  std::vector<float> values = drawRows();
  ValueProfile profile = makeProfile(values);
  for (unsigned bits : {8u, 6u})
    for (bool isAsymmetric : {false, true})
      for (double exponent : {0.0, 0.5, 1.0}) {
        std::vector<double> factors = getChannelFactors(profile, exponent);
        EXPECT_EQ(factors.empty(), exponent == 0);
        quant::QuantizedType type = getActivationType(
            &context, bits, profile, factors, isAsymmetric, 2, {});
        EXPECT_EQ(type.getStorageTypeMax(), (1 << (bits - 1)) - 1);
        auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(type);
        EXPECT_EQ(bool(perAxis), exponent != 0);
        for (auto [index, value] : llvm::enumerate(values)) {
          size_t channel = index % 4;
          double scale =
              perAxis ? perAxis.getScales()[channel]
                      : cast<quant::UniformQuantizedType>(type).getScale();
          int64_t zero =
              perAxis ? perAxis.getZeroPoints()[channel]
                      : cast<quant::UniformQuantizedType>(type).getZeroPoint();
          EXPECT_TRUE(isAsymmetric || zero == 0);
          double q = std::clamp(std::round(value / scale) + double(zero),
                                double(type.getStorageTypeMin()),
                                double(type.getStorageTypeMax()));
          ASSERT_NEAR((q - double(zero)) * scale, value, 1.001 * scale)
              << bits << " " << isAsymmetric << " " << exponent;
        }
      }
}

TEST_F(QuantizeRanges, FactorsFollowMagnitudes) {
  ValueProfile profile = makeProfile({4, -1, 0.25f, 0.0001f});
  std::vector<double> factors = getChannelFactors(profile, 0.5);
  EXPECT_EQ(factors, (std::vector<double>{1, 0.5, 0.25, 0.005}));
  EXPECT_EQ(getChannelFactors(profile, 1)[3], 0x1p-8) << "the least factor";
  profile.channels = ChannelProfile();
  EXPECT_TRUE(getChannelFactors(profile, 0.5).empty());
}

TEST_F(QuantizeRanges, Words) {
  for (auto choice : {RangeChoice::Extremes, RangeChoice::Percentile,
                      RangeChoice::LeastSquares})
    EXPECT_EQ(llvm::cantFail(parseRangeChoice(stringify(choice))), choice);
}
