//===- BoundTest.cpp - Intervals and lanes of nodes -----------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Kernel/Bound.h"
#include "nlq/Kernel/Builder.h"
#include "gtest/gtest.h"

using namespace nlq::kernel;

namespace {
class BoundTest : public testing::Test {
protected:
  Interval of(Value value) {
    return llvm::cantFail(boundNode(b.getGraph(), value.getId()));
  }
  std::string refusal(Value result, unsigned bits = 64,
                      BoundOptions options = BoundOptions()) {
    llvm::Expected<Bounds> bounds =
        bound(b.finish(result, bits).graph, options);
    return bounds ? "accepted" : llvm::toString(bounds.takeError());
  }
  Builder b{4096};
};
} // namespace

static void expectIs(Interval actual, int64_t lo, int64_t hi) {
  EXPECT_EQ(actual.lo, lo);
  EXPECT_EQ(actual.hi, hi);
}

TEST_F(BoundTest, Corners) {
  Value x = b.element("x", 8, {-100, 20}), y = b.element("y", 8, {-3, 7});
  expectIs(of(x * y), -700, 300);
  expectIs(of(x - y), -107, 23);
  expectIs(of(b.div(x, b.max(y, 2), Rounding::Floor)), -50, 10);
  expectIs(of(b.div(x, -7, Rounding::HalfUp)), -3, 14);
  expectIs(of(b.shiftRight(x, b.clamp(y, {1, 3}))), -50, 10);
  expectIs(of(b.mulShift(x, y, b.clamp(y, {0, 4}), Rounding::HalfUp)), -700,
           300);
  expectIs(of(b.bitLength(b.max(x, 0))), 0, 5);
  expectIs(of(b.lookup({9, -4, 3, 8, 100}, b.clamp(y, {1, 3}))), -4, 8);
  expectIs(of(b.sqrt(b.reduceMax(b.max(x, 3)))), 1, 4);
  expectIs(of(b.reduceSum(y)), -3 * 4096, 7 * 4096);
  expectIs(of(b.reduceSum(b.max(y, 2))), 2, 7 * 4096);
  expectIs(of(b.compare(Predicate::GT, x, 20)), 0, 0);
  expectIs(of(b.compare(Predicate::LE, x, 20)), 1, 1);
  expectIs(of(b.compare(Predicate::EQ, x, y)), 0, 1);
  expectIs(of(b.select(b.compare(Predicate::EQ, x, y), x, y)), -100, 20);
  expectIs(of(b.rowLength()), 1, 4096);
  expectIs(of(b.columnIndex()), 0, 4095);
}

TEST_F(BoundTest, Relations) {
  Value x = b.element("x", 8, {-100, 20}), d = b.element("d", 8, {3, 9});
  expectIs(of(x - x), 0, 0);
  expectIs(of(x - b.reduceMax(x)), -120, 0);
  expectIs(of(b.reduceMax(x) - x), 0, 120);
  expectIs(of(b.max(x, d) - x), 0, 120);
  expectIs(of(b.min(x, d) - x), -120, 0);
  expectIs(of(x * x), 0, 10000);
  expectIs(of(b.abs(x)), 0, 100);
  expectIs(of(x - b.div(x, d) * d), 0, 8);
  expectIs(of(x - b.shiftLeft(b.shiftRight(x, 3), 3)), 0, 7);
  // A quotient that is not rounded down has other remainders.
  Value nearest = b.div(x, d, Rounding::HalfUp);
  EXPECT_LT(of(x - nearest * d).lo, 0);
}

TEST_F(BoundTest, AssumptionsNarrowTheirOperand) {
  Value x = b.element("x", 16, {0, 30000});
  Value big = x * 1000000;
  Value known = b.assume(big, {0, 1000}, "a test says so");
  BoundOptions narrow;
  narrow.maxElementBits = 32;
  Kernel kernel = b.finish(known, 16);
  Bounds bounds = llvm::cantFail(bound(kernel.graph, narrow));
  expectIs(
      bounds.intervals[kernel.graph.nodes[kernel.graph.result].operands[0]], 0,
      1000);
  EXPECT_EQ(bounds.lane(kernel.graph.result), 16u);
}

TEST_F(BoundTest, Lanes) {
  Bounds bounds;
  bounds.intervals = {{-128, 127},    {-129, 0},
                      {0, 128},       {0, 65535},
                      {INT32_MIN, 0}, {0, int64_t(INT32_MAX) + 1},
                      {INT64_MIN, 0}, {0, 0}};
  unsigned lanes[] = {8, 16, 16, 32, 32, 64, 64, 8};
  for (unsigned i = 0; i < 8; ++i)
    EXPECT_EQ(bounds.lane(i), lanes[i]) << i;
  EXPECT_EQ(signedBits({0, 0}), 1u);
  EXPECT_EQ(signedBits({0, 1}), 2u);
  EXPECT_EQ(signedBits({INT64_MIN, INT64_MAX}), 64u);
}

