//===- ReferenceRunnerKernelsTest.cpp - Kernels in the reference runner ---===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Kernels, exact functions, programs cut out of a function, and errors.
//
//===----------------------------------------------------------------------===//

#include "ReferenceRunnerFixture.h"
#include "mlir/Pass/PassManager.h"
#include "nlq/Conversion/Passes.h"
#include "nlq/Kernel/Evaluate.h"
#include "nlq/Methods/Registry.h"
#include <cmath>

using namespace mlir;
using namespace nlq;
using namespace nlq::testing_support;

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

TEST_F(ReferenceRunnerTest, KernelWithColumnsAndRows) {
  // x * gamma_c + the largest of the row + 100 * the index of the row.
  parse(R"((%x: tensor<2x2x3xi8>) -> tensor<2x2x3xi32> {
    %g = arith.constant dense<[1, -2, 3]> : tensor<3xi16>
    %e = tensor.empty() : tensor<2x2x3xi32>
    %y = nlq.kernel #nlq.graph<max_row_length = 3,
      inputs = [x : element i8 in [-128, 127], g : column i16 in [-10, 10]],
      nodes = [n0 : element = input 0(), n1 : column = input 1(),
               n2 : element = mul(n0, n1), n3 : row = reduce_max(n0),
               n4 : element = add(n2, n3), n5 : row = row_index(),
               n6 : uniform = constant 100(), n7 : row = min(n5, n6),
               n8 : row = mul(n7, n6), n9 : element = add(n4, n8)],
      result = n9 : i32>
      ins(%x, %g : tensor<2x2x3xi8>, tensor<3xi16>)
      outs(%e : tensor<2x2x3xi32>) -> tensor<2x2x3xi32>
    return %y : tensor<2x2x3xi32> })");
  auto results = run(makeArray<int8_t>(
      {2, 2, 3}, {1, 2, 3, -4, -5, -6, 127, 0, -128, 7, 7, 7}));
  EXPECT_EQ(toVector<int32_t>(results[0]),
            (std::vector<int32_t>{4, -1, 12, 92, 106, 78, 454, 327, -57, 314,
                                  293, 328}));
}

TEST_F(ReferenceRunnerTest, RequantizeRoundsAsSpelled) {
  // Quarters: 1.25, -1.25, 1.5, -1.5, 1.75, then two that saturate.
  const std::pair<const char *, std::vector<int8_t>> cases[] = {
      {"floor", {1, -2, 1, -2, 1, 7, -8}},
      {"toward_zero", {1, -1, 1, -1, 1, 7, -8}},
      {"half_up", {1, -1, 2, -1, 2, 7, -8}},
      {"half_even", {1, -1, 2, -2, 2, 7, -8}},
      {"half_away", {1, -1, 2, -2, 2, 7, -8}}};
  for (const auto &[rounding, expected] : cases) {
    parse(std::string(R"((%a: tensor<7xi32>) -> tensor<7xi8> {
      %q = quant.scast %a : tensor<7xi32>
          to tensor<7x!quant.uniform<i32:f32, 0.25>>
      %r = nlq.requantize %q )") +
          rounding + R"( : tensor<7x!quant.uniform<i32:f32, 0.25>>
          -> tensor<7x!quant.uniform<i8<-8:7>:f32, 1.0>>
      %s = quant.scast %r : tensor<7x!quant.uniform<i8<-8:7>:f32, 1.0>>
          to tensor<7xi8>
      return %s : tensor<7xi8> })");
    auto results =
        run(makeArray<int32_t>({7}, {5, -5, 6, -6, 7, 100000, -100000}));
    EXPECT_EQ(toVector<int8_t>(results[0]), expected) << rounding;
  }
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

