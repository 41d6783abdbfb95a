//===- GeluTest.cpp - GELU methods ----------------------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Published.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace nlq;
using namespace nlq::methods;
using namespace nlq::methods::test;

static Problem geluProblem(const Quantized &in, const Quantized &result,
                           int64_t columns, unsigned outBits, Form form) {
  Problem problem;
  problem.operand = problem.narrowed = in;
  problem.result = result;
  problem.maxRowLength = columns;
  problem.outBits = outBits;
  problem.form = form;
  return problem;
}

/// The accumulator of a linear layer with one scale per output channel: int8
/// times int8, summed over 256 inputs.
static Quantized accumulator(int64_t columns) {
  Quantized type = symmetric(32, 1);
  type.range = {-256 * 127 * 127, 256 * 127 * 127};
  type.scales.clear();
  for (int64_t i = 0; i < columns; ++i)
    type.scales.push_back(1e-4 * std::pow(10.0, double(i) / double(columns)));
  type.zeroPoints.assign(columns, 0);
  return type;
}

//===----------------------------------------------------------------------===//
// Reference forms equal the published arithmetic
//===----------------------------------------------------------------------===//

TEST(Gelu, IBertReferenceIsPublishedOnAccumulators) {
  const int64_t columns = 96;
  Quantized in = accumulator(columns);
  Rows rows = adversarialRows(in, columns);
  for (double sigma : {0.2, 1.5, 10.0})
    for (Row &row : gaussianRows(in, 8, columns, sigma, -0.3, 2))
      rows.push_back(row);
  Outcome outcome = run(
      "ibert", "gelu",
      geluProblem(in, symmetric(8, 0.03), columns, 16, Form::Reference), rows);
  ASSERT_EQ(outcome.grid.size(), rows.size());
  for (size_t i = 0; i < rows.size(); ++i)
    ASSERT_EQ(outcome.grid[i], published::ibertGelu(rows[i], in.scales));
}

TEST(Gelu, IBertReferenceIsPublishedOnNarrowInputs) {
  for (double s : {0.004, 0.016, 0.1}) {
    Quantized in = symmetric(8, s);
    Rows rows = adversarialRows(in, 255);
    Outcome outcome = run(
        "ibert", "gelu",
        geluProblem(in, symmetric(8, 0.03), 255, 16, Form::Reference), rows);
    ASSERT_EQ(outcome.grid.size(), rows.size());
    for (size_t i = 0; i < rows.size(); ++i)
      ASSERT_EQ(outcome.grid[i], published::ibertGelu(rows[i], in.scales));
  }
}

TEST(Gelu, IViTReferenceIsPublished) {
  // The coarse ones reach beyond 9.4, where both exponentials are at their
  // floor, and rows of negative values only, where the second one explodes; at
  // 0.001 the sum is clamped.
  for (double s : {0.001, 0.008, 0.033, 0.1, 0.3})
    for (int64_t columns : {1, 96}) {
      Quantized in = symmetric(8, s);
      Rows rows = adversarialRows(in, columns);
      for (double sigma : {0.5, 3.0})
        for (Row &row : gaussianRows(in, 20, columns, sigma, -0.3, 3))
          rows.push_back(row);
      Row negative(columns, -5);
      negative[0] = -128 + 1;
      rows.push_back(negative);
      Outcome outcome =
          run("ivit", "gelu",
              geluProblem(in, symmetric(8, 0.03), columns, 8, Form::Reference),
              rows);
      ASSERT_EQ(outcome.grid.size(), rows.size());
      for (size_t i = 0; i < rows.size(); ++i)
        ASSERT_EQ(outcome.grid[i], published::ivitGelu(rows[i], s, 8))
            << "s=" << s << " row " << i;
    }
}

//===----------------------------------------------------------------------===//
// Accuracy: 1536 Gaussian inputs of mean -0.3 sigma, min-max scale
//===----------------------------------------------------------------------===//

namespace {
struct Sample {
  Quantized in;
  Rows rows;
  Problem problem;
  std::vector<Reals> wanted;
};
} // namespace

