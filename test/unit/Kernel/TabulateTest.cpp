//===- TabulateTest.cpp - Lookups in place of functions ------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// That rewrites keep the result is tested on random kernels beside; here, that
// they happen where they should and nowhere else.

#include "nlq/Kernel/Tabulate.h"
#include "Support.h"
#include "nlq/Kernel/Builder.h"
#include "nlq/Kernel/Evaluate.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace nlq::kernel;

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

TEST(Tabulate, NotWhatBoundRefuses) {
  Builder b(8);
  Value x = b.element("x", 8, {-100, 100});
  EXPECT_FALSE(tabulate(b.finish(b.div(x, x) + b.min(x, 1000), 16)));
}

TEST(TabulateFunctionsOf, WhatOthersRead) {
  Builder b(300);
  Value x = b.element("x", 8, {-128, 127});
  Value d = (b.reduceMax(x) - x).named("distance");
  Value e = b.shiftRight((300 - d) * (300 - d), 4).named("power");
  Kernel kernel = b.finish(
      b.div(b.shiftLeft(e, 8), b.reduceSum(e) + 1) + b.shiftRight(d, 1), 32);
  NodeId index = 0;
  while (kernel.graph.nodes[index].text != "distance")
    ++index;
  Kernel tabulated = tabulateFunctionsOf(kernel, index);
  // What the sum and the quotient read, and not what it is made of; a shift
  // alone is no dearer than a lookup.
  EXPECT_EQ(count(tabulated, Opcode::Lookup), 2u);
  EXPECT_EQ(count(tabulated, Opcode::Mul), 0u);
  EXPECT_EQ(count(tabulated, Opcode::ShiftRight), 1u);
  std::vector<int64_t> xs = range(-128, 127);
  EXPECT_EQ(evaluateRow(tabulated, {xs}), evaluateRow(kernel, {xs}));
}

TEST(SelectIndices, OfWhatHasTheConstant) {
  for (int64_t other : {0, 49, 51}) {
    Builder b(300);
    Value x = b.element("x", 8, {-100, 100});
    Value mask = b.element("mask", 8, {0, 1});
    // 0 to 49, and never 51.
    Value y = b.mulShift(x, x, 8, Rounding::Floor) + (b.max(x, 90) - 90) +
              (b.max(-x, 90) - 90);
    Kernel kernel = b.finish(b.select(mask, y, b.constant(other)), 16);
    Kernel selected = selectIndices(kernel);
    EXPECT_EQ(count(selected, Opcode::Lookup), other == 51 ? 0u : 1u) << other;
    llvm::cantFail(bound(selected.graph));
    std::vector<int64_t> xs = range(-100, 100), masks;
    for (int64_t i : xs)
      masks.push_back(i & 1);
    EXPECT_EQ(evaluateRow(selected, {xs, masks}),
              evaluateRow(kernel, {xs, masks}));
  }
}

/// Softmax by powers of e^-scale, shares in steps of 1/256.
static Graph makeSoftmax(double scale, int64_t columns) {
  Builder b(columns);
  Value x = b.element("x", 8, {-128, 127});
  Value d = b.reduceMax(x) - x;
  Table powers;
  for (int i = 0; i < 256; ++i)
    powers.push_back(std::llround(32767 * std::exp(-scale * i)));
  Value e = b.lookup(std::move(powers), d);
  Value sum = b.assume(b.reduceSum(e), {32767, INT64_MAX},
                       "the largest element's power is 32767");
  Value factor = b.div(int64_t(1) << 31, sum);
  Value share = b.mulShift(e, factor, 23, Rounding::HalfUp);
  return b.finish(b.min(share, 255) - 128, 8).graph;
}

TEST(FindRowFunction, TheDistanceOfASoftmax) {
  struct {
    double scale;
    int64_t entries;
  } cases[] = {{0.25, 64}, {0.0625, 128}, {0.015625, 256}};
  for (auto [scale, entries] : cases) {
    Graph graph = makeSoftmax(scale, 500);
    std::optional<RowFunction> function =
        findRowFunction(graph, llvm::cantFail(bound(graph)));
    ASSERT_TRUE(function) << scale;
    EXPECT_EQ(graph.nodes[function->index].opcode, Opcode::Sub) << scale;
    EXPECT_EQ(function->entries, entries) << scale;
  }
}

TEST(FindRowFunction, NotOfFewElements) {
  for (int64_t columns : {20, 500}) {
    Graph graph = makeSoftmax(0.0625, columns);
    EXPECT_EQ(findRowFunction(graph, llvm::cantFail(bound(graph))).has_value(),
              columns == 500);
  }
}

TEST(FindRowFunction, NotWhatDependsOnMore) {
  auto find = [](auto make) {
    Builder b(1000);
    Value x = b.element("x", 8, {-128, 127});
    Value sum = b.reduceSum(x);
    Value y = b.mulShift((x * x - sum) * (x + sum), sum, 40, Rounding::HalfUp);
    Graph graph = b.finish(b.clamp(make(b, x, y), {-128, 127}), 8).graph;
    return findRowFunction(graph, llvm::cantFail(bound(graph))).has_value();
  };
  EXPECT_TRUE(find([](Builder &, Value, Value y) { return y; }));
  EXPECT_FALSE(
      find([](Builder &b, Value, Value y) { return y + b.columnIndex(); }));
  EXPECT_FALSE(find([](Builder &b, Value, Value y) {
    return y + b.element("z", 8, {0, 1});
  }));
  // One table serves all rows.
  EXPECT_FALSE(find([](Builder &, Value x, Value) { return x * x * x; }));
}
