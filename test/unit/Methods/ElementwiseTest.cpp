//===- ElementwiseTest.cpp - Functions without parameters -----------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Every value of 8-bit and of wider inputs, against the functions in long
// double, written down once more.

#include "Support.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace nlq;
using namespace nlq::methods;
using namespace nlq::methods::test;

namespace {
struct Case {
  const char *function;
  long double (*exact)(long double x);
  /// Of the result for inputs in [-reach, reach].
  double (*largest)(double reach);
};
const Case kCases[] = {
    {"silu", [](long double x) { return x / 2 * (1 + std::tanh(x / 2)); },
     [](double reach) { return reach; }},
    {"sigmoid", [](long double x) { return (1 + std::tanh(x / 2)) / 2; },
     [](double) { return 1.0; }},
    {"tanh",
     [](long double x) { return std::expm1(2 * x) / (std::expm1(2 * x) + 2); },
     [](double) { return 1.0; }},
    {"exp", [](long double x) { return std::exp2(x / std::log(2.0L)); },
     [](double reach) { return std::min(std::exp(reach), 50.0); }},
};

Problem makeProblem(const Quantized &in, const Quantized &result,
                    int64_t columns) {
  Problem problem;
  problem.operand = problem.narrowed = in;
  problem.result = result;
  problem.maxRowLength = columns;
  return problem;
}

/// All values of a type.
Row everyValue(const Quantized &type) {
  Row row;
  for (int64_t q = type.range.lo; q <= type.range.hi; ++q)
    row.push_back(q);
  return row;
}
} // namespace

TEST(Elementwise, TableIsTheRoundedFunction) {
  for (const Case &c : kCases)
    for (double scale : {0.004, 0.03, 0.08, 0.5})
      for (int64_t zeroPoint : {-128, 0, 40, 127})
        for (int64_t resultZero : {-128, 3}) {
          SCOPED_TRACE(std::string(c.function) + " scale " +
                       std::to_string(scale));
          Quantized in = symmetric(8, scale);
          in.range.lo = -128;
          in.zeroPoints = {zeroPoint};
          Quantized result = symmetric(8, c.largest(128 * scale) / 200);
          result.range.lo = -128;
          result.zeroPoints = {resultZero};
          Row row = everyValue(in);
          ASSERT_EQ(row.size(), 256u);
          Outcome outcome =
              run("table", c.function, makeProblem(in, result, 256), {row});
          ASSERT_EQ(outcome.result.size(), 1u);
          for (size_t i = 0; i < row.size(); ++i) {
            long double y = c.exact(scale * (long double)(row[i] - zeroPoint));
            long double steps = y / result.scales[0] + resultZero;
            steps = std::clamp(steps, -128.0L, 127.0L);
            ASSERT_NEAR(double(outcome.result[0][i] - steps), 0, 0.5 + 1e-9)
                << row[i];
          }
        }
}

/// 8-bit inputs and 16-bit results, as where a product follows.
TEST(Elementwise, TableHasWideEntries) {
  for (const Case &c : kCases) {
    Quantized in = symmetric(8, 0.05);
    Quantized result = symmetric(16, c.largest(6.35) / 32767);
    Row row = everyValue(in);
    Outcome outcome = run("table", c.function,
                          makeProblem(in, result, int64_t(row.size())), {row});
    ASSERT_EQ(outcome.result.size(), 1u);
    for (size_t i = 0; i < row.size(); ++i) {
      long double steps =
          c.exact(in.dequantize(row[i])) / (long double)(result.scales[0]);
      ASSERT_NEAR(double(outcome.result[0][i] - std::min(steps, 32767.0L)), 0,
                  0.5 + 1e-9)
          << c.function << " " << row[i];
    }
  }
}