/// Scale from the sample's largest magnitude, result scale from the exact
/// function's largest value, 8-bit result.
static Sample makeSample(double sigma, unsigned inBits, unsigned outBits,
                         Form form, unsigned seed = 17) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> normal(-0.3 * sigma, sigma);
  Reals reals(1536), out(1536);
  double largest = 0, largestOut = 0;
  for (double &x : reals)
    largest = std::max(largest, std::fabs(x = normal(engine)));
  Sample sample;
  sample.in =
      symmetric(inBits, largest / double((int64_t(1) << (inBits - 1)) - 1));
  Row row;
  for (double x : reals)
    row.push_back(std::llround(x / sample.in.scales[0]));
  sample.rows = {row};
  sample.problem = geluProblem(sample.in, Quantized(), 1536, outBits, form);
  sample.wanted = exact("gelu", sample.problem, sample.in, sample.rows);
  for (double y : sample.wanted[0])
    largestOut = std::max(largestOut, std::fabs(y));
  sample.problem.result = symmetric(8, largestOut / 127);
  return sample;
}

namespace {
/// dB on the own grid and after requantization to 8 bits, at sigma 0.5, 1.5 and
/// 3 with 8-bit inputs and at 1.5 with 16-bit ones; from independent emulations
/// of the arithmetic.
struct Expectation {
  const char *method;
  Form form;
  double own[4];
  double stored[4];
};
} // namespace

template <typename Check>
static void forEachSetting(const Expectation &e, Check check) {
  const double sigmas[] = {0.5, 1.5, 3.0, 1.5};
  for (size_t i = 0; i < 4; ++i) {
    SCOPED_TRACE(std::string(e.method) + " " + std::to_string(i));
    double own = 0, stored = 0;
    const unsigned samples = 8;
    for (unsigned seed = 1; seed <= samples; ++seed) {
      Sample sample = makeSample(sigmas[i], i < 3 ? 8 : 16, 8, e.form, seed);
      Outcome outcome = run(e.method, "gelu", sample.problem, sample.rows);
      own += sqnr(sample.wanted, outcome.own) / samples;
      stored += sqnr(sample.wanted,
                     dequantize(sample.problem.result, outcome.result)) /
                samples;
    }
    check(own, e.own[i]);
    // Here the result saturates; there it had the range of what collapsed.
    if (e.own[i] > 10)
      check(stored, e.stored[i]);
  }
}

TEST(Gelu, ReferenceAccuracy) {
  const Expectation expectations[] = {
      {"ibert",
       Form::Reference,
       {3.9, -14.0, -26.9, 39.6},
       {3.9, -14.0, -26.9, 35.8}},
      {"ivit",
       Form::Reference,
       {27.0, 33.6, 7.3, -7.3},
       {26.6, 32.1, 7.3, -7.3}},
  };
  for (const Expectation &e : expectations)
    forEachSetting(e, [](double measured, double expected) {
      // Where it collapses, the sample's largest value decides how far.
      EXPECT_NEAR(measured, expected, expected > 10 ? 2 : 5);
    });
}

TEST(Gelu, CorrectedAccuracy) {
  const Expectation expectations[] = {
      {"ibert",
       Form::Corrected,
       {30.6, 39.0, 44.8, 39.5},
       {29.5, 35.6, 37.9, 35.8}},
      {"ivit",
       Form::Corrected,
       {40.0, 37.0, 43.1, 36.8},
       {35.1, 34.4, 37.8, 34.2}},
  };
  for (const Expectation &e : expectations)
    forEachSetting(e, [](double measured, double expected) {
      EXPECT_GT(measured, expected - 0.5);
    });
}

