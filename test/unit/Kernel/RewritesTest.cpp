//===- RewritesTest.cpp - Graph-to-graph rewrites -------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// That rewrites keep the result is tested on random kernels beside; here, that
// they happen where they should and nowhere else.

#include "nlq/Kernel/Rewrites.h"
#include "Support.h"
#include "nlq/Kernel/Bound.h"
#include "nlq/Kernel/Builder.h"
#include "nlq/Kernel/Evaluate.h"
#include "gtest/gtest.h"

using namespace nlq::kernel;

TEST(Simplify, WhatTheIntervalsDecide) {
  Builder b(8);
  Value x = b.element("x", 8, {-100, 100});
  Value same = b.clamp(x, {-128, 127});
  Value picked = b.select(b.compare(Predicate::LT, x, 101), same, x * x);
  Kernel kernel = simplify(b.finish(picked, 8));
  ASSERT_EQ(kernel.graph.nodes.size(), 1u);
  EXPECT_EQ(kernel.graph.nodes[0].opcode, Opcode::Input);
}

TEST(Simplify, PowersOfTwoShift) {
  Builder b(8);
  Value x = b.element("x", 8, {-100, 100});
  Kernel kernel =
      simplify(b.finish(b.div(x, 8, Rounding::HalfAway) +
                            b.mulShift(x, 1 << 10, 13, Rounding::HalfAway) +
                            b.mulShift(x, 1 << 10, 9, Rounding::Floor),
                        16));
  EXPECT_EQ(count(kernel, Opcode::Div), 0u);
  EXPECT_EQ(count(kernel, Opcode::ShiftRight), 1u); // both are x / 8
  EXPECT_EQ(count(kernel, Opcode::MulShift), 1u);   // a left shift stays
  std::vector<int64_t> xs = {-100, -12, -4, 4, 12, 20, 100};
  EXPECT_EQ(evaluateRow(kernel, {xs}),
            (std::vector<int64_t>{-226, -28, -10, 10, 28, 46, 226}));
}

TEST(Simplify, AssumptionsStay) {
  Builder b(8);
  Value x = b.element("x", 8, {-100, 100});
  Value largest = b.assume(b.reduceMax(x), {0, 100}, "some x is positive");
  Kernel kernel = simplify(b.finish(b.clamp(largest + x, {-100, 200}), 16));
  EXPECT_EQ(count(kernel, Opcode::Assume), 1u);
  EXPECT_EQ(count(kernel, Opcode::Max), 0u);
}

/// Beside the maximum that is decided here `bound` sees that no difference from
/// it is negative, which the lookup needs.
TEST(Simplify, WhatIsProvedOfMaximaStays) {
  Builder b(8);
  Value x = b.max(b.element("x", 8, {0, 3}), -1);
  Kernel kernel =
      b.finish(b.lookup({9, 8, 7, 6}, b.max(b.max(x, 0), x) - x), 8);
  ASSERT_TRUE(bool(bound(kernel.graph)));
  Kernel simple = simplify(kernel);
  EXPECT_TRUE(bool(bound(simple.graph)));
  std::vector<int64_t> xs = {0, 1, 2, 3};
  EXPECT_EQ(evaluateRow(simple, {xs}), evaluateRow(kernel, {xs}));
}

TEST(Simplify, RefusedKernelsComeBack) {
  Builder b(8);
  Value x = b.element("x", 8, {-100, 100});
  Kernel kernel = b.finish(b.div(x, x) + b.min(x, 1000), 16);
  EXPECT_TRUE(simplify(kernel).graph == kernel.graph);
}

TEST(MultiplyForShifts, ByAValueOfTheRow) {
  Builder b(4);
  Value x = b.element("x", 16, {-32768, 32767});
  Value amount = b.row("amount", 8, {1, 15});
  Kernel kernel = b.finish(b.shiftRight(x, amount, Rounding::HalfUp), 16);
  Kernel product = multiplyForShifts(kernel);
  EXPECT_EQ(count(product, Opcode::ShiftRight), 0u);
  EXPECT_EQ(count(product, Opcode::MulShift), 1u);
  llvm::cantFail(bound(product.graph));
  std::vector<int64_t> xs = range(-32768, 32767);
  for (int64_t n = 1; n <= 15; ++n)
    EXPECT_EQ(evaluateRow(product, {xs, {n}}), evaluateRow(kernel, {xs, {n}}));
}

TEST(MultiplyForShifts, OnlyWhereAProductOfWordsIsTheSame) {
  auto build = [](Interval values, Interval amounts, Rounding rounding,
                  bool perElement) {
    Builder b(4);
    Value x = b.element("x", 32, values);
    Value amount = perElement ? b.element("amount", 8, amounts)
                              : b.row("amount", 8, amounts);
    Kernel kernel = b.finish(b.shiftRight(x, amount, rounding), 32);
    return count(multiplyForShifts(kernel), Opcode::MulShift);
  };
  const Interval words = {-32768, 32767};
  EXPECT_EQ(build(words, {1, 15}, Rounding::HalfUp, false), 1u);
  EXPECT_EQ(build(words, {0, 15}, Rounding::HalfUp, false), 0u);
  EXPECT_EQ(build(words, {1, 16}, Rounding::HalfUp, false), 0u);
  EXPECT_EQ(build(words, {1, 15}, Rounding::HalfAway, false), 0u);
  EXPECT_EQ(build(words, {1, 15}, Rounding::HalfUp, true), 0u);
  EXPECT_EQ(build({0, 32768}, {1, 15}, Rounding::HalfUp, false), 0u);
}
