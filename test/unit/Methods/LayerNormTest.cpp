//===- LayerNormTest.cpp - Layer normalization methods --------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Published.h"
#include "nlq/Kernel/Bound.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace nlq;
using namespace nlq::methods;
using namespace nlq::methods::test;

/// gamma around 1, some negative; beta around 0.
static Problem layerNormProblem(const Quantized &in, int64_t columns,
                                Form form) {
  Problem problem;
  problem.operand = problem.narrowed = in;
  problem.result = symmetric(8, 0.03);
  problem.maxRowLength = columns;
  problem.form = form;
  problem.epsilon = 0;
  std::mt19937_64 engine(4);
  std::normal_distribution<double> normal;
  for (int64_t i = 0; i < columns; ++i) {
    problem.gamma.push_back((1 + 0.3 * normal(engine)) * (i % 7 == 3 ? -1 : 1));
    problem.beta.push_back(0.4 * normal(engine));
  }
  return problem;
}

/// Unsigned 8 bit with a zero point and factors 1, 2, 4, 8 by column.
static Quantized powerOfTwoFactors(int64_t columns, double unit) {
  Quantized type;
  type.isSigned = false;
  type.range = {0, 255};
  type.scales.clear();
  for (int64_t i = 0; i < columns; ++i)
    type.scales.push_back(unit * double(1 << (i * 5 % 4)));
  type.zeroPoints.assign(columns, 117);
  return type;
}

/// Rows for which the published code does not divide by 0.
static Rows withoutConstantRows(Rows rows) {
  llvm::erase_if(rows, [](const Row &row) {
    return std::all_of(row.begin(), row.end(),
                       [&](int64_t x) { return x == row[0]; });
  });
  return rows;
}

//===----------------------------------------------------------------------===//
// Reference forms equal the published arithmetic
//===----------------------------------------------------------------------===//

TEST(LayerNorm, IBertReferenceIsPublished) {
  for (int64_t columns : {2, 32, 64, 384})
    for (unsigned bits : {8u, 16u}) {
      Quantized in = symmetric(bits, 0.001);
      Problem problem = layerNormProblem(in, columns, Form::Reference);
      Rows rows = withoutConstantRows(adversarialRows(in, columns));
      for (double sigma : {0.01, 0.05, 3.0})
        for (Row &row : gaussianRows(in, 10, columns, sigma, 0.02, 6))
          rows.push_back(row);
      rows = withoutConstantRows(rows);
      // A deviation that rounds to 0 for all but few elements leaves the root
      // of the sum at 1 or more.
      Outcome outcome = run("ibert", "layer_norm", problem, rows);
      ASSERT_EQ(outcome.grid.size(), rows.size());
      for (size_t i = 0; i < rows.size(); ++i)
        ASSERT_EQ(outcome.grid[i], published::ibertLayerNorm(
                                       rows[i], problem.gamma, problem.beta, 0))
            << columns << " " << bits << " row " << i;
    }
}

TEST(LayerNorm, IBertShiftsWideInputs) {
  const int64_t columns = 64;
  Quantized in = symmetric(22, 1e-5);
  Problem problem = layerNormProblem(in, columns, Form::Reference);
  Rows rows = gaussianRows(in, 30, columns, 5.0, 1.0, 8);
  for (Row &row : withoutConstantRows(adversarialRows(in, columns)))
    if (row[0] != 0 && row[1] != 0) // not all shifted to 0
      rows.push_back(row);
  // 64 * (2^22 >> 9)^2 = 2^32 is one too many.
  Outcome outcome = run("ibert", "layer_norm", problem, rows);
  ASSERT_EQ(outcome.grid.size(), rows.size());
  for (size_t i = 0; i < rows.size(); ++i)
    ASSERT_EQ(outcome.grid[i], published::ibertLayerNorm(rows[i], problem.gamma,
                                                         problem.beta, 9));
}