static const char *const kSoftmax =
    R"((%a: tensor<2x3xi32>) -> tensor<2x3xi16> {
    %q = quant.scast %a : tensor<2x3xi32>
        to tensor<2x3x!quant.uniform<i32<-1000:1000>:f32, 0.0625>>
    %y = nlq.softmax %q ATTRS
        : tensor<2x3x!quant.uniform<i32<-1000:1000>:f32, 0.0625>>
        -> tensor<2x3x!quant.uniform<i16:f32, 3.0517578125e-05>>
    %s = quant.scast %y
        : tensor<2x3x!quant.uniform<i16:f32, 3.0517578125e-05>>
        to tensor<2x3xi16>
    return %s : tensor<2x3xi16> })";

static std::string withAttributes(std::string text, StringRef attributes) {
  return text.replace(text.find("ATTRS"), 5, attributes.str());
}

TEST_F(ReferenceRunnerTest, SoftmaxWithoutAMethodIsExact) {
  parse(withAttributes(kSoftmax, ""));
  // 0, 1/2, -1 in the first row; one-hot in the second, which saturates.
  auto results = run(makeArray<int32_t>({2, 3}, {0, 8, -16, 0, 1000, 0}));
  double sum = 1 + std::exp(0.5) + std::exp(-1.0);
  std::vector<int16_t> expected = {
      int16_t(std::lround(32768 / sum)),
      int16_t(std::lround(32768 * std::exp(0.5) / sum)),
      int16_t(std::lround(32768 * std::exp(-1.0) / sum)),
      0,
      32767,
      0};
  EXPECT_EQ(toVector<int16_t>(results[0]), expected);
}

TEST_F(ReferenceRunnerTest, ExactInNarrowsTheOperand) {
  parse(withAttributes(
      kSoftmax, "{exact_in = !quant.uniform<i8<-4:3>:f32, 1.000000e+00>}"));
  // In steps of 1: 0.5 becomes 0, -1 stays; 62.5 becomes 3 and 0 stays.
  auto results = run(makeArray<int32_t>({2, 3}, {0, 8, -16, 0, 1000, 0}));
  double first = 2 + std::exp(-1.0), second = 2 + std::exp(3.0);
  std::vector<int16_t> expected = {
      int16_t(std::lround(32768 / first)),
      int16_t(std::lround(32768 / first)),
      int16_t(std::lround(32768 * std::exp(-1.0) / first)),
      int16_t(std::lround(32768 / second)),
      int16_t(std::lround(32768 * std::exp(3.0) / second)),
      int16_t(std::lround(32768 / second))};
  EXPECT_EQ(toVector<int16_t>(results[0]), expected);
}

TEST_F(ReferenceRunnerTest, GeluPerChannelIsExact) {
  parse(R"((%a: tensor<2x2xi32>) -> tensor<2x2xi8> {
    %q = quant.scast %a : tensor<2x2xi32>
        to tensor<2x2x!quant.uniform<i32:f32:1, {0.5, 0.001}>>
    %y = nlq.gelu %q erf : tensor<2x2x!quant.uniform<i32:f32:1, {0.5, 0.001}>>
        -> tensor<2x2x!quant.uniform<i8<-127:127>:f32, 0.01>>
    %s = quant.scast %y : tensor<2x2x!quant.uniform<i8<-127:127>:f32, 0.01>>
        to tensor<2x2xi8>
    return %s : tensor<2x2xi8> })");
  auto results = run(makeArray<int32_t>({2, 2}, {-2, 1000, 4, -500}));
  // gelu(-1) = -0.15866, gelu(1) = 0.84134, gelu(2) = 1.9545 (clamped),
  // gelu(-0.5) = -0.15427.
  EXPECT_EQ(toVector<int8_t>(results[0]),
            (std::vector<int8_t>{-16, 84, 127, -15}));
}

