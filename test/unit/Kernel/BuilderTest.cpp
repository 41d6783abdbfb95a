//===- BuilderTest.cpp - Writing kernel graphs ----------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Kernel/Builder.h"
#include "nlq/Kernel/Verify.h"
#include "llvm/Support/Error.h"
#include "gtest/gtest.h"

using namespace nlq::kernel;

TEST(Builder, EqualNodesAreMadeOnce) {
  Builder b(4);
  Value x = b.element("x", 8, {-128, 127});
  EXPECT_EQ((x + 3).getId(), (x + 3).getId());
  EXPECT_EQ((x * 5).getId(), (x * 5).getId());
  EXPECT_NE((x - 3).getId(), (3 - x).getId());
  EXPECT_NE(b.shiftRight(x, 2).getId(),
            b.shiftRight(x, 2, Rounding::HalfUp).getId());
  // Constants stand on the right of what commutes.
  EXPECT_EQ((b.constant(9) + x).getId(), (x + 9).getId());
  EXPECT_EQ(b.lookup({1, 2}, b.max(x, 0)).getId(),
            b.lookup({1, 2}, b.max(x, 0)).getId());
  EXPECT_EQ(b.getGraph().tables.size(), 1u);
}

TEST(Builder, ConstantsFold) {
  Builder b(4);
  auto value = [&](Value v) {
    const Node &node = b.getGraph().nodes[v.getId()];
    return node.opcode == Opcode::Constant ? std::optional(node.imm)
                                           : std::nullopt;
  };
  Value c = b.constant(-7);
  EXPECT_EQ(value(c * 3 + 1), -20);
  EXPECT_EQ(value(b.shiftRight(c, 1, Rounding::HalfEven)), -4);
  EXPECT_EQ(value(b.div(c, 2, Rounding::TowardZero)), -3);
  EXPECT_EQ(value(b.abs(c)), 7);
  EXPECT_EQ(value(b.clamp(c, {-3, 3})), -3);
  EXPECT_EQ(value(b.compare(Predicate::LT, c, 0)), 1);
  EXPECT_EQ(value(b.assume(c, {-7, 0}, "it is")), -7);
  // What has no value stays, for bound to refuse.
  EXPECT_EQ(value(b.div(c, 0)), std::nullopt);
  EXPECT_EQ(value(b.constant(INT64_MAX) + 1), std::nullopt);
  EXPECT_EQ(value(b.assume(c, {0, 9}, "it is not")), std::nullopt);
}

TEST(Builder, NeutralOperandsVanish) {
  Builder b(4);
  Value x = b.element("x", 8, {-128, 127});
  for (Value y : {x + 0, x - 0, x * 1, b.shiftLeft(x, 0), b.shiftRight(x, 0),
                  b.div(x, 1), b.constant(0) + x})
    EXPECT_EQ(y.getId(), x.getId());
  EXPECT_NE((0 - x).getId(), x.getId());
}

TEST(Builder, ReductionsOfRowValues) {
  Builder b(4);
  Value x = b.element("x", 8, {-128, 127});
  Value largest = b.reduceMax(x);
  EXPECT_EQ(b.reduceMax(largest).getId(), largest.getId());
  EXPECT_EQ(b.reduceSum(largest).getId(), (largest * b.rowLength()).getId());
}

TEST(Builder, RatesJoin) {
  Builder b(3);
  Value x = b.element("x", 8, {-128, 127});
  Value c = b.column("c", {1, 2, 3});
  EXPECT_EQ(c.getRate(), Rate::Column);
  EXPECT_EQ((c + 1).getRate(), Rate::Column);
  EXPECT_EQ((c + b.rowIndex()).getRate(), Rate::Element);
  EXPECT_EQ((b.reduceMax(x) + 1).getRate(), Rate::Row);
  EXPECT_EQ((x + c).getRate(), Rate::Element);
  EXPECT_EQ(b.constant(1).getRate(), Rate::Uniform);
}

TEST(Builder, ColumnsOfOneValueAreConstants) {
  Builder b(3);
  Value five = b.column("c", {5, 5, 5});
  EXPECT_EQ(five.getId(), b.constant(5).getId());
  Value a = b.column("a", {1, 2, 300});
  EXPECT_EQ(a.getId(), b.column("again", {1, 2, 300}).getId());
  EXPECT_EQ(b.getGraph().inputs.back().bits, 16u);
  EXPECT_TRUE((b.getGraph().inputs.back().range == Interval{1, 300}));
}

