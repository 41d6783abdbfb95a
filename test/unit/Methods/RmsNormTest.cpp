//===- RmsNormTest.cpp - RMS normalization methods ------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Against the formula in long double, written down once more.

#include "Support.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace nlq;
using namespace nlq::methods;
using namespace nlq::methods::test;

static const char *const kMethods[] = {"ibert", "ivit", "fqvit"};

static Problem rmsProblem(const Quantized &in, int64_t columns) {
  Problem problem;
  problem.operand = problem.narrowed = in;
  problem.result = symmetric(8, 0.03);
  problem.maxRowLength = columns;
  problem.epsilon = 1e-6;
  std::mt19937_64 engine(4);
  std::normal_distribution<double> normal;
  for (int64_t i = 0; i < columns; ++i)
    problem.gamma.push_back((1 + 0.3 * normal(engine)) * (i % 7 == 3 ? -1 : 1));
  return problem;
}

static Reals exactRow(const Problem &problem, const Row &row) {
  long double squares = 0;
  std::vector<long double> x;
  for (size_t i = 0; i < row.size(); ++i) {
    x.push_back((long double)problem.narrowed.dequantize(row[i], i));
    squares += x.back() * x.back();
  }
  long double root = std::sqrt(squares / row.size() + problem.epsilon);
  Reals result;
  for (size_t i = 0; i < row.size(); ++i)
    result.push_back(root == 0 ? 0 : double(x[i] / root * problem.gamma[i]));
  return result;
}

static Rows makeRows(const Quantized &in, int64_t columns) {
  Rows rows = adversarialRows(in, columns);
  for (double sigma : {0.01, 0.3, 2.0})
    for (double mean : {0.0, 0.5})
      for (Row &row : gaussianRows(in, 10, columns, sigma, mean, 6))
        rows.push_back(row);
  return rows;
}

static void expectExact(const char *method, const Problem &problem,
                        const Rows &rows) {
  Outcome outcome = run(method, "rms_norm", problem, rows);
  ASSERT_EQ(outcome.result.size(), rows.size());
  const Quantized &to = problem.result;
  // Results of 8 bits come from elements of 16 (Normalization.h). Otherwise,
  // 2^-17 of a gamma z by the roundings of z and of gamma.
  bool inWords = to.range.hi - to.range.lo <= 255;
  double most = problem.maxRowLength < 1024 ? 0.12 : 0.25;
  double absolute = inWords ? most : 0.005, relative = inWords ? 0 : 1e-5;
  for (size_t r = 0; r < rows.size(); ++r) {
    Reals wanted = exactRow(problem, rows[r]);
    for (size_t i = 0; i < wanted.size(); ++i) {
      ASSERT_NEAR(outcome.own[r][i], wanted[i],
                  absolute * to.scale(i) + relative * std::fabs(wanted[i]))
          << method << " row " << r << " column " << i;
      double steps = wanted[i] / to.scale(i) + double(to.zeroPoints[0]);
      steps = std::clamp(steps, double(to.range.lo), double(to.range.hi));
      ASSERT_NEAR(double(outcome.result[r][i]), steps,
                  0.505 + absolute + relative * std::fabs(steps));
    }
  }
}

TEST(RmsNorm, IsTheRoundedFunction) {
  for (int64_t columns : {2, 17, 64, 768})
    for (unsigned bits : {8u, 16u})
      for (const char *method : kMethods) {
        Quantized in = symmetric(bits, bits == 8 ? 0.03 : 2e-4);
        Problem problem = rmsProblem(in, columns);
        expectExact(method, problem, makeRows(in, columns));
        problem.result = symmetric(16, 0.03 / 256);
        expectExact(method, problem, makeRows(in, columns));
      }
}

TEST(RmsNorm, LongRows) {
  for (int64_t columns : {1024, 4096})
    for (unsigned bits : {8u, 16u}) {
      Quantized in = symmetric(bits, bits == 8 ? 0.03 : 2e-4);
      expectExact("ibert", rmsProblem(in, columns), makeRows(in, columns));
    }
}

/// A zero point moves the row, which layer normalization would not see.
TEST(RmsNorm, ZeroPoints) {
  Quantized in = symmetric(8, 0.03);
  in.range.lo = -128;
  for (int64_t zeroPoint : {-128, 31, 127}) {
    in.zeroPoints = {zeroPoint};
    Problem problem = rmsProblem(in, 64);
    problem.result.zeroPoints = {-20};
    for (const char *method : kMethods)
      expectExact(method, problem, makeRows(in, 64));
  }
}

TEST(RmsNorm, Parameters) {
  Quantized in = symmetric(16, 1e-4);
  Problem problem = rmsProblem(in, 64);
  problem.gamma[0] = 0;
  problem.gamma[1] = 1e-12;
  problem.gamma[2] = -5;
  for (double epsilon : {0.0, 1e-6, 0.01, 10.0}) {
    problem.epsilon = epsilon;
    for (unsigned bits : {8u, 16u}) {
      problem.result = symmetric(bits, bits == 8 ? 0.03 : 2e-4);
      for (const char *method : kMethods)
        expectExact(method, problem, makeRows(in, 64));
    }
  }
}

TEST(RmsNorm, OneScalePerColumn) {
  Quantized in = symmetric(16, 1e-4);
  Problem problem = rmsProblem(in, 64);
  problem.result.scales.clear();
  for (int64_t i = 0; i < 64; ++i)
    problem.result.scales.push_back(0.01 * (1 + double(i % 5)));
  problem.result.zeroPoints.assign(64, 0);
  expectExact("ibert", problem, makeRows(in, 64));
}

TEST(RmsNorm, PowerOfTwoFactors) {
  const int64_t columns = 64;
  Quantized in;
  in.isSigned = false;
  in.range = {0, 255};
  in.scales.clear();
  for (int64_t i = 0; i < columns; ++i)
    in.scales.push_back(0.01 * double(1 << (i * 5 % 4)));
  in.zeroPoints.assign(columns, 117);
  expectExact("fqvit", rmsProblem(in, columns), makeRows(in, columns));
  EXPECT_NE(reason("ibert", "rms_norm", rmsProblem(in, columns))
                .find("one scale per column"),
            std::string::npos);
}

TEST(RmsNorm, LengthOne) {
  Problem problem = rmsProblem(symmetric(16, 1e-3), 1);
  problem.epsilon = 0;
  problem.gamma = {0.75};
  problem.result = symmetric(8, 0.25);
  for (const char *method : kMethods) {
    Outcome outcome = run(method, "rms_norm", problem, {{0}, {32767}, {-1}});
    EXPECT_EQ(outcome.result, (Rows{{0}, {3}, {-3}})) << method;
  }
}

TEST(RmsNorm, Refusals) {
  Problem problem = rmsProblem(symmetric(32, 1e-6), 64);
  for (const char *method : kMethods) {
    EXPECT_NE(reason(method, "rms_norm", problem).find("narrow them"),
              std::string::npos);
    problem.form = Form::Reference;
    EXPECT_NE(
        reason(method, "rms_norm", problem).find("no such implementation"),
        std::string::npos);
    problem.form = Form::Corrected;
  }
  Problem uneven = rmsProblem(symmetric(8, 0.03), 64);
  uneven.gamma.pop_back();
  EXPECT_NE(reason("ibert", "rms_norm", uneven)
                .find("gamma has 63 values for rows of 64"),
            std::string::npos);
}