TEST_F(ReferenceRunnerTest, LayerNormIsExact) {
  parse(R"((%a: tensor<1x4xi16>) -> tensor<1x4xi8> {
    %g = arith.constant dense<[1.0, 2.0, 1.0, -1.0]> : tensor<4xf32>
    %b = arith.constant dense<[0.0, 0.0, 0.5, 0.0]> : tensor<4xf32>
    %q = quant.scast %a : tensor<1x4xi16>
        to tensor<1x4x!quant.uniform<i16:f32, 0.5>>
    %y = nlq.layer_norm %q, %g, %b {epsilon = 0.0}
        : tensor<1x4x!quant.uniform<i16:f32, 0.5>>, tensor<4xf32>,
          tensor<4xf32> -> tensor<1x4x!quant.uniform<i8:f32, 0.1>>
    %s = quant.scast %y : tensor<1x4x!quant.uniform<i8:f32, 0.1>>
        to tensor<1x4xi8>
    return %s : tensor<1x4xi8> })");
  // Mean 5, deviations -3, -1, 1, 3, variance 5: -1.3416, -0.4472, ...
  auto results = run(makeArray<int16_t>({1, 4}, {4, 8, 12, 16}));
  EXPECT_EQ(toVector<int8_t>(results[0]),
            (std::vector<int8_t>{-13, -9, 9, -13}));
}

/// Every method at hand gives the same integers before nlq-to-integer, after
/// it, and through its kernel.
TEST_F(ReferenceRunnerTest, MethodsBeforeAndAfterNlqToInteger) {
  unsigned tried = 0;
  for (const methods::Method *method : methods::allMethods()) {
    if (!method->find("softmax", methods::Form::Corrected))
      continue;
    parse(withAttributes(
        kSoftmax, "{method = #nlq." + method->name.str() +
                      "<form = corrected, in = !quant.uniform<i8<-127:127>:"
                      "f32, 6.250000e-02>, out_bits = 8>}"));
    std::string reason = createError();
    if (!reason.empty())
      continue; // not legal with this kind of `in`
    ++tried;
    Array input = makeArray<int32_t>({2, 3}, {3, 8, -16, 0, 1000, -1000});
    auto before = run(input);
    SoftmaxOp softmax;
    module->walk([&](SoftmaxOp op) { softmax = op; });
    auto kernel = cast<NonlinearOpInterface>(softmax.getOperation())
                      .buildKernel(softmax.getMethodAttr());
    ASSERT_TRUE(bool(kernel));
    std::vector<int16_t> expected;
    for (std::vector<int64_t> row : {std::vector<int64_t>{3, 8, -16},
                                     std::vector<int64_t>{0, 1000, -1000}})
      for (int64_t value : kernel::evaluateRow(*kernel, ArrayRef<int64_t>(row)))
        expected.push_back(value);
    EXPECT_EQ(toVector<int16_t>(before[0]), expected);

    PassManager pm(&context);
    pm.addPass(createNLQToInteger());
    ASSERT_TRUE(succeeded(pm.run(*module)));
    EXPECT_EQ(run(input), before) << method->name.str();
  }
  EXPECT_GE(tried, 1u);
}

TEST_F(ReferenceRunnerTest, MethodMapReplacesMethods) {
  parse(withAttributes(kSoftmax, "{method = #nlq.table<>}"));
  SoftmaxOp softmax;
  module->walk([&](SoftmaxOp op) { softmax = op; });
  MethodMap exact = {{softmax, MethodAttrInterface()}};
  auto runner = ReferenceRunner::create(*module, &exact);
  ASSERT_TRUE(bool(runner)) << llvm::toString(runner.takeError());
  auto results =
      (*runner)->run(makeArray<int32_t>({2, 3}, {0, 0, -1000, 0, 0, 0}));
  ASSERT_TRUE(bool(results));
  EXPECT_EQ(toVector<int16_t>((*results)[0]),
            (std::vector<int16_t>{16384, 16384, 0, 10923, 10923, 10923}));
}

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

