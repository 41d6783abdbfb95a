//===- GemmlowpTest.cpp - The fixed-point softmax of gemmlowp -------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Against what TFLite itself gives: see docs/methods/notes/gemmlowp.md for the
// versions.

#include "Support.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <cmath>

using namespace nlq;
using namespace nlq::methods;
using namespace nlq::methods::test;

/// 8-bit operands, results of the given bits on their own grid.
static Problem makeProblem(double scale, int64_t length, unsigned bits) {
  Quantized in = symmetric(8, scale);
  in.range.lo = -128;
  Problem problem = softmaxProblem(in, length, bits, Form::Reference);
  problem.result = symmetric(bits == 8 ? 8 : 16, std::ldexp(1.0, -int(bits)));
  problem.result.zeroPoints = {-(int64_t(1) << (bits - 1))};
  problem.result.range = kernel::storageRange(bits);
  return problem;
}

//===----------------------------------------------------------------------===//
// TFLite's results
//===----------------------------------------------------------------------===//

namespace {
/// A row, and its result on the grid 2^-bits.
struct Golden {
  double scale;
  unsigned bits;
  Row in;
  Row out;
};
const Golden kRows[] = {
    {0.0625, 8, {3}, {255}},
    {0.0625, 16, {3}, {65535}},
    {0.0625, 8, {-128, 127}, {0, 255}},
    {0.0625, 16, {-128, 127}, {0, 65535}},
    {0.0625, 8, {5, 5}, {128, 128}},
    {0.0625, 16, {5, 5}, {32768, 32768}},
    {0.0625,
     8,
     {0, -1, -2, -4, -8, -16, -32, -64, -128},
     {54, 51, 48, 42, 33, 20, 7, 1, 0}},
    {0.0625,
     16,
     {0, -1, -2, -4, -8, -16, -32, -64, -128},
     {13858, 13018, 12230, 10793, 8405, 5098, 1875, 254, 5}},
    {0.050000000000000003,
     8,
     {-3, 5, 120, 127, -128, 60, 101, 119, 88},
     {0, 0, 64, 91, 0, 3, 25, 61, 13}},
    {0.050000000000000003,
     16,
     {-3, 5, 120, 127, -128, 60, 101, 119, 88},
     {35, 52, 16327, 23169, 0, 813, 6314, 15530, 3296}},
    {0.125,
     8,
     {127, 125, 120, 111, 100, 96, 95, 90, 80, 70, 64, 63},
     {106, 82, 44, 14, 4, 2, 2, 1, 0, 0, 0, 0}},
    {0.125,
     16,
     {127, 125, 120, 111, 100, 96, 95, 90, 80, 70, 64, 63},
     {27099, 21104, 11296, 3667, 927, 562, 496, 266, 76, 22, 10, 9}},
    {0.5,
     8,
     {-3, 5, 120, 127, -128, 60, 125, 126, 122},
     {0, 0, 4, 123, 0, 0, 45, 74, 10}},
    {0.5,
     16,
     {-3, 5, 120, 127, -128, 60, 125, 126, 122},
     {0, 0, 948, 31407, 0, 0, 11554, 19049, 2578}},
    {0.25,
     8,
     {10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0},
     {60, 47, 37, 29, 22, 17, 13, 11, 8, 6, 5}},
    {0.25,
     16,
     {10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0},
     {15487, 12061, 9393, 7315, 5697, 4437, 3456, 2691, 2096, 1632, 1271}},
    {0.0089999999999999993,
     8,
     {-128, -100, -50, 0, 50, 100, 127, 13, 77},
     {6, 8, 13, 20, 32, 50, 63, 23, 40}},
    {0.0089999999999999993,
     16,
     {-128, -100, -50, 0, 50, 100, 127, 13, 77},
     {1637, 2107, 3304, 5181, 8126, 12744, 16250, 5825, 10361}},
    {0.0009765625, 8, {-128, 0, 127, 3, 4}, {45, 51, 58, 51, 51}},
    {0.0009765625,
     16,
     {-128, 0, 127, 3, 4},
     {11518, 13051, 14775, 13090, 13102}},
    {1,
     8,
     {1, 0, -1, -2, -3, -15, -16, -30, -31, -32},
     {163, 60, 22, 8, 3, 0, 0, 0, 0, 0}},
    {1,
     16,
     {1, 0, -1, -2, -3, -15, -16, -30, -31, -32},
     {41708, 15343, 5645, 2077, 764, 0, 0, 0, 0, 0}},
    {2.5, 8, {40, 39, 38, 37, 36, 34, 28, 27}, {235, 19, 2, 0, 0, 0, 0, 0}},
    {2.5,
     16,
     {40, 39, 38, 37, 36, 34, 28, 27},
     {60157, 4938, 405, 33, 3, 0, 0, 0}},
    {40, 8, {7, 6, 7, -128}, {128, 0, 128, 0}},
    {40, 16, {7, 6, 7, -128}, {32768, 0, 32768, 0}},
    {2.9999999999999997e-08, 8, {-128, 127, 0, 90}, {64, 64, 64, 64}},
    {2.9999999999999997e-08,
     16,
     {-128, 127, 0, 90},
     {16384, 16384, 16384, 16384}},
    {0.33333333333333331,
     8,
     {100, 99, 98, 97, 96, 90, 80, 55, 53, 7, -80},
     {88, 63, 45, 32, 23, 3, 0, 0, 0, 0, 0}},
    {0.33333333333333331,
     16,
     {100, 99, 98, 97, 96, 90, 80, 55, 53, 7, -80},
     {22611, 16202, 11609, 8318, 5960, 807, 29, 0, 0, 0, 0}},
};

/// 300 random rows each, whose results are hashed.
struct GoldenHash {
  unsigned bits;
  /// Scales are 2^(exponent - 1) to 2^exponent.
  int exponent;
  uint64_t hash;
};
const GoldenHash kHashes[] = {
    {8, -12, 0x3ef88ff230d8d042},  {8, -11, 0x5c99b61d5fea2550},
    {8, -10, 0xfc08517237a5d025},  {8, -9, 0x7dc4959e3868dd48},
    {8, -8, 0x2dcefbc276d1e61d},   {8, -7, 0xb47ad41fe71d0383},
    {8, -6, 0xc6c9a58e2ad1e0f2},   {8, -5, 0x7e6490ff509ee8d0},
    {8, -4, 0xcb18596df74dd7a6},   {8, -3, 0xaf6eaa32db0c8254},
    {8, -2, 0xccb2bcc0e76b807f},   {8, -1, 0xe0bff5675adb4233},
    {8, 0, 0xb24d628bdd9dc823},    {8, 1, 0x5d17b211352db6eb},
    {8, 2, 0x363870335337156e},    {8, 3, 0x8badc2a5b0247f89},
    {8, 4, 0xf078594ea1a0b8e1},    {16, -12, 0x91f6f8e19d6660f0},
    {16, -11, 0xa904385bf219be13}, {16, -10, 0xd2b619a88f054abc},
    {16, -9, 0x632b0efa416426f7},  {16, -8, 0x5ad2219411a1582a},
    {16, -7, 0xaad955325ede05b0},  {16, -6, 0xa03854dc791e8507},
    {16, -5, 0x6666b9e020193c0a},  {16, -4, 0xe07b910863abff36},
    {16, -3, 0x35b41e307bde0dcf},  {16, -2, 0xe718be3461af278d},
    {16, -1, 0x94140b62208e74b7},  {16, 0, 0x95e48f8fac659ba5},
    {16, 1, 0x1d872c34d7d54349},   {16, 2, 0x9629c76f44cf1394},
    {16, 3, 0x91cbb87ba6989803},   {16, 4, 0xccbd7a579e898145},
};

/// SplitMix64.
uint64_t next(uint64_t &state) {
  uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}
} // namespace

