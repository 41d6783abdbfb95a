//===- LookupTest.cpp - A table of integers -------------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Methods/Lookup.h"
#include "Support.h"
#include "nlq/Kernel/Evaluate.h"
#include "gtest/gtest.h"

using namespace nlq;
using namespace nlq::methods;
using namespace nlq::methods::test;

/// Every value of signed and unsigned operands of all widths, any table.
TEST(Lookup, EveryValue) {
  std::mt19937 engine(3);
  for (bool isSigned : {true, false})
    for (int64_t values : {1, 2, 15, 16, 17, 255, 256}) {
      Quantized in, out = symmetric(16, 1);
      in.isSigned = isSigned;
      in.range.lo = isSigned ? -128 : 0;
      in.range.hi = in.range.lo + values - 1;
      std::vector<int32_t> table;
      Row row;
      for (int64_t i = 0; i < values; ++i) {
        table.push_back(int32_t(engine() % 65535) - 32767);
        row.push_back(in.range.lo + i);
      }
      auto kernel = buildLookup(in, out, table, values);
      ASSERT_TRUE(bool(kernel)) << llvm::toString(kernel.takeError());
      kernel::Evaluator evaluator(*kernel, values);
      Row result(values);
      llvm::ArrayRef<int64_t> input = row;
      evaluator.run({input}, 0, result);
      EXPECT_EQ(result, Row(table.begin(), table.end()));
    }
}

TEST(Lookup, Refusals) {
  auto because = [](const Quantized &in, const Quantized &out, size_t entries,
                    const char *text) {
    auto kernel = buildLookup(in, out, std::vector<int32_t>(entries, -100), 4);
    ASSERT_FALSE(bool(kernel));
    std::string reason = llvm::toString(kernel.takeError());
    EXPECT_NE(reason.find(text), std::string::npos) << reason;
  };
  Quantized type = symmetric(8, 0.1), narrow = symmetric(6, 0.1);
  because(type, type, 256, "256 entries for an operand of 255 values");
  because(type, narrow, 255,
          "the entry -100 is no value of the result, which has [-31, 31]");
  type.scales = {-1};
  because(type, narrow, 255, "'operand' has the scale -1");
}
