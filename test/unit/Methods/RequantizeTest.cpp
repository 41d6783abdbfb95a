//===- RequantizeTest.cpp - A change of quantized type --------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Methods/Requantize.h"
#include "Support.h"
#include "nlq/Kernel/Evaluate.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace nlq;
using namespace nlq::methods;
using namespace nlq::methods::test;

TEST(Requantize, PerColumnAccumulatorToActivation) {
  Quantized in = symmetric(32, 1), out = symmetric(8, 0.05);
  in.scales = {1e-3, 2e-4, 0.31};
  in.zeroPoints = {0, 0, 0};
  out.zeroPoints = {-20};
  auto kernel = buildRequantize(in, out, 3, kernel::Rounding::HalfEven);
  ASSERT_TRUE(bool(kernel)) << llvm::toString(kernel.takeError());
  std::mt19937_64 engine(1);
  for (int i = 0; i < 2000; ++i) {
    Row row;
    for (int64_t c = 0; c < 3; ++c)
      row.push_back(int64_t(engine() % 40001) - 20000);
    llvm::ArrayRef<int64_t> input = row;
    Row got = kernel::evaluateRow(*kernel, {input});
    for (int64_t c = 0; c < 3; ++c) {
      double exact = double(row[c]) * in.scales[c] / 0.05 - 20;
      EXPECT_NEAR(double(got[c]), std::clamp(exact, -127.0, 127.0), 0.5001);
    }
  }
}

TEST(Requantize, Refusals) {
  auto reasonFor = [](const Quantized &in, const Quantized &out) {
    auto kernel = buildRequantize(in, out, 2, kernel::Rounding::HalfUp);
    return kernel ? "" : llvm::toString(kernel.takeError());
  };
  Quantized good = symmetric(8, 0.1), bad = good;
  EXPECT_EQ(reasonFor(good, good), "");
  bad.scales = {0};
  EXPECT_NE(reasonFor(bad, good).find("scale 0"), std::string::npos);
  bad.scales = {NAN};
  EXPECT_NE(reasonFor(good, bad).find("positive finite"), std::string::npos);
  bad.scales = {0.1, 0.1, 0.1};
  EXPECT_NE(reasonFor(bad, good).find("3 scales for rows of 2"),
            std::string::npos);
  bad = good;
  bad.range.hi = 200;
  EXPECT_NE(reasonFor(bad, good).find("[-127, 200]"), std::string::npos);
  bad = good;
  bad.scales = {0.1, 0.1};
  bad.zeroPoints = {0, 3};
  EXPECT_EQ(reasonFor(bad, good), "");
  EXPECT_NE(reasonFor(good, bad).find("zero points 0 and 3"),
            std::string::npos);
}