TEST(Gemmlowp, RowsAreThoseOfTFLite) {
  for (const Golden &golden : kRows) {
    Problem problem =
        makeProblem(golden.scale, int64_t(golden.in.size()), golden.bits);
    Outcome outcome = run("gemmlowp", "softmax", problem, {golden.in});
    ASSERT_EQ(outcome.grid.size(), 1u);
    EXPECT_EQ(outcome.grid[0], golden.out) << golden.scale;
    for (size_t i = 0; i < golden.in.size(); ++i)
      EXPECT_EQ(outcome.result[0][i],
                golden.out[i] + problem.result.zeroPoints[0]);
  }
}

TEST(Gemmlowp, RandomRowsAreThoseOfTFLite) {
  for (const GoldenHash &golden : kHashes) {
    uint64_t state = uint64_t(golden.exponent + 100) * 64 + golden.bits;
    uint64_t hash = 0xcbf29ce484222325u;
    for (int i = 0; i < 300; ++i) {
      // Scales that float32 holds, as TFLite has them.
      double scale = std::ldexp(1.0 + double(next(state) >> 42) * 0x1p-22,
                                golden.exponent - 1);
      Row row(1 + next(state) % 96);
      int64_t spread = int64_t(1) << (next(state) % 9);
      for (int64_t &value : row)
        value = std::clamp<int64_t>(
            int64_t(next(state) % uint64_t(2 * spread)) - spread, -128, 127);
      Outcome outcome =
          run("gemmlowp", "softmax",
              makeProblem(scale, int64_t(row.size()), golden.bits), {row});
      ASSERT_EQ(outcome.grid.size(), 1u);
      for (int64_t value : outcome.grid[0])
        hash = (hash ^ uint64_t(value)) * 0x100000001b3u; // FNV-1a
    }
    EXPECT_EQ(hash, golden.hash)
        << golden.bits << " bits, scales to 2^" << golden.exponent;
  }
}