TEST(LayerNorm, IViTReferenceIsPublished) {
  for (int64_t columns : {2, 32, 64, 384})
    for (unsigned bits : {8u, 16u}) {
      Quantized in = symmetric(bits, 0.001);
      Problem problem = layerNormProblem(in, columns, Form::Reference);
      // The steps never reach 0, so constant rows are legal.
      Rows rows = adversarialRows(in, columns);
      for (double sigma : {0.001, 0.05, 3.0})
        for (Row &row : gaussianRows(in, 10, columns, sigma, 0.02, 6))
          rows.push_back(row);
      Outcome outcome = run("ivit", "layer_norm", problem, rows);
      ASSERT_EQ(outcome.grid.size(), rows.size());
      for (size_t i = 0; i < rows.size(); ++i)
        ASSERT_EQ(outcome.grid[i], published::ivitLayerNorm(
                                       rows[i], problem.gamma, problem.beta))
            << columns << " " << bits << " row " << i;
    }
}

TEST(LayerNorm, FQViTReferenceIsPublished) {
  for (int64_t columns : {32, 64, 384}) {
    Quantized in = powerOfTwoFactors(columns, 0.01);
    Problem problem = layerNormProblem(in, columns, Form::Reference);
    problem.gamma[1] = 0;
    problem.gamma[2] = 1e-7; // N reaches its clamp at 31
    problem.result = symmetric(16, 0.03);
    Rows rows = withoutConstantRows(adversarialRows(in, columns));
    for (double sigma : {0.05, 0.5, 4.0})
      for (Row &row : gaussianRows(in, 60, columns, sigma, 0.3, 6))
        rows.push_back(row);
    Outcome outcome = run("fqvit", "layer_norm", problem, rows);
    ASSERT_EQ(outcome.grid.size(), rows.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      Row centred = rows[i];
      for (int64_t &x : centred)
        x -= 117;
      ASSERT_EQ(outcome.grid[i],
                published::fqvitLayerNorm(centred, in.scales, problem.gamma,
                                          problem.beta, 0.03))
          << columns << " row " << i;
    }
  }
}

/// M saturates at 255 without a word where A is 2^8 or more.
TEST(LayerNorm, FQViTReferenceSaturates) {
  const int64_t columns = 64;
  Quantized in = powerOfTwoFactors(columns, 0.01);
  Problem problem = layerNormProblem(in, columns, Form::Reference);
  for (double &gamma : problem.gamma)
    gamma *= 200;
  problem.result = symmetric(32, 0.01);
  Row row(columns, 117);
  row[5] = 118;
  Outcome outcome = run("fqvit", "layer_norm", problem, {row});
  Row centred = row;
  for (int64_t &x : centred)
    x -= 117;
  ASSERT_EQ(outcome.grid.size(), 1u);
  EXPECT_EQ(outcome.grid[0],
            published::fqvitLayerNorm(centred, in.scales, problem.gamma,
                                      problem.beta, 0.01));
}

//===----------------------------------------------------------------------===//
// Accuracy, against the exact function of the same integers
//===----------------------------------------------------------------------===//

/// 0.5 % outlier channels, 20 times as large; 4 sigma of the others reach
/// `share` of the range.
static double measure(llvm::StringRef method, Form form, unsigned bits,
                      double share, int64_t columns = 384) {
  Quantized in = symmetric(bits, 1.0 / double((int64_t(1) << (bits - 1)) - 1));
  Rows rows = gaussianRows(in, 40, columns, share / 80, 0, 21);
  Rows large = gaussianRows(in, 40, columns, share / 4, 0, 22);
  for (size_t r = 0; r < rows.size(); ++r)
    for (int64_t i = 100; i < columns; i += 200)
      rows[r][i] = large[r][i];
  Problem problem = layerNormProblem(in, columns, form);
  // 8-bit results of the corrected form have a test of their own.
  problem.result = symmetric(16, 1e-3);
  return sqnr(exact("layer_norm", problem, in, rows),
              run(method, "layer_norm", problem, rows).own);
}

TEST(LayerNorm, ReferenceAccuracy) {
  // With 16-bit inputs the integer mean and root are fine, ...
  EXPECT_GT(measure("ibert", Form::Reference, 16, 1), 60);
  EXPECT_NEAR(measure("ibert", Form::Reference, 16, 1),
              measure("ivit", Form::Reference, 16, 1), 0.5);
  // ... with 8-bit ones they are not, and ten steps do not converge.
  EXPECT_LT(measure("ibert", Form::Reference, 8, 1), 40);
  EXPECT_LT(measure("ibert", Form::Reference, 8, 0.2), 30);
  EXPECT_LT(measure("ivit", Form::Reference, 8, 0.2), 12);
}