/// Every value of wide inputs, that reach as far as the function changes, less
/// far, and much farther.
TEST(Elementwise, WideInputs) {
  for (const Case &c : kCases)
    for (unsigned bits : {10u, 12u, 16u})
      for (double reach : {0.3, 4.0, 9.0, 70.0})
        for (int64_t zeroPoint : {-200, 0, 100}) {
          SCOPED_TRACE(std::string(c.function) + " " + std::to_string(bits) +
                       " bits to " + std::to_string(reach));
          Quantized in =
              symmetric(bits, reach / double((int64_t(1) << (bits - 1)) - 1));
          in.zeroPoints = {zeroPoint};
          double most = reach + 200 * in.scales[0];
          Quantized result = symmetric(8, c.largest(most) / 127);
          Row row = everyValue(in);
          Problem problem = makeProblem(in, result, int64_t(row.size()));
          Outcome outcome = run("table", c.function, problem, {row});
          ASSERT_EQ(outcome.own.size(), 1u);
          // 2^-12.25 for a parabola, half a step of a position in 2^14 of up to
          // 14 times the slope, half a step of a grid of up to 2^-14 of the
          // largest value and of each product's rounding, all of it relative to
          // what the function is at its origin if it has no symmetry.
          double unit =
              std::max(1.0, getFunction(c.function).symmetry == Symmetry::Ramp
                                ? most
                                : c.largest(most));
          double slope = getFunction(c.function).symmetry == Symmetry::None
                             ? c.largest(most)
                             : 1;
          double tolerance =
              2.1e-4 * std::max(1.0, slope) + slope * 4.3e-4 + 1.3e-4 * unit;
          for (size_t i = 0; i < row.size(); ++i) {
            double wanted = double(c.exact(in.dequantize(row[i])));
            double saturated = result.dequantize(result.range.hi);
            if (wanted > saturated) {
              ASSERT_EQ(outcome.result[0][i], result.range.hi) << row[i];
              continue;
            }
            ASSERT_NEAR(outcome.own[0][i], wanted, tolerance) << row[i];
          }
        }
}

/// A result with one scale per column, from an 8-bit input: as wide ones.
TEST(Elementwise, OneScalePerColumn) {
  for (const Case &c : kCases) {
    const int64_t columns = 255;
    Quantized in = symmetric(8, 5.0 / 127);
    Quantized result = symmetric(8, 1);
    result.scales.clear();
    for (int64_t i = 0; i < columns; ++i)
      result.scales.push_back(c.largest(5) / 127 * (1 + double(i % 10)));
    result.zeroPoints.assign(columns, -9);
    Row row = everyValue(in);
    Outcome outcome =
        run("table", c.function, makeProblem(in, result, columns), {row});
    ASSERT_EQ(outcome.result.size(), 1u);
    for (int64_t i = 0; i < columns; ++i) {
      double steps =
          double(c.exact(in.dequantize(row[i]))) / result.scales[i] - 9;
      ASSERT_NEAR(double(outcome.result[0][i]),
                  std::clamp(steps, -127.0, 127.0), 0.65)
          << c.function << " " << row[i];
    }
  }
}

/// Types that leave nothing or one value to look up.
TEST(Elementwise, DegenerateRanges) {
  for (const Case &c : kCases) {
    Quantized in = symmetric(16, 0.01);
    in.range = {0, 0};
    Quantized result = symmetric(8, 0.01);
    result.scales = {0.01, 0.02};
    result.zeroPoints = {0, 0};
    Outcome outcome =
        run("table", c.function, makeProblem(in, result, 2), {{0, 0}});
    ASSERT_EQ(outcome.result.size(), 1u);
    double y = double(c.exact(0));
    EXPECT_EQ(outcome.result[0][0], std::llround(y / 0.01)) << c.function;
    EXPECT_EQ(outcome.result[0][1], std::llround(y / 0.02)) << c.function;
  }
}

TEST(Elementwise, Refusals) {
  for (const Case &c : kCases) {
    Problem problem = makeProblem(symmetric(32, 1e-4), symmetric(8, 0.05), 2);
    EXPECT_NE(reason("table", c.function, problem)
                  .find("16 bits around the zero point are allowed"),
              std::string::npos);
    problem.narrowed = symmetric(16, 1e-3);
    EXPECT_EQ(reason("table", c.function, problem), "");
    problem.narrowed.scales = {0.01, 0.02};
    problem.narrowed.zeroPoints = {0, 0};
    EXPECT_NE(reason("table", c.function, problem).find("one scale per column"),
              std::string::npos);
    for (const char *method : {"ibert", "ivit", "fqvit"})
      EXPECT_NE(
          reason(method, c.function, problem).find("no such implementation"),
          std::string::npos);
  }
}
