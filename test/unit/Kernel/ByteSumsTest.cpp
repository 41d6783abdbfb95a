//===- ByteSumsTest.cpp - Sums that dot products of bytes add ------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// That rewrites keep the result is tested on random kernels beside; here, that
// they happen where they should and nowhere else, and lose no knowledge.

#include "nlq/Kernel/ByteSums.h"
#include "Support.h"
#include "nlq/Kernel/Bound.h"
#include "nlq/Kernel/Builder.h"
#include "nlq/Kernel/Evaluate.h"
#include "gtest/gtest.h"

using namespace nlq::kernel;

static Interval boundResult(const Kernel &kernel) {
  return llvm::cantFail(bound(kernel.graph)).intervals[kernel.graph.result];
}

TEST(ByteSums, BytesOfLookups) {
  auto build = [](int64_t last) {
    Builder b(1000);
    Value x = b.element("x", 8, {0, 2});
    return b.finish(b.reduceSum(b.lookup({1, 255, last}, x)) + x * 0, 64);
  };
  const std::vector<int64_t> xs = {0, 1, 2, 2, 1, 0, 0, 2};
  // Bytes are summed as they are; wider entries, or negative ones, too.
  for (int64_t last : {int64_t(-1), int64_t(255), int64_t(1) << 32}) {
    Kernel kernel = sumBytesOfLookups(build(last));
    EXPECT_EQ(count(kernel, Opcode::ReduceSum), 1u) << last;
  }
  std::pair<int64_t, unsigned> cases[] = {
      {256, 2}, {65535, 2}, {65536, 3}, {0x01020304, 4}, {0xff020304, 4}};
  for (auto [last, bytes] : cases) {
    Kernel kernel = build(last), sliced = sumBytesOfLookups(kernel);
    EXPECT_EQ(count(sliced, Opcode::ReduceSum), bytes) << last;
    for (const Table &table : sliced.graph.tables)
      for (int64_t entry : table)
        EXPECT_TRUE(0 <= entry && entry <= 255) << entry;
    EXPECT_EQ(evaluateRow(sliced, {xs}), evaluateRow(kernel, {xs})) << last;
    EXPECT_EQ(boundResult(sliced), boundResult(kernel)) << last;
  }
}

TEST(ByteSums, SquaresOfSignedBytes) {
  auto build = [](Interval range) {
    Builder b(700);
    Value x = b.element("x", 16, range);
    return b.finish(b.reduceSum(x * x) + x * 0, 32);
  };
  for (Interval range : {Interval{-129, 0}, Interval{0, 128}})
    EXPECT_EQ(count(sumBiasedSquares(build(range)), Opcode::ReduceSum), 1u);
  Kernel kernel = build({-128, 127}), biased = sumBiasedSquares(kernel);
  EXPECT_EQ(count(biased, Opcode::ReduceSum), 2u);
  EXPECT_EQ(boundResult(biased), boundResult(kernel));
  std::vector<int64_t> xs(700, -128);
  EXPECT_EQ(evaluateRow(biased, {xs})[0], 700 * 128 * 128);
  for (int64_t i = 0; i < 256; ++i)
    xs[i] = i - 128;
  EXPECT_EQ(evaluateRow(biased, {xs}), evaluateRow(kernel, {xs}));
}
