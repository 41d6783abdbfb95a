//===- CostTest.cpp - What kernels cost -----------------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Kernel/Cost.h"
#include "nlq/Kernel/Builder.h"
#include "nlq/Kernel/Rewrites.h"
#include "nlq/Kernel/Tabulate.h"
#include "gtest/gtest.h"

using namespace nlq::kernel;

static double costOf(const Kernel &kernel, int64_t rowLength = 64,
                     const NodeCosts &costs = NodeCosts()) {
  return cost(kernel.graph, llvm::cantFail(bound(kernel.graph)), costs,
              rowLength);
}

TEST(Cost, CountsByHand) {
  NodeCosts costs;
  Builder b(64);
  Value x = b.element("x", 8, {-60, 60}), y = b.element("y", 8, {-60, 60});
  // Two loads, one addition, one store, 64 elements each.
  EXPECT_DOUBLE_EQ(costOf(b.finish(x + y, 8), 64, costs), 4.0 / 64);
  // 16-bit lanes: both operands are widened and the addition takes two vectors.
  Builder wide(64);
  x = wide.element("x", 8, {-128, 127}), y = wide.element("y", 8, {-128, 127});
  EXPECT_DOUBLE_EQ(costOf(wide.finish(x + y, 16), 64, costs),
                   (2 + 2 * (1 + 2 * costs.convert) + 2 * costs.store) / 64);
}

TEST(Cost, RowNodesAreShared) {
  Builder b(4096);
  Value x = b.element("x", 8, {1, 60});
  Value root = b.sqrt(b.reduceMax(x));
  Kernel kernel = b.finish(b.min(x, root), 8);
  NodeCosts costs;
  double perRow = costs.perRow[unsigned(Opcode::Sqrt)] +
                  costs.perRow[unsigned(Opcode::ReduceMax)];
  EXPECT_NEAR(costOf(kernel, 1, costs) - costOf(kernel, 2, costs), perRow / 2,
              1e-9);
}

TEST(Cost, NarrowLanesAndTablesAreCheaper) {
  auto build = [](unsigned bits) {
    Builder b(64);
    Value x = b.element("x", bits, storageRange(bits));
    return b.finish(
        b.clamp(b.shiftRight(x * x, 7, Rounding::HalfUp) - x * 3, {-128, 127}),
        8);
  };
  Kernel narrow = build(8), wide = build(16);
  EXPECT_LT(costOf(narrow), costOf(wide));
  EXPECT_LT(costOf(*tabulate(narrow)), costOf(narrow));
}

/// By 15 a product of 16 bits is one instruction, beyond the lane its upper
/// half.
TEST(Cost, ProductsOfSixteenBits) {
  auto build = [](int64_t shift) {
    Builder b(64);
    Value x = b.element("x", 16, {-9000, 9000});
    return b.finish(b.mulShift(x, 30000, shift, Rounding::HalfUp), 16);
  };
  EXPECT_LT(costOf(build(15)), costOf(build(18)));
  EXPECT_LT(costOf(build(18)), costOf(build(14)));
}

/// 16 entries fit in a vector.
TEST(Cost, SmallTables) {
  auto build = [](size_t entries) {
    Builder b(64);
    Table table(entries, 1000);
    return b.finish(b.lookup(table, b.element("x", 16, {0, 15})), 16);
  };
  EXPECT_LT(costOf(build(16)), costOf(build(17)));
}

TEST(Cost, TableBytes) {
  Builder b(64);
  Value x = b.element("x", 8, {0, 2});
  Value sum = b.lookup({0, 1, 255}, x) + b.lookup({-1, 0, 127}, x) +
              b.lookup({-1, 0, 128}, x) + b.lookup({0, 65536, 0, 0}, x);
  EXPECT_EQ(tableBytes(b.finish(sum, 32).graph), 3 + 3 + 6 + 16);
}
