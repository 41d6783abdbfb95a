//===- SemanticsTest.cpp - What each opcode means -------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Holds the scalar meanings to definitions over rational numbers: a rounding is
// told by inequalities between the quotient and the exact ratio, never by
// another way of computing it.

#include "nlq/Kernel/Semantics.h"
#include "gtest/gtest.h"

using namespace nlq::kernel;

static const Rounding allRoundings[] = {Rounding::Floor, Rounding::TowardZero,
                                        Rounding::HalfUp, Rounding::HalfEven,
                                        Rounding::HalfAway};

/// Whether q is n / d rounded, for d > 0.
static bool isRounded(Rounding rounding, Int128 q, Int128 n, Int128 d) {
  Int128 error = n - q * d; // in units of 1/d
  switch (rounding) {
  case Rounding::Floor:
    return 0 <= error && error < d;
  case Rounding::TowardZero:
    return n >= 0 ? 0 <= error && error < d : -d < error && error <= 0;
  case Rounding::HalfUp: // a tie is one half below q
    return -d <= 2 * error && 2 * error < d;
  case Rounding::HalfEven:
    return -d < 2 * error && 2 * error < d
               ? true
               : (2 * error == d || 2 * error == -d) && q % 2 == 0;
  case Rounding::HalfAway: // a tie is below a positive q, above a negative one
    return n >= 0 ? -d <= 2 * error && 2 * error < d
                  : -d < 2 * error && 2 * error <= d;
  }
  return false;
}

template <Rounding R> static void tryShifts() {
  for (int64_t a = -1030; a <= 1030; ++a)
    for (unsigned by = 0; by <= 63; ++by) {
      int64_t narrow = shiftRightRounded<R>(a, by);
      ASSERT_TRUE(isRounded(R, narrow, a, Int128(1) << by))
          << stringify(R) << ' ' << a << " >> " << by << " = " << narrow;
      ASSERT_EQ(narrow, int64_t(shiftRight(a, by, R)));
    }
  for (int64_t a : {INT64_MIN, INT64_MIN + 1, INT64_MAX, INT64_MAX - 1})
    for (unsigned by = 0; by <= 63; ++by) {
      int64_t narrow = shiftRightRounded<R>(a, by);
      ASSERT_TRUE(isRounded(R, narrow, a, Int128(1) << by))
          << stringify(R) << ' ' << a << " >> " << by << " = " << narrow;
    }
}

TEST(Semantics, ShiftRightRounds) {
  tryShifts<Rounding::Floor>();
  tryShifts<Rounding::TowardZero>();
  tryShifts<Rounding::HalfUp>();
  tryShifts<Rounding::HalfEven>();
  tryShifts<Rounding::HalfAway>();
}

TEST(Semantics, ShiftRightBeyondTheWidth) {
  for (Rounding rounding : allRoundings) {
    for (int64_t amount : {65, 80, 126, 127, 1000})
      for (int64_t a : {INT64_MIN, int64_t(-1), int64_t(0), INT64_MAX}) {
        int64_t expected = rounding == Rounding::Floor && a < 0 ? -1 : 0;
        EXPECT_EQ(int64_t(shiftRight(a, amount, rounding)), expected);
      }
    // Exactly one half.
    EXPECT_TRUE(isRounded(rounding, shiftRight(INT64_MIN, 64, rounding),
                          INT64_MIN, Int128(1) << 64));
  }
}

TEST(Semantics, DivideRounds) {
  for (Rounding rounding : allRoundings)
    for (int64_t a = -150; a <= 150; ++a)
      for (int64_t b = -75; b <= 75; ++b) {
        if (b == 0)
          continue;
        int64_t q = int64_t(divide(a, b, rounding));
        ASSERT_TRUE(isRounded(rounding, q, b > 0 ? a : -a, b > 0 ? b : -b))
            << stringify(rounding) << ' ' << a << " / " << b << " = " << q;
      }
}

template <Rounding R> static void tryNarrowDivisions() {
  const int64_t values[] = {INT64_MIN, INT64_MIN + 1, -7, -2, -1, 1, 2, 3,
                            10,        INT64_MAX};
  for (int64_t a : values)
    for (int64_t b : values)
      if (b != -1) {
        ASSERT_TRUE(divideRounded<R>(a, b) == divide(a, b, R))
            << a << " / " << b << ' ' << stringify(R);
      }
}

TEST(Semantics, DivideOfExtremesIn64Bits) {
  tryNarrowDivisions<Rounding::Floor>();
  tryNarrowDivisions<Rounding::TowardZero>();
  tryNarrowDivisions<Rounding::HalfUp>();
  tryNarrowDivisions<Rounding::HalfEven>();
  tryNarrowDivisions<Rounding::HalfAway>();
}

