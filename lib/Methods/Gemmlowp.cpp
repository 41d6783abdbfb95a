//===- Gemmlowp.cpp - The fixed-point softmax of gemmlowp and TFLite ------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The softmax of TensorFlow Lite's 8-bit models, in the fixed-point arithmetic
// of gemmlowp (fixedpoint/fixedpoint.h, doc/quantization.md): the exponential
// by a Taylor polynomial on [-1/4, 0) and one factor for each higher bit, the
// reciprocal of the row's sum by Newton's method. Qm.n is a 32-bit integer q
// with real = q / 2^n, m + n = 31.
//
// The integers are TFLite's, of operands of any width and of results of 8 bits
// (grid 2^-8) as of 16 (2^-16; TFLite's stored values are less by 2^7 or 2^15,
// the zero point of its results). Both forms have the same arithmetic; they
// differ in what the first and last step, which TFLite does not have, round.
// Where TFLite is not defined:
//   - rows whose exponentials sum up to 4096 or more overflow its sum. Such
//   rows
//     are refused, by their length;
//   - from a sum of 2^(outBits + 1) on, TFLite's result of 8 bits stops the
//     program, as its last shift exceeds 31. Here the shift goes on, and the
//     results are 0;
//   - TFLite with TFLITE_SINGLE_ROUNDING rounds operands' products otherwise.
//
//===----------------------------------------------------------------------===//

#include "AllMethods.h"
#include "Exponential.h"
#include <cmath>

using namespace nlq;
using namespace nlq::methods;
using kernel::Builder;
using kernel::Predicate;
using kernel::Rounding;
using kernel::Value;

/// 1 in Q0.31, as far as it holds it.
static constexpr int64_t kOne = INT32_MAX;
/// Integer bits of distances, Q5.26, and of sums, Q12.19.
static constexpr int64_t kDistanceBits = 5, kSumBits = 12;
static constexpr int64_t kDistanceFraction = 31 - kDistanceBits;

/// SaturatingRoundingDoublingHighMul: a * b / 2^31, ties upwards. (Its nudge of
/// 1 - 2^30 before a division towards 0 takes negative ties to the integer
/// above.) It saturates at the square of -2^31 only, which does not occur.
static Value times(Value a, Value b) {
  return a.getBuilder().mulShift(a, b, 31, Rounding::HalfUp);
}
static Value times(Value a, int64_t b) {
  return times(a, a.getBuilder().constant(b));
}
/// RoundingDivideByPOT: ties away from 0.
template <typename Amount> static Value divideByPower(Value a, Amount amount) {
  return a.getBuilder().shiftRight(a, amount, Rounding::HalfAway);
}

/// exp on [-1/4, 0) in Q0.31: the Taylor polynomial about -1/8 of degree 4.
static Value expBelowZero(Value a) {
  constexpr int64_t kEighth = int64_t(1) << 28;
  constexpr int64_t kExpOfMinusEighth = 1895147668; // e^(-1/8) in Q0.31
  constexpr int64_t kThird = 715827883;             // 1/3 in Q0.31
  Value x = a + kEighth;
  Value x2 = times(x, x), x3 = times(x2, x), x4 = times(x2, x2);
  Value rest = divideByPower(times(divideByPower(x4, 2) + x3, kThird) + x2, 1);
  return times(x + rest, kExpOfMinusEighth) + kExpOfMinusEighth;
}

