//===- IndexSoftmaxTest.cpp - Softmax by 32 exponentials ------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Support.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <cmath>

using namespace nlq;
using namespace nlq::methods;
using namespace nlq::methods::test;

/// The published arithmetic (arXiv 2511.21513) once more, in doubles, whose
/// quotients of such integers are exact as far as rounding can tell.
static Row publishedSoftmax(const Row &row, double s) {
  double reach = std::trunc(6.6 / s);
  double largest = double(*std::max_element(row.begin(), row.end()));
  std::vector<double> e;
  double sum = 0;
  for (int64_t q : row) {
    double index =
        std::trunc(std::min(largest - double(q), reach) * 31 / reach);
    e.push_back(
        index == 31 ? 0 : std::nearbyint(std::exp(index * -6.6 / 31) * 255));
    sum += e.back();
  }
  Row p;
  for (double each : e)
    p.push_back(int64_t(std::nearbyint(each * 255 / sum)));
  return p;
}

TEST(IndexSoftmax, ReferenceIsPublished) {
  for (unsigned bits : {4u, 8u, 16u, 24u})
    for (double s : {1e-6, 3e-4, 0.0087, 0.033, 0.13, 0.7, 3.3, 6.6})
      for (int64_t length : {1, 2, 17, 197, 1500}) {
        SCOPED_TRACE("bits=" + std::to_string(bits) + " s=" +
                     std::to_string(s) + " length=" + std::to_string(length));
        Quantized in = symmetric(bits, s);
        Rows rows = adversarialRows(in, length);
        for (double sigma : {0.3, 2.0, 8.0})
          for (Row &row : gaussianRows(in, 4, length, sigma, 0.5, 7))
            rows.push_back(row);
        Outcome outcome =
            run("indexsoftmax", "softmax",
                softmaxProblem(in, length, 8, Form::Reference), rows);
        ASSERT_EQ(outcome.grid.size(), rows.size());
        for (size_t i = 0; i < rows.size(); ++i)
          ASSERT_EQ(outcome.grid[i], publishedSoftmax(rows[i], s));
      }
}

/// dB that an independent emulation gave of the published form on Gaussian
/// logits; the corrected form is no worse.
TEST(IndexSoftmax, Accuracy) {
  struct {
    double sigma;
    int64_t length;
    double expected;
  } const settings[] = {{1, 197, 15.8},
                        {2, 197, 23.1},
                        {4, 197, 25.5},
                        {2, 49, 24.3},
                        {6, 1024, 27.1}};
  for (const auto &setting : settings) {
    Quantized in = symmetric(8, 4.2 * setting.sigma / 127);
    Rows rows = gaussianRows(in, 60, setting.length, setting.sigma, 0, 1);
    auto measure = [&](Form form, unsigned outBits) {
      Problem problem = softmaxProblem(in, setting.length, outBits, form);
      problem.result = symmetric(32, 0x1p-20);
      return sqnr(exact("softmax", problem, in, rows),
                  run("indexsoftmax", "softmax", problem, rows).own);
    };
    double published = measure(Form::Reference, 8);
    // Samples of this size differ by that much.
    EXPECT_NEAR(published, setting.expected, 3) << setting.sigma;
    EXPECT_GT(measure(Form::Corrected, 8), published) << setting.sigma;
    EXPECT_GT(measure(Form::Corrected, 16), published) << setting.sigma;
  }
}

/// An exponential is that of the nearest of 31 distances, and 0 beyond them.
TEST(IndexSoftmax, CorrectedTakesTheNearest) {
  Quantized in = symmetric(16, 0.001);
  Problem problem = softmaxProblem(in, 2, 16, Form::Corrected);
  for (int64_t d = 0; d < 8000; d += 7) {
    Outcome outcome = run("indexsoftmax", "softmax", problem, {{0, -d}});
    ASSERT_EQ(outcome.result.size(), 1u);
    double index = 0.001 * double(d) * 31 / 6.6;
    if (std::fabs(index - std::floor(index) - 0.5) < 0.002)
      continue; // either
    double e = index > 30.5 ? 0 : std::exp(-6.6 / 31 * std::nearbyint(index));
    ASSERT_NEAR(double(outcome.result[0][1]), e / (1 + e) * 0x1p15, 3) << d;
  }
}

TEST(IndexSoftmax, Refusals) {
  auto at = [](double s, Form form) {
    return softmaxProblem(symmetric(8, s), 197, 8, form);
  };
  EXPECT_NE(reason("indexsoftmax", "softmax", at(6.7, Form::Reference))
                .find("the reach trunc(6.6/scale) is 0"),
            std::string::npos);
  EXPECT_EQ(reason("indexsoftmax", "softmax", at(6.7, Form::Corrected)), "");
  EXPECT_NE(reason("indexsoftmax", "softmax", at(1e-16, Form::Reference))
                .find("exceeds 2^52"),
            std::string::npos);
}
