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
#include "llvm/Support/JSON.h"
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

TEST_F(AssignTest, TheCheapestWithinSomeDecibels) {
  // Softmax by own: 20, 22, 10, 40 dB at costs 4, 3, 2, 1.
  AssignOptions options;
  options.metric = Metric::Own;
  scores.slots[0].candidates[3].cost = 5;
  options.within = 17.9;
  EXPECT_EQ(assign(options), (Names{"table", "ivit"}));
  EXPECT_EQ(report.slots[0].margin, 18.0);
  // At 18 dB I-ViT comes in; I-BERT is cheaper and too far off at 19.
  options.within = 18;
  scores.slots[0].candidates[0].cost = 1;
  EXPECT_EQ(assign(options).front(), "ivit");
  EXPECT_EQ(report.slots[0].runnerUp, 3u);
  EXPECT_EQ(report.slots[0].margin, -18.0);
  EXPECT_EQ(
      report.slots[0].reason,
      "by own 22.0 dB, the cheapest within 18 dB of the best: 3.0 instead "
      "of 5.0 instructions of #nlq.table<form = corrected, in = i8, "
      "out_bits = 16>, 18.0 dB better");
  // Equal costs: the better one. A candidate that is not allowed counts for
  // nothing, neither as the best nor as the cheapest.
  scores.slots[0].candidates[0].cost = 3;
  options.within = 25;
  EXPECT_EQ(assign(options).front(), "ivit");
  options.filter.methods = {"ibert", "fqvit"};
  options.within = 9;
  EXPECT_EQ(assign(options).front(), "ibert");
  options.within = 10;
  EXPECT_EQ(assign(options).front(), "fqvit");
}

TEST_F(AssignTest, WithinIsOfTheBetterSideForDifferences) {
  // By the paper's metric 30, 29 and 31: smaller is better, 29 the best.
  AssignOptions options;
  options.metric = Metric::Paper;
  scores.slots[0].candidates[0].decibels[unsigned(Metric::Paper)] = 6;
  scores.slots[0].candidates[1].decibels[unsigned(Metric::Paper)] = 5;
  scores.slots[0].candidates[2].decibels[unsigned(Metric::Paper)] = 5.5;
  options.within = 0.6;
  EXPECT_EQ(assign(options).front(), "fqvit");
  options.within = 0.4;
  EXPECT_EQ(assign(options).front(), "ivit");
}

TEST_F(AssignTest, WithinMustBeANumber) {
  AssignOptions options;
  options.within = -1;
  EXPECT_EQ(assign(options),
            Names{"error: 'within' must be a number of dB of at "
                  "least 0, found -1.000000e+00"});
}

TEST_F(AssignTest, Report) {
  AssignOptions options;
  options.filter.methods = {"ibert", "ivit"};
  assign(options);
  auto json = llvm::json::parse(report.toJSON());
  ASSERT_TRUE(bool(json));
  const llvm::json::Object &object = *json->getAsObject();
  EXPECT_EQ(object.getString("format"), "nlq-assignment");
  const llvm::json::Array &slots = *object.getArray("slots");
  ASSERT_EQ(slots.size(), 2u);
  const llvm::json::Object &slot = *slots[0].getAsObject();
  EXPECT_EQ(slot.getString("name"), "softmax");
  EXPECT_EQ(slot.getString("metric"), "consumer");
  EXPECT_EQ(slot.getNumber("margin"), 1.0);
  const llvm::json::Array &candidates = *slot.getArray("candidates");
  ASSERT_EQ(candidates.size(), 4u);
  const llvm::json::Object &first = *candidates[0].getAsObject();
  EXPECT_EQ(first.getString("method"), slot.getString("chosen"));
  EXPECT_EQ(first.getNumber("score"), 30.0);
  EXPECT_EQ(first.getNumber("cost"), 4.0);
  EXPECT_EQ(first.getBoolean("allowed"), true);
  EXPECT_EQ(candidates[1].getAsObject()->getString("method"),
            slot.getString("runner_up"));
  EXPECT_EQ(candidates[3].getAsObject()->getBoolean("allowed"), false);
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
