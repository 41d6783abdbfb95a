//===- CalibrationTest.cpp - Names, exposed values, calibration
//------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Quantization/Calibration.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "nlq/Dialect/NLQ/IR/NLQDialect.h"
#include "nlq/Quantization/ValueNames.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace nlq;

static constexpr llvm::StringLiteral kModel = R"(
  func.func @main(%x: tensor<2x2xf32> {nlq.name = "image"},
                  %y: tensor<2x2xf32>) -> tensor<2x2xf32> {
    %w = arith.constant dense<1.0> : tensor<2x2xf32>
    %b = arith.constant dense<1.0> : tensor<2xf32> loc("bias")
    %e = tensor.empty() : tensor<2x2xf32> loc("linear")
    %i = linalg.broadcast ins(%b : tensor<2xf32>) outs(%e : tensor<2x2xf32>)
        dimensions = [0] loc("linear")
    %0 = linalg.matmul ins(%x, %w : tensor<2x2xf32>, tensor<2x2xf32>)
        outs(%i : tensor<2x2xf32>) -> tensor<2x2xf32> loc("linear")
    %1 = arith.addf %0, %y : tensor<2x2xf32> loc(fused["linear", "other"])
    %2 = arith.negf %1 : tensor<2x2xf32>
    return %2 : tensor<2x2xf32>
  })";

namespace {
class Calibration : public testing::Test {
protected:
  Calibration() {
    context.loadDialect<arith::ArithDialect, func::FuncDialect,
                        linalg::LinalgDialect, tensor::TensorDialect,
                        NLQDialect>();
  }
  MLIRContext context;
};

/// Stands in for the model: returns what it is told to.
struct FakeRunner : ModelRunner {
  std::vector<Array> results;
  llvm::Expected<std::vector<Array>> run(llvm::ArrayRef<Array>) override {
    return results;
  }
};
} // namespace

TEST_F(Calibration, NamesFollowTheArguments) {
  auto module = parseSourceString<ModuleOp>(kModel, &context);
  ASSERT_TRUE(module);
  std::vector<std::string> names;
  for (auto &[value, name] : nameValues(lookupMain(*module)))
    names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"image", "arg1", "linear",
                                             "linear#2", "arith.negf"}));
}

TEST_F(Calibration, ExposesEachValueOnce) {
  auto module = parseSourceString<ModuleOp>(kModel, &context);
  ASSERT_TRUE(module);
  auto model = exposeValues(*module);
  ASSERT_TRUE(succeeded(model));
  EXPECT_TRUE(succeeded(verify(*module)));
  ASSERT_EQ(model->arguments.size(), 2u);
  ASSERT_EQ(model->results.size(), 3u);
  EXPECT_EQ(lookupMain(*module).getNumResults(), 3u);
  EXPECT_EQ(model->results[0].name, "linear");
  EXPECT_TRUE(model->results[0].keepArrays);
  EXPECT_FALSE(model->results[1].keepArrays);
  EXPECT_TRUE(model->results[2].keepArrays) << "a result of the function";
  EXPECT_TRUE(model->arguments[0].keepMoments) << "constant weights read it";
  EXPECT_FALSE(model->arguments[1].keepMoments);
  EXPECT_FALSE(model->results[0].keepMoments);
}

static Array makeArray(llvm::ArrayRef<float> values) {
  Array array(ElementKind::F32, {int64_t(values.size())});
  llvm::copy(values, array.as<float>().begin());
  return array;
}

static llvm::Expected<Profile> calibrateOn(FakeRunner &runner,
                                           std::vector<Array> samples) {
  ExposedModel model;
  model.arguments = {{"image",
                      {2},
                      /*keepArrays=*/true,
                      /*keepMoments=*/true}};
  model.results = {{"a", {2}, /*keepArrays=*/true},
                   {"b", {2}, /*keepArrays=*/false}};
  CalibrationOptions options;
  options.numKept = 2;
  size_t index = 0;
  auto next = [&]() -> llvm::Expected<std::optional<std::vector<Array>>> {
    if (index == samples.size())
      return std::nullopt;
    return std::vector<Array>{samples[index++]};
  };
  return calibrate(model, runner, next, options);
}

TEST_F(Calibration, GathersOverSamples) {
  FakeRunner runner;
  runner.results = {makeArray({1, -4}), makeArray({2, 3})};
  auto profile = calibrateOn(
      runner, {makeArray({1, 2}), makeArray({-3, 0}), makeArray({5, 1})});
  ASSERT_TRUE(bool(profile)) << llvm::toString(profile.takeError());
  EXPECT_EQ(profile->numSamples, 3u);
  const ValueProfile &image = *profile->lookup("image");
  EXPECT_EQ(image.min, -3);
  EXPECT_EQ(image.max, 5);
  EXPECT_EQ(image.histogram.getCount(), 6u);
  EXPECT_EQ(image.channels.min, (std::vector<float>{-3, 0}));
  EXPECT_EQ(image.channels.max, (std::vector<float>{5, 2}));
  EXPECT_EQ(image.channels.sums, (std::vector<double>{3, 3}));
  EXPECT_EQ(image.channels.squares, (std::vector<double>{35, 5}));
  EXPECT_EQ(image.moments.getSums().vec(), (std::vector<double>{35, 7, 5}));
  ASSERT_EQ(image.kept.size(), 2u);
  EXPECT_EQ(image.kept[1], makeArray({-3, 0}));
  EXPECT_EQ(profile->lookup("b")->min, 2) << "0 does not occur";
  EXPECT_TRUE(profile->lookup("b")->kept.empty());
  EXPECT_TRUE(profile->lookup("b")->channels.empty());
  EXPECT_TRUE(profile->lookup("b")->moments.empty());
}

TEST_F(Calibration, BadSamplesAreErrors) {
  FakeRunner runner;
  runner.results = {makeArray({1, 1}), makeArray({1, 1})};
  auto errorOf = [&](std::vector<Array> samples) {
    auto profile = calibrateOn(runner, std::move(samples));
    return profile ? std::string() : llvm::toString(profile.takeError());
  };
  EXPECT_EQ(errorOf({}), "there are no samples to calibrate with");
  EXPECT_EQ(errorOf({makeArray({1, 2}), makeArray({1, NAN})}),
            "sample 1: argument 'image' holds a NaN or an infinity");
  EXPECT_EQ(errorOf({makeArray({1, 2, 3})}),
            "sample 0: argument 'image' does not have the type of the model: "
            "expected f32 of shape 2");
  runner.results[1] = makeArray({INFINITY, 0});
  EXPECT_EQ(errorOf({makeArray({1, 2})}),
            "sample 0: value 'b' holds a NaN or an infinity");
}