TEST(Gelu, TableIsTheRoundedFunction) {
  for (GeluKind kind : {GeluKind::Erf, GeluKind::Tanh})
    for (int64_t zeroPoint : {0, 40}) {
      Sample sample = makeSample(1.5, 8, 16, Form::Corrected);
      sample.problem.gelu = kind;
      sample.problem.narrowed.zeroPoints = {zeroPoint};
      sample.problem.operand = sample.problem.narrowed;
      sample.problem.result.zeroPoints = {-100};
      const Quantized &to = sample.problem.result;
      Outcome outcome = run("table", "gelu", sample.problem, sample.rows);
      std::vector<Reals> wanted =
          exact("gelu", sample.problem, sample.problem.narrowed, sample.rows);
      ASSERT_EQ(outcome.result.size(), 1u);
      for (size_t i = 0; i < wanted[0].size(); ++i) {
        double steps = std::floor(wanted[0][i] / to.scales[0] + 0.5) - 100;
        ASSERT_EQ(double(outcome.result[0][i]),
                  std::clamp(steps, -127.0, 127.0));
      }
    }
}

/// Every value of wide inputs, whose scales make the entries lie close together
/// or apart, reach beyond the table's end or stay within it.
TEST(Gelu, TableInterpolatesWideInputs) {
  for (GeluKind kind : {GeluKind::Erf, GeluKind::Tanh})
    for (unsigned bits : {10u, 12u, 16u})
      for (double largest : {0.3, 4.0, 9.0, 70.0})
        for (int64_t zeroPoint : {0, 100}) {
          SCOPED_TRACE(std::to_string(bits) + " bits to " +
                       std::to_string(largest));
          Quantized in =
              symmetric(bits, largest / double((int64_t(1) << (bits - 1)) - 1));
          in.zeroPoints = {zeroPoint};
          Row row;
          for (int64_t q = in.range.lo; q <= in.range.hi; ++q)
            row.push_back(q);
          Problem problem =
              geluProblem(in, symmetric(8, largest / 127), int64_t(row.size()),
                          16, Form::Corrected);
          problem.gelu = kind;
          Outcome outcome = run("table", "gelu", problem, {row});
          ASSERT_EQ(outcome.own.size(), 1u);
          Reals wanted = exact("gelu", problem, in, {row})[0];
          // The parabola, half a step of |x| in 2^14 up to 4.5, which moves f
          // by half of that, and half a step of a grid of 16 bits, up to twice
          // as coarse, and a little for f's own roundings.
          double grid = 0.7 * largest / 16384;
          for (size_t i = 0; i < wanted.size(); ++i)
            ASSERT_NEAR(outcome.own[0][i], wanted[i], 2.1e-4 + grid) << row[i];
        }
}

/// A result with one scale per column: nearest on each column's own grid, but
/// for what the 16 bits before cost.
TEST(Gelu, TableStoresOneScalePerColumn) {
  const int64_t columns = 512;
  for (unsigned bits : {8u, 16u}) {
    Quantized in = symmetric(bits, 5.0 / ((1 << (bits - 1)) - 1));
    Quantized result = symmetric(8, 1);
    result.scales.clear();
    for (int64_t i = 0; i < columns; ++i)
      result.scales.push_back(0.004 * (1 + double(i % 10)));
    result.zeroPoints.assign(columns, -90);
    Rows rows = gaussianRows(in, 40, columns, 1.5, 0, 4);
    for (Row &row : adversarialRows(in, columns))
      rows.push_back(row);
    Problem problem = geluProblem(in, result, columns, 16, Form::Corrected);
    Outcome outcome = run("table", "gelu", problem, rows);
    std::vector<Reals> wanted = exact("gelu", problem, in, rows);
    ASSERT_EQ(outcome.result.size(), rows.size());
    for (size_t i = 0; i < rows.size(); ++i)
      for (int64_t j = 0; j < columns; ++j) {
        double steps =
            std::clamp(wanted[i][j] / result.scales[j] - 90, -127.0, 127.0);
        ASSERT_NEAR(double(outcome.result[i][j]), steps, 0.6)
            << "column " << j << " of " << bits << " bits";
      }
  }
}

//===----------------------------------------------------------------------===//
// Accumulators with one scale per column
//===----------------------------------------------------------------------===//

