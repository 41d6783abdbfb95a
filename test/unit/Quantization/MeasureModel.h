//===- MeasureModel.h - A small transformer block ---------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_TEST_UNIT_QUANTIZATION_MEASUREMODEL_H
#define NLQ_TEST_UNIT_QUANTIZATION_MEASUREMODEL_H

#include <cstdint>
#include <random>
#include <string>

namespace nlq::testing_support {

/// Shapes of the model.
inline constexpr int64_t kTokens = 6, kWidth = 8, kHeads = 2, kHeadWidth = 4;

/// `dense<...>` of normally distributed numbers.
inline std::string makeWeights(int64_t rows, int64_t columns,
                               std::mt19937 &random) {
  std::normal_distribution<double> normal(0, 0.5);
  std::string text = "dense<[";
  for (int64_t row = 0; row < rows; ++row) {
    text += row ? ", [" : "[";
    for (int64_t column = 0; column < columns; ++column)
      text += (column ? ", " : "") + std::to_string(normal(random));
    text += "]";
  }
  return text + "]> : tensor<" + std::to_string(rows) + "x" +
         std::to_string(columns) + "xf32>";
}

/// A pre-norm transformer block. Both attention products have one location:
/// their names differ in "#2" only.
inline std::string makeModel() {
  std::mt19937 random(7);
  std::string text = R"(
module { func.func @main(%x: tensor<6x8xf32> {nlq.name = "x"})
    -> tensor<6x8xf32> {
  %one = arith.constant dense<1.0> : tensor<8xf32>
  %zero = arith.constant dense<0.0> : tensor<8xf32>
  %f0 = arith.constant 0.0 : f32
  %half = arith.constant dense<0.5> : tensor<2x6x6xf32>
  %wqkv = arith.constant )" +
                     makeWeights(8, 24, random) + R"(
  %wproj = arith.constant )" +
                     makeWeights(8, 8, random) + R"(
  %wfc1 = arith.constant )" +
                     makeWeights(8, 16, random) + R"(
  %wfc2 = arith.constant )" +
                     makeWeights(16, 8, random) + R"(
  %ln1 = nlq.layer_norm %x, %one, %zero {epsilon = 1.0e-6}
      : tensor<6x8xf32>, tensor<8xf32>, tensor<8xf32> -> tensor<6x8xf32>
      loc("ln1")
  %e24 = tensor.empty() : tensor<6x24xf32>
  %z24 = linalg.fill ins(%f0 : f32) outs(%e24 : tensor<6x24xf32>)
      -> tensor<6x24xf32>
  %qkv = linalg.matmul ins(%ln1, %wqkv : tensor<6x8xf32>, tensor<8x24xf32>)
      outs(%z24 : tensor<6x24xf32>) -> tensor<6x24xf32> loc("qkv")
  %x4 = tensor.expand_shape %qkv [[0], [1, 2, 3]] output_shape [6, 3, 2, 4]
      : tensor<6x24xf32> into tensor<6x3x2x4xf32> loc("expand")
  %et = tensor.empty() : tensor<3x2x6x4xf32>
  %t = linalg.transpose ins(%x4 : tensor<6x3x2x4xf32>)
      outs(%et : tensor<3x2x6x4xf32>) permutation = [1, 2, 0, 3] loc("heads")
  %q = tensor.extract_slice %t[0, 0, 0, 0] [1, 2, 6, 4] [1, 1, 1, 1]
      : tensor<3x2x6x4xf32> to tensor<2x6x4xf32> loc("q")
  %k = tensor.extract_slice %t[1, 0, 0, 0] [1, 2, 6, 4] [1, 1, 1, 1]
      : tensor<3x2x6x4xf32> to tensor<2x6x4xf32> loc("k")
  %v = tensor.extract_slice %t[2, 0, 0, 0] [1, 2, 6, 4] [1, 1, 1, 1]
      : tensor<3x2x6x4xf32> to tensor<2x6x4xf32> loc("v")
  %ekt = tensor.empty() : tensor<2x4x6xf32>
  %kt = linalg.transpose ins(%k : tensor<2x6x4xf32>)
      outs(%ekt : tensor<2x4x6xf32>) permutation = [0, 2, 1] loc("kt")
  %es = tensor.empty() : tensor<2x6x6xf32>
  %zs = linalg.fill ins(%f0 : f32) outs(%es : tensor<2x6x6xf32>)
      -> tensor<2x6x6xf32>
  %qk = linalg.batch_matmul ins(%q, %kt : tensor<2x6x4xf32>, tensor<2x4x6xf32>)
      outs(%zs : tensor<2x6x6xf32>) -> tensor<2x6x6xf32> loc("attention")
  %scores = arith.mulf %qk, %half : tensor<2x6x6xf32> loc("scale")
  %p = nlq.softmax %scores : tensor<2x6x6xf32> -> tensor<2x6x6xf32>
      loc("softmax")
  %eo = tensor.empty() : tensor<2x6x4xf32>
  %zo = linalg.fill ins(%f0 : f32) outs(%eo : tensor<2x6x4xf32>)
      -> tensor<2x6x4xf32>
  %pv = linalg.batch_matmul ins(%p, %v : tensor<2x6x6xf32>, tensor<2x6x4xf32>)
      outs(%zo : tensor<2x6x4xf32>) -> tensor<2x6x4xf32> loc("attention")
  %ept = tensor.empty() : tensor<6x2x4xf32>
  %pt = linalg.transpose ins(%pv : tensor<2x6x4xf32>)
      outs(%ept : tensor<6x2x4xf32>) permutation = [1, 0, 2] loc("merge")
  %merged = tensor.collapse_shape %pt [[0], [1, 2]]
      : tensor<6x2x4xf32> into tensor<6x8xf32> loc("merged")
  %e8 = tensor.empty() : tensor<6x8xf32>
  %z8 = linalg.fill ins(%f0 : f32) outs(%e8 : tensor<6x8xf32>)
      -> tensor<6x8xf32>
  %proj = linalg.matmul ins(%merged, %wproj : tensor<6x8xf32>, tensor<8x8xf32>)
      outs(%z8 : tensor<6x8xf32>) -> tensor<6x8xf32> loc("proj")
  %r1 = arith.addf %proj, %x : tensor<6x8xf32> loc("residual1")
  %ln2 = nlq.layer_norm %r1, %one, %zero {epsilon = 1.0e-6}
      : tensor<6x8xf32>, tensor<8xf32>, tensor<8xf32> -> tensor<6x8xf32>
      loc("ln2")
  %e16 = tensor.empty() : tensor<6x16xf32>
  %z16 = linalg.fill ins(%f0 : f32) outs(%e16 : tensor<6x16xf32>)
      -> tensor<6x16xf32>
  %fc1 = linalg.matmul ins(%ln2, %wfc1 : tensor<6x8xf32>, tensor<8x16xf32>)
      outs(%z16 : tensor<6x16xf32>) -> tensor<6x16xf32> loc("fc1")
  %g = nlq.gelu %fc1 erf : tensor<6x16xf32> -> tensor<6x16xf32> loc("gelu")
  %fc2 = linalg.matmul ins(%g, %wfc2 : tensor<6x16xf32>, tensor<16x8xf32>)
      outs(%z8 : tensor<6x8xf32>) -> tensor<6x8xf32> loc("fc2")
  %r2 = arith.addf %fc2, %r1 : tensor<6x8xf32> loc("residual2")
  return %r2 : tensor<6x8xf32>
} })";
  return text;
}

} // namespace nlq::testing_support

#endif // NLQ_TEST_UNIT_QUANTIZATION_MEASUREMODEL_H
