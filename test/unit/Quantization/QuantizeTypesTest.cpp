//===- QuantizeTypesTest.cpp - Scales and narrowed types
//-------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Quantization/QuantizeTypes.h"
#include "mlir/AsmParser/AsmParser.h"
#include "nlq/Quantization/QuantizeCandidates.h"
#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace mlir;
using namespace nlq;

namespace {
class QuantizeTypes : public testing::Test {
protected:
  QuantizeTypes() { context.loadDialect<quant::QuantDialect>(); }

  /// `type` after printing and parsing.
  Type reparse(Type type) {
    std::string text;
    llvm::raw_string_ostream(text) << type;
    return parseType(text, &context);
  }
  MLIRContext context;
};
} // namespace

TEST_F(QuantizeTypes, ScalesPrintExactly) {
  std::mt19937_64 random(5);
  for (int trial = 0; trial < 2000; ++trial) {
    double absMax = std::ldexp(1 + double(random() >> 11) * 0x1p-53,
                               int(random() % 40) - 20);
    Type type = getResidualType(&context, 16, absMax);
    ASSERT_EQ(reparse(type), type) << absMax;
    type = scaleType(cast<quant::QuantizedType>(type), absMax);
    ASSERT_EQ(reparse(type), type) << absMax;
    EXPECT_NEAR(roundScale(absMax) / absMax, 1, 5e-6);
  }
  EXPECT_EQ(reparse(getProbabilityType(&context, 16)),
            getProbabilityType(&context, 16));
}

TEST_F(QuantizeTypes, Widths) {
  auto activation = getActivationType(&context, 6, 3.1);
  EXPECT_EQ(activation.getStorageTypeIntegralWidth(), 8u);
  EXPECT_EQ(activation.getStorageTypeMin(), -31);
  EXPECT_EQ(activation.getStorageTypeMax(), 31);
  EXPECT_DOUBLE_EQ(activation.getScale(), 0.1);
  EXPECT_EQ(getResidualType(&context, 16, 1).getStorageTypeMin(), -32768);
  EXPECT_EQ(getResidualType(&context, 12, 1).getStorageTypeMin(), -2047);
  EXPECT_EQ(getActivationType(&context, 8, 0).getScale(), 1);
}

/// Columns of 1, 2, 4 and 8 times the same numbers, the largest of which fills
/// the range at its factor.
TEST_F(QuantizeTypes, PowerOfTwoFactors) {
  ValueProfile input;
  input.shape = {64, 4};
  Array array(ElementKind::F32, input.shape);
  std::mt19937 random(3);
  for (int64_t row = 0; row < 64; ++row)
    for (int column = 0; column < 4; ++column)
      array.as<float>()[row * 4 + column] =
          std::ldexp(float(int(random() % 2001) - 1000) / 1000, column);
  array.as<float>()[3] = 8;
  array.as<float>()[7] = -8;
  input.min = -8;
  input.max = 8;
  methods::Candidate candidate{methods::Profile::Seed,
                               methods::Narrowing::PowerOfTwoFactors, 8, 8};

  auto columnsOf = [&](const ValueProfile &profile) {
    return cast<quant::UniformQuantizedPerAxisType>(
        getNarrowedType(&context, candidate, profile, 8, /*rank=*/2,
                        /*columns=*/4));
  };
  input.kept.push_back(array);
  auto type = columnsOf(input);
  EXPECT_FALSE(type.isSigned());
  EXPECT_EQ(type.getStorageTypeMin(), 0);
  EXPECT_EQ(type.getStorageTypeMax(), 255);
  EXPECT_EQ(type.getQuantizedDimension(), 1);
  for (int column = 0; column < 4; ++column) {
    EXPECT_EQ(type.getScales()[column], std::ldexp(type.getScales()[0], column))
        << "powers of two to the last bit";
    EXPECT_EQ(type.getZeroPoints()[column], 128);
  }
  EXPECT_NEAR(type.getScales()[3], 16.0 / 255, 5e-6);
  EXPECT_EQ(reparse(type), Type(type));

  // Nothing to choose by.
  input.kept.clear();
  type = columnsOf(input);
  for (double scale : type.getScales())
    EXPECT_NEAR(scale, 16.0 / 255, 5e-6);
}

TEST_F(QuantizeTypes, Groups) {
  auto groups = parseCandidateGroups("standalone, seed");
  ASSERT_TRUE(bool(groups));
  EXPECT_EQ(groups->size(), 2u);
  EXPECT_EQ((*groups)[0], CandidateGroup::Seed);
  groups = parseCandidateGroups("all");
  ASSERT_TRUE(bool(groups));
  EXPECT_EQ(groups->size(), 4u);
  EXPECT_EQ(
      llvm::toString(parseCandidateGroups("seed,").takeError()),
      "candidates must be seed, standalone, extra, other or all, or several of "
      "them separated by commas, found ''");
}