TEST(Semantics, IntegerSqrt) {
  auto isRoot = [](uint64_t root, uint64_t a) {
    return UInt128(root) * root <= a && UInt128(root + 1) * (root + 1) > a;
  };
  for (uint64_t a = 0; a < 70000; ++a)
    ASSERT_TRUE(isRoot(uint64_t(integerSqrt(a)), a)) << a;
  for (uint64_t root = 1; root < (uint64_t(1) << 32); root += root / 3 + 1)
    for (uint64_t a : {root * root - 1, root * root, root * root + 1})
      ASSERT_TRUE(isRoot(uint64_t(integerSqrt(a)), a)) << a;
  ASSERT_TRUE(isRoot(uint64_t(integerSqrt(INT64_MAX)), INT64_MAX));
  ASSERT_TRUE(isRoot(uint64_t(integerSqrt(UINT64_MAX)), UINT64_MAX));
}

TEST(Semantics, BitLength) {
  EXPECT_EQ(bitLength(0), 0);
  for (unsigned bits = 1; bits <= 63; ++bits) {
    EXPECT_EQ(bitLength(uint64_t(1) << (bits - 1)), bits);
    EXPECT_EQ(bitLength((uint64_t(1) << bits) - 1), bits);
  }
}

static std::optional<int64_t> applyTo(Opcode opcode,
                                      llvm::ArrayRef<int64_t> operands,
                                      Rounding rounding = Rounding::Floor) {
  Node node;
  node.opcode = opcode;
  node.rounding = rounding;
  Table table = {5, 6, 7};
  return apply(node, operands, table);
}

TEST(Semantics, MulShiftKeepsTheWholeProduct) {
  const int64_t values[] = {
      INT64_MIN, -(int64_t(1) << 40) - 1, -3, 0, 1, 12345678901, INT64_MAX};
  for (Rounding rounding : allRoundings)
    for (int64_t a : values)
      for (int64_t b : values)
        for (int64_t shift : {64, 70, 90, 120}) {
          Int128 q = *applyTo(Opcode::MulShift, {a, b, shift}, rounding);
          ASSERT_TRUE(
              isRounded(rounding, q, Int128(a) * b, Int128(1) << shift));
        }
  EXPECT_EQ(applyTo(Opcode::MulShift, {INT64_MAX, INT64_MAX, 126}), 0);
  EXPECT_EQ(applyTo(Opcode::MulShift, {INT64_MIN, INT64_MIN, 126}), 1);
}

TEST(Semantics, UndefinedAndOverflowingValues) {
  EXPECT_EQ(applyTo(Opcode::Div, {1, 0}), std::nullopt);
  EXPECT_EQ(applyTo(Opcode::Div, {INT64_MIN, -1}), std::nullopt);
  EXPECT_EQ(applyTo(Opcode::ShiftLeft, {1, 63}), std::nullopt);
  EXPECT_EQ(applyTo(Opcode::ShiftLeft, {1, 1000}), std::nullopt);
  EXPECT_EQ(applyTo(Opcode::ShiftLeft, {0, 1000}), 0);
  EXPECT_EQ(applyTo(Opcode::ShiftLeft, {-1, 63}), INT64_MIN);
  EXPECT_EQ(applyTo(Opcode::ShiftLeft, {1, -1}), std::nullopt);
  EXPECT_EQ(applyTo(Opcode::ShiftRight, {1, -1}), std::nullopt);
  EXPECT_EQ(applyTo(Opcode::MulShift, {1, 1, 127}), std::nullopt);
  EXPECT_EQ(applyTo(Opcode::Add, {INT64_MAX, 1}), std::nullopt);
  EXPECT_EQ(applyTo(Opcode::Sub, {0, INT64_MIN}), std::nullopt);
  EXPECT_EQ(applyTo(Opcode::Mul, {INT64_MIN, INT64_MIN}), std::nullopt);
  EXPECT_EQ(applyTo(Opcode::Sqrt, {-1}), std::nullopt);
  EXPECT_EQ(applyTo(Opcode::BitLength, {-1}), std::nullopt);
  EXPECT_EQ(applyTo(Opcode::Lookup, {3}), std::nullopt);
  EXPECT_EQ(applyTo(Opcode::Lookup, {2}), 7);
  EXPECT_EQ(applyTo(Opcode::Lookup, {-1}), std::nullopt);
  EXPECT_EQ(toString(Int128(INT64_MIN) * 2), "-18446744073709551616");
}
