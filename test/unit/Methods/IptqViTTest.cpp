//===- IptqViTTest.cpp - GELU by a fourth-order polynomial ----------------===//
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

/// The published polynomial (arXiv 2511.15369) in real numbers.
static long double polynomialGelu(long double x) {
  long double u = std::fabs(x) / std::sqrt(2.0L);
  long double t = std::min(u, 2.698088L) - 2.698088L;
  long double erf = -0.019913L * t * t * t * t + 1;
  return x / 2 * (1 + (x < 0 ? -erf : erf));
}

static Problem makeProblem(const Quantized &in) {
  Problem problem;
  problem.operand = problem.narrowed = in;
  problem.result = symmetric(24, 0x1p-22);
  return problem;
}

static Row everyValue(const Quantized &type) {
  Row row;
  for (int64_t q = type.range.lo; q <= type.range.hi; ++q)
    row.push_back(q);
  return row;
}

/// The integers are the polynomial, and that is as near to GELU as the paper
/// says (0.0093 on [-4, 4]).
TEST(IptqViT, IsThePublishedPolynomial) {
  long double worst = 0;
  for (int i = -4000; i <= 4000; ++i) {
    long double x = i / 1000.0L;
    worst = std::max(worst, std::fabs(polynomialGelu(x) -
                                      x / 2 * std::erfc(-x / std::sqrt(2.0L))));
  }
  EXPECT_NEAR(double(worst), 0.0093, 5e-5);
  for (unsigned bits : {4u, 8u, 12u, 16u})
    for (double reach : {0.4, 3.0, 8.0, 60.0})
      for (int64_t zeroPoint : {0, -3}) {
        Quantized in =
            symmetric(bits, reach / double((int64_t(1) << (bits - 1)) - 1));
        in.zeroPoints = {zeroPoint};
        in.range.hi += zeroPoint; // 16 bits around it
        Row row = everyValue(in);
        Problem problem = makeProblem(in);
        problem.maxRowLength = int64_t(row.size());
        Outcome outcome = run("iptqvit", "gelu", problem, {row});
        ASSERT_EQ(outcome.own.size(), 1u);
        for (size_t i = 0; i < row.size(); ++i) {
          double x = in.dequantize(row[i]);
          // Steps of 2^-14 of x, the squares' of 15 bits, and b in whole steps,
          // at least 512: 4 a b^4 / 2 times half a step. Operands of finer
          // steps than 3.82 / 2^15 are requantized to that.
          double steps =
              std::max(2.698088 * std::sqrt(2.0) / in.scales[0], 512.0);
          ASSERT_NEAR(outcome.own[0][i], double(polynomialGelu(x)),
                      4e-5 + std::fabs(x) * (2e-4 + 1.1 / steps))
              << bits << " bits to " << reach << ": " << row[i];
        }
      }
}

/// Twice as near as i-GELU on what a ViT feeds it: 16 bits, N(-0.5, 1.5).
TEST(IptqViT, IsNearerThanSecondOrder) {
  Quantized in = symmetric(16, 8.0 / 32767);
  Rows rows = gaussianRows(in, 4, 1536, 1.5, -0.5, 9);
  Problem problem = makeProblem(in);
  problem.maxRowLength = 1536;
  std::vector<Reals> wanted = exact("gelu", problem, in, rows);
  double fourth = sqnr(wanted, run("iptqvit", "gelu", problem, rows).own);
  double second = sqnr(wanted, run("ibert", "gelu", problem, rows).own);
  EXPECT_GT(fourth, second + 4);
}

/// Accumulators, with a scale for each column.
TEST(IptqViT, AccumulatorsPerColumn) {
  const int64_t columns = 64;
  Quantized in = symmetric(32, 1);
  in.range = {-200000, 200000};
  in.scales.clear();
  for (int64_t i = 0; i < columns; ++i)
    in.scales.push_back(1e-5 * double(1 + i % 7));
  in.zeroPoints.assign(columns, 0);
  Rows rows = gaussianRows(in, 20, columns, 1.0, -0.2, 2);
  Problem problem = makeProblem(in);
  problem.maxRowLength = columns;
  problem.result = symmetric(8, 2.0 / 127);
  Outcome outcome = run("iptqvit", "gelu", problem, rows);
  ASSERT_EQ(outcome.result.size(), rows.size());
  for (size_t r = 0; r < rows.size(); ++r)
    for (int64_t i = 0; i < columns; ++i) {
      double x = in.dequantize(rows[r][i], i);
      double steps =
          std::clamp(double(polynomialGelu(x)) * 127 / 2.0, -127.0, 127.0);
      ASSERT_NEAR(double(outcome.result[r][i]), steps, 0.55) << x;
    }
}
