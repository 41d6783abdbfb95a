//===- AssignTest.cpp - Policies on scores made up for them ---------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Quantization/Assign.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "nlq/Quantization/ValueNames.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace nlq;

namespace {

/// A softmax with four candidates and a gelu with two, and scores for them.
class AssignTest : public ::testing::Test {
protected:
  AssignTest() {
    context.loadDialect<NLQDialect, func::FuncDialect, quant::QuantDialect>();
    module = parseSourceString<ModuleOp>(R"(
!a = !quant.uniform<i32<-100000:100000>:f32, 2.000000e-04>
!b = !quant.uniform<i8<-127:127>:f32, 1.500000e-02>
!p = !quant.uniform<i16:f32, 3.051758e-05>
!in = !quant.uniform<i8<-127:127>:f32, 1.500000e-02>
func.func @main(%x: tensor<2x4xi32>) {
  %0 = quant.scast %x : tensor<2x4xi32> to tensor<2x4x!a>
  %1 = nlq.softmax %0 {nlq.slot = "softmax", candidates = [
    #nlq.ibert<form = reference, in = !in>,
    #nlq.ivit<form = reference, in = !in>,
    #nlq.fqvit<form = reference, in = !in, out_bits = 6>,
    #nlq.table<in = !in>]} : tensor<2x4x!a> -> tensor<2x4x!p>
  %2 = nlq.gelu %0 erf {nlq.slot = "gelu", candidates = [
    #nlq.ibert<form = reference>, #nlq.ivit<form = reference, in = !in,
    out_bits = 8>]} : tensor<2x4x!a> -> tensor<2x4x!b>
  return
})",
                                         &context);
    EXPECT_TRUE(module);
    addSlot("softmax", {{20, 30, 5}, {22, 29, 3}, {10, 31, 4}, {40, 31, {}}},
            {4, 3, 2, 1});
    addSlot("gelu", {{10, {}, 2}, {11, {}, 1}}, {1, 1});
    scores.slots[0].consumers = {"product"};
    scores.moduleHash = hashModule(*module);
  }

  using Row = std::array<std::optional<double>, kNumMetrics>;
  void addSlot(const char *name, std::vector<Row> rows,
               std::vector<double> costs) {
    SlotScores &slot = scores.slots.emplace_back();
    slot.name = name;
    module->walk([&](NonlinearOpInterface op) {
      if (op->getAttrOfType<StringAttr>(kSlotAttr).getValue() != name)
        return;
      for (auto [index, method] : llvm::enumerate(op.getCandidatesAttr())) {
        CandidateScores &candidate = slot.candidates.emplace_back();
        llvm::raw_string_ostream(candidate.method) << method;
        candidate.decibels = rows[index];
        candidate.cost = costs[index];
      }
    });
  }

  /// The chosen methods in order; "error: ..." where assigning fails.
  std::vector<std::string> assign(const AssignOptions &options,
                                  bool withScores = true) {
    std::string error;
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
      if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
        error = diagnostic.str();
    });
    auto result =
        assignModule(*module, withScores ? &scores : nullptr, options);
    if (failed(result))
      return {"error: " + error};
    report = *result;
    std::vector<std::string> names;
    module->walk([&](NonlinearOpInterface op) {
      names.push_back(op.getMethodAttr().getMethodName().str());
    });
    return names;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  Scores scores;
  AssignReport report;
};

using Names = std::vector<std::string>;

} // namespace

TEST_F(AssignTest, BestByConsumerBreaksTiesByCost) {
  // fqvit and table both have 31 dB; table costs less. GELU has no consumer
  // and is decided by its own output.
  EXPECT_EQ(assign({}), (Names{"table", "ivit"}));
  EXPECT_EQ(report.slots[0].metric, Metric::Consumer);
  EXPECT_EQ(report.slots[0].chosen, 3u);
  EXPECT_EQ(report.slots[0].runnerUp, 2u);
  EXPECT_EQ(report.slots[0].margin, 0.0);
  EXPECT_EQ(report.slots[1].metric, Metric::Own);
  EXPECT_EQ(report.slots[1].margin, 1.0);
}

TEST_F(AssignTest, TheOrderDecidesEqualCosts) {
  scores.slots[1].candidates[0].decibels[unsigned(Metric::Own)] = 11;
  EXPECT_EQ(assign({}), (Names{"table", "ibert"}));
}

TEST_F(AssignTest, BestByOwn) {
  AssignOptions options;
  options.metric = Metric::Own;
  EXPECT_EQ(assign(options), (Names{"table", "ivit"}));
  EXPECT_EQ(report.slots[0].runnerUp, 1u);
  EXPECT_EQ(report.slots[0].margin, 18.0);
}

TEST_F(AssignTest, PaperTakesTheSmallestDifferenceOfTheSet) {
  AssignOptions options;
  options.policy = Policy::Paper;
  EXPECT_EQ(assign(options), (Names{"ivit", "ivit"}));
  EXPECT_EQ(report.slots[0].runnerUp, 2u);
  EXPECT_EQ(report.slots[0].margin, 1.0);
  EXPECT_FALSE(report.slots[0].candidates[3].isAllowed);
}

TEST_F(AssignTest, Filters) {
  AssignOptions options;
  options.filter.methods = {"ibert", "ivit"};
  EXPECT_EQ(assign(options), (Names{"ibert", "ivit"}));
  options.filter = {};
  options.filter.outBits = 8;
  // Softmax has none of 8 bits; nothing is changed where one operation fails.
  EXPECT_EQ(assign(options),
            Names{"error: 'nlq.softmax' op 'softmax' has no candidate that "
                  "policy 'best' may choose (out-bits = 8)"});
  module->walk([&](NonlinearOpInterface op) {
    EXPECT_EQ(op.getMethodAttr().getMethodName(),
              op.getFunction() == "gelu" ? "ivit" : "ibert");
  });
  options.filter = {};
  options.filter.set = methods::Profile::Extra;
  options.filter.methods = {};
  EXPECT_EQ(assign(options).front().substr(0, 22), "error: 'nlq.gelu' op '");
}

TEST_F(AssignTest, UniformNeedsNoScores) {
  AssignOptions options;
  options.policy = Policy::Uniform;
  options.method = "fqvit";
  EXPECT_EQ(assign(options, /*withScores=*/false), (Names{"fqvit", "ibert"}));
  EXPECT_FALSE(report.slots[0].metric);
  options.keepAssigned = true;
  options.method = "ivit";
  EXPECT_EQ(assign(options, false), (Names{"fqvit", "ibert"}));
  options.keepAssigned = false;
  EXPECT_EQ(assign(options, false), (Names{"ivit", "ivit"}));
}

TEST_F(AssignTest, ScoresMustKnowTheSlot) {
  scores.slots.pop_back();
  EXPECT_EQ(assign({}),
            Names{"error: 'nlq.gelu' op 'gelu' is not in the scores"});
}
