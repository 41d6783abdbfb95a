//===- SoftmaxTest.cpp - Softmax methods ----------------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Published.h"
#include "gtest/gtest.h"
#include <cmath>
#include <functional>

using namespace nlq;
using namespace nlq::methods;
using namespace nlq::methods::test;

//===----------------------------------------------------------------------===//
// Reference forms equal the published arithmetic
//===----------------------------------------------------------------------===//

namespace {
/// From scales at which the polynomials have many steps per ln 2 to one.
const double kScales[] = {0.002, 0.0087, 0.033, 0.066, 0.13, 0.25, 0.7, 1.03};
} // namespace

static void
expectPublished(llvm::StringRef method, const std::vector<unsigned> &widths,
                const std::function<Row(const Row &, double, int)> &published,
                llvm::ArrayRef<double> scales, unsigned inBits) {
  for (double s : scales)
    for (int64_t length : {1, 17, 197})
      for (unsigned outBits : widths) {
        SCOPED_TRACE(method.str() + " s=" + std::to_string(s) +
                     " length=" + std::to_string(length) +
                     " out=" + std::to_string(outBits));
        Quantized in = symmetric(inBits, s);
        Rows rows = adversarialRows(in, length);
        for (double sigma : {0.3, 2.0, 8.0})
          for (Row &row : gaussianRows(in, 6, length, sigma, 0.5, 7))
            rows.push_back(row);
        Outcome outcome =
            run(method, "softmax",
                softmaxProblem(in, length, outBits, Form::Reference), rows);
        ASSERT_EQ(outcome.grid.size(), rows.size());
        for (size_t i = 0; i < rows.size(); ++i)
          ASSERT_EQ(outcome.grid[i], published(rows[i], s, outBits));
      }
}

TEST(Softmax, IBertReferenceIsPublished) {
  expectPublished("ibert", {8, 16}, published::ibertSoftmax, kScales, 8);
  expectPublished("ibert", {8, 16}, published::ibertSoftmax, kScales, 6);
  expectPublished("ibert", {16}, published::ibertSoftmax, {0.0006, 0.002}, 16);
}

TEST(Softmax, IViTReferenceIsPublished) {
  expectPublished("ivit", {8, 16}, published::ivitSoftmax, kScales, 8);
  expectPublished("ivit", {8, 16}, published::ivitSoftmax, kScales, 6);
  // Here the sum reaches 2^31 - 1 and is clamped.
  expectPublished("ivit", {16}, published::ivitSoftmax, {0.0003, 0.002}, 16);
}

TEST(Softmax, FQViTReferenceIsPublished) {
  expectPublished("fqvit", {4, 6}, published::fqvitSoftmax, kScales, 8);
  expectPublished("fqvit", {4, 6}, published::fqvitSoftmax, kScales, 6);
}

//===----------------------------------------------------------------------===//
// Accuracy on Gaussian logits, against the exact softmax of the same integers
//===----------------------------------------------------------------------===//

namespace {
struct Setting {
  double sigma;
  int64_t length;
};
const Setting kSettings[] = {{1, 197}, {2, 197}, {4, 197}, {2, 49}, {6, 1024}};

/// dB that independent emulations of the arithmetic gave in these settings.
struct Expectation {
  const char *method;
  Form form;
  unsigned outBits;
  double expected[5];
};
} // namespace

/// A result finer than any own grid, so that it has no share in the error.
static Problem accuracyProblem(Form form, unsigned outBits, Setting setting) {
  Quantized in = symmetric(8, 4.2 * setting.sigma / 127);
  Problem problem = softmaxProblem(in, setting.length, outBits, form);
  problem.result = symmetric(32, 0x1p-20);
  return problem;
}

/// Error on the method's own grid.
static double measure(llvm::StringRef method, Form form, unsigned outBits,
                      Setting setting) {
  Problem problem = accuracyProblem(form, outBits, setting);
  Rows rows =
      gaussianRows(problem.operand, 60, setting.length, setting.sigma, 0, 1);
  return sqnr(exact("softmax", problem, problem.operand, rows),
              run(method, "softmax", problem, rows).own);
}

// Samples of this size differ by up to 2 dB, and so did those behind the
// expectations, where few large probabilities dominate.
static constexpr double kSampling = 3;

