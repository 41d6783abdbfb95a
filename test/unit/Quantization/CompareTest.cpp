//===- CompareTest.cpp - Two runs of a model, slot by slot ----------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Quantization/Compare.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "nlq/Dialect/NLQ/IR/NLQDialect.h"
#include "nlq/Execution/ReferenceRunner.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace mlir;
using namespace nlq;

namespace {

template <typename T> Array makeArray(ElementKind kind, std::vector<T> values) {
  Array array(kind, {int64_t(values.size())});
  llvm::copy(values, array.as<T>().begin());
  return array;
}

/// Gives one list of results after the other.
class Script : public ModelRunner {
public:
  explicit Script(std::vector<std::vector<Array>> results)
      : results(std::move(results)) {}
  llvm::Expected<std::vector<Array>> run(ArrayRef<Array>) override {
    return results.at(next++);
  }

private:
  std::vector<std::vector<Array>> results;
  size_t next = 0;
};

/// Samples without arguments.
class Samples {
public:
  explicit Samples(int left) : left(left) {}
  llvm::Expected<std::optional<std::vector<Array>>> operator()() {
    if (left-- == 0)
      return std::nullopt;
    return std::vector<Array>();
  }

private:
  int left;
};

/// A slot of two 8-bit integers of steps of 0.5 with the zero point 1, and a
/// result.
std::vector<ExposedSlot> makeSlots() {
  methods::Quantized type;
  type.range = {-128, 127};
  type.scales = {0.5};
  type.zeroPoints = {1};
  return {{"a", "nlq.gelu", type, 2}, {"y", "result", std::nullopt, 1}};
}

std::vector<Array> makeResults(std::vector<int8_t> slot, float result) {
  return {makeArray<int8_t>(ElementKind::I8, std::move(slot)),
          makeArray<float>(ElementKind::F32, {result})};
}

const char *kModule = R"(
!a = !quant.uniform<i32<-1000:1000>:f32, 2.000000e-02>
!b = !quant.uniform<i8<-127:127>:f32, 1.500000e-02>
func.func @main(%x: tensor<2x2xi32>) -> (tensor<2x2xf32> {nlq.name = "y"}) {
  %0 = quant.scast %x : tensor<2x2xi32> to tensor<2x2x!a>
  %1 = nlq.gelu %0 erf {nlq.slot = "first"} : tensor<2x2x!a> -> tensor<2x2x!b>
  %2 = nlq.softmax %0 {nlq.slot = "second"} : tensor<2x2x!a> -> tensor<2x2x!b>
  %3 = quant.dcast %1 : tensor<2x2x!b> to tensor<2x2xf32>
  return %3 : tensor<2x2xf32>
})";

class ExposeSlotsTest : public ::testing::Test {
protected:
  ExposeSlotsTest() {
    context.loadDialect<NLQDialect, func::FuncDialect, quant::QuantDialect>();
  }

  /// The module with its slots; or the error.
  std::vector<ExposedSlot> expose(StringRef text) {
    ScopedDiagnosticHandler handler(
        &context, [&](Diagnostic &diagnostic) { error = diagnostic.str(); });
    module = parseSourceString<ModuleOp>(text, &context);
    EXPECT_TRUE(module);
    auto slots = exposeSlots(*module);
    return succeeded(slots) ? *slots : std::vector<ExposedSlot>();
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  std::string error;
};

} // namespace

TEST(CompareRuns, SignalsNoisesAndDifferences) {
  ExposedModel model;
  model.results = {{"other", {1}}, {"a", {2}}, {"v", {1}}};
  model.returned = {"v"};
  auto other = makeArray<float>(ElementKind::F32, {9});
  auto makeFloats = [&](float a0, float a1, float v) {
    return std::vector<Array>{other,
                              makeArray<float>(ElementKind::F32, {a0, a1}),
                              makeArray<float>(ElementKind::F32, {v})};
  };
  // (5 - 1) / 2 = 2 and (2 - 1) / 2 = 0.5; (7 - 1) / 2 = 3 and 0.
  Script first({makeResults({5, 2}, 10), makeResults({7, 1}, 5)});
  Script second({makeResults({5, 2}, 10), makeResults({4, 1}, 5.5)});
  Script floats({makeFloats(2, 1, 10), makeFloats(2.5, 0, 7)});
  Samples samples(2);
  auto comparison =
      compareRuns(makeSlots(), first, &second, samples, &model, &floats);
  ASSERT_TRUE(bool(comparison));
  EXPECT_EQ(comparison->numSamples, 2u);
  const SlotComparison &slot = comparison->slots[0];
  // Signal 4 + 1 + 6.25; noise 0.25 + 0.25 and 0.25 + 1.
  EXPECT_NEAR(*slot.sqnr, 10 * std::log10(11.25 / 0.5), 1e-9);
  EXPECT_NEAR(*slot.otherSqnr, 10 * std::log10(11.25 / 1.25), 1e-9);
  EXPECT_EQ(slot.numDifferent, 1u);
  EXPECT_EQ(slot.largestDifference, 3);
  const SlotComparison &result = comparison->slots[1];
  EXPECT_NEAR(*result.sqnr, 10 * std::log10(149 / 4.), 1e-9);
  EXPECT_EQ(result.numDifferent, 1u);
  EXPECT_EQ(result.largestDifference, 0.5);
  EXPECT_EQ(comparison->firstDifference, 0u);
}