TEST(Gelu, AccumulatorToActivation) {
  const int64_t columns = 128;
  Quantized wide = accumulator(columns);
  Quantized result = symmetric(8, 6.0 / 127);
  Rows rows = gaussianRows(wide, 20, columns, 1.5, -0.3, 9);
  struct {
    const char *method;
    bool narrowed;
    unsigned outBits;
    double least;
  } cases[] = {
      {"ibert", false, 16, 30}, {"ibert", true, 16, 29},
      {"ivit", false, 15, 29},  {"ivit", true, 8, 29},
      {"table", true, 16, 30},
  };
  for (auto &c : cases) {
    Problem problem =
        geluProblem(wide, result, columns, c.outBits, Form::Corrected);
    if (c.narrowed)
      problem.narrowed = symmetric(8, 7.0 / 127);
    std::vector<Reals> wanted = exact("gelu", problem, wide, rows);
    Outcome outcome = run(c.method, "gelu", problem, rows);
    EXPECT_GT(sqnr(wanted, dequantize(result, outcome.result)), c.least)
        << c.method << c.narrowed;
    // Nothing outside of the checked bounds at the ends of the accumulator.
    Rows ends = adversarialRows(wide, columns);
    outcome = run(c.method, "gelu", problem, ends);
    ASSERT_EQ(outcome.result.size(), ends.size());
    for (int64_t value : outcome.result[0]) // all columns at the low end
      EXPECT_EQ(value, 0) << c.method;
    for (int64_t value : outcome.result[1])
      EXPECT_EQ(value, 127) << c.method;
  }
  // The published form on the same accumulator, in 64-bit lanes.
  Problem problem = geluProblem(wide, result, columns, 16, Form::Reference);
  Outcome outcome = run("ibert", "gelu", problem, rows);
  EXPECT_GT(sqnr(exact("gelu", problem, wide, rows),
                 dequantize(result, outcome.result)),
            30);
  auto kernel = build(*lookup("ibert"), "gelu", problem);
  ASSERT_TRUE(bool(kernel));
  EXPECT_NE(describeWidths(*kernel).find("64-bit lanes"), std::string::npos);
}

TEST(Gelu, SixBitTypes) {
  Quantized in = symmetric(6, 4.0 / 31), result = symmetric(6, 3.0 / 31);
  Rows rows = adversarialRows(in, 64);
  for (const char *method : {"ibert", "ivit", "table"}) {
    Problem problem = geluProblem(in, result, 64, 8, Form::Corrected);
    Outcome outcome = run(method, "gelu", problem, rows);
    for (const Row &row : outcome.result)
      for (int64_t value : row)
        EXPECT_TRUE(result.range.contains(value)) << method << value;
  }
}

//===----------------------------------------------------------------------===//
// Where methods refuse
//===----------------------------------------------------------------------===//

TEST(Gelu, Refusals) {
  Quantized wide = accumulator(8), result = symmetric(8, 0.05);
  auto refusal = [&](const char *method, const Quantized &in, Form form) {
    return reason(method, "gelu", geluProblem(in, result, 8, 16, form));
  };
  EXPECT_NE(refusal("ivit", wide, Form::Reference).find("one scale per column"),
            std::string::npos);
  EXPECT_NE(
      refusal("table", wide, Form::Corrected).find("one scale per column"),
      std::string::npos);
  EXPECT_NE(refusal("table", symmetric(32, 1e-4), Form::Corrected)
                .find("16 bits around the zero point are allowed"),
            std::string::npos);
  EXPECT_NE(refusal("fqvit", symmetric(8, 0.03), Form::Reference)
                .find("no such implementation"),
            std::string::npos);
  // Column scales so fine that the polynomial's constants leave 64 bits.
  Quantized fine = symmetric(32, 1e-12);
  EXPECT_NE(refusal("ibert", fine, Form::Reference).find("too fine"),
            std::string::npos);
  EXPECT_EQ(refusal("ibert", fine, Form::Corrected), "");
}
