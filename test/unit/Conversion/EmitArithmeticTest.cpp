//===- EmitArithmeticTest.cpp - Quotients, roots, last chunks -------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where emitted arithmetic takes one of several ways by its ranges, at their
// edges, beside `evaluate`.
//
//===----------------------------------------------------------------------===//

#include "CompiledKernels.h"
#include "Kernel/RandomGraph.h"
#include "nlq/Kernel/Builder.h"
#include "nlq/Methods/Registry.h"
#include "gtest/gtest.h"

using namespace nlq;
using kernel::Builder;
using kernel::Interval;
using kernel::Rounding;
using kernel::Value;

namespace {

class EmitArithmeticTest : public ::testing::Test {
protected:
  EmitArithmeticTest() { loadDialects(context); }

  void expectCompiledEqual(const KernelBatch &batch, int64_t lanes) {
    for (const Target &target : getTestTargets()) {
      batch.expectCompiledEqual(context, lanes, target);
      if (HasFatalFailure())
        return;
    }
    batch.expectPortableEqual(context);
  }

  mlir::MLIRContext context;
};

constexpr Rounding kRoundings[] = {Rounding::Floor, Rounding::HalfUp,
                                   Rounding::HalfEven, Rounding::HalfAway,
                                   Rounding::TowardZero};

} // namespace

/// The low bits of unsigned words, which no lane of 16 holds.
TEST_F(EmitArithmeticTest, LowBitsOfUnsignedWords) {
  KernelBatch batch;
  for (int64_t columns : {1, 16, 40}) {
    Builder builder(columns);
    Value x = builder.element("x", 16, {0, 65535}, /*isSigned=*/false) - 78011;
    Value rest = x - builder.shiftLeft(builder.shiftRight(x, 9), 9);
    kernel::Kernel kernel = builder.finish(rest * rest, 32);
    KernelRow row(1);
    for (int64_t i = 0; i < columns; ++i)
      row[0].push_back((65535 + 3001 * i) % 65536);
    batch.add("rows of " + std::to_string(columns), kernel, columns, {row});
  }
  for (int64_t lanes : {4, 16, 32})
    expectCompiledEqual(batch, lanes);
}

/// Dividends that are never negative, may be, and nearly fill a lane; of rows
/// and of elements.
TEST_F(EmitArithmeticTest, QuotientsByConstants) {
  KernelBatch batch;
  for (Interval range :
       {Interval{0, 65535}, Interval{-32768, 32767},
        Interval{INT32_MIN, INT32_MAX}, Interval{-7, INT32_MAX}})
    for (int64_t divisor : {2, 7, 196, -6})
      for (Rounding rounding : kRoundings) {
        Builder builder(4);
        Value x = builder.element("x", 32, range);
        Value most = builder.reduceMax(x);
        Value quotient = builder.div(most, divisor, rounding);
        kernel::Kernel kernel = builder.finish(
            builder.min(quotient, builder.div(x, divisor, rounding)), 32);
        std::vector<KernelRow> rows;
        for (int64_t from : {range.lo, range.hi - 3, int64_t(-2), int64_t(0),
                             3 * divisor / 2, 1001 * divisor / 2})
          if (from >= range.lo && from + 3 <= range.hi)
            rows.push_back({{from, from + 1, from + 2, from + 3}});
        batch.add("divided by " + std::to_string(divisor), kernel, 4, rows);
      }
  expectCompiledEqual(batch, 4);
}

/// Positive divisors that are no constants, up to dividends of 62 bits.
TEST_F(EmitArithmeticTest, QuotientsOfRows) {
  KernelBatch batch;
  for (unsigned dividendBits : {30, 52, 62})
    for (Rounding rounding : kRoundings) {
      Builder builder(2);
      Value x = builder.element("x", 32, {1, INT32_MAX});
      Value least = -builder.reduceMax(-x);
      Value most = builder.reduceMax(x);
      Value dividend = dividendBits < 31
                           ? builder.shiftRight(most, 31 - dividendBits)
                           : builder.shiftLeft(most, dividendBits - 31);
      Value quotient = builder.div(dividend, least, rounding);
      Value low =
          quotient - builder.shiftLeft(builder.shiftRight(quotient, 24), 24);
      kernel::Kernel kernel = builder.finish(low + builder.min(x, 5), 32);
      std::vector<KernelRow> rows;
      for (int64_t divisor : {1, 2, 3, 10, 65535, INT32_MAX - 1, INT32_MAX})
        for (int64_t dividend : {1, 2, 7, 25, 1 << 20, INT32_MAX})
          rows.push_back({{divisor, dividend}});
      batch.add("dividends of " + std::to_string(dividendBits), kernel, 2,
                rows);
    }
  expectCompiledEqual(batch, 4);
}

