//===- MeasureTest.cpp - Measuring and assigning a whole model ------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A transformer block of random weights goes the whole way: calibrated, through
// the JIT, quantized, measured, assigned. Scores are held to loops written from
// the definitions.
//
//===----------------------------------------------------------------------===//

#include "nlq/Quantization/Measure.h"
#include "MeasureModel.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "nlq/Execution/JitRunner.h"
#include "nlq/Execution/ReferenceRunner.h"
#include "nlq/InitAll.h"
#include "nlq/Kernel/Evaluate.h"
#include "nlq/Pipelines/Pipelines.h"
#include "nlq/Quantization/Assign.h"
#include "nlq/Quantization/Calibration.h"
#include "nlq/Quantization/Quantize.h"
#include "nlq/Quantization/ValueNames.h"
#include "llvm/Support/FileSystem.h"
#include "gtest/gtest.h"
#include <cmath>
#include <random>

using namespace mlir;
using namespace nlq;
using namespace nlq::testing_support;

namespace {

/// Parses, calibrates and quantizes the model once for all tests.
class MeasureTest : public ::testing::Test {
protected:
  static void SetUpTestSuite() {
    DialectRegistry registry;
    mlir::registerAllDialects(registry);
    mlir::registerAllExtensions(registry);
    nlq::registerAllDialects(registry);
    context = new MLIRContext(registry, MLIRContext::Threading::DISABLED);
    context->loadAllAvailableDialects();
    OwningOpRef<ModuleOp> module =
        parseSourceString<ModuleOp>(makeModel(), context);
    ASSERT_TRUE(module);
    profile = new Profile(calibrateModel(*module));
    quantized = new OwningOpRef<ModuleOp>(std::move(module));
    QuantizeOptions options;
    options.candidates = "all";
    // One symmetric grid per tensor, which the definitions below spell out.
    options.asymmetric = false;
    options.normExponent = options.geluExponent = options.attentionExponent = 0;
    options.valueExponent = options.queryKeyExponent = 0;
    ASSERT_TRUE(succeeded(quantizeModule(**quantized, *profile, options)));
  }
  static void TearDownTestSuite() {
    delete quantized;
    delete profile;
    delete context;
  }

  /// The next of five random samples.
  class Samples {
  public:
    llvm::Expected<std::optional<std::vector<Array>>> next() {
      if (left-- == 0)
        return std::nullopt;
      std::normal_distribution<float> normal(0, 1.5);
      Array x(ElementKind::F32, {kTokens, kWidth});
      for (float &value : x.as<float>())
        value = normal(random);
      return std::vector<Array>{x};
    }

    int left = 5;

  private:
    std::mt19937 random{11};
  };

  /// Makes the module return its values, and compiles it.
  static std::unique_ptr<ModelRunner>
  compileExposed(ModuleOp module, ExposedModel &model, bool keptOnly) {
    OwningOpRef<ModuleOp> clone = module.clone();
    auto exposed = exposeValues(*clone, keptOnly);
    EXPECT_TRUE(succeeded(exposed));
    model = *exposed;
    auto signature = llvm::cantFail(getSignature(*clone));
    PassManager manager(context);
    buildLowerToLLVMPipeline(manager, LoweringOptions());
    EXPECT_TRUE(succeeded(manager.run(*clone)));
    return llvm::cantFail(createJitRunner(*clone, signature, getHostTarget()));
  }

  static Profile calibrateModel(ModuleOp module) {
    ExposedModel model;
    auto runner = compileExposed(module, model, /*keptOnly=*/false);
    Samples samples;
    CalibrationOptions options;
    options.numKept = 3;
    return llvm::cantFail(
        calibrate(model, *runner, [&] { return samples.next(); }, options));
  }

