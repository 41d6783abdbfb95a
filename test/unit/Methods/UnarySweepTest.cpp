//===- UnarySweepTest.cpp - 8-bit element-wise operations, all of them ----===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Element-wise functions of 8-bit inputs exhaustively: all 256 inputs, all 256
// zero points, scales 2^-10 to 2^2 in steps of 2^(1/2) (of 2^(1/32) in the long
// run), signed and unsigned, against the functions in long double,
// written down once more.

#include "Methods/DrawnKernels.h"
#include "nlq/Kernel/Evaluate.h"
#include "nlq/Methods/Functions.h"
#include "llvm/ADT/STLExtras.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <cmath>

using namespace nlq;
using namespace nlq::methods;
using namespace nlq::methods::test;

namespace {

using Real = long double;

struct Formula {
  llvm::StringRef function;
  GeluKind gelu;
  Real (*exact)(Real x);
};
const Formula kFormulas[] = {
    {"gelu", GeluKind::Erf,
     [](Real x) { return x / 2 * std::erfc(-x / std::sqrt(Real(2))); }},
    {"gelu", GeluKind::Tanh,
     [](Real x) {
       // 1 + tanh u = 2 / (1 + e^-2u)
       Real u = std::sqrt(2 / std::acos(Real(-1))) *
                (x + Real(0.044715L) * x * x * x);
       return x / (1 + std::exp(-2 * u));
     }},
    {"silu", GeluKind::Erf, [](Real x) { return x / (1 + std::exp(-x)); }},
    {"sigmoid", GeluKind::Erf, [](Real x) { return 1 / (1 + std::exp(-x)); }},
    {"tanh", GeluKind::Erf, [](Real x) { return std::tanh(x); }},
    {"exp", GeluKind::Erf, [](Real x) { return std::exp(x); }},
};

/// Whether the function acts on each element alone.
bool isElementwise(const Function &function) {
  Problem problem;
  problem.gamma.assign(3, 1.0);
  problem.beta.assign(3, 0.0);
  double row[] = {-1.5, 0.25, 3.0}, together[3], alone;
  function.evaluate(row, problem, together);
  for (int i = 0; i < 3; ++i) {
    function.evaluate(row[i], problem, alone);
    if (alone != together[i])
      return false;
  }
  return true;
}

struct Case {
  const Method *method;
  Formula formula;
  bool isSigned;
  unsigned outBits;
};

/// The largest error of a corrected form at x beside the rounding of its
/// result. A table has none; approximations are off by less than 0.03, of the
/// largest value of a function without symmetry if that is more than 1, and by
/// the rounding of the factor of x, which has 14 bits (lib/Methods/Gelu.cpp).
Real documentedError(const Case &c, Real x, Real largest) {
  if (c.method->name == "table")
    return 0;
  bool isRelative = getFunction(c.formula.function).symmetry == Symmetry::None;
  return 0.03L * (isRelative ? std::max<Real>(1, largest) : 1) +
         std::fabs(x) * 0x1p-14L;
}

std::vector<Case> allCases() {
  std::vector<Case> cases;
  for (const Subject &subject : allSubjects())
    for (const Formula &formula : kFormulas) {
      if (subject.implementation->function != formula.function ||
          subject.implementation->form != Form::Corrected ||
          subject.candidate != subject.implementation->candidates.begin())
        continue;
      for (bool isSigned : {true, false})
        cases.push_back(
            {subject.method, formula, isSigned, subject.candidate->outBits});
    }
  return cases;
}

class UnarySweep : public testing::TestWithParam<Case> {};

TEST_P(UnarySweep, AllInputsScalesAndZeroPoints) {
  const Case &c = GetParam();
  const int steps = sweepsAreLong() ? 32 : 2;
  std::vector<int64_t> row(256), out(256);
  kernel::Interval storage = kernel::storageRange(8, c.isSigned);
  for (int64_t i = 0; i < 256; ++i)
    row[i] = storage.lo + i;
  uint64_t kernels = 0;
  double worst = 0;
  for (int step = 0; step <= 12 * steps; ++step) {
    double scale = std::exp2(double(step) / steps - 10);
    // Of the inputs less the zero point, which are -255 to 255.
    std::vector<Real> exact(511);
    for (int64_t q = -255; q <= 255; ++q)
      exact[q + 255] = c.formula.exact(Real(scale) * Real(q));
    for (int64_t zero = storage.lo; zero <= storage.hi; ++zero, ++kernels) {
      Problem problem;
      problem.maxRowLength = 256;
      problem.outBits = c.outBits;
      problem.gelu = c.formula.gelu;
      problem.operand.isSigned = c.isSigned;
      problem.operand.range = storage;
      problem.operand.scales = {scale};
      problem.operand.zeroPoints = {zero};
      problem.narrowed = problem.operand;
      // As a calibrated result would be; e^x saturates at a thousand.
      const Real *x = &exact[storage.lo - zero + 255];
      auto [lo, hi] = std::minmax_element(x, x + 256);
      Real least = std::min<Real>(*lo, 0), most = std::min<Real>(*hi, 1000);
      double to = double((most - least) / 255);
      int64_t toZero = -128 - std::llround(least / to);
      problem.result.scales = {to};
      problem.result.zeroPoints = {toZero};
      auto kernel = build(*c.method, c.formula.function, problem);
      ASSERT_TRUE(bool(kernel)) << llvm::toString(kernel.takeError());
      kernel::Evaluator(*kernel, 256).run({llvm::ArrayRef(row)}, 0, out);
      for (int i = 0; i < 256; ++i) {
        Real wanted = std::clamp<Real>(x[i] / to + Real(toZero), -128, 127);
        Real error = std::fabs(Real(out[i]) - wanted);
        worst = std::max(worst, double(error - 0.5L) * to);
        Real allowed =
            documentedError(c, Real(scale) * Real(row[i] - zero), most);
        ASSERT_LE(error, 0.5L + 1e-9L + allowed / to)
            << "scale 2^" << double(step) / steps - 10 << ", zero point "
            << zero << ", input " << row[i] << ", f(x) " << double(x[i]);
      }
    }
  }
  RecordProperty("kernels", std::to_string(kernels));
  RecordProperty("worst_error", std::to_string(worst));
}

INSTANTIATE_TEST_SUITE_P(Registry, UnarySweep, testing::ValuesIn(allCases()),
                         [](const testing::TestParamInfo<Case> &info) {
                           const Case &c = info.param;
                           return (c.method->name + "_" + c.formula.function +
                                   (c.formula.gelu == GeluKind::Tanh ? "_tanh"
                                                                     : "") +
                                   (c.isSigned ? "_signed" : "_unsigned"))
                               .str();
                         });

/// A function that is new to the registry has a formula here, too.
TEST(UnarySweepCoverage, HasEveryFunction) {
  for (const Subject &subject : allSubjects()) {
    const Implementation &implementation = *subject.implementation;
    if (implementation.form != Form::Corrected ||
        !isElementwise(*lookupFunction(implementation.function)))
      continue;
    auto isSubject = [&](const Case &c) {
      return c.method == subject.method &&
             c.formula.function == implementation.function;
    };
    EXPECT_TRUE(llvm::any_of(allCases(), isSubject)) << subject.name();
  }
}

} // namespace