/// n^2 - 2 to n^2, which roots of 52 bits floor as they are, and longer ones
/// only after a look at the neighbours.
TEST_F(EmitArithmeticTest, RootsNextToSquares) {
  KernelBatch batch;
  for (int64_t bits : {20, 26, 27, 31}) {
    const int64_t most = (int64_t(1) << bits) - 1;
    Builder builder(2);
    Value x = builder.element("x", 32, {0, most});
    Value n = builder.reduceMax(x);
    Value less = builder.assume(n * 2 - builder.reduceSum(x), {0, most},
                                "the larger less the smaller of two");
    Value root = builder.sqrt(builder.max(n * n - less, 0));
    kernel::Kernel kernel = builder.finish(root + builder.min(x, 0), 32);
    std::vector<KernelRow> rows;
    for (int64_t largest : {int64_t(2), int64_t(3), int64_t(1) << (bits - 1),
                            int64_t(3037) << (bits - 13), most - 1, most})
      for (int64_t below : {0, 1, 2})
        rows.push_back({{largest - below, largest}});
    batch.add("roots of " + std::to_string(bits), kernel, 2, rows);
  }
  expectCompiledEqual(batch, 4);
}

/// Rows of full chunks and one of any number of columns, wide or narrow, in
/// which a maximum and sums of words, of their products and of long integers
/// must count every column once.
TEST_F(EmitArithmeticTest, LastChunks) {
  constexpr int64_t kLanes = 64;
  KernelBatch batch;
  kernel::Random random(3);
  for (int64_t columns : {1, 15, 16, 17, 33, 63, 64, 65, 80, 81, 96, 97, 127,
                          128, 129, 145, 161, 192}) {
    Builder builder(columns);
    Value x = builder.element("x", 16, {-32768, 32767});
    Value most = builder.reduceMax(x);
    Value sum = builder.reduceSum(x);
    Value squares = builder.reduceSum(x * x);
    Value wide =
        builder.reduceSum(builder.shiftRight(x * x * x, 13, Rounding::HalfUp));
    auto low = [&](Value value) {
      return value - builder.shiftLeft(builder.shiftRight(value, 20), 20);
    };
    kernel::Kernel kernel =
        builder.finish(x + most + low(sum) + low(squares) + low(wide), 32);
    std::vector<KernelRow> rows;
    for (unsigned row = 0; row < 5; ++row) {
      std::vector<int64_t> values(columns);
      for (int64_t &value : values)
        value = row == 0 ? 32767 : row == 1 ? -32768 : random.in(-32768, 32767);
      rows.push_back({values});
    }
    batch.add(std::to_string(columns) + " columns", kernel, columns, rows);
  }
  expectCompiledEqual(batch, kLanes);
}

/// Softmax of bytes, whose exponentials wait in scratch in the order of
/// unpacks, in the lanes that the target is given by itself.
TEST_F(EmitArithmeticTest, LastChunksOfSoftmax) {
  KernelBatch batch;
  kernel::Random random(5);
  for (int64_t columns : {17, 32, 33, 48, 49, 64, 65, 80, 81, 197, 209}) {
    methods::Problem problem;
    problem.operand.range = {-128, 127};
    problem.operand.scales = {0.07};
    problem.narrowed = problem.operand;
    problem.result.range = {-128, 127};
    problem.result.zeroPoints = {-128};
    problem.result.scales = {1.0 / 256};
    problem.maxRowLength = columns;
    problem.form = methods::Form::Corrected;
    llvm::Expected<kernel::Kernel> kernel =
        methods::build(*methods::lookup("table"), "softmax", problem);
    if (!kernel) {
      ADD_FAILURE() << llvm::toString(kernel.takeError());
      continue;
    }
    std::vector<KernelRow> rows;
    for (int64_t spread : {2, 10, 30, 127})
      for (unsigned i = 0; i < 5; ++i) {
        std::vector<int64_t> values(columns);
        for (int64_t &value : values)
          value = random.in(-spread, spread);
        rows.push_back({values});
      }
    batch.add(std::to_string(columns) + " columns", *kernel, columns, rows);
  }
  ASSERT_GT(batch.size(), 0u);
  expectCompiledEqual(batch, /*lanes=*/0);
}