TEST(LayerNorm, FQViTReferenceAccuracy) {
  const int64_t columns = 384;
  Quantized in = powerOfTwoFactors(columns, 0.01);
  Problem problem = layerNormProblem(in, columns, Form::Reference);
  Rows rows = gaussianRows(in, 40, columns, 0.4, 0, 23);
  std::vector<Reals> wanted = exact("layer_norm", problem, in, rows);
  problem.result = symmetric(8, 4.0 / 127);
  // The result's step of 0.03 and the 8-bit mantissa.
  double accuracy = sqnr(wanted, run("fqvit", "layer_norm", problem, rows).own);
  EXPECT_GT(accuracy, 34.6);
  EXPECT_LT(accuracy, 45);
  problem.form = Form::Corrected;
  problem.result = symmetric(16, 16.0 / 32767);
  EXPECT_GT(sqnr(wanted, run("fqvit", "layer_norm", problem, rows).own), 95);
}

TEST(LayerNorm, CorrectedAccuracy) {
  for (const char *method : {"ibert", "ivit", "fqvit"}) {
    EXPECT_GT(measure(method, Form::Corrected, 8, 1), 100);
    EXPECT_GT(measure(method, Form::Corrected, 8, 0.2), 100);
    EXPECT_GT(measure(method, Form::Corrected, 16, 1), 100);
    EXPECT_GT(measure(method, Form::Corrected, 16, 0.01), 100);
    EXPECT_GT(measure(method, Form::Corrected, 16, 1, 1024), 95);
    // I-BERT's own operands, whose squares have 43 bits.
    EXPECT_GT(measure(method, Form::Corrected, 22, 1), 101);
    EXPECT_GT(measure(method, Form::Corrected, 22, 0.001), 101);
    EXPECT_GT(measure(method, Form::Corrected, 17, 1), 101);
  }
}

/// epsilon is part of the function, gamma may be anything, and a constant row
/// gives beta.
TEST(LayerNorm, CorrectedParameters) {
  const int64_t columns = 64;
  Quantized in = symmetric(16, 1e-3);
  Problem problem = layerNormProblem(in, columns, Form::Corrected);
  problem.result = symmetric(16, 1e-3);
  problem.epsilon = 0.01;
  problem.gamma[0] = 0;
  problem.gamma[1] = 1e-12;
  problem.gamma[2] = -5;
  problem.beta[3] = 0;
  Rows rows = gaussianRows(in, 20, columns, 0.05, 1.0, 31);
  for (Row &row : adversarialRows(in, columns))
    rows.push_back(row);
  std::vector<Reals> wanted = exact("layer_norm", problem, in, rows);
  for (const char *method : {"ibert", "ivit", "fqvit"}) {
    Outcome outcome = run(method, "layer_norm", problem, rows);
    ASSERT_EQ(outcome.own.size(), rows.size());
    for (size_t r = 0; r < rows.size(); ++r)
      for (int64_t i = 0; i < columns; ++i)
        ASSERT_NEAR(outcome.own[r][i], wanted[r][i],
                    2e-6 + 1e-5 * std::fabs(wanted[r][i]))
            << method << " row " << r << " column " << i;
  }
  // Without epsilon the result would be far off, so it is not ignored.
  problem.epsilon = 0;
  EXPECT_LT(sqnr(exact("layer_norm", problem, in, rows), wanted), 10);
}