TEST_F(ReferenceRunnerTest, TapsSeeValuesOnTheWay) {
  parse(R"((%a: tensor<2xi32>) -> tensor<2xi32> {
    %k = arith.constant dense<1> : tensor<2xi32>
    %b = arith.addi %a, %k : tensor<2xi32>
    %x = tensor.expand_shape %b [[0, 1]] output_shape [2, 1]
        : tensor<2xi32> into tensor<2x1xi32>
    %y = tensor.collapse_shape %x [[0, 1]]
        : tensor<2x1xi32> into tensor<2xi32>
    %c = arith.addi %y, %y : tensor<2xi32>
    return %c : tensor<2xi32> })");
  auto main = module->lookupSymbol<func::FuncOp>("main");
  std::vector<Value> taps = {main.getArgument(0)};
  for (Operation &op : main.getBody().front().without_terminator())
    taps.push_back(op.getResult(0));
  auto runner = ReferenceRunner::create(*module);
  ASSERT_TRUE(bool(runner));
  std::vector<std::vector<int32_t>> seen;
  std::vector<SmallVector<int64_t, 4>> shapes;
  auto results = (*runner)->run(makeArray<int32_t>({2}, {10, 20}), taps,
                                [&](Value value, const Array &array) {
                                  EXPECT_EQ(value, taps[seen.size()]);
                                  seen.push_back(toVector<int32_t>(array));
                                  shapes.push_back(array.shape);
                                });
  ASSERT_TRUE(bool(results));
  EXPECT_EQ(seen,
            (std::vector<std::vector<int32_t>>{
                {10, 20}, {1, 1}, {11, 21}, {11, 21}, {11, 21}, {22, 42}}));
  EXPECT_EQ(shapes[3], (SmallVector<int64_t, 4>{2, 1}));
}

TEST_F(ReferenceRunnerTest, ProgramOfSomeOperations) {
  parse(R"((%a: tensor<2xi32>) -> tensor<2xi32> {
    %k = arith.constant dense<5> : tensor<2xi32>
    %b = arith.addi %a, %a : tensor<2xi32>
    %c = arith.addi %b, %k : tensor<2xi32>
    return %c : tensor<2xi32> })");
  Block &body = module->lookupSymbol<func::FuncOp>("main").getBody().front();
  Operation *first = &*std::next(body.begin(), 1);
  Operation *second = &*std::next(body.begin(), 2);
  auto program = ReferenceProgram::create(second, first->getResults(),
                                          second->getResults());
  ASSERT_TRUE(bool(program)) << llvm::toString(program.takeError());
  auto results = (*program)->run(makeArray<int32_t>({2}, {1, 2}));
  ASSERT_TRUE(bool(results));
  EXPECT_EQ(toVector<int32_t>((*results)[0]), (std::vector<int32_t>{6, 7}));

  auto incomplete = ReferenceProgram::create(second, {}, second->getResults());
  ASSERT_FALSE(bool(incomplete));
  EXPECT_NE(
      llvm::toString(incomplete.takeError()).find("neither in the program"),
      std::string::npos);
}

TEST_F(ReferenceRunnerTest, RunsThatPart) {
  parse(R"((%a: tensor<2xi32>) -> (tensor<2xi32>, tensor<2xi32>) {
    %b = arith.addi %a, %a : tensor<2xi32>
    %c = arith.subi %b, %a : tensor<2xi32>
    %d = arith.addi %c, %b : tensor<2xi32>
    return %d, %c : tensor<2xi32>, tensor<2xi32> })");
  Block &body = module->lookupSymbol<func::FuncOp>("main").getBody().front();
  Operation *second = &*std::next(body.begin());
  auto runner = ReferenceRunner::create(*module);
  ASSERT_TRUE(bool(runner));
  Array a = makeArray<int32_t>({2}, {1, 2});
  auto run = ReferenceRun::start((*runner)->getProgram(), a);
  ASSERT_TRUE(bool(run));
  run->runBefore(second);
  ReferenceRun other = *run;
  EXPECT_EQ(toVector<int32_t>(other.get(second->getOperand(0))),
            (std::vector<int32_t>{2, 4}));
  other.skip(makeArray<int32_t>({2}, {100, 200}));
  auto changed = other.finish();
  EXPECT_EQ(toVector<int32_t>(changed[0]), (std::vector<int32_t>{102, 204}));
  EXPECT_EQ(toVector<int32_t>(changed[1]), (std::vector<int32_t>{100, 200}));
  // What the copy did is not seen here.
  auto results = run->finish();
  EXPECT_EQ(toVector<int32_t>(results[0]), (std::vector<int32_t>{3, 6}));
  EXPECT_EQ(toVector<int32_t>(results[1]), (std::vector<int32_t>{1, 2}));

  auto refused = ReferenceRun::start((*runner)->getProgram(), {});
  EXPECT_EQ(llvm::toString(refused.takeError()),
            "the model takes 1 arguments, found 0");
}

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

