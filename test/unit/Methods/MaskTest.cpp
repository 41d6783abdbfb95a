//===- MaskTest.cpp - Rows with elements that take no part ----------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A row with a mask is a row without the elements that take no part: the kernel
// that knows no masks, run on what is left, says what must come out, for every
// softmax of the registry.
//
//===----------------------------------------------------------------------===//

#include "Methods/DrawnKernels.h"
#include "Support.h"
#include "nlq/Kernel/Evaluate.h"
#include "gtest/gtest.h"
#include <algorithm>

using namespace nlq;
using namespace nlq::methods;
using namespace nlq::methods::test;
using kernel::Evaluator;
using kernel::Random;

namespace {

class Masks : public testing::TestWithParam<Subject> {};

std::vector<Subject> probabilities() {
  std::vector<Subject> subjects;
  for (const Subject &subject : allSubjects())
    if (lookupFunction(subject.implementation->function)->kind ==
        FunctionKind::Probabilities)
      subjects.push_back(subject);
  return subjects;
}

/// A problem without parameters per column: rows may be cut.
Problem drawPerTensor(const Subject &subject, uint64_t seed) {
  Problem problem = drawProblem(subject, /*longestRow=*/40, seed);
  problem.maxRowLength = std::min<int64_t>(problem.maxRowLength, 40);
  for (Quantized *type :
       {&problem.operand, &problem.narrowed, &problem.result}) {
    type->scales.resize(1);
    type->zeroPoints.resize(1);
  }
  problem.hasMask = problem.isCausal = false;
  return problem;
}

/// Masks to try on rows of `length`: none, all, single, halves and at random.
std::vector<Row> drawMasks(int64_t length, Random &random) {
  std::vector<Row> masks = {Row(length, 0), Row(length, 1), Row(length, -128)};
  for (int64_t hot : {int64_t(0), length / 2, length - 1}) {
    masks.push_back(Row(length, 0));
    masks.back()[hot] = 1;
    masks.push_back(Row(length, 1));
    masks.back()[hot] = 0;
  }
  for (unsigned i = 0; i < 4; ++i) {
    masks.push_back(Row(length));
    for (int64_t &value : masks.back())
      value = random.oneIn(i + 2) ? random.in(-128, 127) : 0;
  }
  return masks;
}

/// What the kernel without a mask makes of the elements that take part.
Row expectedRow(const kernel::Kernel &kernel, const Row &values,
                const std::vector<bool> &takesPart, int64_t zero) {
  Row left;
  for (size_t i = 0; i < values.size(); ++i)
    if (takesPart[i])
      left.push_back(values[i]);
  Row images;
  if (!left.empty())
    images = kernel::evaluateRow(kernel, {llvm::ArrayRef<int64_t>(left)});
  Row expected;
  size_t next = 0;
  for (size_t i = 0; i < values.size(); ++i)
    expected.push_back(takesPart[i] ? images[next++] : zero);
  return expected;
}

TEST_P(Masks, AreRowsOfWhatTakesPart) {
  const Subject &subject = GetParam();
  unsigned legal = 0, rowsOfNothing = 0;
  for (uint64_t seed = 0; legal < 12 && seed < 4000; ++seed) {
    Problem problem = drawPerTensor(subject, seed);
    auto plain =
        build(*subject.method, subject.implementation->function, problem);
    if (!plain) {
      llvm::consumeError(plain.takeError());
      continue;
    }
    ++legal;
    Random random(seed);
    const int64_t length = problem.maxRowLength;
    const int64_t zero =
        std::clamp(problem.result.zeroPoints[0], problem.result.range.lo,
                   problem.result.range.hi);
    for (auto [hasMask, isCausal] :
         {std::pair(true, false), std::pair(false, true),
          std::pair(true, true)}) {
      problem.hasMask = hasMask;
      problem.isCausal = isCausal;
      auto masked =
          build(*subject.method, subject.implementation->function, problem);
      ASSERT_TRUE(bool(masked))
          << "seed " << seed << ": " << llvm::toString(masked.takeError());
      auto bounds = llvm::cantFail(kernel::bound(masked->graph));
      Evaluator evaluator(*masked, length);
      for (unsigned pattern = 0; pattern < kernel::kNumInputPatterns; ++pattern)
        for (const Row &mask : drawMasks(length, random)) {
          Row values = randomInputs(*plain, length,
                                    kernel::InputPattern(pattern), seed)[0];
          int64_t visible = random.in(0, length);
          std::vector<bool> takesPart(length);
          for (int64_t i = 0; i < length; ++i)
            takesPart[i] =
                (!hasMask || mask[i] != 0) && (!isCausal || i < visible);
          rowsOfNothing += llvm::none_of(takesPart, [](bool b) { return b; });
          std::vector<llvm::ArrayRef<int64_t>> inputs = {values};
          // In the order in which the kernel declares them.
          for (const kernel::Input &input : masked->graph.inputs) {
            if (input.name == "mask")
              inputs.push_back(mask);
            if (input.name == "visible")
              inputs.push_back(llvm::ArrayRef(visible));
          }
          Row out(length);
          llvm::Error error = evaluator.runChecked(inputs, 0, out, bounds);
          ASSERT_FALSE(bool(error))
              << "seed " << seed << ": " << llvm::toString(std::move(error));
          ASSERT_EQ(out, expectedRow(*plain, values, takesPart, zero))
              << "seed " << seed << ", pattern " << pattern << '\n'
              << masked->graph.str();
        }
    }
  }
  EXPECT_EQ(legal, 12u);
  EXPECT_GT(rowsOfNothing, 100u);
}

INSTANTIATE_TEST_SUITE_P(Registry, Masks, testing::ValuesIn(probabilities()),
                         [](const testing::TestParamInfo<Subject> &info) {
                           return info.param.name();
                         });

TEST(Mask, IsForProbabilitiesOnly) {
  Problem problem = softmaxProblem(symmetric(8, 0.1), 4, 16, Form::Corrected);
  problem.hasMask = true;
  EXPECT_EQ(reason("table", "gelu", problem),
            "table gelu (corrected): rows with a mask are for probabilities "
            "only");
}

/// Refused with a mask where it is without.
TEST(Mask, OverflowIsRefused) {
  Problem problem = softmaxProblem(symmetric(32, 0.1), 4, 16, Form::Corrected);
  for (bool hasMask : {false, true}) {
    problem.hasMask = hasMask;
    EXPECT_NE(reason("ibert", "softmax", problem)
                  .find("sub) reaches [0, 4294967294], which needs 33 bits"),
              std::string::npos);
  }
}

} // namespace