TEST(Softmax, ReferenceAccuracy) {
  const Expectation expectations[] = {
      {"ibert", Form::Reference, 8, {11.8, 20.4, 19.0, 24.7, 20.6}},
      {"ibert", Form::Reference, 16, {47.2, 23.2, 19.2, 26.0, 20.8}},
      {"ivit", Form::Reference, 8, {7.0, 16.0, 21.5, 19.9, 15.5}},
      {"ivit", Form::Reference, 16, {25.5, 19.3, 22.3, 21.4, 15.8}},
      {"fqvit", Form::Reference, 4, {12.8, 11.6, 13.2, 11.6, 13.0}},
  };
  for (const Expectation &e : expectations)
    for (size_t i = 0; i < 5; ++i)
      EXPECT_NEAR(measure(e.method, e.form, e.outBits, kSettings[i]),
                  e.expected[i], kSampling)
          << e.method << " " << e.outBits << " sigma " << kSettings[i].sigma
          << " length " << kSettings[i].length;
}

TEST(Softmax, CorrectedAccuracy) {
  const Expectation expectations[] = {
      {"ibert", Form::Corrected, 8, {16.5, 26.9, 39.3, 36.5, 41.3}},
      {"ibert", Form::Corrected, 16, {54.8, 57.3, 62.9, 61.8, 65.4}},
      {"ivit", Form::Corrected, 8, {16.4, 25.8, 33.7, 32.7, 36.4}},
      {"ivit", Form::Corrected, 16, {32.4, 32.1, 35.3, 34.8, 38.7}},
      {"table", Form::Corrected, 8, {16.7, 28.2, 38.7, 35.6, 41.4}},
      {"table", Form::Corrected, 16, {65.3, 73.8, 78.3, 82.4, 78.4}},
  };
  for (const Expectation &e : expectations)
    for (size_t i = 0; i < 5; ++i)
      EXPECT_GT(measure(e.method, e.form, e.outBits, kSettings[i]),
                e.expected[i] - kSampling)
          << e.method << " " << e.outBits << " sigma " << kSettings[i].sigma
          << " length " << kSettings[i].length;
}

/// On the same rows, sampling has no say: the corrected forms lose nothing to
/// an independent derivation of them.
TEST(Softmax, CorrectedIsAsGoodAsItsRecipe) {
  using Recipe = Row (*)(const Row &, double, int);
  for (auto [method, recipe] :
       {std::pair<const char *, Recipe>("ibert",
                                        published::recipePolynomialSoftmax),
        std::pair<const char *, Recipe>("ivit", published::recipeShiftSoftmax)})
    for (int outBits : {8, 16})
      for (Setting setting : kSettings) {
        Problem problem = accuracyProblem(Form::Corrected, outBits, setting);
        double s = problem.operand.scales[0];
        Rows rows = gaussianRows(problem.operand, 30, setting.length,
                                 setting.sigma, 0, 2);
        std::vector<Reals> wanted =
            exact("softmax", problem, problem.operand, rows);
        std::vector<Reals> recipes;
        for (const Row &row : rows) {
          recipes.emplace_back();
          for (int64_t p : recipe(row, s, outBits))
            recipes.back().push_back(double(p) / double((1 << outBits) - 1));
        }
        EXPECT_GT(sqnr(wanted, run(method, "softmax", problem, rows).own),
                  sqnr(wanted, recipes) - 0.3)
            << method << " " << outBits << " sigma " << setting.sigma;
      }
}

/// Nearest powers of two beat the published ones.
TEST(Softmax, CorrectedLog2IsBetter) {
  for (Setting setting : kSettings)
    for (unsigned outBits : {4u, 6u})
      EXPECT_GT(measure("fqvit", Form::Corrected, outBits, setting),
                measure("fqvit", Form::Reference, outBits, setting) + 0.2);
}

/// A log2 probability cannot be nearer to the share than half the distance to
/// the next one, and the nearest power is what the corrected form promises.
TEST(Softmax, CorrectedLog2IsNearestPower) {
  Quantized in = symmetric(8, 0.07);
  Problem problem = softmaxProblem(in, 65, 6, Form::Corrected);
  Rows rows = gaussianRows(in, 20, 65, 2.0, 0, 3);
  Outcome outcome = run("fqvit", "softmax", problem, rows);
  std::vector<Reals> shares = exact("softmax", problem, in, rows);
  size_t compared = 0;
  for (size_t r = 0; r < rows.size(); ++r)
    for (size_t i = 0; i < 65; ++i) {
      // 3/4 <= 2^k p < 3/2; the polynomial is off by at most 0.3 %.
      double scaled = std::ldexp(shares[r][i], int(outcome.grid[r][i]));
      if (shares[r][i] < 0x1p-15)
        continue; // few bits are left of the exponential
      EXPECT_GT(scaled, 0.75 * 0.99);
      EXPECT_LT(scaled, 1.5 * 1.01);
      ++compared;
    }
  EXPECT_GT(compared, 500u);
}

