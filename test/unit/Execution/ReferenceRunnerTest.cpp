//===- ReferenceRunnerTest.cpp - The reference runner op by op ------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Every operation against values computed by hand or by a loop written from
// the operation's definition.
//
//===----------------------------------------------------------------------===//

#include "ReferenceRunnerFixture.h"
#include <cmath>
#include <numeric>

using namespace mlir;
using namespace nlq;
using namespace nlq::testing_support;

//===----------------------------------------------------------------------===//
// Linear operations
//===----------------------------------------------------------------------===//

TEST_F(ReferenceRunnerTest, MatmulAddsToItsInit) {
  parse(R"((%a: tensor<2x3xi8>) -> tensor<2x2xi32> {
    %b = arith.constant dense<[[1, -2], [3, 4], [-5, 127]]> : tensor<3x2xi8>
    %bias = arith.constant dense<[100, -1000]> : tensor<2xi32>
    %e = tensor.empty() : tensor<2x2xi32>
    %i = linalg.broadcast ins(%bias : tensor<2xi32>)
                          outs(%e : tensor<2x2xi32>) dimensions = [0]
    %c = linalg.matmul ins(%a, %b : tensor<2x3xi8>, tensor<3x2xi8>)
                       outs(%i : tensor<2x2xi32>) -> tensor<2x2xi32>
    return %c : tensor<2x2xi32> })");
  auto results = run(makeArray<int8_t>({2, 3}, {1, 2, 3, -128, 0, 127}));
  // 1*1+2*3-3*5 = -8; -2+8+381 = 387; -128-635 = -763; 256+16129 = 16385.
  EXPECT_EQ(toVector<int32_t>(results[0]),
            (std::vector<int32_t>{92, -613, -663, 15385}));
}

/// batch_matmul of random elements against sums in the order of the formula,
/// modulo 2^32 or 2^64.
namespace {
template <typename A, typename B, typename C> struct ProductCase {
  static void check(const std::vector<Array> &results, const Array &a,
                    const Array &b, const Array &init, int64_t batch, int64_t m,
                    int64_t k, int64_t n) {
    auto x = a.as<A>();
    auto y = b.as<B>();
    auto c = results[0].as<C>();
    for (int64_t i = 0; i < batch; ++i)
      for (int64_t row = 0; row < m; ++row)
        for (int64_t column = 0; column < n; ++column) {
          uint64_t sum =
              uint64_t(int64_t(init.as<C>()[(i * m + row) * n + column]));
          for (int64_t depth = 0; depth < k; ++depth)
            sum += uint64_t(int64_t(x[(i * m + row) * k + depth])) *
                   uint64_t(int64_t(y[(i * k + depth) * n + column]));
          ASSERT_EQ(c[(i * m + row) * n + column], C(sum));
        }
  }
};
} // namespace

TEST_F(ReferenceRunnerTest, BatchMatmulOfAllWidths) {
  // Deep enough for vectors and for more than one square of the transposition.
  auto text = [](std::string a, std::string b, std::string c) {
    std::string x = "tensor<3x5x39x" + a + ">", y = "tensor<3x39x9x" + b + ">",
                z = "tensor<3x5x9x" + c + ">";
    return "(%a: " + x + ", %b: " + y + ", %c: " + z + ") -> " + z +
           " { %r = linalg.batch_matmul ins(%a, %b : " + x + ", " + y +
           ") outs(%c : " + z + ") -> " + z + " return %r : " + z + " }";
  };
  {
    parse(text("i8", "i8", "i32"));
    Array a = makeRandom<int8_t>({3, 5, 39}, 1);
    Array b = makeRandom<int8_t>({3, 39, 9}, 2);
    Array c = makeRandom<int32_t>({3, 5, 9}, 3);
    ProductCase<int8_t, int8_t, int32_t>::check(run({a, b, c}), a, b, c, 3, 5,
                                                39, 9);
  }
  {
    parse(text("i16", "i8", "i32"));
    Array a = makeRandom<int16_t>({3, 5, 39}, 4);
    Array b = makeRandom<int8_t>({3, 39, 9}, 5);
    Array c = makeRandom<int32_t>({3, 5, 9}, 6);
    ProductCase<int16_t, int8_t, int32_t>::check(run({a, b, c}), a, b, c, 3, 5,
                                                 39, 9);
  }
  {
    parse(text("i16", "i16", "i64"));
    Array a = makeRandom<int16_t>({3, 5, 39}, 7);
    Array b = makeRandom<int16_t>({3, 39, 9}, 8);
    Array c = makeRandom<int64_t>({3, 5, 9}, 9);
    ProductCase<int16_t, int16_t, int64_t>::check(run({a, b, c}), a, b, c, 3, 5,
                                                  39, 9);
  }
  {
    parse(text("i32", "i8", "i32"));
    Array a = makeRandom<int32_t>({3, 5, 39}, 10);
    Array b = makeRandom<int8_t>({3, 39, 9}, 11);
    Array c = makeRandom<int32_t>({3, 5, 9}, 12);
    ProductCase<int32_t, int8_t, int32_t>::check(run({a, b, c}), a, b, c, 3, 5,
                                                 39, 9);
  }
}

