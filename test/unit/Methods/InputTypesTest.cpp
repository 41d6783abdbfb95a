//===- InputTypesTest.cpp - Operands of all types -------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every candidate of the registry on operands of 4 to 16 bits and accumulators
// of 32, with zero points and scales per channel: near the exact function in
// double, or refused with a reason. What must not be refused is listed.
//
//===----------------------------------------------------------------------===//

#include "Methods/DrawnKernels.h"
#include "Support.h"
#include "gtest/gtest.h"
#include <cmath>
#include <map>
#include <random>

using namespace nlq;
using namespace nlq::methods;
using namespace nlq::methods::test;

namespace {

constexpr int64_t kColumns = 24;
/// Real operands are of N(0, 2), cut off here.
constexpr double kReach = 8;

struct Operand {
  const char *name;
  Quantized type;
};

Quantized withZeroPoint(Quantized type, int64_t zero) {
  type.zeroPoints.assign(type.scales.size(), zero);
  return type;
}

Quantized perChannel(Quantized type) {
  double scale = type.scales[0];
  type.scales.clear();
  for (int64_t c = 0; c < kColumns; ++c)
    type.scales.push_back(scale * (0.75 + 0.5 * double(c) / kColumns));
  type.zeroPoints.assign(kColumns, type.zeroPoints[0]);
  return type;
}

Quantized ofBits(unsigned bits) {
  return symmetric(bits, kReach / double((int64_t(1) << (bits - 1)) - 1));
}

Quantized unsignedOf(unsigned bits) {
  Quantized type = ofBits(bits);
  type.isSigned = false;
  type.range = kernel::storageRange(bits, false);
  return withZeroPoint(type, int64_t(1) << (bits - 1));
}

/// A sum of 2^20 at most, in 32 bits.
Quantized accumulator() {
  Quantized type = ofBits(21);
  type.bits = 32;
  return type;
}

std::vector<Operand> operands() {
  std::vector<Operand> all;
  static const char *const names[] = {"i4",  "i5",  "i6",  "i7",  "i8",
                                      "i9",  "i10", "i11", "i12", "i13",
                                      "i14", "i15", "i16"};
  for (unsigned bits = 4; bits <= 16; ++bits)
    all.push_back({names[bits - 4], ofBits(bits)});
  all.push_back({"u8 with a zero point", unsignedOf(8)});
  all.push_back({"i8 with a zero point", withZeroPoint(ofBits(8), -5)});
  all.push_back({"u16 with a zero point", unsignedOf(16)});
  all.push_back({"i32", accumulator()});
  all.push_back({"i8 per channel", perChannel(ofBits(8))});
  all.push_back({"i16 per channel", perChannel(ofBits(16))});
  all.push_back({"i32 per channel", perChannel(accumulator())});
  return all;
}

/// What the candidate narrows to: of its width, or 8 bits.
Quantized narrowedBy(const Candidate &candidate, const Quantized &operand) {
  unsigned bits = candidate.inBits ? candidate.inBits : 8;
  switch (candidate.narrowing) {
  case Narrowing::None:
    return operand;
  case Narrowing::Symmetric:
    return ofBits(bits);
  case Narrowing::Asymmetric:
    return unsignedOf(bits);
  case Narrowing::PowerOfTwoFactors:
    break;
  }
  Quantized type = unsignedOf(bits);
  double scale = type.scales[0];
  type.scales.clear();
  for (int64_t c = 0; c < kColumns; ++c)
    type.scales.push_back(std::ldexp(scale, int(c % 2)));
  type.zeroPoints.assign(kColumns, type.zeroPoints[0]);
  return type;
}

class InputTypes : public testing::TestWithParam<Subject> {
protected:
  Problem makeProblem(const Operand &operand) const {
    const Subject &subject = GetParam();
    Problem problem;
    problem.operand = operand.type;
    problem.narrowed = narrowedBy(*subject.candidate, operand.type);
    problem.maxRowLength = kColumns;
    problem.outBits = subject.candidate->outBits;
    problem.form = subject.implementation->form;
    const Function &function = getFunction(subject.implementation->function);
    // Coarse enough for every result, fine enough to leave the error alone.
    double largest = function.name == "exp" ? std::exp(kReach) : kReach;
    problem.result = function.kind == FunctionKind::Probabilities
                         ? symmetric(16, 0x1p-15)
                         : symmetric(16, largest / 32767);
    if (function.isNormalization()) {
      for (int64_t c = 0; c < kColumns; ++c) {
        problem.gamma.push_back(c % 5 == 0 ? -0.5 : 1 + 0.1 * double(c % 7));
        if (function.hasBeta)
          problem.beta.push_back(0.2 * double(c % 3));
      }
      problem.epsilon = 1e-6;
    }
    return problem;
  }

