//===- RequantizeTest.cpp - Requantization, compiled
//------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The change of a quantized type as code: every rounding, per tensor and per
// channel, with ratios of all magnitudes, zero points and 32-bit extremes.
//
//===----------------------------------------------------------------------===//

#include "nlq/Methods/Requantize.h"
#include "CompiledKernels.h"
#include "gtest/gtest.h"
#include <cmath>
#include <random>

using namespace nlq;
using namespace nlq::methods;

static Quantized makeType(unsigned bits, int64_t zeroPoint, double scale) {
  Quantized type;
  type.bits = bits;
  type.range = kernel::storageRange(bits);
  type.scales = {scale};
  type.zeroPoints = {zeroPoint};
  return type;
}

/// Rows of extremes, of small values, and at random.
static std::vector<KernelRow> makeRows(const Quantized &in, int64_t columns,
                                       std::mt19937_64 &random) {
  std::vector<KernelRow> rows;
  for (unsigned kind = 0; kind < 4; ++kind) {
    std::vector<int64_t> row;
    for (int64_t c = 0; c < columns; ++c) {
      int64_t any = int64_t(random());
      int64_t range = in.range.hi - in.range.lo + 1;
      int64_t inRange = in.range.lo + int64_t(uint64_t(any) % uint64_t(range));
      int64_t value = kind == 0   ? (any & 1 ? in.range.lo : in.range.hi)
                      : kind == 1 ? in.zeroPoints[0] + int64_t(c) - 9
                      : kind == 2 ? inRange >> (c % 31)
                                  : inRange;
      row.push_back(std::clamp(value, in.range.lo, in.range.hi));
    }
    rows.push_back({row});
  }
  return rows;
}

TEST(CompiledRequantize, EqualsEvaluate) {
  mlir::MLIRContext context;
  loadDialects(context);
  std::mt19937_64 random(11);
  const int64_t columns = 19;
  // 1 - 2^-33 rounds up to a mantissa of 2^31; 2^-40 loses everything.
  const double ratios[] = {1 - 0x1p-33, 0.37, 1.0, 300.25, 0x1p33, 0x1p-40};
  for (kernel::Rounding rounding :
       {kernel::Rounding::Floor, kernel::Rounding::TowardZero,
        kernel::Rounding::HalfUp, kernel::Rounding::HalfEven,
        kernel::Rounding::HalfAway}) {
    KernelBatch batch;
    for (auto [inBits, inZero, outBits, outZero] :
         {std::tuple(8u, 0, 8u, 5),
          {16u, -300, 8u, -128},
          {32u, 0, 16u, 0},
          {32u, INT32_MAX, 8u, 1},
          {32u, INT32_MIN, 32u, INT32_MIN}}) {
      Quantized in = makeType(inBits, inZero, 1);
      Quantized out = makeType(outBits, outZero, 1);
      for (double ratio : ratios) {
        in.scales = {ratio};
        in.zeroPoints = {inZero};
        auto kernel = buildRequantize(in, out, columns, rounding);
        ASSERT_TRUE(bool(kernel)) << llvm::toString(kernel.takeError());
        batch.add("per tensor, ratio " + std::to_string(ratio), *kernel,
                  columns, makeRows(in, columns, random));
      }
      in.scales.clear();
      for (int64_t c = 0; c < columns; ++c)
        in.scales.push_back(std::ldexp(ratios[c % 6], int(c % 5) - 2));
      in.zeroPoints.assign(columns, inZero);
      auto kernel = buildRequantize(in, out, columns, rounding);
      ASSERT_TRUE(bool(kernel)) << llvm::toString(kernel.takeError());
      batch.add("per channel", *kernel, columns, makeRows(in, columns, random));
    }
    batch.expectCompiledEqual(context, 8, getHostTarget());
  }
}
