//===- MaskTest.cpp - Masked softmax, compiled
//------------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Modules with masks of all kinds through all of the compiler, held to softmax
// in double of what takes part, and bit for bit to the reference runner.
//
//===----------------------------------------------------------------------===//

#include "CompiledKernels.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "nlq/Execution/JitRunner.h"
#include "nlq/Execution/ReferenceRunner.h"
#include "nlq/Pipelines/Pipelines.h"
#include "gtest/gtest.h"
#include <cmath>
#include <random>

using namespace mlir;
using namespace nlq;

namespace {

/// Rows of [batch, heads, queries, keys].
struct Shape {
  int64_t batch, heads, queries, keys;
  SmallVector<int64_t, 4> dims() const { return {batch, heads, queries, keys}; }
};

class MaskedSoftmax : public ::testing::Test {
protected:
  MaskedSoftmax() { loadDialects(context); }

  /// The results of `text`, compiled.
  std::vector<Array> compileAndRun(const std::string &text,
                                   ArrayRef<Array> arguments) {
    auto module = parseSourceString<ModuleOp>(text, &context);
    EXPECT_TRUE(module) << text;
    auto signature = getSignature(*module);
    EXPECT_TRUE(bool(signature)) << llvm::toString(signature.takeError());
    PassManager manager(&context);
    LoweringOptions options;
    options.lanes = 8;
    options.allowFloat = true;
    buildCompilePipeline(manager, options);
    EXPECT_TRUE(succeeded(manager.run(*module)));
    auto runner = createJitRunner(*module, *signature, getHostTarget());
    EXPECT_TRUE(bool(runner)) << llvm::toString(runner.takeError());
    auto results = (*runner)->run(arguments);
    EXPECT_TRUE(bool(results)) << llvm::toString(results.takeError());
    return std::move(*results);
  }