/// Results of 8 bits are made of elements of 16. Beside their own rounding they
/// are off by an eighth of a step at most, and in long rows by a quarter, which
/// shows in few of them and adds little to the error of exactly rounded ones.
TEST(LayerNorm, EightBitResults) {
  for (unsigned bits : {4u, 8u, 12u, 16u})
    for (int64_t columns : {3, 64, 384, 1024, 4096})
      for (double share : {0.01, 0.2, 1.0, 4.0}) {
        Quantized in =
            symmetric(bits, 1.0 / double((int64_t(1) << (bits - 1)) - 1));
        Problem problem = layerNormProblem(in, columns, Form::Corrected);
        problem.result.zeroPoints = {-5};
        Rows rows = gaussianRows(in, 20, columns, share / 4, 0.1, 21);
        for (Row &row : adversarialRows(in, columns))
          rows.push_back(row);
        rows = withoutConstantRows(rows);
        std::vector<Reals> wanted = exact("layer_norm", problem, in, rows);
        Outcome outcome = run("ibert", "layer_norm", problem, rows);
        ASSERT_EQ(outcome.result.size(), rows.size());
        size_t different = 0;
        Rows rounded = outcome.result;
        const Quantized &to = problem.result;
        for (size_t r = 0; r < rows.size(); ++r)
          for (int64_t i = 0; i < columns; ++i) {
            double steps = std::clamp(wanted[r][i] / to.scale(i) - 5,
                                      double(to.range.lo), double(to.range.hi));
            ASSERT_NEAR(double(outcome.result[r][i]), steps,
                        0.5 + (columns < 1024 ? 0.125 : 0.25))
                << bits << " bits, row " << r << " of " << columns;
            rounded[r][i] = std::llround(steps);
            different += rounded[r][i] != outcome.result[r][i];
          }
        double all = double(rows.size() * columns);
        EXPECT_LT(double(different), 0.05 * all + 1) << bits << " " << columns;
        EXPECT_GT(sqnr(wanted, dequantize(to, outcome.result)),
                  sqnr(wanted, dequantize(to, rounded)) - 0.1);
      }
}

/// Whether all that becomes of the standardised elements is known to fit 16
/// bits.
static bool endsInWords(const Problem &problem) {
  llvm::Expected<kernel::Kernel> kernel =
      build(*lookup("ibert"), "layer_norm", problem);
  if (!kernel) {
    ADD_FAILURE() << llvm::toString(kernel.takeError());
    return false;
  }
  const kernel::Graph &graph = kernel->graph;
  llvm::Expected<kernel::Bounds> bounds = kernel::bound(graph);
  if (!bounds) {
    ADD_FAILURE() << llvm::toString(bounds.takeError());
    return false;
  }
  bool after = false, inWords = true;
  for (size_t id = 0; id < graph.nodes.size(); ++id) {
    if (after)
      inWords &= bounds->lane(id) <= 16;
    after |= graph.nodes[id].text == "standardised";
  }
  EXPECT_TRUE(after);
  return inWords;
}

/// Rows of 4096 leave 9 bits for a standard deviation. Where gamma spreads it
/// over at most 51 steps of the result, 16 bits do; products of 32 are for
/// more.
TEST(LayerNorm, LongRowsEndInWords) {
  const int64_t columns = 4096;
  Quantized in = symmetric(8, 0.05);
  Rows rows = gaussianRows(in, 20, columns, 1.5, 0.1, 21);
  for (Row &row : withoutConstantRows(adversarialRows(in, columns)))
    rows.push_back(row);
  for (double largest : {1.0, 2.0, 2.2}) {
    Problem problem = layerNormProblem(in, columns, Form::Corrected);
    problem.result = symmetric(8, 0.04);
    for (double &gamma : problem.gamma)
      gamma = std::clamp(gamma, -largest, largest);
    problem.gamma[5] = largest;
    EXPECT_EQ(endsInWords(problem), largest / 0.04 < 51) << largest;
    Outcome outcome = run("ibert", "layer_norm", problem, rows);
    std::vector<Reals> wanted = exact("layer_norm", problem, in, rows);
    ASSERT_EQ(outcome.own.size(), rows.size());
    for (size_t r = 0; r < rows.size(); ++r)
      for (int64_t i = 0; i < columns; ++i)
        ASSERT_NEAR(outcome.own[r][i], wanted[r][i], 0.25 * 0.04)
            << largest << " row " << r << " column " << i;
  }
}