TEST(Builder, FinishDropsWhatDoesNotReachTheResult) {
  Builder b(3);
  Value unused = b.element("unused", 16, {-5, 5});
  Value x = b.element("x", 8, {-128, 127});
  Value dead = b.column("dead", {7, 8, 9});
  Value alive = b.column("alive", {1, 2, 3});
  b.lookup({1, 2, 3}, b.clamp(unused, {0, 2}));
  Value y = b.lookup({4, 5}, b.clamp(x + alive, {0, 1})).named("answer");
  (void)(dead * 2);
  Kernel kernel = b.finish(y, 8);
  llvm::cantFail(verify(kernel));
  ASSERT_EQ(kernel.graph.inputs.size(), 3u);
  EXPECT_EQ(kernel.graph.inputs[0].name, "unused");
  EXPECT_EQ(kernel.graph.inputs[2].name, "alive");
  ASSERT_EQ(kernel.columns.size(), 1u);
  EXPECT_EQ(kernel.columns[0], (std::vector<int64_t>{1, 2, 3}));
  ASSERT_EQ(kernel.graph.tables.size(), 1u);
  EXPECT_EQ(kernel.graph.tables[0], (Table{4, 5}));
  EXPECT_EQ(kernel.graph.str(), R"(rows of 1 to 3
input 0 = unused : element i16 in [-5, 5]
input 1 = x : element i8 in [-128, 127]
input 2 = alive : column i8 in [1, 3]
table 0 = 4 5
%0 = input 1 : element
%1 = input 2 : column
%2 = constant 0 : uniform
%3 = add %0, %1 : element
%4 = max %3, %2 : element
%5 = constant 1 : uniform
%6 = min %4, %5 : element
%7 = lookup 0 %6 : element  // answer
result %7 : i8
)");
}

TEST(Graph, NamesRoundTrip) {
  for (unsigned i = 0; i < kNumOpcodes; ++i)
    EXPECT_EQ(parseOpcode(getInfo(Opcode(i)).mnemonic), Opcode(i));
  for (unsigned i = 0; i < 5; ++i)
    EXPECT_EQ(parseRounding(stringify(Rounding(i))), Rounding(i));
  for (unsigned i = 0; i < 6; ++i)
    EXPECT_EQ(parsePredicate(stringify(Predicate(i))), Predicate(i));
  for (unsigned i = 0; i < 4; ++i)
    EXPECT_EQ(parseRate(stringify(Rate(i))), Rate(i));
  EXPECT_EQ(parseOpcode("nonsense"), std::nullopt);
  EXPECT_STREQ(getInfo(Opcode::Assume).mnemonic, "assume");
}

TEST(Graph, StorageRanges) {
  EXPECT_TRUE((storageRange(1) == Interval{-1, 0}));
  EXPECT_TRUE((storageRange(8) == Interval{-128, 127}));
  EXPECT_TRUE((storageRange(8, false) == Interval{0, 255}));
  EXPECT_TRUE((storageRange(64) == Interval{INT64_MIN, INT64_MAX}));
  EXPECT_TRUE((storageRange(63, false) == Interval{0, INT64_MAX}));
}

TEST(Verify, MalformedGraphs) {
  auto reason = [](void (*spoil)(Kernel &)) {
    Builder b(3);
    Value x = b.element("x", 8, {-128, 127});
    Kernel kernel = b.finish(
        b.lookup({1, 2}, b.clamp(x + b.column("c", {1, 2, 3}), {0, 1})) +
            b.reduceMax(x),
        16);
    llvm::cantFail(verify(kernel));
    spoil(kernel);
    return llvm::toString(verify(kernel));
  };
  auto expect = [&](void (*spoil)(Kernel &), const char *text) {
    std::string message = reason(spoil);
    EXPECT_NE(message.find(text), std::string::npos) << message;
  };
  expect([](Kernel &k) { k.graph.nodes[0].imm = 7; }, "reads input 7 of 2");
  expect([](Kernel &k) { k.graph.nodes[0].rate = Rate::Row; },
         "has rate row and its operands make it element");
  expect([](Kernel &k) { k.graph.nodes.back().operands[0] = 99; },
         "does not come before it");
  expect([](Kernel &k) { k.graph.nodes.back().operands.pop_back(); },
         "has 1 operands and must have 2");
  expect([](Kernel &k) { k.graph.tables.clear(); }, "reads table 0 of 0");
  expect([](Kernel &k) { k.graph.tables[0].clear(); }, "has no entries");
  expect([](Kernel &k) { k.graph.result = 99; }, "the result is node 99");
  expect([](Kernel &k) { k.graph.resultBits = 65; }, "stored in 65 bits");
  expect([](Kernel &k) { k.graph.maxRowLength = 0; }, "at least one element");
  expect([](Kernel &k) { k.graph.inputs[0].range.hi = 128; },
         "values in [-128, 128]");
  expect([](Kernel &k) { k.columns.clear(); }, "'c' has no values");
  expect([](Kernel &k) { k.columns[0][1] = 9; }, "holds 9, outside of [1, 3]");
  expect([](Kernel &k) { k.columns.emplace_back(); },
         "2 column inputs and 1 inputs");
}