TEST_F(ReferenceRunnerTest, ErrorsNameOperationAndLocation) {
  const std::pair<const char *, const char *> cases[] = {
      {R"((%a: tensor<2xf32>) -> tensor<2xf32> {
         %b = math.exp %a : tensor<2xf32> loc("block0/exp")
         return %b : tensor<2xf32> })",
       "'math.exp' (loc(\"block0/exp\")): the reference runner has no rule"},
      {R"((%a: tensor<2xf32>) -> tensor<2xf32> {
         %b = nlq.gelu %a erf : tensor<2xf32> -> tensor<2xf32> loc("g")
         return %b : tensor<2xf32> })",
       "'nlq.gelu' (loc(\"g\")): float operations can't be run"},
      {R"((%a: tensor<?xi8>) -> tensor<?xi8> { return %a : tensor<?xi8> })",
       "the type tensor<?xi8> can't be run"},
      {R"((%a: tensor<2xi8>) -> tensor<2xi4> {
         %b = arith.constant dense<1> : tensor<2xi4> loc("c")
         return %b : tensor<2xi4> })",
       "'arith.constant' (loc(\"c\")): a constant of type tensor<2xi4>"},
      {R"((%a: tensor<2x2xi8>, %b: tensor<2x2xi8>, %c: tensor<2x2xi32>)
             -> tensor<2x2xi32> {
         %r = linalg.matmul {cast = #linalg.type_fn<cast_unsigned>}
             ins(%a, %b : tensor<2x2xi8>, tensor<2x2xi8>)
             outs(%c : tensor<2x2xi32>) -> tensor<2x2xi32>
         return %r : tensor<2x2xi32> })",
       "found cast_unsigned"},
      {R"((%a: tensor<2x2xi8>, %b: tensor<2x2xi8>, %c: tensor<2x2xi32>)
             -> tensor<2x2xi32> {
         %r = linalg.matmul indexing_maps = [
               affine_map<(m, n, k) -> (k, m)>, affine_map<(m, n, k) -> (k, n)>,
               affine_map<(m, n, k) -> (m, n)>]
             ins(%a, %b : tensor<2x2xi8>, tensor<2x2xi8>)
             outs(%c : tensor<2x2xi32>) -> tensor<2x2xi32>
         return %r : tensor<2x2xi32> })",
       "indexing maps"},
  };
  for (auto [text, message] : cases) {
    parse(text);
    EXPECT_NE(createError().find(message), std::string::npos)
        << createError() << "\nexpected: " << message;
  }
}

TEST_F(ReferenceRunnerTest, IllegalMethodsGiveTheirReason) {
  parse(withAttributes(kSoftmax, "{method = #nlq.table<form = reference>}"));
  EXPECT_NE(createError().find("can't be computed by 'table': "),
            std::string::npos)
      << createError();
}

TEST_F(ReferenceRunnerTest, WrongArguments) {
  parse("(%a: tensor<2xi8>) -> tensor<2xi8> { return %a : tensor<2xi8> }");
  auto runner = ReferenceRunner::create(*module);
  ASSERT_TRUE(bool(runner));
  auto none = (*runner)->run({});
  EXPECT_EQ(llvm::toString(none.takeError()),
            "the model takes 1 arguments, found 0");
  auto wrong = (*runner)->run(makeArray<int16_t>({2}, {1, 2}));
  EXPECT_EQ(llvm::toString(wrong.takeError()),
            "argument 0 has the wrong shape or element type");
}

TEST_F(ReferenceRunnerTest, NoMain) {
  module = parseSourceString<ModuleOp>("module {}", &context);
  EXPECT_EQ(createError(), "the module has no function 'main'");
}