TEST(CompareRuns, EqualRunsAndNoFloatModel) {
  Script first({makeResults({5, 2}, 10)}), second({makeResults({5, 2}, 10)});
  Samples samples(1);
  auto comparison = compareRuns(makeSlots(), first, &second, samples);
  ASSERT_TRUE(bool(comparison));
  EXPECT_FALSE(comparison->firstDifference);
  EXPECT_FALSE(comparison->slots[0].sqnr);
  EXPECT_EQ(comparison->slots[1].numDifferent, 0u);
}

TEST(CompareRuns, TheSecondOnlyDiffersLater) {
  // Zeros of two signs are not the same bits.
  Script first({makeResults({5, 2}, 0.0f)}),
      second({makeResults({5, 2}, -0.0f)});
  Samples samples(1);
  auto comparison = compareRuns(makeSlots(), first, &second, samples);
  ASSERT_TRUE(bool(comparison));
  EXPECT_EQ(comparison->firstDifference, 1u);
  EXPECT_EQ(comparison->slots[1].largestDifference, 0);
}

TEST(CompareRuns, Errors) {
  Script first({makeResults({5, 2}, 10)}),
      floats({{makeArray<float>(ElementKind::F32, {1, 2, 3})}});
  Samples none(0), one(1);
  auto comparison = compareRuns(makeSlots(), first, nullptr, none);
  EXPECT_EQ(llvm::toString(comparison.takeError()),
            "there are no samples to compare on");
  ExposedModel model;
  model.results = {{"a", {3}}};
  auto mismatch =
      compareRuns(makeSlots(), first, nullptr, one, &model, &floats);
  EXPECT_EQ(llvm::toString(mismatch.takeError()),
            "'a' has 2 elements, the float model's value of that name has 3");
}

TEST(CheckComparable, NamesTheSlot) {
  std::vector<ExposedSlot> slots = makeSlots(), other = slots;
  EXPECT_FALSE(bool(checkComparable(slots, other)));
  auto message = [&] { return llvm::toString(checkComparable(slots, other)); };
  other[0].type->scales = {0.25};
  EXPECT_EQ(message(), "the modules can't be compared: 'a' has another "
                       "quantized type in the second one");
  other = slots;
  other[0].op = "nlq.softmax";
  EXPECT_EQ(message(), "the modules can't be compared: 'a' is another "
                       "operation in the second one");
  other = slots;
  other[0].name = "b";
  EXPECT_EQ(message(), "the modules can't be compared: 'a' of the first one "
                       "stands where the second one has 'b'");
  other = slots;
  other.pop_back();
  EXPECT_EQ(message(), "the modules can't be compared: 'y' is in the first one "
                       "only");
  std::swap(slots, other);
  EXPECT_EQ(message(), "the modules can't be compared: 'y' is in the second "
                       "one only");
}

/// What the changed function returns is what the unchanged one computes there.
TEST_F(ExposeSlotsTest, SlotsAreResults) {
  OwningOpRef<ModuleOp> plain = parseSourceString<ModuleOp>(kModule, &context);
  std::vector<ExposedSlot> slots = expose(kModule);
  ASSERT_EQ(slots.size(), 3u);
  EXPECT_EQ(slots[0].name, "first");
  EXPECT_EQ(slots[0].op, "nlq.gelu");
  EXPECT_EQ(slots[0].numElements, 4);
  EXPECT_EQ(slots[0].type->scales[0], 1.5e-2);
  EXPECT_EQ(slots[1].name, "second");
  EXPECT_EQ(slots[2].name, "y");
  EXPECT_FALSE(slots[2].type);
  Array x(ElementKind::I32, {2, 2});
  llvm::copy(std::vector<int32_t>{-70, 3, 44, 90}, x.as<int32_t>().begin());
  auto exposed = llvm::cantFail(ReferenceRunner::create(*module));
  auto results = llvm::cantFail(exposed->run(x));
  ASSERT_EQ(results.size(), 3u);
  SmallVector<Value> taps;
  plain->walk(
      [&](NonlinearOpInterface op) { taps.push_back(op.getResultTensor()); });
  auto runner = llvm::cantFail(ReferenceRunner::create(*plain));
  size_t seen = 0;
  auto expected =
      llvm::cantFail(runner->run(x, taps, [&](Value, const Array &array) {
        EXPECT_EQ(results[seen++], array);
      }));
  EXPECT_EQ(seen, 2u);
  EXPECT_EQ(results[2], expected[0]);
}

TEST_F(ExposeSlotsTest, Errors) {
  expose("func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {\n"
         "  return %x : tensor<1xf32>\n}");
  EXPECT_EQ(error, "the module has no quantized non-linear operation");
  std::string text = kModule;
  text.replace(text.find("nlq.slot = \"first\""), 18, "");
  expose(text);
  EXPECT_EQ(error, "'nlq.gelu' op has no name: the attribute 'nlq.slot' is "
                   "missing");
  text = kModule;
  text.replace(text.find("return %3 : tensor<2x2xf32>"), 27,
               "return %x : tensor<2x2xi32>");
  text.replace(text.find("(tensor<2x2xf32> {"), 18, "(tensor<2x2xi32> {");
  expose(text);
  EXPECT_EQ(error,
            "only results of f32 can be compared, found 'tensor<2x2xi32>'");
}