/// exp of a <= 0 in Q5.26, in Q0.31.
static Value expOfNegative(Value a) {
  Builder &builder = a.getBuilder();
  constexpr int64_t kQuarterBits = kDistanceFraction - 2;
  Value quarters = builder.shiftRight(a, kQuarterBits); // floor(4 a), negative
  Value rest = builder.assume(
      a - builder.shiftLeft(quarters, kQuarterBits),
      {0, (int64_t(1) << kQuarterBits) - 1},
      "a number less the largest multiple of a power of two below it is less "
      "than that power");
  Value result = expBelowZero(
      builder.shiftLeft(rest - (int64_t(1) << kQuarterBits), kDistanceBits));
  // e^(-1/4), e^(-1/2), e^-1, e^-2, e^-4, e^-8, e^-16 in Q0.31.
  static constexpr int64_t factors[] = {
      1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
  Value left = builder.max(-quarters - 1, 0);
  for (int64_t factor : factors) {
    Value half = builder.shiftRight(left, 1);
    result = builder.select(left - builder.shiftLeft(half, 1),
                            times(result, factor), result);
    left = half;
  }
  return builder.select(builder.compare(Predicate::EQ, a, 0),
                        builder.constant(kOne), result);
}

/// 1 / (1 + a) of a in Q0.31, in Q0.31.
static Value reciprocalOfOnePlus(Value a) {
  Builder &builder = a.getBuilder();
  constexpr int64_t k48Over17 = 1515870810, k32Over17 = 1010580540; // Q2.29
  constexpr int64_t kOneQ2 = int64_t(1) << 29;
  Value half = divideByPower(a + kOne, 1);
  // 1 / half, which is 1 to 2, in Q2.29. The first x is off by at most 1/17 of
  // it, the others, being off by the square of that and more, below.
  auto iterate = [&](Value x) {
    return builder.assume(
        x, {kOneQ2 / 2, 2 * kOneQ2 + 64},
        "Newton's iterates for the reciprocal of 1/2 to 1 are "
        "between 1/2 and 2, up to their roundings");
  };
  Value x = iterate(times(half, -k32Over17) + k48Over17);
  for (int i = 0; i < 3; ++i)
    x = iterate(x + builder.shiftLeft(times(x, kOneQ2 - times(half, x)), 2));
  // x / 2 from Q1.30 to Q0.31, which does not hold 1.
  return builder.min(builder.shiftLeft(x, 1), kOne);
}

static llvm::Expected<MethodKernel> buildSoftmax(const Problem &problem) {
  if (llvm::Error error =
          requireOneScale(problem, "a softmax compares columns"))
    return std::move(error);
  const double s = problem.narrowed.scales[0];
  const double steps = std::ldexp(s, int(kDistanceFraction));
  if (!(steps > 1))
    return refuse("the scale " + text(s) +
                  " is below a step of the fixed-point distance, 2^-26");
  // Sums stay below 2^31.
  constexpr int64_t longest = (int64_t(1) << kSumBits) - 1;
  if (problem.maxRowLength > longest)
    return refuse(
        "rows of " + llvm::Twine(problem.maxRowLength) +
        " exponentials overflow a fixed-point sum of 12 integer bits");

  // A multiplier of Q0.31 and a shift to the left, and the distances that do
  // not leave Q5.26 with it.
  kernel::Dyadic dyadic = kernel::toDyadic(std::min(steps, double(kOne)));
  const int64_t up = 31 - dyadic.shift;
  const int64_t farthest =
      (((int64_t(1) << kDistanceBits) - 1) << kDistanceFraction) >> up;

  Builder builder(problem.maxRowLength);
  Value d = distanceFromMax(narrowOperand(builder, problem));
  Value near = builder.min(d, farthest);
  Value e =
      expOfNegative(times(-builder.shiftLeft(near, up), dyadic.multiplier));
  e = builder
          .select(builder.compare(Predicate::LE, d, farthest), e,
                  builder.constant(0))
          .named("exponential");

  Value sum = builder.assume(
      builder.reduceSum(divideByPower(e, kSumBits)).named("row_sum"),
      {int64_t(1) << (31 - kSumBits), INT32_MAX},
      "the row's largest element contributes e^0 to a sum of non-negative "
      "terms, of which there are less than 2^12");
  // sum = (1 + a) 2^(bits - 1), a in Q0.31.
  Value bits = builder.bitLength(sum);
  Value a = builder.assume(
      builder.shiftLeft(sum, 32 - bits) - (int64_t(1) << 31), {0, kOne},
      "a number less its highest bit is below that bit");
  Value reciprocal = reciprocalOfOnePlus(a).named("reciprocal");
  // 2^(bits - 1) of the sum in Q12.19 are 2^(bits - 20).
  Value share = builder.shiftRight(times(e, reciprocal),
                                   bits + (11 - int64_t(problem.outBits)),
                                   Rounding::HalfAway);
  return storeResult(builder,
                     builder.min(share, (int64_t(1) << problem.outBits) - 1),
                     {std::ldexp(1.0, -int(problem.outBits))}, problem);
}

static const Candidate kReferenceWidths[] = {
    {Profile::Other, Narrowing::Symmetric, 8, 8},
};
static const Candidate kCorrectedWidths[] = {
    {Profile::Other, Narrowing::Symmetric, 16, 16},
};
static const Implementation kImplementations[] = {
    {"softmax", Form::Reference, buildSoftmax, kReferenceWidths},
    {"softmax", Form::Corrected, buildSoftmax, kCorrectedWidths},
};
static const Fallback kFallbacks[] = {{"gelu", "ibert"},
                                      {"layer_norm", "ibert"}};

const Method nlq::methods::kGemmlowp = {
    "gemmlowp",
    "gemmlowp",
    "fixed-point polynomials and Newton's method",
    "gemmlowp's fixedpoint.h and TensorFlow Lite's softmax",
    kImplementations,
    kFallbacks};
