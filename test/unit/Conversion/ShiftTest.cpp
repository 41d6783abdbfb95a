//===- ShiftTest.cpp - Shifts next to the width of a lane -----------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compiled shifts to the right of values that nearly fill a lane, or just do
// not fit it, by constant and variable amounts up to its width and beyond, in
// every rounding; and what they serve in softmaxes of rows so long that sums
// fill theirs.
//
//===----------------------------------------------------------------------===//

#include "CompiledKernels.h"
#include "Methods/DrawnKernels.h"
#include "nlq/Kernel/Builder.h"
#include "gtest/gtest.h"
#include <random>

using namespace nlq;
using namespace nlq::kernel;

static constexpr int64_t kColumns = 45;
static constexpr Rounding kRoundings[] = {Rounding::Floor, Rounding::TowardZero,
                                          Rounding::HalfUp, Rounding::HalfEven,
                                          Rounding::HalfAway};

/// An element of the row that nearly is `lo` or `hi`, 0, or any.
static int64_t draw(Interval range, std::mt19937_64 &random) {
  const int64_t near[] = {range.lo, range.lo + 1,      range.hi, range.hi - 1,
                          0,        (range.hi + 1) / 2};
  int64_t span = range.hi - range.lo + 1;
  int64_t value = random() % 2 ? near[random() % std::size(near)]
                               : range.lo + int64_t(random() % uint64_t(span));
  return std::clamp(value, range.lo, range.hi);
}

static std::vector<KernelRow> drawRows(Interval values, Interval amounts,
                                       std::mt19937_64 &random) {
  std::vector<KernelRow> rows(4, KernelRow(2));
  for (KernelRow &row : rows)
    for (int64_t i = 0; i < kColumns; ++i) {
      row[0].push_back(draw(values, random));
      row[1].push_back(draw(amounts, random));
    }
  return rows;
}

TEST(CompiledShift, NextToTheLane) {
  mlir::MLIRContext context;
  loadDialects(context);
  std::mt19937_64 random(3);
  for (Rounding rounding : kRoundings) {
    KernelBatch batch;
    for (int bits : {7, 8, 14, 15, 16, 17, 30, 31, 32})
      for (bool isSigned : {false, true}) {
        int64_t hi = (int64_t(1) << (bits - 1)) - 1;
        Interval values = {isSigned ? -hi - 1 : 0, hi};
        for (Interval amounts : {Interval{0, 7},
                                 {0, 14},
                                 {0, 15},
                                 {1, 15},
                                 {0, 16},
                                 {0, 31},
                                 {1, 31},
                                 {0, 40}}) {
          Builder builder(kColumns);
          Value value = builder.element("value", 32, values);
          Value amount = builder.element("amount", 8, amounts);
          Kernel kernel =
              builder.finish(builder.shiftRight(value, amount, rounding), 32);
          batch.add(std::to_string(bits) + " bits by " +
                        std::to_string(amounts.lo) + " to " +
                        std::to_string(amounts.hi),
                    kernel, kColumns, drawRows(values, amounts, random));
        }
      }
    batch.expectCompiledEqual(context, 16, getHostTarget());
  }
}

/// Declared lengths about 2^16 are where a sum of exponentials of 15 bits fills
/// 31: short rows of such a kernel suffice.
TEST(CompiledShift, SoftmaxesOfLongRows) {
  mlir::MLIRContext context;
  loadDialects(context);
  std::mt19937_64 random(5);
  KernelBatch batch;
  for (const methods::test::Subject &subject : methods::test::allSubjects()) {
    if (subject.implementation->function != "softmax")
      continue;
    for (int64_t longest : {65535, 65536, 131072, 1 << 20}) {
      methods::Problem problem;
      problem.operand.range = {-127, 127};
      problem.operand.scales = {0.25};
      problem.operand.zeroPoints = {0};
      problem.narrowed = problem.operand;
      problem.result.bits = 16;
      problem.result.range = storageRange(16);
      problem.result.scales = {0x1p-15};
      problem.result.zeroPoints = {0};
      problem.maxRowLength = longest;
      problem.outBits = subject.candidate->outBits;
      problem.form = subject.implementation->form;
      auto kernel = methods::build(*subject.method, "softmax", problem);
      if (!kernel) {
        llvm::consumeError(kernel.takeError());
        continue;
      }
      std::vector<KernelRow> rows(5, KernelRow(1));
      for (auto [kind, row] : llvm::enumerate(rows))
        for (int64_t i = 0; i < kColumns; ++i)
          row[0].push_back(kind == 0   ? (i == 7 ? 127 : -127)
                           : kind == 1 ? 127
                           : kind == 2 ? 127 - i
                                       : draw({-127, 127}, random));
      batch.add(subject.method->name.str() + " up to " +
                    std::to_string(longest),
                *kernel, kColumns, rows);
    }
  }
  ASSERT_GT(batch.size(), 20u);
  batch.expectCompiledEqual(context, 16, getHostTarget());
}