  /// dB that hold for every legal operand. Published forms are held to what was
  /// published (PublishedDataTest.cpp), whatever that is worth on operands that
  /// they are not made for: I-BERT's GELU wants an accumulator.
  double leastSqnr(const Problem &problem) const {
    if (problem.form == Form::Reference)
      return -20;
    const Function &function = getFunction(GetParam().implementation->function);
    if (function.kind != FunctionKind::Probabilities)
      return 25;
    return problem.outBits < 16 ? 6 : 12;
  }
};

/// The exact function on the integers that the method starts from.
std::vector<Reals> exactOn(llvm::StringRef function, const Problem &problem,
                           const Rows &rows) {
  std::vector<Reals> reals = dequantize(problem.operand, rows);
  if (problem.narrowed != problem.operand)
    for (Reals &row : reals)
      for (int64_t c = 0; c < kColumns; ++c) {
        double q = std::nearbyint(row[c] / problem.narrowed.scale(c)) +
                   double(problem.narrowed.zeroPoint(c));
        q = std::clamp(q, double(problem.narrowed.range.lo),
                       double(problem.narrowed.range.hi));
        row[c] = problem.narrowed.dequantize(int64_t(q), c);
      }
  for (Reals &row : reals) {
    Reals in = row;
    lookupFunction(function)->evaluate(in, problem, row);
  }
  return reals;
}

/// No candidate of corrected form may refuse an operand that it narrows to one
/// scale first.
TEST_P(InputTypes, AreNearExactOrRefused) {
  const Subject &subject = GetParam();
  llvm::StringRef function = subject.implementation->function;
  std::map<std::string, std::string> refused;
  for (const Operand &operand : operands()) {
    SCOPED_TRACE(operand.name);
    Problem problem = makeProblem(operand);
    std::string why = reason(subject.method->name, function, problem);
    if (!why.empty()) {
      refused[operand.name] = why;
      // One sentence that begins with what was asked.
      EXPECT_EQ(why.find((subject.method->name + " " + function).str()), 0u)
          << why;
      continue;
    }
    Rows rows = gaussianRows(operand.type, 40, kColumns, 2, 0, 5);
    Outcome outcome = run(subject.method->name, function, problem, rows);
    double found = sqnr(exactOn(function, problem, rows),
                        dequantize(problem.result, outcome.result));
    EXPECT_GT(found, leastSqnr(problem)) << operand.name;
  }
  bool isNarrowed = subject.candidate->narrowing == Narrowing::Symmetric ||
                    subject.candidate->narrowing == Narrowing::Asymmetric;
  for (const auto &[name, why] : refused)
    EXPECT_FALSE(isNarrowed && subject.implementation->form == Form::Corrected)
        << name << ": " << why;
}

INSTANTIATE_TEST_SUITE_P(Registry, InputTypes, testing::ValuesIn(allSubjects()),
                         [](const testing::TestParamInfo<Subject> &info) {
                           return info.param.name();
                         });

/// A candidate takes each type of operand, of every function.
TEST(InputTypes, AreTakenBySomeCandidate) {
  for (const Function &function : allFunctions())
    for (const Operand &operand : operands()) {
      bool isTaken = false;
      for (const Subject &subject : allSubjects()) {
        if (subject.implementation->function != function.name)
          continue;
        Problem problem;
        problem.operand = operand.type;
        problem.narrowed = narrowedBy(*subject.candidate, operand.type);
        problem.maxRowLength = kColumns;
        problem.outBits = subject.candidate->outBits;
        problem.form = subject.implementation->form;
        problem.result = symmetric(16, function.name == "exp" ? 0.1 : 0x1p-12);
        if (function.isNormalization()) {
          problem.gamma.assign(kColumns, 1);
          problem.beta.assign(kColumns, 0);
        }
        isTaken |= reason(subject.method->name, function.name, problem).empty();
      }
      EXPECT_TRUE(isTaken) << function.name.str() << " of " << operand.name;
    }
}

} // namespace

/// 8 bits of accumulators are off by less than 2^-5 steps beside their
/// rounding, and saturate. The sigmoid of the narrowed operand tells what that
/// was.
TEST(InputTypes, AccumulatorsNarrowedInWords) {
  std::mt19937 random(5);
  for (double ratio : {3.1e-7, 0.0019, 0.002, 1.0 / 512, 0.0078, 0.11})
    for (bool perColumn : {false, true}) {
      Problem problem;
      problem.narrowed = symmetric(8, 0.05);
      problem.operand = symmetric(32, ratio * 0.05);
      problem.result = symmetric(32, 0x1p-28);
      problem.maxRowLength = 64;
      if (perColumn) {
        problem.operand.scales.clear();
        for (int64_t c = 0; c < 64; ++c)
          problem.operand.scales.push_back(ratio * 0.05 * (1 + double(c) / 64));
        problem.operand.zeroPoints.assign(64, 0);
      }
      Rows rows = adversarialRows(problem.operand, 64);
      for (double reach : {1.0, 20.0, 140.0, 1000.0})
        for (int i = 0; i < 20; ++i) {
          rows.emplace_back();
          std::uniform_real_distribution<double> uniform(-reach / ratio,
                                                         reach / ratio);
          for (int64_t c = 0; c < 64; ++c)
            rows.back().push_back(int64_t(
                std::clamp(uniform(random), double(problem.operand.range.lo),
                           double(problem.operand.range.hi))));
        }
      Outcome outcome = run("table", "sigmoid", problem, rows);
      ASSERT_EQ(outcome.own.size(), rows.size());
      int64_t elements = 0, notNearest = 0;
      for (size_t r = 0; r < rows.size(); ++r)
        for (int64_t c = 0; c < 64; ++c) {
          double p = outcome.own[r][c];
          double in = std::rint(std::log(p / (1 - p)) / 0.05);
          double exact =
              std::clamp(double(rows[r][c]) *
                             problem.operand.scales[perColumn ? c : 0] / 0.05,
                         -127.0, 127.0);
          ASSERT_LT(std::fabs(in - exact), 0.5 + 0x1p-5)
              << rows[r][c] << " at the ratio " << ratio;
          ++elements;
          notNearest += std::fabs(in - exact) > 0.5;
        }
      EXPECT_LT(notNearest, elements / 50) << "ratio " << ratio;
    }
}