  static NonlinearOpInterface findSlot(ModuleOp module, StringRef name) {
    NonlinearOpInterface found;
    module.walk([&](NonlinearOpInterface op) {
      if (op->getAttrOfType<StringAttr>(kSlotAttr).getValue() == name)
        found = op;
    });
    EXPECT_TRUE(found);
    return found;
  }

  static MLIRContext *context;
  static Profile *profile;
  static OwningOpRef<ModuleOp> *quantized;
};
MLIRContext *MeasureTest::context;
Profile *MeasureTest::profile;
OwningOpRef<ModuleOp> *MeasureTest::quantized;

methods::Quantized typeOf(Value value) {
  return toQuantized(
      cast<quant::QuantizedType>(getElementTypeOrSelf(value.getType())));
}

/// A candidate's integers for the float operand of one sample, row by row.
std::vector<int64_t> applyCandidate(NonlinearOpInterface op, size_t candidate,
                                    const Array &operand) {
  auto method = cast<MethodAttrInterface>(op.getCandidatesAttr()[candidate]);
  kernel::Kernel kernel = llvm::cantFail(op.buildKernel(method));
  methods::Quantized type = typeOf(op.getOperandTensor());
  size_t columns = operand.shape.back();
  std::vector<int64_t> result, row;
  for (auto [index, value] : llvm::enumerate(operand.as<float>())) {
    double steps = double(value) / type.scale(index % columns);
    row.push_back(std::clamp(int64_t(std::nearbyint(steps)), type.range.lo,
                             type.range.hi));
    if (row.size() == columns) {
      llvm::append_range(
          result,
          kernel::evaluateRow(kernel, ArrayRef<int64_t>(row), index / columns));
      row.clear();
    }
  }
  return result;
}

double decibels(double signal, double noise) {
  return 10 * std::log10(signal / noise);
}

} // namespace

TEST_F(MeasureTest, OwnIsTheDefinition) {
  auto scores = measureModule(**quantized, *profile);
  ASSERT_TRUE(succeeded(scores));
  // Operands: "scale" became part of a type; "residual1" feeds two readers.
  const std::pair<const char *, const char *> slots[] = {{"ln1", "x"},
                                                         {"softmax", "scale"},
                                                         {"ln2", "residual1"},
                                                         {"gelu", "fc1"}};
  EXPECT_EQ(scores->slots.size(), std::size(slots));
  EXPECT_EQ(scores->numSamples, 3u);
  for (auto [name, operand] : slots) {
    NonlinearOpInterface op = findSlot(**quantized, name);
    const SlotScores *slot = scores->lookup(name);
    ASSERT_TRUE(slot);
    ASSERT_EQ(slot->candidates.size(), op.getCandidatesAttr().size());
    methods::Quantized type = typeOf(op.getResultTensor());
    for (size_t i = 0; i < slot->candidates.size(); ++i) {
      double signal = 0, noise = 0;
      for (size_t sample = 0; sample < 3; ++sample) {
        auto y = profile->lookup(name)->kept[sample].as<float>();
        auto q = applyCandidate(op, i, profile->lookup(operand)->kept[sample]);
        for (size_t j = 0; j < q.size(); ++j) {
          signal += double(y[j]) * y[j];
          noise += std::pow(y[j] - type.dequantize(q[j]), 2);
        }
      }
      EXPECT_NEAR(*slot->candidates[i].get(Metric::Own),
                  decibels(signal, noise), 1e-4)
          << name << " " << slot->candidates[i].method;
      EXPECT_GT(slot->candidates[i].cost, 0);
    }
  }
}