TEST(LayerNorm, LengthOne) {
  Quantized in = symmetric(16, 1e-3);
  Problem problem = layerNormProblem(in, 1, Form::Corrected);
  problem.beta = {0.75};
  problem.result = symmetric(8, 0.25);
  for (const char *method : {"ibert", "ivit", "fqvit"}) {
    Outcome outcome = run(method, "layer_norm", problem, {{0}, {32767}, {-5}});
    EXPECT_EQ(outcome.result, (Rows{{3}, {3}, {3}})) << method;
  }
}

//===----------------------------------------------------------------------===//
// From the residual to the activation
//===----------------------------------------------------------------------===//

TEST(LayerNorm, ResidualToActivation) {
  for (int64_t columns : {32, 64})
    for (Form form : {Form::Reference, Form::Corrected})
      for (const char *method : {"ibert", "ivit", "fqvit"}) {
        Quantized residual = symmetric(16, 8.0 / 32767);
        Problem problem = layerNormProblem(residual, columns, form);
        problem.epsilon = 1e-6;
        problem.result = symmetric(8, 6.0 / 127);
        if (method == std::string("fqvit"))
          problem.narrowed = powerOfTwoFactors(columns, 0.01);
        Rows rows = gaussianRows(residual, 20, columns, 0.5, 0.1, 41);
        double accuracy =
            sqnr(exact("layer_norm", problem, residual, rows),
                 dequantize(problem.result,
                            run(method, "layer_norm", problem, rows).result));
        EXPECT_GT(accuracy, method == std::string("fqvit") ? 28 : 35)
            << method << " " << columns;
        // In bounds, whatever comes.
        Rows rest = adversarialRows(residual, columns);
        EXPECT_EQ(run(method, "layer_norm", problem, rest).result.size(),
                  rest.size());
      }
}

//===----------------------------------------------------------------------===//
// Where methods refuse, and what becomes wide
//===----------------------------------------------------------------------===//

TEST(LayerNorm, Refusals) {
  Quantized in = symmetric(16, 1e-3);
  Problem problem = layerNormProblem(in, 4, Form::Reference);
  problem.gamma[3] = 0;
  for (const char *method : {"ibert", "ivit"})
    EXPECT_NE(reason(method, "layer_norm", problem).find("gamma[3] is 0"),
              std::string::npos);
  EXPECT_EQ(reason("fqvit", "layer_norm", problem), "");
  problem.gamma[3] = 1e-30;
  EXPECT_NE(reason("ibert", "layer_norm", problem).find("column 3"),
            std::string::npos);

  Problem wide = layerNormProblem(symmetric(32, 1e-6), 64, Form::Corrected);
  for (const char *method : {"ibert", "ivit", "fqvit"})
    EXPECT_NE(reason(method, "layer_norm", wide).find("narrow them"),
              std::string::npos);

  Problem uneven =
      layerNormProblem(powerOfTwoFactors(4, 0.01), 4, Form::Corrected);
  EXPECT_NE(reason("ibert", "layer_norm", uneven).find("one scale per column"),
            std::string::npos);
  uneven.operand.scales[2] = uneven.narrowed.scales[2] = 0.03;
  EXPECT_NE(reason("fqvit", "layer_norm", uneven).find("powers of two"),
            std::string::npos);
}

TEST(LayerNorm, SmallGammaWidensTheReference) {
  Problem problem = layerNormProblem(symmetric(15, 1e-3), 64, Form::Reference);
  for (size_t i = 0; i < 64; ++i) {
    problem.gamma[i] = 1;
    problem.beta[i] = 0.1 * double(i % 5);
  }
  auto widths = [&] {
    auto kernel = build(*lookup("ibert"), "layer_norm", problem);
    EXPECT_TRUE(bool(kernel));
    return kernel ? describeWidths(*kernel) : "";
  };
  EXPECT_EQ(widths(), "");
  // 2^16 - 2 squared does not fit in a signed number of 32 bits.
  problem.operand = problem.narrowed = symmetric(16, 1e-3);
  EXPECT_NE(widths().find("'square' may need 33 bits"), std::string::npos);
  problem.operand = problem.narrowed = symmetric(15, 1e-3);
  problem.gamma[7] = 1e-3; // |beta/gamma| = 200 > 2 sqrt(64)
  EXPECT_NE(widths().find("64-bit lanes"), std::string::npos);
}