//===----------------------------------------------------------------------===//
// Wide inputs and results
//===----------------------------------------------------------------------===//

/// 16-bit scores: the table is split, the polynomials are brought to the scale
/// that the row length allows. All see scores 256 times finer than 8-bit ones.
TEST(Softmax, CorrectedSixteenBitScores) {
  for (double range : {4.0, 16.0, 132.0}) {
    Quantized in = symmetric(16, range / 32767);
    Rows rows = gaussianRows(in, 10, 197, range / 4.2, 0, 5);
    for (Row &row : adversarialRows(in, 197))
      rows.push_back(row);
    Problem problem = softmaxProblem(in, 197, 16, Form::Corrected);
    std::vector<Reals> wanted = exact("softmax", problem, in, rows);
    auto accuracy = [&](llvm::StringRef method) {
      return sqnr(wanted, run(method, "softmax", problem, rows).own);
    };
    EXPECT_GT(accuracy("table"), 65) << range;
    EXPECT_GT(accuracy("ibert"), 55) << range;
    EXPECT_GT(accuracy("ivit"), 32) << range;
    EXPECT_GT(accuracy("fqvit"), 10) << range;
  }
}

/// Tables take accumulators as they are: distances of more than 15 bits lose
/// their lowest ones. Probabilities of 2^-15 are within a step and a half, and
/// the 2^-10 that errors of the exponents and of small exponentials cost; where
/// steps are wide, many elements share an exponential that is off by up to
/// half.
TEST(Softmax, TableOfAccumulators) {
  for (double s : {1e-6, 3e-5, 4e-4, 0.02, 0.7, 6.0, 9.5, 30.0})
    for (int64_t length : {1, 197, 1024}) {
      Quantized in = symmetric(32, s);
      Rows rows = gaussianRows(in, 20, length, 2.5, 0, 5);
      for (Row &row : adversarialRows(in, length))
        rows.push_back(row);
      Problem problem = softmaxProblem(in, length, 16, Form::Corrected);
      problem.result = symmetric(16, 0x1p-15);
      std::vector<Reals> wanted = exact("softmax", problem, in, rows);
      Outcome outcome = run("table", "softmax", problem, rows);
      ASSERT_EQ(outcome.result.size(), rows.size());
      for (size_t i = 0; i < rows.size(); ++i)
        for (int64_t j = 0; j < length; ++j)
          ASSERT_NEAR(
              double(outcome.result[i][j]),
              std::min(wanted[i][j] * 0x1p15, 32767.0),
              1.5 + wanted[i][j] * 0x1p15 *
                        (0x1p-10 + (s > 1 ? double(length) * 0x1p-16 : 0)))
              << "scale " << s << " of " << length;
    }
}

/// From 8 bits to 8 bits the table is within one step of the exact softmax, in
/// long double here, at every scale and length.
TEST(Softmax, TableIsWithinOneStep) {
  for (double s : {0.004, 0.02, 0.0625, 0.2, 1.0})
    for (int64_t length : {1, 2, 49, 197, 1024, 4096}) {
      Quantized in = symmetric(8, s);
      Problem problem = softmaxProblem(in, length, 16, Form::Corrected);
      problem.result = symmetric(8, 0x1p-8);
      problem.result.range.lo = -128;
      problem.result.zeroPoints = {-128};
      Rows rows = adversarialRows(in, length);
      for (double sigma : {1.0, 4.0})
        for (Row &row : gaussianRows(in, 5, length, sigma, 0, 5))
          rows.push_back(row);
      Outcome outcome = run("table", "softmax", problem, rows);
      ASSERT_EQ(outcome.result.size(), rows.size());
      for (size_t r = 0; r < rows.size(); ++r) {
        int64_t largest = *std::max_element(rows[r].begin(), rows[r].end());
        long double sum = 0;
        for (int64_t q : rows[r])
          sum += std::exp((long double)s * (q - largest));
        for (int64_t i = 0; i < length; ++i) {
          long double steps =
              256 * std::exp((long double)s * (rows[r][i] - largest)) / sum;
          steps = std::min(steps, 255.0L) - 128;
          ASSERT_NEAR(double(outcome.result[r][i] - steps), 0, 0.85)
              << "scale " << s << " of " << length;
        }
      }
    }
}

