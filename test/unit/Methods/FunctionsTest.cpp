//===- FunctionsTest.cpp - The exact functions ----------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Expected values by hand, and of the normal distribution from tables of 16
// digits.

#include "nlq/Methods/Functions.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace nlq::methods;

static std::vector<double> apply(llvm::StringRef name, const Problem &problem,
                                 const std::vector<double> &in) {
  std::vector<double> out(in.size());
  lookupFunction(name)->evaluate(in, problem, out);
  return out;
}

TEST(Functions, Names) {
  for (llvm::StringRef name : {"softmax", "gelu", "silu", "sigmoid", "tanh",
                               "exp", "layer_norm", "rms_norm"})
    EXPECT_NE(lookupFunction(name), nullptr) << name.str();
  for (const Function &function : allFunctions())
    EXPECT_EQ(lookupFunction(function.name), &function);
  EXPECT_EQ(lookupFunction("cosine"), nullptr);
}

TEST(Functions, Softmax) {
  std::vector<double> p = apply("softmax", Problem(),
                                {std::log(1.0), std::log(2.0), std::log(5.0)});
  EXPECT_NEAR(p[0], 0.125, 1e-15);
  EXPECT_NEAR(p[1], 0.25, 1e-15);
  EXPECT_NEAR(p[2], 0.625, 1e-15);
  // No overflow far from 0.
  p = apply("softmax", Problem(), {1000, 1000});
  EXPECT_EQ(p[0], 0.5);
  EXPECT_EQ(apply("softmax", Problem(), {-3})[0], 1);
}

TEST(Functions, Gelu) {
  Problem problem;
  std::vector<double> y = apply("gelu", problem, {-10, -1, 0, 1, 3});
  EXPECT_NEAR(y[0] / -7.61985302416052606e-23, 1, 1e-12);
  EXPECT_NEAR(y[1], -0.15865525393145705, 1e-15);
  EXPECT_EQ(y[2], 0);
  EXPECT_NEAR(y[3], 0.84134474606854295, 1e-15);
  EXPECT_NEAR(y[4], 2.9959503059051097, 1e-14);
  problem.gelu = GeluKind::Tanh;
  y = apply("gelu", problem, {-1, 0, 1});
  EXPECT_NEAR(y[0], -0.15880800939172323, 1e-14);
  EXPECT_EQ(y[1], 0);
  EXPECT_NEAR(y[2], 0.84119199060827677, 1e-14);
}

TEST(Functions, GeluKindsAreClose) {
  std::vector<double> x;
  for (int i = -800; i <= 800; ++i)
    x.push_back(i / 100.0);
  Problem erf, tanh;
  tanh.gelu = GeluKind::Tanh;
  std::vector<double> a = apply("gelu", erf, x), b = apply("gelu", tanh, x);
  for (size_t i = 0; i < x.size(); ++i)
    EXPECT_LT(std::fabs(a[i] - b[i]), 5e-4);
}

TEST(Functions, Logistic) {
  // sigmoid(ln 3) = 3/4.
  const double ln3 = 1.0986122886681098;
  std::vector<double> x = {-1000, -ln3, 0, ln3, 1000};
  std::vector<double> y = apply("sigmoid", Problem(), x);
  EXPECT_EQ(y[0], 0);
  EXPECT_NEAR(y[1], 0.25, 1e-15);
  EXPECT_EQ(y[2], 0.5);
  EXPECT_NEAR(y[3], 0.75, 1e-15);
  EXPECT_EQ(y[4], 1);
  y = apply("silu", Problem(), x);
  EXPECT_EQ(y[0], 0);
  EXPECT_NEAR(y[1], -0.25 * ln3, 1e-15);
  EXPECT_EQ(y[2], 0);
  EXPECT_NEAR(y[3], 0.75 * ln3, 1e-15);
  EXPECT_EQ(y[4], 1000);
  // tanh(ln 3) = (9 - 1) / (9 + 1).
  y = apply("tanh", Problem(), x);
  EXPECT_NEAR(y[1], -0.8, 1e-15);
  EXPECT_NEAR(y[3], 0.8, 1e-15);
  y = apply("exp", Problem(), x);
  EXPECT_EQ(y[0], 0);
  EXPECT_NEAR(y[1], 1 / 3.0, 1e-15);
  EXPECT_EQ(y[2], 1);
  EXPECT_NEAR(y[3], 3, 1e-14);
}

/// What the table of functions says of them, on which tables are built.
TEST(Functions, Symmetries) {
  std::vector<double> x, mirrored;
  for (int i = 0; i <= 1200; ++i) {
    x.push_back(i / 100.0);
    mirrored.push_back(-x.back());
  }
  size_t elementwise = 0;
  for (const Function &function : allFunctions()) {
    if (!function.isElementwise())
      continue;
    ++elementwise;
    std::vector<double> a = apply(function.name, Problem(), x);
    std::vector<double> b = apply(function.name, Problem(), mirrored);
    for (size_t i = 0; i < x.size(); ++i) {
      double tolerance = 1e-13;
      if (function.symmetry == Symmetry::Ramp)
        EXPECT_NEAR(a[i], b[i] + x[i], tolerance) << function.name.str();
      if (function.symmetry == Symmetry::Point)
        EXPECT_NEAR(a[i], 2 * a[0] - b[i], tolerance) << function.name.str();
    }
    // Constant far below.
    EXPECT_EQ(apply(function.name, Problem(), {-1e3}),
              apply(function.name, Problem(), {-1e6}))
        << function.name.str();
  }
  EXPECT_EQ(elementwise, 5u);
}

TEST(Functions, LayerNorm) {
  Problem problem;
  problem.gamma = {1, -2, 0.5, 1};
  problem.beta = {0, 1, 0, -1};
  // Mean 2.5, variance 1.25.
  std::vector<double> y = apply("layer_norm", problem, {1, 2, 3, 4});
  EXPECT_NEAR(y[0], -1.5 / std::sqrt(1.25), 1e-15);
  EXPECT_NEAR(y[1], 1 / std::sqrt(1.25) + 1, 1e-15);
  EXPECT_NEAR(y[2], 0.25 / std::sqrt(1.25), 1e-15);
  EXPECT_NEAR(y[3], 1.5 / std::sqrt(1.25) - 1, 1e-15);
  problem.epsilon = 1;
  y = apply("layer_norm", problem, {1, 2, 3, 4});
  EXPECT_NEAR(y[0], -1.0, 1e-15); // 1.5 / sqrt(1.25 + 1)
  problem.epsilon = 0;
  EXPECT_EQ(apply("layer_norm", problem, {7, 7, 7, 7}), problem.beta);
}

TEST(Functions, RmsNorm) {
  Problem problem;
  problem.gamma = {1, -2, 0.5, 1};
  // The mean of squares is 7.5.
  std::vector<double> y = apply("rms_norm", problem, {1, 2, 3, 4});
  EXPECT_NEAR(y[0], 1 / std::sqrt(7.5), 1e-15);
  EXPECT_NEAR(y[1], -4 / std::sqrt(7.5), 1e-15);
  EXPECT_NEAR(y[2], 1.5 / std::sqrt(7.5), 1e-15);
  problem.epsilon = 1.5;
  y = apply("rms_norm", problem, {1, 2, 3, 4});
  EXPECT_NEAR(y[3], 4.0 / 3, 1e-15);
  problem.epsilon = 0;
  EXPECT_EQ(apply("rms_norm", problem, {0, 0, 0, 0}),
            (std::vector<double>{0, 0, 0, 0}));
}