TEST_F(MeasureTest, ConsumerOfSoftmaxIsTheDefinition) {
  auto scores = measureModule(**quantized, *profile);
  ASSERT_TRUE(succeeded(scores));
  const SlotScores *slot = scores->lookup("softmax");
  ASSERT_TRUE(slot);
  EXPECT_EQ(slot->consumers, std::vector<std::string>{"attention#2"});
  NonlinearOpInterface op = findSlot(**quantized, "softmax");
  // V is read on the grid of 8 bits over its range in the profile, as the
  // quantized model has it.
  double vMax = profile->lookup("v")->getAbsMax();
  double vScale = std::strtod(
      [&] {
        static char text[32];
        std::snprintf(text, sizeof(text), "%.6e", vMax / 127);
        return text;
      }(),
      nullptr);
  double pScale = typeOf(op.getResultTensor()).scale(0);
  for (size_t i = 0; i < slot->candidates.size(); ++i) {
    double signal = 0, noise = 0;
    for (size_t sample = 0; sample < 3; ++sample) {
      auto p = applyCandidate(op, i, profile->lookup("scale")->kept[sample]);
      auto v = profile->lookup("v")->kept[sample].as<float>();
      auto y = profile->lookup("attention#2")->kept[sample].as<float>();
      for (int64_t head = 0; head < kHeads; ++head)
        for (int64_t row = 0; row < kTokens; ++row)
          for (int64_t column = 0; column < kHeadWidth; ++column) {
            int64_t sum = 0;
            for (int64_t k = 0; k < kTokens; ++k)
              sum +=
                  p[(head * kTokens + row) * kTokens + k] *
                  int64_t(std::nearbyint(
                      v[(head * kTokens + k) * kHeadWidth + column] / vScale));
            double x = y[(head * kTokens + row) * kHeadWidth + column];
            signal += x * x;
            noise += std::pow(x - sum * pScale * vScale, 2);
          }
    }
    EXPECT_NEAR(*slot->candidates[i].get(Metric::Consumer),
                decibels(signal, noise), 1e-3)
        << slot->candidates[i].method;
  }
}

TEST_F(MeasureTest, ConsumersOfOtherSlots) {
  auto scores = measureModule(**quantized, *profile);
  ASSERT_TRUE(succeeded(scores));
  const std::pair<const char *, const char *> slots[] = {
      {"ln1", "qkv"}, {"ln2", "fc1"}, {"gelu", "fc2"}};
  for (auto [name, consumer] : slots) {
    const SlotScores *slot = scores->lookup(name);
    ASSERT_TRUE(slot);
    EXPECT_EQ(slot->consumers, std::vector<std::string>{consumer});
    for (const CandidateScores &candidate : slot->candidates)
      EXPECT_GT(*candidate.get(Metric::Consumer), 3) << candidate.method;
  }
}

/// The paper's difference from a run of the whole network.
TEST_F(MeasureTest, PaperIsTheDefinition) {
  auto scores = measureModule(**quantized, *profile);
  ASSERT_TRUE(succeeded(scores));
  OwningOpRef<ModuleOp> network = (*quantized)->clone();
  AssignOptions options;
  options.policy = Policy::Uniform;
  options.method = "ivit";
  options.filter.form = methods::Form::Reference;
  options.filter.set = methods::Profile::Seed;
  ScopedDiagnosticHandler silence(context, [](Diagnostic &) {});
  auto report = assignModule(*network, nullptr, options);
  ASSERT_TRUE(succeeded(report));
  NonlinearOpInterface op = findSlot(*network, "gelu");
  auto runner = llvm::cantFail(ReferenceRunner::create(*network));
  double before = 0, after = 0;
  for (size_t sample = 0; sample < 3; ++sample) {
    auto ratio = [&](Value value, StringRef name, const Array &array) {
      auto x = profile->lookup(name)->kept[sample].as<float>();
      methods::Quantized type = typeOf(value);
      double signal = 0, noise = 0;
      for (size_t i = 0; i < x.size(); ++i) {
        int64_t q = array.kind == ElementKind::I8 ? array.as<int8_t>()[i]
                                                  : array.as<int32_t>()[i];
        signal += double(x[i]) * x[i];
        noise += std::pow(x[i] - type.dequantize(q, i % 16), 2);
      }
      return std::sqrt(signal / noise);
    };
    std::vector<Value> taps = {op.getOperandTensor(), op.getResultTensor()};
    llvm::cantFail(runner->run(profile->lookup("x")->kept[sample], taps,
                               [&](Value value, const Array &array) {
                                 if (value == taps[0])
                                   before += ratio(value, "fc1", array);
                                 else
                                   after += ratio(value, "gelu", array);
                               }));
  }
  size_t index = *report->slots[3].chosen;
  EXPECT_EQ(report->slots[3].name, "gelu");
  EXPECT_NEAR(*scores->lookup("gelu")->candidates[index].get(Metric::Paper),
              20 * std::log10(before / 3) - 20 * std::log10(after / 3), 1e-3);
  // One score per method of the set: GELU has two, the others three.
  for (const SlotScores &slot : scores->slots) {
    size_t count = llvm::count_if(slot.candidates, [](const auto &candidate) {
      return candidate.get(Metric::Paper).has_value();
    });
    EXPECT_EQ(count, slot.op == "nlq.gelu" ? 2u : 3u) << slot.name;
  }
}

