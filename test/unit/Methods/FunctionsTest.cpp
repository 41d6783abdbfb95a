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
  for (llvm::StringRef name : {"softmax", "gelu", "layer_norm"})
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