//===----------------------------------------------------------------------===//
// Beyond it
//===----------------------------------------------------------------------===//

/// Both forms are the same arithmetic, and near the exact function for wide
/// operands, too.
TEST(Gemmlowp, Accuracy) {
  for (unsigned bits : {8u, 16u})
    for (double sigma : {0.5, 2.0, 6.0})
      for (int64_t length : {1, 49, 197, 1024}) {
        Quantized in = symmetric(bits, 4.2 * sigma / (bits == 8 ? 127 : 32767));
        Rows rows = gaussianRows(in, 20, length, sigma, 0, 3);
        Problem problem = softmaxProblem(in, length, 16, Form::Reference);
        Outcome reference = run("gemmlowp", "softmax", problem, rows);
        problem.form = Form::Corrected;
        Outcome corrected = run("gemmlowp", "softmax", problem, rows);
        EXPECT_EQ(reference.grid, corrected.grid);
        std::vector<Reals> wanted = exact("softmax", problem, in, rows);
        // Sums have exponentials of 19 bits, results steps of 2^-16.
        for (size_t r = 0; r < rows.size(); ++r)
          for (int64_t i = 0; i < length; ++i)
            ASSERT_NEAR(corrected.own[r][i], wanted[r][i],
                        0x1p-16 + wanted[r][i] * 0x1p-13)
                << bits << " bits, sigma " << sigma << " of " << length;
      }
}

/// The longest rows, all of whose sums TFLite's format holds.
TEST(Gemmlowp, LongestRows) {
  Problem problem = makeProblem(0.1, 4095, 16);
  Row row(4095, 5);
  Outcome outcome = run("gemmlowp", "softmax", problem, {row});
  ASSERT_EQ(outcome.grid.size(), 1u);
  EXPECT_EQ(outcome.grid[0], Row(4095, 16));
  // From 512 equal elements on TFLite's 8-bit results end in an assertion.
  outcome = run("gemmlowp", "softmax", makeProblem(0.1, 4095, 8), {row});
  ASSERT_EQ(outcome.grid.size(), 1u);
  EXPECT_EQ(outcome.grid[0], Row(4095, 0));
  EXPECT_EQ(outcome.result[0], Row(4095, -128));
}

TEST(Gemmlowp, Refusals) {
  EXPECT_EQ(
      reason("gemmlowp", "softmax", makeProblem(0.1, 5000, 8)),
      "gemmlowp softmax (reference): rows of 5000 exponentials overflow a "
      "fixed-point sum of 12 integer bits; the largest safe row is 4095 "
      "at this scale");
  EXPECT_NE(reason("gemmlowp", "softmax", makeProblem(0x1p-26, 9, 8))
                .find("below a step of the fixed-point distance, 2^-26"),
            std::string::npos);
}
