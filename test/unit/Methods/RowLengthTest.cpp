//===- RowLengthTest.cpp - Rows of 1 to 2^20 elements
//-----------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every softmax of the registry on the shortest and on long rows: legal, or
// refused with the reason and the longest row that is safe.
//
//===----------------------------------------------------------------------===//

#include "Methods/DrawnKernels.h"
#include "Support.h"
#include "nlq/Kernel/Evaluate.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace nlq;
using namespace nlq::methods;
using namespace nlq::methods::test;

namespace {

constexpr int64_t kLongest = int64_t(1) << 20;

class SoftmaxRows : public testing::TestWithParam<Subject> {
protected:
  /// 8-bit scores that reach from -6 to 6.
  Problem problem(int64_t length) const {
    Problem problem = softmaxProblem(symmetric(8, 6.0 / 127), length,
                                     GetParam().candidate->outBits,
                                     GetParam().implementation->form);
    return problem;
  }
  llvm::Expected<kernel::Kernel> build(int64_t length) const {
    return methods::build(*GetParam().method, "softmax", problem(length));
  }
};

std::vector<Subject> softmaxes() {
  std::vector<Subject> subjects;
  for (const Subject &subject : allSubjects())
    if (subject.implementation->function == "softmax")
      subjects.push_back(subject);
  return subjects;
}

/// Whatever the score, its probability is 1, up to a step of the method's own
/// grid, and in published forms what they lose by two floored quotients.
TEST_P(SoftmaxRows, OfOneElement) {
  auto kernel = build(1);
  ASSERT_TRUE(bool(kernel)) << llvm::toString(kernel.takeError());
  bool isReference = GetParam().implementation->form == Form::Reference;
  double step = std::ldexp(1.0, 1 - int(GetParam().candidate->outBits));
  for (int64_t value = -127; value <= 127; ++value) {
    int64_t share = kernel::evaluateRow(*kernel, {llvm::ArrayRef(value)})[0];
    double lost = 1 - double(share) * 0x1p-15;
    EXPECT_GE(lost, 0) << value;
    EXPECT_LE(lost, 0x1p-15 + (isReference ? step + 0x1p-10 : 0)) << value;
  }
}

/// The proof covers every length up to the declared one.
TEST_P(SoftmaxRows, OfUpToTheLongest) {
  auto kernel = build(kLongest);
  if (kernel)
    return;
  std::string reason = llvm::toString(kernel.takeError());
  size_t at = reason.find("the largest safe row is ");
  ASSERT_NE(at, std::string::npos) << reason;
  int64_t safe = std::stoll(reason.substr(at + 24));
  EXPECT_GE(safe, 1);
  for (auto [length, isLegal] : {std::pair(safe, true), {safe + 1, false}}) {
    auto shorter = build(length);
    EXPECT_EQ(bool(shorter), isLegal) << length;
    llvm::consumeError(shorter.takeError());
  }
}

INSTANTIATE_TEST_SUITE_P(Registry, SoftmaxRows, testing::ValuesIn(softmaxes()),
                         [](const testing::TestParamInfo<Subject> &info) {
                           return info.param.name();
                         });

/// 2^20 elements: two that stand out, 2^10 equal ones that do, and all equal,
/// of which each has less than a step.
TEST(SoftmaxRow, OfTheLongestRuns) {
  Problem problem =
      softmaxProblem(symmetric(8, 0.25), kLongest, 16, Form::Corrected);
  Rows rows(3, Row(kLongest, -100));
  rows[0][kLongest / 3] = 27;
  rows[0][kLongest - 1] = 26;
  for (int64_t i = 0; i < 1024; ++i)
    rows[1][i * 1024 + i] = 20;
  // Beside 1 and e^(-1/4) the others, 2^20 e^(-127/4) together, are nothing.
  double sum = 1 + std::exp(-0.25);
  unsigned legal = 0;
  for (const Method *method : allMethods()) {
    if (!method->find("softmax", Form::Corrected) ||
        !reason(method->name, "softmax", problem).empty())
      continue;
    ++legal;
    SCOPED_TRACE(method->name.str());
    // Shares of powers of two are up to a half off, those of I-ViT's straight
    // lines for powers of two 6 %.
    double relative = method->name == "fqvit" ? 0.5 : 0.06;
    Outcome outcome = run(method->name, "softmax", problem, rows);
    ASSERT_EQ(outcome.result.size(), rows.size());
    auto near = [&](int64_t share, double exact) {
      EXPECT_NEAR(double(share) * 0x1p-15, exact, relative * exact);
    };
    near(outcome.result[0][kLongest / 3], 1 / sum);
    near(outcome.result[0][kLongest - 1], std::exp(-0.25) / sum);
    EXPECT_EQ(outcome.result[0][0], 0);
    near(outcome.result[1][1024 + 1], 0x1p-10);
    EXPECT_EQ(outcome.result[1][1], 0);
    EXPECT_EQ(outcome.result[2], Row(kLongest, 0));
  }
  EXPECT_GE(legal, 1u);
}

} // namespace