/// The whole way from an accumulator to signed 16-bit probabilities, one of
/// which is 1 and must saturate.
TEST(Softmax, AccumulatorToProbabilities) {
  for (int64_t length : {17, 65, 197})
    for (unsigned bits : {6u, 8u, 16u})
      for (const char *method : {"ibert", "ivit", "fqvit", "table"}) {
        double s = 0.0031;
        Quantized in = symmetric(bits, 9.0 / double((1 << (bits - 1)) - 1));
        Problem problem =
            softmaxProblem(in, length, method == std::string("fqvit") ? 6 : 16,
                           Form::Corrected);
        problem.operand = symmetric(32, s);
        Rows rows =
            gaussianRows(problem.operand, 5, length, 2.5, 0, unsigned(length));
        rows.push_back(Row(length, -3000));
        rows.back()[2] = 100000;
        Outcome outcome = run(method, "softmax", problem, rows);
        ASSERT_EQ(outcome.result.size(), rows.size());
        EXPECT_EQ(outcome.result.back()[2], 32767) << method << bits;
        EXPECT_EQ(outcome.result.back()[0], 0) << method << bits;
        double floor = bits == 6 ? 15 : method == std::string("ivit") ? 25 : 30;
        if (method == std::string("fqvit"))
          floor = 10;
        EXPECT_GT(sqnr(exact("softmax", problem, problem.operand, rows),
                       dequantize(problem.result, outcome.result)),
                  floor)
            << method << " " << bits << " " << length;
      }
}

TEST(Softmax, RowSums) {
  Quantized in = symmetric(8, 0.066);
  Rows rows = gaussianRows(in, 40, 197, 2.0, 0, 11);
  auto meanSum = [&](llvm::StringRef method, unsigned outBits, Form form) {
    double sum = 0;
    for (const Reals &row :
         run(method, "softmax", softmaxProblem(in, 197, outBits, form), rows)
             .own)
      for (double p : row)
        sum += p;
    return sum / double(rows.size());
  };
  EXPECT_NEAR(meanSum("table", 16, Form::Corrected), 1, 1e-3);
  EXPECT_NEAR(meanSum("ibert", 16, Form::Corrected), 1, 1e-3);
  EXPECT_NEAR(meanSum("ivit", 16, Form::Corrected), 1, 1e-3);
  EXPECT_NEAR(meanSum("fqvit", 6, Form::Corrected), 0.96, 0.04);
  // Floors lose mass; that is what the published forms do.
  EXPECT_LT(meanSum("ibert", 8, Form::Reference), 0.95);
  EXPECT_LT(meanSum("ivit", 8, Form::Reference), 0.9);
}

//===----------------------------------------------------------------------===//
// Where methods refuse
//===----------------------------------------------------------------------===//

TEST(Softmax, Refusals) {
  auto at = [](double s, unsigned bits, Form form) {
    return softmaxProblem(symmetric(bits, s), 197, 16, form);
  };
  EXPECT_NE(reason("ibert", "softmax", at(1.8, 8, Form::Reference))
                .find("floor(2.79212/scale^2) is 0"),
            std::string::npos);
  EXPECT_EQ(reason("ibert", "softmax", at(1.8, 8, Form::Corrected)), "");
  EXPECT_NE(
      reason("fqvit", "softmax", at(2e-5, 16, Form::Reference)).find("62 bits"),
      std::string::npos);
  EXPECT_NE(reason("table", "softmax", at(0.05, 8, Form::Reference))
                .find("no such implementation"),
            std::string::npos);
  Problem perColumn = at(0.05, 8, Form::Corrected);
  perColumn.maxRowLength = 2;
  perColumn.operand.scales = {0.05, 0.06};
  perColumn.operand.zeroPoints = {0, 0};
  perColumn.narrowed = perColumn.operand;
  for (const Method *method : allMethods())
    if (method->find("softmax", Form::Corrected))
      EXPECT_NE(reason(method->name, "softmax", perColumn)
                    .find("one scale per column"),
                std::string::npos);
  // Narrowed to one scale, the same operand is legal.
  perColumn.narrowed = symmetric(8, 0.06);
  for (const Method *method : allMethods())
    if (method->find("softmax", Form::Corrected))
      EXPECT_EQ(reason(method->name, "softmax", perColumn), "");
}