TEST_F(ReferenceRunnerTest, ProductsOfTheLeast16BitNumbersWrap) {
  // 20 * 2^30 = 5 * 2^32, which is 0 in 32 bits.
  parse(R"((%a: tensor<1x20xi16>, %b: tensor<20x1xi16>) -> tensor<1x1xi32> {
    %z = arith.constant 7 : i32
    %e = tensor.empty() : tensor<1x1xi32>
    %i = linalg.fill ins(%z : i32) outs(%e : tensor<1x1xi32>)
        -> tensor<1x1xi32>
    %c = linalg.matmul ins(%a, %b : tensor<1x20xi16>, tensor<20x1xi16>)
                       outs(%i : tensor<1x1xi32>) -> tensor<1x1xi32>
    return %c : tensor<1x1xi32> })");
  std::vector<int16_t> least(20, -32768);
  auto results = run(
      {makeArray<int16_t>({1, 20}, least), makeArray<int16_t>({20, 1}, least)});
  EXPECT_EQ(toVector<int32_t>(results[0]), std::vector<int32_t>{7});
}

TEST_F(ReferenceRunnerTest, SumsWrap) {
  parse(R"((%a: tensor<3xi16>, %b: tensor<3xi16>)
      -> (tensor<3xi16>, tensor<3xi16>) {
    %c = arith.addi %a, %b : tensor<3xi16>
    %d = arith.subi %a, %b : tensor<3xi16>
    return %c, %d : tensor<3xi16>, tensor<3xi16> })");
  auto results = run({makeArray<int16_t>({3}, {1, 32767, -32768}),
                      makeArray<int16_t>({3}, {-5, 1, -1})});
  EXPECT_EQ(toVector<int16_t>(results[0]),
            (std::vector<int16_t>{-4, -32768, 32767}));
  EXPECT_EQ(toVector<int16_t>(results[1]),
            (std::vector<int16_t>{6, 32766, -32767}));
}

//===----------------------------------------------------------------------===//
// Shapes and constants
//===----------------------------------------------------------------------===//

TEST_F(ReferenceRunnerTest, Transpose) {
  parse(R"((%a: tensor<2x3x4xi8>) -> tensor<4x2x3xi8> {
    %e = tensor.empty() : tensor<4x2x3xi8>
    %t = linalg.transpose ins(%a : tensor<2x3x4xi8>)
                          outs(%e : tensor<4x2x3xi8>) permutation = [2, 0, 1]
    return %t : tensor<4x2x3xi8> })");
  Array a = makeRandom<int8_t>({2, 3, 4}, 1);
  auto results = run(a);
  auto in = a.as<int8_t>(), out = results[0].as<int8_t>();
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 4; ++k)
        EXPECT_EQ(out[(k * 2 + i) * 3 + j], in[(i * 3 + j) * 4 + k]);
}

TEST_F(ReferenceRunnerTest, SlicesAndReshapes) {
  // Every second row from the first on, columns 1 and 2, as one list; then put
  // back over zeros elsewhere.
  parse(R"((%a: tensor<4x4xi32>) -> (tensor<4xi32>, tensor<4x4xi32>) {
    %s = tensor.extract_slice %a[0, 1] [2, 2] [2, 1]
        : tensor<4x4xi32> to tensor<2x2xi32>
    %l = tensor.collapse_shape %s [[0, 1]] : tensor<2x2xi32> into tensor<4xi32>
    %x = tensor.expand_shape %l [[0, 1]] output_shape [2, 2]
        : tensor<4xi32> into tensor<2x2xi32>
    %e = tensor.empty() : tensor<4x4xi32>
    %i = tensor.insert_slice %x into %e[1, 0] [2, 2] [1, 3]
        : tensor<2x2xi32> into tensor<4x4xi32>
    return %l, %i : tensor<4xi32>, tensor<4x4xi32> })");
  std::vector<int32_t> a(16);
  std::iota(a.begin(), a.end(), 0);
  auto results = run(makeArray<int32_t>({4, 4}, a));
  EXPECT_EQ(toVector<int32_t>(results[0]), (std::vector<int32_t>{1, 2, 9, 10}));
  EXPECT_EQ(
      toVector<int32_t>(results[1]),
      (std::vector<int32_t>{0, 0, 0, 0, 1, 0, 0, 2, 9, 0, 0, 10, 0, 0, 0, 0}));
}