  MLIRContext context;
};

std::string dims(ArrayRef<int64_t> shape) {
  std::string text;
  for (int64_t extent : shape)
    text += std::to_string(extent) + "x";
  return text;
}

/// Which elements take part: `mask`, of `maskShape` (empty: none), and causal.
std::vector<bool> takesPart(Shape shape, ArrayRef<int64_t> maskShape,
                            ArrayRef<int8_t> mask, bool isCausal) {
  SmallVector<int64_t, 4> full(4 - maskShape.size(), 1);
  llvm::append_range(full, maskShape);
  std::vector<bool> result;
  for (int64_t b = 0; b < shape.batch; ++b)
    for (int64_t h = 0; h < shape.heads; ++h)
      for (int64_t i = 0; i < shape.queries; ++i)
        for (int64_t j = 0; j < shape.keys; ++j) {
          bool part = !isCausal || j <= i + shape.keys - shape.queries;
          if (!mask.empty()) {
            int64_t at = 0;
            int64_t index[] = {b, h, i, j};
            for (int dim = 0; dim < 4; ++dim)
              at = at * full[dim] + (full[dim] == 1 ? 0 : index[dim]);
            part &= mask[at] != 0;
          }
          result.push_back(part);
        }
  return result;
}

std::vector<double> exactSoftmax(ArrayRef<double> x,
                                 const std::vector<bool> &part, int64_t keys) {
  std::vector<double> y(x.size(), 0.0);
  for (size_t row = 0; row < x.size(); row += keys) {
    double largest = -HUGE_VAL, sum = 0;
    for (int64_t j = 0; j < keys; ++j)
      if (part[row + j])
        largest = std::max(largest, x[row + j]);
    for (int64_t j = 0; j < keys; ++j)
      if (part[row + j])
        sum += y[row + j] = std::exp(x[row + j] - largest);
    for (int64_t j = 0; j < keys; ++j)
      if (part[row + j])
        y[row + j] /= sum;
  }
  return y;
}

struct Setting {
  Shape shape;
  /// Empty: no mask.
  SmallVector<int64_t, 4> mask;
  bool isCausal;
};

const Setting kSettings[] = {{{2, 3, 5, 17}, {1, 1, 5, 17}, false},
                             {{2, 3, 5, 17}, {2, 1, 1, 17}, false},
                             {{2, 3, 5, 17}, {17}, false},
                             {{2, 3, 5, 17}, {5, 17}, false},
                             {{2, 3, 5, 17}, {3, 1, 17}, false},
                             {{2, 3, 5, 17}, {2, 3, 5, 17}, false},
                             {{1, 2, 19, 19}, {}, true},
                             {{1, 2, 3, 9}, {}, true},
                             // More queries than keys: the first see none.
                             {{2, 2, 9, 4}, {}, true},
                             {{2, 3, 9, 12}, {2, 1, 1, 12}, true},
                             {{1, 1, 1, 1}, {1}, false},
                             {{1, 1, 2, 1}, {2, 1}, false}};

/// At random, with some rows of nothing.
std::vector<int8_t> drawMask(ArrayRef<int64_t> shape, std::mt19937_64 &random) {
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  std::vector<int8_t> mask(count);
  for (int64_t at = 0; at < count; at += shape.back()) {
    bool isEmpty = random() % 4 == 0;
    for (int64_t j = 0; j < shape.back(); ++j)
      mask[at + j] = isEmpty ? 0 : int8_t(random() % 3);
  }
  return mask;
}

TEST_F(MaskedSoftmax, QuantizedEqualsReferenceAndIsNearExact) {
  std::mt19937_64 random(3);
  for (const char *method :
       {"#nlq.table<>", "#nlq.fqvit<form = reference, out_bits = 4>"})
    for (const Setting &setting : kSettings) {
      std::string shape = dims(setting.shape.dims());
      std::string type = shape + "!quant.uniform<i8:f32, 0.05>";
      std::string result = shape + "!quant.uniform<i16:f32, 3.0517578125e-05>";
      std::string mask = dims(setting.mask) + "i8";
      bool hasMask = !setting.mask.empty();
      std::string text =
          "func.func @main(%x: tensor<" + shape + "i8>" +
          (hasMask ? ", %m: tensor<" + mask + ">" : "") + ") -> tensor<" +
          shape + "i16> {\n  %q = quant.scast %x : tensor<" + shape +
          "i8> to tensor<" + type + ">\n  %y = nlq.softmax %q " +
          (hasMask ? "mask(%m : tensor<" + mask + ">) " : "") +
          (setting.isCausal ? "causal " : "") + "{method = " + method +
          "} : tensor<" + type + "> -> tensor<" + result +
          ">\n  %s = quant.scast %y : tensor<" + result + "> to tensor<" +
          shape + "i16>\n  return %s : tensor<" + shape + "i16>\n}";
      SCOPED_TRACE(text);
      std::vector<Array> arguments = {
          Array(ElementKind::I8, setting.shape.dims())};
      std::vector<double> reals;
      for (int8_t &value : arguments[0].as<int8_t>()) {
        value = int8_t(random());
        reals.push_back(0.05 * value);
      }
      std::vector<int8_t> maskValues;
      if (hasMask) {
        maskValues = drawMask(setting.mask, random);
        arguments.push_back(Array(ElementKind::I8, setting.mask));
        llvm::copy(maskValues, arguments[1].as<int8_t>().begin());
      }
      auto module = parseSourceString<ModuleOp>(text, &context);
      ASSERT_TRUE(module);
      auto runner = ReferenceRunner::create(*module);
      ASSERT_TRUE(bool(runner)) << llvm::toString(runner.takeError());
      auto expected = (*runner)->run(arguments);
      ASSERT_TRUE(bool(expected)) << llvm::toString(expected.takeError());
      EXPECT_EQ(compileAndRun(text, arguments), *expected);

      std::vector<bool> part =
          takesPart(setting.shape, setting.mask, maskValues, setting.isCausal);
      std::vector<double> exact = exactSoftmax(reals, part, setting.shape.keys);
      bool isLog2 = StringRef(method).contains("fqvit");
      for (auto [index, value] :
           llvm::enumerate((*expected)[0].as<int16_t>())) {
        if (!part[index])
          ASSERT_EQ(value, 0) << index;
        // Powers of two of a coarse exponential, down to 2^-15.
        double tolerance = isLog2 ? 0.7 * exact[index] + 0x1p-15 : 1e-3;
        ASSERT_NEAR(value * 0x1p-15, exact[index], tolerance) << index;
      }
    }
}

/// Masks of i1, constant and computed, as i8.
TEST_F(MaskedSoftmax, BooleanConstants) {
  const char *text = R"(
    func.func @main(%x: tensor<2x4xi8>) -> tensor<2x4xi16> {
      %m = arith.constant dense<[[true, false, true, true],
                                 [false, false, false, false]]>
          : tensor<2x4xi1>
      %q = quant.scast %x : tensor<2x4xi8>
          to tensor<2x4x!quant.uniform<i8:f32, 0.5>>
      %y = nlq.softmax %q mask(%m : tensor<2x4xi1>) {method = #nlq.ibert<>}
          : tensor<2x4x!quant.uniform<i8:f32, 0.5>>
          -> tensor<2x4x!quant.uniform<i16:f32, 3.0517578125e-05>>
      %s = quant.scast %y
          : tensor<2x4x!quant.uniform<i16:f32, 3.0517578125e-05>>
          to tensor<2x4xi16>
      return %s : tensor<2x4xi16>
    })";
  Array x(ElementKind::I8, {2, 4});
  llvm::copy(ArrayRef<int8_t>{0, 127, 2, 0, 1, 2, 3, 4},
             x.as<int8_t>().begin());
  auto results = compileAndRun(text, x);
  // 1, e and 1.
  double sum = 2 + std::exp(1.0);
  double expected[] = {1 / sum, 0, std::exp(1.0) / sum, 1 / sum, 0, 0, 0, 0};
  for (auto [value, real] : llvm::zip(results[0].as<int16_t>(), expected)) {
    EXPECT_NEAR(value * 0x1p-15, real, 3e-3);
    if (real == 0)
      EXPECT_EQ(value, 0);
  }
}

TEST_F(MaskedSoftmax, FloatIsExact) {
  std::mt19937_64 random(4);
  for (const Setting &setting : kSettings)
    for (bool isAdded : {false, true}) {
      std::string type = "tensor<" + dims(setting.shape.dims()) + "f32>";
      bool hasMask = !setting.mask.empty();
      std::string mask =
          "tensor<" + dims(setting.mask) + (isAdded ? "f32>" : "i8>");
      std::string text = "func.func @main(%x: " + type +
                         (hasMask ? ", %m: " + mask : "") + ") -> " + type +
                         " {\n  %y = nlq.softmax %x " +
                         (hasMask ? "mask(%m : " + mask + ") " : "") +
                         (setting.isCausal ? "causal " : "") + ": " + type +
                         " -> " + type + "\n  return %y : " + type + "\n}";
      SCOPED_TRACE(text);
      std::vector<Array> arguments = {
          Array(ElementKind::F32, setting.shape.dims())};
      std::vector<double> reals;
      for (float &value : arguments[0].as<float>()) {
        value = float(int8_t(random())) / 16;
        reals.push_back(value);
      }
      std::vector<int8_t> maskValues;
      if (hasMask) {
        maskValues = drawMask(setting.mask, random);
        if (isAdded) {
          arguments.push_back(Array(ElementKind::F32, setting.mask));
          for (auto [value, part] :
               llvm::zip(arguments[1].as<float>(), maskValues))
            value = part ? 0 : -HUGE_VALF;
        } else {
          arguments.push_back(Array(ElementKind::I8, setting.mask));
          llvm::copy(maskValues, arguments[1].as<int8_t>().begin());
        }
      }
      auto results = compileAndRun(text, arguments);
      std::vector<bool> part =
          takesPart(setting.shape, setting.mask, maskValues, setting.isCausal);
      std::vector<double> exact = exactSoftmax(reals, part, setting.shape.keys);
      for (auto [index, value] : llvm::enumerate(results[0].as<float>())) {
        if (!part[index])
          ASSERT_EQ(value, 0) << index;
        ASSERT_NEAR(value, exact[index], 1e-6) << index;
      }
    }
}

} // namespace
