//===- QuantizeChannelsTest.cpp - Scales per channel of a whole block -----===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The options of quantize on a transformer block: what the model computes with
// exact functions stays near the float one's result, whatever is scaled and
// shifted on the way, and nearer where channels have scales of their own.
//
//===----------------------------------------------------------------------===//

#include "MeasureModel.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "nlq/Dialect/NLQ/IR/NLQDialect.h"
#include "nlq/Execution/JitRunner.h"
#include "nlq/Execution/ReferenceRunner.h"
#include "nlq/InitAll.h"
#include "nlq/Pipelines/Pipelines.h"
#include "nlq/Quantization/Calibration.h"
#include "nlq/Quantization/Quantize.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace mlir;
using namespace nlq;
using namespace nlq::testing_support;

namespace {
class QuantizeChannels : public testing::Test {
protected:
  QuantizeChannels() {
    DialectRegistry registry;
    nlq::registerAllDialects(registry);
    mlir::registerAllDialects(registry);
    registerAllExtensions(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    model = parseSourceString<ModuleOp>(makeModel(), &context);
    EXPECT_TRUE(model);
    std::mt19937 random(11);
    // Inputs with an outlying channel.
    calibrateModel([&] {
      std::normal_distribution<float> normal(0, 1.5);
      Array x(ElementKind::F32, {kTokens, kWidth});
      for (auto [index, value] : llvm::enumerate(x.as<float>()))
        value = normal(random) * (index % kWidth == 3 ? 8 : 1);
      return x;
    });
  }

  /// Over twelve inputs.
  void calibrateModel(llvm::function_ref<Array()> draw) {
    OwningOpRef<ModuleOp> clone = model->clone();
    auto exposed = exposeValues(*clone);
    ASSERT_TRUE(succeeded(exposed));
    auto signature = llvm::cantFail(getSignature(*clone));
    PassManager manager(&context);
    buildLowerToLLVMPipeline(manager, LoweringOptions());
    ASSERT_TRUE(succeeded(manager.run(*clone)));
    auto runner =
        llvm::cantFail(createJitRunner(*clone, signature, getHostTarget()));
    int left = 12;
    auto next = [&]() -> llvm::Expected<std::optional<std::vector<Array>>> {
      if (left-- == 0)
        return std::nullopt;
      return std::vector<Array>{draw()};
    };
    CalibrationOptions options;
    options.numKept = 12;
    profile = llvm::cantFail(calibrate(*exposed, *runner, next, options));
  }

  /// The SQNR of the quantized model with exact functions, in dB.
  double measure(const QuantizeOptions &options, std::string *text = nullptr,
                 StringRef input = "x", StringRef output = "residual2") {
    OwningOpRef<ModuleOp> module = model->clone();
    EXPECT_TRUE(succeeded(quantizeModule(*module, profile, options)));
    if (text)
      llvm::raw_string_ostream(*text) << *module;
    auto runner = llvm::cantFail(ReferenceRunner::create(*module));
    double signal = 0, noise = 0;
    for (size_t sample = 0; sample < 12; ++sample) {
      auto results =
          llvm::cantFail(runner->run({profile.lookup(input)->kept[sample]}));
      auto wanted = profile.lookup(output)->kept[sample].as<float>();
      for (auto [x, y] : llvm::zip_equal(wanted, results[0].as<float>())) {
        signal += double(x) * x;
        noise += std::pow(double(x) - y, 2);
      }
    }
    return 10 * std::log10(signal / noise);
  }

  static QuantizeOptions getPlain() {
    QuantizeOptions options;
    options.asymmetric = false;
    options.normExponent = options.geluExponent = options.attentionExponent = 0;
    options.valueExponent = options.queryKeyExponent = 0;
    options.weightScale = WeightScale::Extremes;
    options.weightRounding = WeightRounding::Nearest;
    options.biasCorrection = false;
    return options;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> model;
  Profile profile;
};
} // namespace

/// Each option by itself keeps the meaning: an error in a scale, a zero point
/// or a sum of columns would cost tens of dB.
TEST_F(QuantizeChannels, EveryOptionKeepsTheMeaning) {
  const double plain = measure(getPlain());
  EXPECT_GT(plain, 28);
  auto with = [&](auto change) {
    QuantizeOptions options = getPlain();
    change(options);
    return measure(options);
  };
  EXPECT_GT(with([](auto &o) { o.asymmetric = true; }), plain - 1);
  EXPECT_GT(with([](auto &o) { o.normExponent = 0.5; }), plain - 1);
  EXPECT_GT(with([](auto &o) { o.geluExponent = 0.5; }), plain - 1);
  EXPECT_GT(with([](auto &o) { o.attentionExponent = 0.5; }), plain - 1);
  EXPECT_GT(with([](auto &o) { o.valueExponent = 1; }), plain - 1);
  EXPECT_GT(with([](auto &o) { o.queryKeyExponent = 0.5; }), plain - 1);
  EXPECT_GT(with([](auto &o) { o.operandBits = 16; }), plain - 1);
  EXPECT_GT(with([](auto &o) { o.operandBits = 8; }), 20);
  EXPECT_GT(with([](auto &o) { o.probabilityBits = 8; }), plain - 3);
  EXPECT_GT(with([](auto &o) { o.weightScale = WeightScale::LeastSquares; }),
            plain - 1);
  EXPECT_GT(with([](auto &o) { o.biasCorrection = true; }), plain - 1);
}

TEST_F(QuantizeChannels, DefaultsAreBetterThanPlain) {
  EXPECT_GT(measure(QuantizeOptions()), measure(getPlain()) + 1);
}

/// What a reader sees: types per channel where products can take the scales.
/// A product whose operand's channels move together, about a mean: at 4 bits of
/// weights the error of the results on the samples themselves.
TEST_F(QuantizeChannels, FeedbackMakesUpForWeights) {
  constexpr int64_t rows = 16, depth = 12, columns = 6;
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  std::string weights;
  for (int64_t k = 0; k < depth; ++k) {
    weights += k ? ", [" : "[";
    for (int64_t n = 0; n < columns; ++n)
      weights += (n ? ", " : "") + std::to_string(normal(random));
    weights += "]";
  }
  model = parseSourceString<ModuleOp>(
      "func.func @main(%x: tensor<16x12xf32>) -> tensor<16x6xf32> {"
      "  %w = arith.constant dense<[" +
          weights +
          "]> : tensor<12x6xf32>"
          "  %zero = arith.constant dense<0.0> : tensor<16x6xf32>"
          "  %y = linalg.matmul"
          "      ins(%x, %w : tensor<16x12xf32>, tensor<12x6xf32>)"
          "      outs(%zero : tensor<16x6xf32>) -> tensor<16x6xf32> loc(\"y\")"
          "  return %y : tensor<16x6xf32>"
          "} ",
      &context);
  ASSERT_TRUE(model);
  std::vector<float> mix(depth * 2);
  for (float &value : mix)
    value = normal(random);
  calibrateModel([&] {
    Array x(ElementKind::F32, {rows, depth});
    llvm::MutableArrayRef<float> values = x.as<float>();
    for (int64_t row = 0; row < rows; ++row) {
      float a = normal(random), b = normal(random);
      for (int64_t k = 0; k < depth; ++k)
        values[row * depth + k] = a * mix[2 * k] + b * mix[2 * k + 1] +
                                  0.01f * normal(random) + float(k % 3);
    }
    return x;
  });
  QuantizeOptions options;
  options.weightBits = 4;
  double feedback = measure(options, nullptr, "arg0", "y");
  options.weightRounding = WeightRounding::Nearest;
  EXPECT_GT(feedback, measure(options, nullptr, "arg0", "y") + 6);
}

TEST_F(QuantizeChannels, TypesSaySo) {
  std::string text;
  measure(QuantizeOptions(), &text);
  auto count = [&](llvm::StringRef piece) {
    return StringRef(text).count(piece);
  };
  // Layer normalizations and GELU have results per channel.
  EXPECT_EQ(count("nlq.layer_norm"), 2u);
  EXPECT_EQ(count("-> tensor<6x8x!quant.uniform<i8:f32:1, {"), 3u)
      << "two normalizations and attention's result";
  EXPECT_EQ(count("-> tensor<6x16x!quant.uniform<i8:f32:1, {"), 1u) << "GELU";
  text.clear();
  measure(getPlain(), &text);
  EXPECT_EQ(count("i8:f32:1"), 0u);
}
