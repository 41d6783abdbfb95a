//===- SurveyTest.cpp - Where methods are legal, and how good -------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Methods/Survey.h"
#include "Support.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <cmath>

using namespace nlq;
using namespace nlq::methods;
using namespace nlq::methods::test;

static std::vector<SurveyEntry> surveyOrFail(const SurveyQuery &query) {
  auto entries = survey(query);
  if (!entries) {
    ADD_FAILURE() << llvm::toString(entries.takeError());
    return {};
  }
  return std::move(*entries);
}

TEST(Survey, HasEveryCandidateOfTheFunction) {
  for (const Function &function : allFunctions()) {
    size_t candidates = 0;
    for (const Method *method : allMethods())
      for (const Implementation &implementation : method->implementations)
        if (implementation.function == function.name)
          candidates += implementation.candidates.size();
    auto entries = surveyOrFail({function.name.str(), 8, 0.05, 16, 8});
    EXPECT_EQ(entries.size(), candidates) << function.name.str();
    for (const SurveyEntry &entry : entries) {
      if (!entry.reason.empty())
        continue;
      EXPECT_GE(entry.elementLane, 8u);
      EXPECT_LE(entry.elementLane,
                entry.implementation->form == Form::Corrected ? 32u : 64u);
      EXPECT_LE(entry.errors.rms, entry.errors.worst);
      EXPECT_GT(entry.cost, 0);
    }
  }
}

/// The sample is what its description says.
TEST(Survey, SampleIsBellShaped) {
  SurveyQuery query{"softmax", 16, 0.01, 128, 8};
  Rows rows = surveySample(query);
  ASSERT_EQ(rows.size(), 128u);
  double sum = 0, squares = 0, count = 0;
  int64_t largest = 0;
  for (const Row &row : rows)
    for (int64_t value : row) {
      double x = double(value) / (32767 / 4.2);
      sum += x, squares += x * x, ++count;
      largest = std::max(largest, std::abs(value));
    }
  // Five standard deviations of the mean and of the mean square.
  EXPECT_LT(std::fabs(sum / count), 5 / std::sqrt(count));
  EXPECT_LT(std::fabs(squares / count - 1), 5 * std::sqrt(2 / count));
  EXPECT_LE(largest, 32767);
  EXPECT_EQ(rows, surveySample(query));
  query.rowLength = 1 << 15;
  EXPECT_EQ(surveySample(query).size(), 1u);
}

/// Errors are those of a run in the checked mode against the exact function.
TEST(Survey, ErrorsAreThoseOfTheResults) {
  SurveyQuery query{"softmax", 8, 0.05, 60, 16};
  Rows rows = surveySample(query);
  for (const SurveyEntry &entry : surveyOrFail(query)) {
    ASSERT_EQ(entry.reason, "");
    Problem problem =
        surveyProblem(query, *entry.implementation, *entry.candidate, 1);
    Outcome outcome = run(entry.method->name, "softmax", problem, rows);
    auto wanted = exact("softmax", problem, problem.operand, rows);
    auto got = dequantize(problem.result, outcome.result);
    double worst = 0;
    for (size_t r = 0; r < rows.size(); ++r)
      for (size_t i = 0; i < rows[r].size(); ++i)
        worst = std::max(worst, std::fabs(got[r][i] - wanted[r][i]) * 32768);
    EXPECT_NEAR(entry.errors.worst, worst, 1e-9);
    EXPECT_NEAR(entry.errors.sqnr, sqnr(wanted, got), 1e-9);
  }
}

/// A table of 8 bits is the exact function, rounded.
TEST(Survey, TablesAreRounded) {
  for (const SurveyEntry &entry : surveyOrFail({"gelu", 8, 0.03, 64, 8}))
    if (entry.method->name == "table" && entry.candidate->inBits == 0) {
      EXPECT_LE(entry.errors.worst, 0.5 + 1e-9);
      EXPECT_NEAR(entry.errors.rms, std::sqrt(1.0 / 12), 0.05);
    }
}

TEST(Survey, RefusalsHaveTheReason) {
  SurveyQuery query{"softmax", 8, 0.05, 1 << 20, 16};
  unsigned refused = 0;
  for (const SurveyEntry &entry : surveyOrFail(query)) {
    EXPECT_EQ(entry.reason, reason(entry.method->name, "softmax",
                                   surveyProblem(query, *entry.implementation,
                                                 *entry.candidate, 1)));
    refused += !entry.reason.empty();
  }
  EXPECT_GE(refused, 1u);
}

TEST(Survey, LimitsAreTight) {
  SurveyQuery query{"softmax", 8, 0.05, 197, 16};
  auto entries = surveyOrFail(query);
  unsigned limited = 0;
  for (const SurveyEntry &entry : entries) {
    SurveyLimits limits = surveyLimits(query, entry);
    auto isLegal = [&](double scale, int64_t row) {
      SurveyQuery other = query;
      other.scale = scale;
      other.rowLength = row;
      return reason(entry.method->name, "softmax",
                    surveyProblem(other, *entry.implementation,
                                  *entry.candidate, 1)) == "";
    };
    ASSERT_GT(limits.finestScale, 0);
    EXPECT_TRUE(isLegal(limits.finestScale, 197));
    EXPECT_TRUE(isLegal(limits.coarsestScale, 197));
    EXPECT_TRUE(isLegal(0.05, limits.longestRow));
    if (limits.finestScale > 0x1p-24)
      EXPECT_FALSE(isLegal(limits.finestScale / 2, 197));
    if (limits.coarsestScale < 64)
      EXPECT_FALSE(isLegal(limits.coarsestScale * 2, 197));
    if (limits.longestRow < 1 << 20) {
      EXPECT_FALSE(isLegal(0.05, limits.longestRow + 1));
      ++limited;
    }
  }
  EXPECT_GE(limited, 1u);
}

TEST(Survey, MalformedQueries) {
  auto because = [](const SurveyQuery &query, const char *text) {
    auto entries = survey(query);
    ASSERT_FALSE(bool(entries));
    EXPECT_EQ(llvm::toString(entries.takeError()), text);
  };
  because({"softmin", 8, 0.05, 197, 8}, "there is no function 'softmin'");
  because({"gelu", 1, 0.05, 197, 8},
          "operands of 1 bits, and 2 to 32 are allowed");
  because({"gelu", 8, -1, 197, 8},
          "the scale -1, and positive finite ones are allowed");
  because({"gelu", 8, 0.05, 0, 8},
          "rows of 0 elements, and 1 to 2^20 are allowed");
  because({"gelu", 8, 0.05, 197, 17},
          "results of 17 bits, and 2 to 16 are allowed");
}
