//===- PwlTest.cpp - Lines on chosen segments -----------------------------===//
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

namespace {
struct Case {
  const char *function;
  long double (*exact)(long double x);
};
const Case kCases[] = {
    {"gelu",
     [](long double x) { return x / 2 * std::erfc(-x / std::sqrt(2.0L)); }},
    {"silu", [](long double x) { return x / 2 * (1 + std::tanh(x / 2)); }},
    {"sigmoid", [](long double x) { return (1 + std::tanh(x / 2)) / 2; }},
    {"tanh", [](long double x) { return std::tanh(x); }},
    {"exp", [](long double x) { return std::exp2(x / std::log(2.0L)); }},
};

Problem makeProblem(const Quantized &in, const Quantized &result,
                    int64_t columns) {
  Problem problem;
  problem.operand = problem.narrowed = in;
  problem.result = result;
  problem.maxRowLength = columns;
  return problem;
}

Row everyValue(const Quantized &type) {
  Row row;
  for (int64_t q = type.range.lo; q <= type.range.hi; ++q)
    row.push_back(q);
  return row;
}

const Implementation &find(const char *function) {
  return *lookup("pwl")->find(function, Form::Corrected);
}

/// N(mean, sigma) in 2048 bins over [-16, 16).
std::vector<uint64_t> gaussianCounts(double mean, double sigma) {
  std::vector<uint64_t> counts(2048);
  for (int i = 0; i < 2048; ++i) {
    double z = ((i + 0.5) / 64 - 16 - mean) / sigma;
    counts[i] = uint64_t(1e6 * std::exp(-z * z / 2));
  }
  return counts;
}
} // namespace

/// Where all of an operand's values lie far beyond saturation, up to where a
/// double overflows, every result is the largest.
TEST(Pwl, BeyondSaturation) {
  for (double scale : {0.01, 0.1, 1.0, 100.0}) {
    Quantized in = symmetric(16, scale);
    in.zeroPoints = {-32768};
    Problem problem = makeProblem(in, symmetric(8, 0x1p-8), 5);
    for (const char *method : {"pwl", "table"}) {
      Outcome outcome =
          run(method, "exp", problem, {{-32767, -32000, 0, 1000, 32767}});
      EXPECT_EQ(outcome.result, (Rows{{127, 127, 127, 127, 127}}))
          << method << " " << scale;
    }
  }
}

/// Every value of wide inputs is within 2^-8 of the function, or of its value
/// where the result saturates, if that is more than 1.
TEST(Pwl, WideInputs) {
  for (const Case &c : kCases)
    for (unsigned bits : {10u, 16u})
      for (double reach : {0.3, 4.0, 9.0, 70.0})
        for (int64_t zeroPoint : {-200, 0}) {
          SCOPED_TRACE(std::string(c.function) + " " + std::to_string(bits) +
                       " bits to " + std::to_string(reach));
          Quantized in =
              symmetric(bits, reach / double((int64_t(1) << (bits - 1)) - 1));
          in.zeroPoints = {zeroPoint};
          long double most = c.exact(in.dequantize(in.range.hi));
          Quantized result =
              symmetric(16, std::min(double(most), 50.0) / 32767);
          Row row = everyValue(in);
          Outcome outcome =
              run("pwl", c.function,
                  makeProblem(in, result, int64_t(row.size())), {row});
          ASSERT_EQ(outcome.result.size(), 1u);
          double unit = c.function == std::string("exp")
                            ? std::max(1.0, result.dequantize(32767))
                            : 1;
          for (size_t i = 0; i < row.size(); ++i) {
            double wanted = double(c.exact(in.dequantize(row[i])));
            wanted = std::clamp(wanted, result.dequantize(-32767),
                                result.dequantize(32767));
            ASSERT_NEAR(result.dequantize(outcome.result[0][i]), wanted,
                        unit * 0x1p-8)
                << row[i];
          }
        }
}