TEST_F(MeasureTest, OnlyTheMetricsAskedFor) {
  MeasureOptions options;
  options.metrics = {Metric::Own};
  auto scores = measureModule(**quantized, *profile, options, /*maxSamples=*/1);
  ASSERT_TRUE(succeeded(scores));
  EXPECT_EQ(scores->numSamples, 1u);
  for (const SlotScores &slot : scores->slots)
    for (const CandidateScores &candidate : slot.candidates) {
      EXPECT_TRUE(candidate.get(Metric::Own));
      EXPECT_FALSE(candidate.get(Metric::Consumer));
      EXPECT_FALSE(candidate.get(Metric::Paper));
      EXPECT_FALSE(candidate.get(Metric::Logits));
    }
}

TEST_F(MeasureTest, OnlyTheCandidatesAskedFor) {
  auto all = measureModule(**quantized, *profile);
  MeasureOptions options;
  options.metrics = {Metric::Own, Metric::Consumer, Metric::Logits};
  options.filter.methods = {"ivit"};
  auto scores = measureModule(**quantized, *profile, options);
  ASSERT_TRUE(succeeded(all) && succeeded(scores));
  for (auto [slot, full] : llvm::zip(scores->slots, all->slots))
    for (auto [candidate, other] :
         llvm::zip(slot.candidates, full.candidates)) {
      bool isAsked = StringRef(candidate.method).starts_with("#nlq.ivit");
      EXPECT_EQ(candidate.get(Metric::Logits).has_value(), isAsked);
      for (Metric metric : {Metric::Own, Metric::Consumer})
        EXPECT_EQ(candidate.get(metric),
                  isAsked ? other.get(metric) : std::nullopt);
      EXPECT_EQ(candidate.cost, other.cost);
    }
}

/// One run of the whole model for each candidate, with a map of methods.
TEST_F(MeasureTest, LogitsAreTheDefinition) {
  // Also in a module that has a method at one slot: it stays at the others.
  OwningOpRef<ModuleOp> assigned = (*quantized)->clone();
  NonlinearOpInterface worst = findSlot(*assigned, "softmax");
  worst.setMethodAttr(cast<MethodAttrInterface>(worst.getCandidatesAttr()[0]));
  MeasureOptions options;
  options.metrics = {Metric::Logits};
  SmallVector<double> firsts;
  for (ModuleOp module : {**quantized, *assigned}) {
    auto scores = measureModule(module, *profile, options);
    ASSERT_TRUE(succeeded(scores));
    for (const SlotScores &slot : scores->slots) {
      NonlinearOpInterface op = findSlot(module, slot.name);
      for (auto [method, candidate] :
           llvm::zip(op.getCandidatesAttr(), slot.candidates)) {
        MethodMap methods = {{op, cast<MethodAttrInterface>(method)}};
        auto runner = llvm::cantFail(ReferenceRunner::create(module, &methods));
        double signal = 0, noise = 0;
        for (size_t sample = 0; sample < 3; ++sample) {
          auto results =
              llvm::cantFail(runner->run(profile->lookup("x")->kept[sample]));
          auto x = profile->lookup("residual2")->kept[sample].as<float>();
          for (auto [wanted, found] : llvm::zip(x, results[0].as<float>())) {
            signal += double(wanted) * wanted;
            noise += std::pow(double(wanted) - found, 2);
          }
        }
        EXPECT_NEAR(*candidate.get(Metric::Logits), decibels(signal, noise),
                    1e-4)
            << slot.name << " " << candidate.method;
      }
    }
    firsts.push_back(*scores->slots[0].candidates[0].get(Metric::Logits));
  }
  EXPECT_LT(firsts[1], firsts[0]);
}

