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
#include "nlq/Kernel/Bound.h"
#include "nlq/Kernel/Builder.h"
#include "nlq/Kernel/Evaluate.h"
#include "gtest/gtest.h"
#include <algorithm>

using namespace nlq::kernel;

static unsigned count(const Kernel &kernel, Opcode opcode) {
  return unsigned(
      std::count_if(kernel.graph.nodes.begin(), kernel.graph.nodes.end(),
                    [&](const Node &node) { return node.opcode == opcode; }));
}

static std::vector<int64_t> range(int64_t lo, int64_t hi) {
  std::vector<int64_t> values;
  for (; lo <= hi; ++lo)
    values.push_back(lo);
  return values;
}

TEST(Tabulate, UnaryByteFunction) {
  Builder b(256);
  Value x = b.element("x", 8, {-128, 127});
  Kernel kernel = b.finish(
      b.clamp(b.shiftRight(x * x * x, 9, Rounding::HalfEven) - x, {-100, 99}),
      8);
  std::optional<Kernel> table = tabulate(kernel);
  ASSERT_TRUE(table);
  EXPECT_EQ(count(*table, Opcode::Lookup), 1u);
  EXPECT_EQ(count(*table, Opcode::Mul), 0u);
  EXPECT_EQ(table->graph.tables[0].size(), 256u);
  std::vector<int64_t> xs = range(-128, 127);
  EXPECT_EQ(evaluateRow(*table, {xs}), evaluateRow(kernel, {xs}));
  llvm::cantFail(bound(table->graph));
  // Nothing is left to gain.
  EXPECT_FALSE(tabulate(*table));
}

TEST(Tabulate, AfterANarrowing) {
  Builder b(2000);
  Value x = b.element("x", 16, {-1000, 999});
  Value narrow = b.clamp(b.shiftRight(x, 3), {-64, 63});
  Kernel kernel = b.finish(narrow * narrow * narrow + 5, 32);
  std::optional<Kernel> table = tabulate(kernel);
  ASSERT_TRUE(table);
  // -1000 >> 3 to 999 >> 3 are 250 values: the clamp is in the table, too.
  EXPECT_EQ(count(*table, Opcode::ShiftRight), 1u);
  EXPECT_EQ(count(*table, Opcode::Max), 0u);
  EXPECT_EQ(table->graph.tables[0].size(), 250u);
  std::vector<int64_t> xs = range(-1000, 999);
  EXPECT_EQ(evaluateRow(*table, {xs}), evaluateRow(kernel, {xs}));
}

TEST(Tabulate, NotWhatDependsOnMore) {
  auto build = [](auto make) {
    Builder b(4);
    Value x = b.element("x", 8, {-128, 127});
    return tabulate(b.finish(make(b, x), 32)).has_value();
  };
  EXPECT_TRUE(build([](Builder &, Value x) { return x * x * x + 1; }));
  EXPECT_FALSE(
      build([](Builder &b, Value x) { return x * x * x + b.columnIndex(); }));
  EXPECT_FALSE(
      build([](Builder &b, Value x) { return x * x * x + b.rowLength(); }));
  EXPECT_FALSE(
      build([](Builder &b, Value x) { return x * x * x + b.reduceMax(x); }));
  EXPECT_FALSE(build([](Builder &b, Value x) {
    return x * x * x + b.column("c", {1, 2, 3, 4});
  }));
  EXPECT_FALSE(build([](Builder &b, Value x) {
    return x * x * x + b.element("y", 8, {0, 1});
  }));
}

TEST(Tabulate, AtMost256Values) {
  for (int64_t last : {255, 256}) {
    Builder b(4);
    Value x = b.element("x", 16, {0, last});
    EXPECT_EQ(tabulate(b.finish(x * x * x, 32)).has_value(), last == 255);
  }
}

TEST(Tabulate, TheDifferenceToTheRowMaximum) {
  Builder b(8);
  Value x = b.element("x", 8, {-128, 127});
  Value d = b.reduceMax(x) - x;
  Kernel kernel = b.finish(b.shiftRight(d * d * 3 + 1, 4), 16);
  std::optional<Kernel> table = tabulate(kernel);
  ASSERT_TRUE(table);
  EXPECT_EQ(table->graph.tables[0].size(), 256u);
  std::vector<int64_t> xs = {-128, 127, 0, 5};
  EXPECT_EQ(evaluateRow(*table, {xs}), evaluateRow(kernel, {xs}));
}

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
  EXPECT_FALSE(tabulate(kernel));
}
