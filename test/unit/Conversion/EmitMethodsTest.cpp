//===- EmitMethodsTest.cpp - Compiled methods equal evaluate ------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every candidate of the registry on the types a quantized model has, on random
// rows, constant ones, extremes, and one-hot rows, whose probability is 1.
//
//===----------------------------------------------------------------------===//

#include "CompiledKernels.h"
#include "Kernel/RandomGraph.h"
#include "nlq/Methods/Functions.h"
#include "nlq/Methods/Registry.h"
#include "gtest/gtest.h"

using namespace nlq;
using namespace nlq::methods;

namespace {

/// `bits` bits over [-largest, largest], zero point in the middle.
Quantized makeType(unsigned bits, double largest, Narrowing narrowing,
                   int64_t columns) {
  Quantized type;
  type.bits = bits <= 8 ? 8 : 16;
  int64_t steps = (int64_t(1) << bits) - 1;
  switch (narrowing) {
  case Narrowing::None:
    break;
  case Narrowing::Symmetric:
    type.range = {-(steps / 2), steps / 2};
    type.scales = {largest / double(steps / 2)};
    type.zeroPoints = {0};
    break;
  case Narrowing::Asymmetric:
    type.isSigned = false;
    type.range = {0, steps};
    type.scales = {2 * largest / double(steps)};
    type.zeroPoints = {(steps + 1) / 2};
    break;
  case Narrowing::PowerOfTwoFactors:
    type.isSigned = false;
    type.range = {0, steps};
    type.scales.assign(columns, 2 * largest / double(steps));
    for (int64_t c = 0; c < columns; ++c)
      type.scales[c] /= double(1 << (c % 4));
    type.zeroPoints.assign(columns, (steps + 1) / 2);
    break;
  }
  return type;
}

Quantized makeAccumulator(int64_t largest, std::vector<double> scales) {
  Quantized type;
  type.bits = 32;
  type.range = {-largest, largest};
  type.zeroPoints.assign(scales.size(), 0);
  type.scales = std::move(scales);
  return type;
}

/// A problem as a model has it; `largest` is the operand's largest real value.
struct Case {
  llvm::StringRef function;
  int64_t columns;
  double largest;
  Problem problem;
};

std::vector<Case> makeCases() {
  std::vector<Case> cases;
  for (int64_t columns : {1, 17, 65}) {
    Case softmax{"softmax", columns, 14.0, {}};
    softmax.problem.operand = makeAccumulator(130000, {2.0e-4});
    softmax.problem.result =
        makeType(16, 32767.0 / 32768.0, Narrowing::Symmetric, columns);
    softmax.problem.result.range = {-32768, 32767};
    cases.push_back(softmax);
  }
  kernel::Random random(7);
  constexpr int64_t kColumns = 64;
  std::vector<double> scales(kColumns);
  for (double &scale : scales)
    scale = 1.0e-6 * double(random.in(50, 120));
  for (const Function &function : allFunctions()) {
    if (!function.isElementwise())
      continue;
    Case each{function.name, kColumns, 4.0, {}};
    each.problem.operand = makeAccumulator(284261, scales);
    each.problem.result = makeType(8, 4.0, Narrowing::Symmetric, kColumns);
    cases.push_back(each);
  }
  Case norm{"layer_norm", kColumns, 3.0, {}};
  norm.problem.operand = makeType(16, 3.0, Narrowing::Symmetric, kColumns);
  norm.problem.result = makeType(8, 5.0, Narrowing::Symmetric, kColumns);
  for (int64_t c = 0; c < kColumns; ++c) {
    double sign = random.oneIn(5) ? -1.0 : 1.0;
    norm.problem.gamma.push_back(sign * double(random.in(200, 1500)) / 1000.0);
    norm.problem.beta.push_back(double(random.in(-800, 800)) / 1000.0);
  }
  norm.problem.epsilon = 1.0e-6;
  cases.push_back(norm);
  norm.function = "rms_norm";
  norm.problem.beta.clear();
  cases.push_back(norm);
  for (Case &each : cases)
    each.problem.maxRowLength = each.columns;
  return cases;
}

/// Rows of the operand; the third is one-hot.
constexpr unsigned kOneHotRow = 2;
std::vector<KernelRow> makeRows(kernel::Interval range, int64_t columns) {
  kernel::Random random(11);
  std::vector<KernelRow> rows;
  auto add = [&](auto value) {
    std::vector<int64_t> row(columns);
    for (int64_t j = 0; j < columns; ++j)
      row[j] = value(j);
    rows.push_back({row});
  };
  add([&](int64_t) { return range.hi; });
  add([&](int64_t) { return range.lo; });
  add([&](int64_t j) { return j == columns / 2 ? range.hi : range.lo; });
  add([&](int64_t j) { return j == columns / 2 ? range.lo : range.hi; });
  add([&](int64_t) { return 0; });
  for (int64_t part : {1, 3, 10, 100})
    for (unsigned i = 0; i < 4; ++i)
      add([&](int64_t) { return random.in(range) / part; });
  return rows;
}

/// Machines whose instructions are emulated: AVX-512 BW, all of AVX-512, NEON.
std::vector<VectorFeatures> getEmulatedFeatures() {
  std::vector<VectorFeatures> all(3);
  all[0].avx2 = all[0].avx512bw = all[1].avx2 = all[1].avx512bw = true;
  all[1].avx512vbmi = all[1].avx512vnni = true;
  all[2].neon = all[2].dotprod = true;
  return all;
}

class EmitMethodsTest : public ::testing::TestWithParam<unsigned> {};

TEST_P(EmitMethodsTest, CandidatesOfTheRegistry) {
  unsigned actBits = GetParam();
  mlir::MLIRContext context;
  loadDialects(context);
  unsigned tried = 0, emulated = 0;
  for (const Method *method : allMethods())
    for (const Implementation &implementation : method->implementations) {
      KernelBatch batch;
      for (const Case &each : makeCases()) {
        if (each.function != implementation.function)
          continue;
        for (const Candidate &candidate : implementation.candidates) {
          Problem problem = each.problem;
          unsigned inBits = candidate.inBits ? candidate.inBits : actBits;
          problem.narrowed = candidate.narrowing == Narrowing::None
                                 ? problem.operand
                                 : makeType(inBits, each.largest,
                                            candidate.narrowing, each.columns);
          problem.outBits = candidate.outBits;
          problem.form = implementation.form;
          llvm::Expected<kernel::Kernel> kernel =
              build(*method, each.function, problem);
          if (!kernel) {
            // The registry proposes; a method may still refuse a problem.
            llvm::consumeError(kernel.takeError());
            continue;
          }
          std::string name =
              (method->name + " " + each.function + " " +
               stringify(implementation.form) + " " + llvm::Twine(inBits) +
               "/" + llvm::Twine(candidate.outBits))
                  .str();
          batch.add(name, *kernel, each.columns,
                    makeRows(problem.operand.range, each.columns));
          ++tried;
          // One element far above the others has the probability 1, to within
          // the coarsest grid there is, and the others have none.
          if (each.function == "softmax") {
            const std::vector<int64_t> &oneHot =
                batch.latestResults()[kOneHotRow];
            for (int64_t j = 0; j < each.columns; ++j) {
              if (j == each.columns / 2)
                EXPECT_GE(oneHot[j], 32767 * 127 / 128) << name;
              else
                EXPECT_EQ(oneHot[j], 0) << name;
            }
          }
        }
      }
      if (batch.size() == 0)
        continue;
      for (const Target &target : getTestTargets()) {
        batch.expectCompiledEqual(context, /*lanes=*/16, target);
        if (HasFatalFailure())
          return;
      }
      batch.expectPortableEqual(context);
      if (HasFatalFailure())
        return;
      if (actBits < 8)
        continue;
      for (const VectorFeatures &features : getEmulatedFeatures()) {
        emulated += batch.expectEmulatedEqual(context, features);
        if (HasFatalFailure())
          return;
      }
    }
  EXPECT_GE(tried, 40u);
  EXPECT_GE(emulated, actBits < 8 ? 0u : 40u)
      << "instructions of other machines";
}

INSTANTIATE_TEST_SUITE_P(ActivationBits, EmitMethodsTest,
                         ::testing::Values(8, 6));

} // namespace