TEST_F(MeasureTest, AFloatModelIsAsGoodAsItsProfile) {
  OwningOpRef<ModuleOp> module =
      parseSourceString<ModuleOp>(makeModel(), context);
  ExposedModel model;
  auto runner = compileExposed(*module, model, /*keptOnly=*/true);
  MeasureOptions options;
  options.metrics = {Metric::Own, Metric::Consumer, Metric::Paper,
                     Metric::Logits};
  auto kept = measureModule(**quantized, *profile, options);
  ASSERT_TRUE(succeeded(kept));
  // Threads change nothing.
  for (unsigned numThreads : {1, 3}) {
    Samples source;
    source.left = 3;
    auto next = [&] { return source.next(); };
    ModelSamples samples(model, *runner, next);
    options.numThreads = numThreads;
    auto scores = measureModule(**quantized, samples, options);
    ASSERT_TRUE(succeeded(scores));
    EXPECT_EQ(scores->toJSON(), kept->toJSON());
  }
}

TEST_F(MeasureTest, ScoresSurviveTheirFile) {
  auto scores = measureModule(**quantized, *profile);
  ASSERT_TRUE(succeeded(scores));
  auto again = Scores::fromJSON(scores->toJSON());
  ASSERT_TRUE(bool(again)) << llvm::toString(again.takeError());
  EXPECT_EQ(again->toJSON(), scores->toJSON());
  EXPECT_EQ(again->slots.size(), scores->slots.size());
  EXPECT_EQ(*again->slots[0].candidates[0].get(Metric::Own),
            *scores->slots[0].candidates[0].get(Metric::Own));
  // Measuring twice gives the same bytes.
  EXPECT_EQ(measureModule(**quantized, *profile)->toJSON(), scores->toJSON());
}

TEST_F(MeasureTest, StaleScores) {
  auto scores = measureModule(**quantized, *profile);
  ASSERT_TRUE(succeeded(scores));
  EXPECT_FALSE(bool(scores->checkFresh(**quantized)));
  // Assigning does not make scores stale, another constant does.
  OwningOpRef<ModuleOp> module = (*quantized)->clone();
  NonlinearOpInterface op = findSlot(*module, "gelu");
  op.setMethodAttr(cast<MethodAttrInterface>(op.getCandidatesAttr()[0]));
  EXPECT_FALSE(bool(scores->checkFresh(*module)));
  op->setAttr(kSlotAttr, StringAttr::get(context, "other"));
  EXPECT_NE(llvm::toString(scores->checkFresh(*module)).find("stale"),
            std::string::npos);
}

TEST_F(MeasureTest, ProfileWithoutSamples) {
  Profile empty = *profile;
  for (auto &[name, value] : empty.values)
    value.kept.clear();
  std::string message;
  ScopedDiagnosticHandler handler(
      context, [&](Diagnostic &diagnostic) { message = diagnostic.str(); });
  EXPECT_TRUE(failed(measureModule(**quantized, empty)));
  EXPECT_EQ(message, "measuring failed: the samples have no values of the "
                     "argument 'x'");
}