TEST_F(BoundTest, RefusesASumThatIsTooLong) {
  BoundOptions options;
  options.maxRowBits = 32;
  Value x = b.element("x", 32, {0, 655360});
  EXPECT_EQ(refusal(b.reduceSum(x), 64, options),
            "the sum of 4096 terms of up to 655360 needs 33 bits and at most "
            "32 are allowed");
}

TEST_F(BoundTest, SumsAreTight) {
  for (Interval range : {Interval{0, 655360}, Interval{-655360, 0},
                         Interval{-(int64_t(1) << 20), 1 << 20}})
    for (int64_t extra : {0, 1}) {
      int64_t safe = range.hi == 655360 ? 3276 : range.hi == 0 ? 3276 : 2047;
      Builder local(safe + extra);
      BoundOptions options;
      options.maxRowBits = 32;
      Value x = local.element("x", 32, range);
      llvm::Expected<Bounds> bounds =
          bound(local.finish(local.reduceSum(x), 64).graph, options);
      EXPECT_EQ(bool(bounds), extra == 0);
      llvm::consumeError(bounds.takeError());
    }
}

TEST_F(BoundTest, RefusesWideElements) {
  Value x = b.element("x", 32, {-1000000, 1000000});
  BoundOptions options;
  options.maxElementBits = 32;
  EXPECT_EQ(refusal((x * x).named("square"), 64, options),
            "'square' (node 1, mul) reaches [0, 1000000000000], which needs 41 "
            "bits and at most 32 are allowed");
}

TEST_F(BoundTest, RefusesMoreThan64Bits) {
  Value x = b.element("x", 64, {INT64_MIN, INT64_MAX});
  EXPECT_EQ(refusal(x + 1),
            "node 2 (add) reaches [-9223372036854775807, 9223372036854775808], "
            "which needs 65 bits and at most 64 are allowed");
}

/// That a sum is at least something does not say that it fits 64 bits.
TEST_F(BoundTest, AssumesNothingWhereARangeEndsAt64Bits) {
  Value x = b.element("x", 64, {0, int64_t(1) << 62});
  Value sum = b.assume(b.reduceSum(x), {1, INT64_MAX}, "at least 1");
  std::string reason = refusal(sum);
  EXPECT_NE(reason.find("at most 64 are allowed"), std::string::npos) << reason;
}

TEST_F(BoundTest, RefusesDivisionByZero) {
  Value x = b.element("x", 8, {-1, 1});
  EXPECT_EQ(refusal(b.div(100, x)),
            "node 2 (div) divides by [-1, 1], which contains 0");
}

TEST_F(BoundTest, RefusesNegativeAmounts) {
  Value x = b.element("x", 8, {-1, 3});
  EXPECT_EQ(refusal(b.shiftLeft(x, x)), "node 1 (shift_left) shifts by [-1, "
                                        "3], and amounts must not be negative");
}

TEST_F(BoundTest, RefusesLongProductShifts) {
  Value x = b.element("x", 8, {0, 127});
  EXPECT_EQ(
      refusal(b.mulShift(x, x, x, Rounding::Floor)),
      "node 1 (mul_shift) shifts right by [0, 127] and 0 to 126 are allowed");
}

TEST_F(BoundTest, RefusesNegativeRoots) {
  Value x = b.element("x", 8, {-1, 3});
  EXPECT_EQ(refusal(b.sqrt(b.reduceMax(x))),
            "node 2 (sqrt) is taken of [-1, 3], which must not be negative");
}

TEST_F(BoundTest, RefusesLookupsOutsideOfTheTable) {
  Value x = b.element("x", 8, {0, 3});
  EXPECT_EQ(refusal(b.lookup({1, 2, 3}, x)),
            "node 1 (lookup) reads its table at [0, 3] and it has entries 0 to "
            "2");
}

TEST_F(BoundTest, RefusesWrongAssumptions) {
  Value x = b.element("x", 8, {0, 3});
  EXPECT_EQ(refusal(b.assume(x + 1, {10, 20}, "never")),
            "node 2 (add) lies in [1, 4] and is assumed to lie in [10, 20]");
}

TEST_F(BoundTest, RefusesResultsThatDoNotFit) {
  Value x = b.element("x", 8, {0, 127});
  EXPECT_EQ(refusal(x + 1, 8), "the result reaches [1, 128] and is stored in 8 "
                               "bits, which hold [-128, 127]");
}
