//===- EvaluateTest.cpp - Exact evaluation of kernels ---------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Kernel/Evaluate.h"
#include "nlq/Kernel/Builder.h"
#include "gtest/gtest.h"

using namespace nlq::kernel;

/// x - mean, weighted per column, plus the row's number: every rate at once.
static Kernel centred() {
  Builder b(8);
  Value x = b.element("x", 8, {-128, 127});
  Value mean = b.div(b.reduceSum(x), b.rowLength(), Rounding::HalfAway);
  Value weight = b.column("weight", {1, -2, 3, 4}) + b.columnIndex();
  return b.finish((x - mean) * weight + b.min(b.rowIndex(), 9).named("row"),
                  16);
}

static const std::vector<int64_t> row = {10, -20, 31, 5}; // mean 6.5 -> 7
static const std::vector<int64_t> expected = {3 * 1 + 5, -27 * -1 + 5,
                                              24 * 5 + 5, -2 * 7 + 5};

TEST(Evaluate, EveryRate) {
  EXPECT_EQ(evaluateRow(centred(), {row}, 5), expected);
}

TEST(Evaluate, RowAfterRow) {
  Kernel kernel = centred();
  Evaluator evaluator(kernel, 4);
  std::vector<int64_t> out(4), constant = {3, 3, 3, 3};
  evaluator.run({constant}, 2, out);
  EXPECT_EQ(out, (std::vector<int64_t>{2, 2, 2, 2}));
  evaluator.run({row}, 5, out);
  EXPECT_EQ(out, expected);
  EXPECT_EQ(evaluator.values(kernel.graph.result),
            llvm::ArrayRef<int64_t>(expected));
}

TEST(Evaluate, ResultsOfOtherRatesFillTheRow) {
  Builder b(8);
  Value x = b.element("x", 8, {-128, 127});
  EXPECT_EQ(evaluateRow(b.finish(b.reduceMax(x), 8), {row}),
            (std::vector<int64_t>{31, 31, 31, 31}));
}

TEST(Evaluate, UnboundedInputsDoNoHarm) {
  Builder b(8);
  Value x = b.element("x", 8, {1, 2}), y = b.element("y", 8, {0, 2});
  Value z = b.div(y, x) + b.lookup({7, 8, 9}, y) + b.shiftLeft(y, x) +
            b.mulShift(y, x, x, Rounding::HalfUp);
  std::vector<int64_t> xs = {0, -1, 1000}, ys = {INT64_MIN, INT64_MIN, -50};
  EXPECT_EQ(evaluateRow(b.finish(z, 64), {xs, ys}).size(), 3u);
}

TEST(Evaluate, CheckedModeCatchesAWrongLemma) {
  Builder b(8);
  Value x = b.element("x", 8, {-128, 127});
  Kernel kernel =
      b.finish(b.assume(x - b.reduceMax(x), {-100, 0}, "rows are narrow"), 16);
  Bounds bounds = llvm::cantFail(bound(kernel.graph));
  Evaluator evaluator(kernel, 3);
  std::vector<int64_t> out(3), narrow = {-50, 0, 50}, wide = {-51, 0, 50};
  EXPECT_FALSE(bool(evaluator.runChecked({narrow}, 0, out, bounds)));
  EXPECT_EQ(out, (std::vector<int64_t>{-100, -50, 0}));
  EXPECT_EQ(llvm::toString(evaluator.runChecked({wide}, 0, out, bounds)),
            "node 2 (sub) is -101 at element 0, outside of [-100, 0]");
}

TEST(Evaluate, CheckedModeCatchesInputsOutsideOfTheirRange) {
  Kernel kernel = centred();
  Bounds bounds = llvm::cantFail(bound(kernel.graph));
  Evaluator evaluator(kernel, 4);
  std::vector<int64_t> out(4), outside = {0, 0, 128, 0};
  EXPECT_EQ(llvm::toString(evaluator.runChecked({outside}, 0, out, bounds)),
            "node 0 (input) is 128 at element 2, outside of [-128, 127]");
}

TEST(Evaluate, CheckedModeCatchesASumThatOverflows) {
  Builder b(4);
  Value x = b.element("x", 64, {0, INT64_MAX / 4});
  Kernel kernel = b.finish(b.reduceSum(x), 64);
  Bounds bounds = llvm::cantFail(bound(kernel.graph));
  // A longer row than was declared.
  std::vector<int64_t> out(5), largest(5, INT64_MAX / 4);
  Evaluator evaluator(kernel, 5);
  std::string message =
      llvm::toString(evaluator.runChecked({largest}, 0, out, bounds));
  EXPECT_NE(message.find("node 1 (reduce_sum) is 11529215046068469755"),
            std::string::npos)
      << message;
}