TEST_F(ReferenceRunnerTest, SliceOfOneRowLosesItsDimension) {
  parse(R"((%a: tensor<2x3xf32>) -> tensor<3xf32> {
    %s = tensor.extract_slice %a[1, 0] [1, 3] [1, 1]
        : tensor<2x3xf32> to tensor<3xf32>
    return %s : tensor<3xf32> })");
  auto results = run(makeArray<float>({2, 3}, {1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(results[0].shape, (SmallVector<int64_t, 4>{3}));
  EXPECT_EQ(toVector<float>(results[0]), (std::vector<float>{4, 5, 6}));
}

TEST_F(ReferenceRunnerTest, ConcatAlongTheMiddle) {
  parse(R"((%a: tensor<2x1x2xi16>, %b: tensor<2x2x2xi16>)
      -> tensor<2x3x2xi16> {
    %c = tensor.concat dim(1) %a, %b
        : (tensor<2x1x2xi16>, tensor<2x2x2xi16>) -> tensor<2x3x2xi16>
    return %c : tensor<2x3x2xi16> })");
  auto results =
      run({makeArray<int16_t>({2, 1, 2}, {1, 2, 3, 4}),
           makeArray<int16_t>({2, 2, 2}, {5, 6, 7, 8, 9, 10, 11, 12})});
  EXPECT_EQ(toVector<int16_t>(results[0]),
            (std::vector<int16_t>{1, 2, 5, 6, 7, 8, 3, 4, 9, 10, 11, 12}));
}

TEST_F(ReferenceRunnerTest, ConstantsOfEveryKind) {
  parse(R"(() -> (tensor<2xi8>, tensor<2xi64>, tensor<3xi16>, tensor<2xf32>) {
    %a = arith.constant dense<[-1, 2]> : tensor<2xi8>
    %b = arith.constant dense<-9223372036854775808> : tensor<2xi64>
    %c = arith.constant dense_resource<blob> : tensor<3xi16>
    %d = arith.constant dense<[0.5, -1.0e+30]> : tensor<2xf32>
    return %a, %b, %c, %d
        : tensor<2xi8>, tensor<2xi64>, tensor<3xi16>, tensor<2xf32> })",
        R"( {-# dialect_resources: { builtin: {
              blob: "0x020000000100FFFF0080" } } #-})");
  auto results = run({});
  EXPECT_EQ(toVector<int8_t>(results[0]), (std::vector<int8_t>{-1, 2}));
  EXPECT_EQ(toVector<int64_t>(results[1]),
            (std::vector<int64_t>{INT64_MIN, INT64_MIN}));
  EXPECT_EQ(toVector<int16_t>(results[2]),
            (std::vector<int16_t>{1, -1, -32768}));
  EXPECT_EQ(toVector<float>(results[3]), (std::vector<float>{0.5f, -1e30f}));
}

//===----------------------------------------------------------------------===//
// Casts
//===----------------------------------------------------------------------===//

TEST_F(ReferenceRunnerTest, QcastRoundsHalfToEvenAndClamps) {
  parse(R"((%a: tensor<8xf32>) -> tensor<8xi8> {
    %q = quant.qcast %a : tensor<8xf32>
        to tensor<8x!quant.uniform<i8<-100:100>:f32, 0.5:3>>
    %s = quant.scast %q : tensor<8x!quant.uniform<i8<-100:100>:f32, 0.5:3>>
        to tensor<8xi8>
    return %s : tensor<8xi8> })");
  float nan = std::nanf(""), inf = INFINITY;
  auto results = run(makeArray<float>(
      {8}, {0.25f, 0.75f, -0.25f, -0.75f, 1e9f, -inf, nan, 0.26f}));
  EXPECT_EQ(toVector<int8_t>(results[0]),
            (std::vector<int8_t>{3, 5, 3, 1, 100, -100, 3, 4}));
}

TEST_F(ReferenceRunnerTest, QcastTo32BitsSaturates) {
  parse(R"((%a: tensor<3xf32>) -> tensor<3xi32> {
    %q = quant.qcast %a : tensor<3xf32> to tensor<3x!quant.uniform<i32:f32, 1.0>>
    %s = quant.scast %q : tensor<3x!quant.uniform<i32:f32, 1.0>>
        to tensor<3xi32>
    return %s : tensor<3xi32> })");
  auto results = run(makeArray<float>({3}, {3e9f, -3e9f, 2147483520.0f}));
  EXPECT_EQ(toVector<int32_t>(results[0]),
            (std::vector<int32_t>{INT32_MAX, INT32_MIN, 2147483520}));
}

TEST_F(ReferenceRunnerTest, CastsPerChannel) {
  parse(R"((%a: tensor<2x2xf32>) -> (tensor<2x2xi8>, tensor<2x2xf32>) {
    %q = quant.qcast %a : tensor<2x2xf32>
        to tensor<2x2x!quant.uniform<i8:f32:0, {0.5, 2.0:1}>>
    %s = quant.scast %q : tensor<2x2x!quant.uniform<i8:f32:0, {0.5, 2.0:1}>>
        to tensor<2x2xi8>
    %d = quant.dcast %q : tensor<2x2x!quant.uniform<i8:f32:0, {0.5, 2.0:1}>>
        to tensor<2x2xf32>
    return %s, %d : tensor<2x2xi8>, tensor<2x2xf32> })");
  auto results = run(makeArray<float>({2, 2}, {1, 1.2f, 4, -7.5f}));
  EXPECT_EQ(toVector<int8_t>(results[0]), (std::vector<int8_t>{2, 2, 3, -3}));
  EXPECT_EQ(toVector<float>(results[1]), (std::vector<float>{1, 1, 4, -8}));
}