/// 15 cuts are better than any others: random ones, and those that differ in
/// one. Errors are those of lines of least squares, computed again.
TEST(Pwl, CutsAreOptimal) {
  Quantized in = symmetric(16, 8.0 / 32767);
  Problem problem = makeProblem(in, symmetric(16, 8.0 / 32767), 1);
  std::vector<uint64_t> counts = gaussianCounts(-0.5, 1.0);
  for (const char *function : {"gelu", "tanh"}) {
    std::vector<int64_t> cuts =
        find(function).chooseCuts(problem, {-16, 1.0 / 64, counts});
    ASSERT_EQ(cuts.size(), 15u);
    // The distances end where the function is within 2^-16 of its limit.
    auto f = [&](long double a) {
      return function == std::string("gelu")
                 ? -a / 2 * std::erfc(a / std::sqrt(2.0L))
                 : -std::tanh(a);
    };
    long double limit = function == std::string("gelu") ? 0 : -1, reach = 8;
    while (std::fabs(f(reach - 0.25L) - limit) < 0x1p-16L)
      reach -= 0.25L;
    std::vector<long double> weights(64), seen(64);
    long double total = 0;
    for (int i = 0; i < 2048; ++i) {
      long double a = std::fabs((i + 0.5L) / 64 - 16);
      if (a < reach) {
        seen[int(a / reach * 64)] += counts[i];
        total += counts[i];
      }
    }
    for (int i = 0; i < 64; ++i)
      weights[i] = 0.01L / 64 + 0.99L * seen[i] / total;
    auto errorOf = [&](int begin, int end) {
      long double n = 0, t = 0, tt = 0, y = 0, ty = 0;
      auto forSamples = [&](auto use) {
        for (int i = 4 * begin; i < 4 * end; ++i)
          use(i / 4, (i + 0.5L) / 4, f((i + 0.5L) / 4 * reach / 64));
      };
      forSamples([&](int, long double at, long double value) {
        n += 1, t += at, tt += at * at, y += value, ty += at * value;
      });
      long double slope = (n * ty - t * y) / (n * tt - t * t);
      long double start = (y - slope * t) / n, error = 0;
      forSamples([&](int cell, long double at, long double value) {
        long double off = value - start - slope * at;
        error += weights[cell] * off * off;
      });
      return error;
    };
    auto sumOf = [&](const std::vector<int64_t> &all) {
      long double sum = 0;
      int begin = 0;
      for (int64_t cut : all) {
        sum += errorOf(begin, int(cut));
        begin = int(cut);
      }
      return sum + errorOf(begin, 64);
    };
    const long double least = sumOf(cuts);
    EXPECT_GT(least, 0);
    for (size_t i = 0; i < cuts.size(); ++i)
      for (int64_t step : {-1, 1}) {
        std::vector<int64_t> other = cuts;
        other[i] += step;
        if (other[i] > (i ? other[i - 1] : 0) &&
            other[i] < (i + 1 < other.size() ? other[i + 1] : 64))
          EXPECT_GE(sumOf(other), least * (1 - 1e-6L)) << function << i;
      }
    std::mt19937 engine(1);
    for (int trial = 0; trial < 300; ++trial) {
      std::vector<int64_t> all, other;
      for (int64_t i = 1; i < 64; ++i)
        all.push_back(i);
      std::sample(all.begin(), all.end(), std::back_inserter(other), 15,
                  engine);
      EXPECT_GE(sumOf(other), least * (1 - 1e-6L)) << function;
    }
  }
}

/// What calibration has seen is nearer to the function with segments for it.
TEST(Pwl, CutsFollowTheDistribution) {
  for (const Case &c : kCases) {
    Quantized in = symmetric(16, 8.0 / 32767);
    double largest = std::min(double(c.exact(3)), 3.0);
    Problem problem = makeProblem(in, symmetric(16, largest / 32767), 1536);
    Rows rows = gaussianRows(in, 4, 1536, 0.4, -1.0, 5);
    std::vector<Reals> wanted = exact(c.function, problem, in, rows);
    double alike = sqnr(wanted, run("pwl", c.function, problem, rows).own);
    std::vector<uint64_t> counts = gaussianCounts(-1.0, 0.4);
    problem.cuts =
        find(c.function).chooseCuts(problem, {-16, 1.0 / 64, counts});
    double weighted = sqnr(wanted, run("pwl", c.function, problem, rows).own);
    EXPECT_GT(weighted, alike + 3) << c.function;
  }
}

/// Accumulators as they are: 32 bits, a scale and zero point for each column.
TEST(Pwl, Accumulators) {
  for (const Case &c : kCases) {
    const int64_t columns = 64;
    Quantized in = symmetric(32, 1);
    in.range = {-2000000, 2000000};
    in.scales.clear();
    for (int64_t i = 0; i < columns; ++i)
      in.scales.push_back(1e-5 * double(1 + i % 7));
    in.zeroPoints.assign(columns, 77);
    Rows rows = gaussianRows(in, 20, columns, 2.0, -0.2, 2);
    for (Row &row : adversarialRows(in, columns))
      rows.push_back(row);
    double largest = std::min(double(c.exact(2)), 2.0);
    Problem problem = makeProblem(in, symmetric(8, largest / 127), columns);
    Outcome outcome = run("pwl", c.function, problem, rows);
    ASSERT_EQ(outcome.result.size(), rows.size());
    for (size_t r = 0; r < rows.size(); ++r)
      for (int64_t i = 0; i < columns; ++i) {
        long double x = in.dequantize(rows[r][i], i);
        double steps = std::clamp(double(c.exact(x) / problem.result.scales[0]),
                                  -127.0, 127.0);
        ASSERT_NEAR(double(outcome.result[r][i]), steps, 0.5 + 127 * 0x1p-8)
            << c.function << " of " << double(x);
      }
  }
}

TEST(Pwl, Refusals) {
  Problem problem = makeProblem(symmetric(16, 1e-3), symmetric(8, 0.05), 1);
  auto because = [&](std::vector<int64_t> cuts, const char *text) {
    problem.cuts = std::move(cuts);
    EXPECT_NE(reason("pwl", "gelu", problem).find(text), std::string::npos)
        << reason("pwl", "gelu", problem);
  };
  because({3, 9, 9}, "the cut 9 follows 9, and growing ones of 1 to 63");
  because({0}, "the cut 0 follows 0");
  because({64}, "the cut 64 follows 0");
  because({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
          "there are 16 cuts, and at most 15 are allowed");
  problem.cuts = {1, 63};
  EXPECT_EQ(reason("pwl", "gelu", problem), "");
  EXPECT_NE(reason("table", "gelu", problem).find("has no segments to cut"),
            std::string::npos);
}
