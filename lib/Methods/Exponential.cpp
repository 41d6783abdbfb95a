//===- Exponential.cpp - Integer exponentials -----------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Exponential.h"
#include <cmath>

using namespace nlq;
using namespace nlq::methods;
using kernel::Builder;
using kernel::Rounding;
using kernel::Value;

Value nlq::methods::distanceFromMax(Value q) {
  return (q.getBuilder().reduceMax(q).named("row_max") - q).named("distance");
}

/// r (r + b) + c for r = -rest; both factors of rest (b - rest) are at least 0
/// as long as rest <= b, which lets `bound` see that the value is at most c.
static Value polynomial(Value rest, int64_t b, int64_t c) {
  return c - rest * (b - rest);
}

llvm::Expected<PublishedExp> nlq::methods::publishedPolynomialExp(Value d,
                                                                  double s) {
  Builder &builder = d.getBuilder();
  // -floor(-ln2/s) = ceil(ln2/s): the code floors the negative number.
  double period = -std::floor(-kLn2 / s);
  double b = std::floor(kPolyB / s);
  double c = std::floor(kPolyC / (s * s));
  if (c < 1)
    return refuse("at the scale " + text(s) +
                  " the polynomial's constant floor(2.79212/scale^2) is 0, and "
                  "with it every exponential");
  if (c > 0x1p52)
    return refuse("the scale " + text(s) +
                  " is too fine: the polynomial's constant 2.79212/scale^2 "
                  "exceeds 2^52");
  d = builder.min(d, kShiftLimit * int64_t(period));
  auto [shift, rest] = kernel::divideWithRest(d, int64_t(period));
  Value value = builder.max(polynomial(rest, int64_t(b), int64_t(c)), 0);
  return PublishedExp{value.named("polynomial"), shift.named("exponent"),
                      int64_t(c)};
}

llvm::Expected<Exponential> nlq::methods::polynomialExp(Value d, double s,
                                                        int64_t rowLength,
                                                        int64_t limit) {
  Builder &builder = d.getBuilder();
  // Largest k with rowLength * (C / (s / 2^k)^2 + 2) < limit.
  double largestC = double(limit) / double(rowLength) - 2;
  // Below this, rounding the constants alone costs more than 2 %.
  if (largestC < 4096)
    return refuse("rows of " + llvm::Twine(rowLength) +
                  " elements leave the exponentials less than 12 bits");
  int64_t k = int64_t(std::floor(std::log2(s * std::sqrt(largestC / kPolyC))));
  double fine = std::ldexp(s, int(-k));
  int64_t period = std::llround(M_LN2 / fine);
  int64_t b = std::llround(kPolyB / fine);
  int64_t c = std::llround(kPolyC / (fine * fine));

  // Beyond 2^-32 nothing is left of c < 2^31.
  int64_t farthest = 32 * period - 1;
  if (k >= 0) {
    // Clamped before the shift so that it stays in 32 bits.
    if (k < 31)
      d = builder.min(d, (farthest >> k) + 1);
    else
      d = builder.min(d, 1);
    d = builder.min(builder.shiftLeft(d, std::min<int64_t>(k, 30)), farthest);
  } else {
    d = builder.min(builder.shiftRight(d, -k, Rounding::HalfUp), farthest);
  }
  auto [shift, rest] = kernel::divideWithRest(d, period);
  Value value =
      builder.shiftRight(polynomial(rest, b, c), shift, Rounding::HalfUp);
  return Exponential{value.named("exponential"), c};
}

/// rnd(2^15 * value), at most 2^15 - 1.
static int64_t fraction15(double value) {
  return std::min<int64_t>(std::llround(std::ldexp(value, 15)), INT16_MAX);
}

/// x - rnd(x * part / 2^15), for x and part of 0 to 2^15 - 1: at least 0, as
/// the rounded part of an integer is at most that integer.
static Value lessPart(Value x, Value part) {
  Builder &builder = x.getBuilder();
  return builder.assume(
      x - builder.mulShift(x, part, builder.constant(15), Rounding::HalfUp),
      {0, INT16_MAX}, "a number less a part of it is not negative");
}

/// c1, c2, ... of 1 - f (c1 - f (c2 - ...)), which meets 2^-f at the extrema of
/// the Chebyshev polynomial of that degree on [0, 1].
static std::vector<double> fitOctave(int degree) {
  // Newton's divided differences, then the polynomial they stand for.
  std::vector<double> nodes, differences;
  for (int i = 0; i <= degree; ++i) {
    nodes.push_back((1 - std::cos(M_PI * i / degree)) / 2);
    differences.push_back(std::exp2(-nodes[i]));
  }
  for (int order = 1; order <= degree; ++order)
    for (int i = degree; i >= order; --i)
      differences[i] =
          (differences[i] - differences[i - 1]) / (nodes[i] - nodes[i - order]);
  std::vector<double> powers(degree + 1);
  for (int i = degree; i >= 0; --i) {
    for (int power = degree; power > 0; --power)
      powers[power] = powers[power - 1] - nodes[i] * powers[power];
    powers[0] = differences[i] - nodes[i] * powers[0];
  }
  std::vector<double> coefficients;
  for (int power = 1; power <= degree; ++power)
    coefficients.push_back(power % 2 ? -powers[power] : powers[power]);
  return coefficients;
}

Exponential nlq::methods::tabulatedExp(Value d, double s, int64_t last,
                                       int64_t bits) {
  Builder &builder = d.getBuilder();
  auto times = [&](Value x, Value y) {
    return builder.mulShift(x, y, builder.constant(15), Rounding::HalfUp);
  };
  // u by a factor from a distance that fills 15 bits. It is below 2, or above
  // where few distances make a step of `s` wide: up to 4 where they reach 2,
  // and where they reach 1, more than 2 of anything lies beyond the table.
  int64_t up = 0;
  while (last << (up + 1) <= INT16_MAX && up < 14)
    ++up;
  double factor =
      std::min(std::ldexp(s / kTabulatedReach, int(bits - up)), 4.0);
  const int64_t top = (int64_t(1) << bits) - 1;
  Value filled = builder.shiftLeft(d, up);
  Value u;
  if (factor < 1) {
    u = times(filled, builder.constant(fraction15(factor)));
  } else {
    int64_t doublings = 0;
    while (std::ldexp(factor - 1, int(-doublings)) >= 1)
      ++doublings;
    Value more = builder.shiftLeft(
        times(filled, builder.constant(
                          fraction15(std::ldexp(factor - 1, int(-doublings))))),
        doublings);
    u = builder.assume(filled + builder.min(more, INT16_MAX - filled),
                       {0, INT16_MAX}, "no more is added than is left");
  }
  u = builder.min(u, top);

  Value octave = builder.shiftRight(u, bits - 4);
  Value rest = builder.shiftLeft(u - builder.shiftLeft(octave, bits - 4),
                                 15 - (bits - 4));
  std::vector<double> coefficients = fitOctave(bits == 14 ? 3 : 4);
  Value e = builder.constant(fraction15(coefficients.back()));
  coefficients.pop_back();
  for (double coefficient : llvm::reverse(coefficients))
    e = fraction15(coefficient) - times(rest, e);
  e = kTabulatedOne - times(rest, e);

  kernel::Table halvings(16);
  for (int64_t i = 0; i < 16; ++i)
    halvings[i] = 32768 - (32768 >> i);
  e = lessPart(e, builder.lookup(std::move(halvings), octave));
  // The last u, where 1/2 is left, stands for all that lie beyond.
  e = builder.select(
      builder.compare(kernel::Predicate::LT, u, builder.constant(top)), e,
      builder.constant(0));
  return {e.named("exponential"), kTabulatedOne};
}

Exponential nlq::methods::factoredExp(Value d, double s) {
  Builder &builder = d.getBuilder();
  kernel::Table coarse(16), fine(16);
  for (int64_t i = 0; i < 16; ++i) {
    coarse[i] = std::llround(INT16_MAX * std::exp(-16 * s * double(i)));
    fine[i] = std::llround(INT16_MAX * std::exp(-s * double(i)));
  }
  Value upper = builder.shiftRight(d, 4);
  Value lower = d - builder.shiftLeft(upper, 4);
  Value e = builder.mulShift(builder.lookup(std::move(coarse), upper),
                             builder.lookup(std::move(fine), lower), 15,
                             Rounding::HalfUp);
  return {e.named("exponential"), kFactoredOne};
}

Exponential nlq::methods::exactExp(Value d, double s, int64_t last,
                                   int64_t one) {
  kernel::Table table(last + 1);
  for (int64_t i = 0; i <= last; ++i)
    table[i] = std::llround(double(one) * std::exp(-s * double(i)));
  Value e = d.getBuilder().lookup(std::move(table), d);
  return {e.named("exponential"), one};
}

bool nlq::methods::hasSharesOfWords(const Quantized &result) {
  return result.isPerTensor() && result.scales[0] >= 0x1p-15;
}

namespace {
/// 2^(n-1) <= S + 1 < 2^n for the sum S of the row's exponentials of 15 bits,
/// where n is at least 16.
struct RowSum {
  Value total;
  Value bits;
};
} // namespace

static RowSum sumUp(Builder &builder, const Exponential &exponential,
                    llvm::StringRef lemma) {
  Value sum =
      builder.assume(builder.reduceSum(exponential.value).named("row_sum"),
                     {exponential.one, INT64_MAX}, lemma);
  Value total = sum + (32768 - exponential.one);
  return {total, builder.bitLength(total)};
}

/// Shares in 2^-15 of exponentials of 15 bits, in elements of 16 bits:
///   F = rnd(2^(n+14) / (S + 1)) in 2^14 to 2^15,  y = e * F / 2^15,
///   share = rnd(y / 2^(n-16))
/// which is e / S but for a relative 2^-14. y is computed as e less a part of
/// it, so that a row with one element other than 0 has the share 2^15 - 1.
static Value shares16(Builder &builder, const Exponential &exponential,
                      const RowSum &sum) {
  Value factor = builder.assume(
      builder
          .div(builder.shiftLeft(builder.constant(1), sum.bits + 14), sum.total,
               Rounding::HalfUp)
          .named("reciprocal"),
      {1 << 14, 1 << 15}, "2^(n-1) <= S + 1 < 2^n for a sum of n bits");
  Value normal = lessPart(exponential.value, 32768 - factor);
  return builder.shiftRight(normal, sum.bits - 16, Rounding::HalfUp)
      .named("share");
}

/// Shares in steps of a result of 8 bits, 1 / (m 2^k) with m in (1/2, 1]:
///   F = rnd(m 2^(n+13) / (S + 1)), at most 2^14 - 1
///   share = rnd(rnd(e F / 2^15) / 2^(n-2-k))
/// F and the inner rounding are off by 2^-13 of the share at most. Of 14 bits,
/// the inner one and the half that rounds it fit a lane of 16.
static Value shares8(Builder &builder, const Exponential &exponential,
                     const RowSum &sum, double step) {
  int k;
  double m = std::frexp(1 / step, &k);
  if (m == 0.5)
    m = 1, --k;
  Value scaled = builder.shiftLeft(
      builder.constant(std::llround(std::ldexp(m, 29))), sum.bits - 16);
  Value factor =
      builder
          .min(builder.div(scaled, sum.total, Rounding::HalfUp), (1 << 14) - 1)
          .named("reciprocal");
  Value share =
      builder.mulShift(exponential.value, factor, 15, Rounding::HalfUp);
  return builder.shiftRight(share, sum.bits - (2 + k), Rounding::HalfUp)
      .named("share");
}

MethodKernel nlq::methods::storeShares(Builder &builder,
                                       const Exponential &exponential,
                                       const Problem &problem) {
  // The lemma: one distance in each row is 0, its exponential is
  // `exponential.one`, and no exponential is negative.
  const char *lemma = "the row's largest element contributes e^0 to a sum of "
                      "exponentials, none of which is negative";
  const Quantized &to = problem.result;
  bool fillsWords =
      exponential.one == kTabulatedOne || exponential.one == kFactoredOne;
  if (fillsWords && problem.outBits == 16 && hasSharesOfWords(to)) {
    RowSum sum = sumUp(builder, exponential, lemma);
    if (to.range.hi - to.range.lo <= 255 && to.scales[0] >= 0x1p-13)
      return storeResult(builder,
                         shares8(builder, exponential, sum, to.scales[0]),
                         to.scales, problem);
    return storeResult(builder, shares16(builder, exponential, sum), {0x1p-15},
                       problem);
  }
  int64_t one = (int64_t(1) << problem.outBits) - 1;
  double scale = 1 / double(one);
  double steps = 1 / problem.result.scales[0];
  if (problem.result.isPerTensor() && steps >= 1 && steps <= double(one) &&
      steps == std::floor(steps)) {
    one = int64_t(steps);
    scale = problem.result.scales[0];
  }
  Value share = kernel::shareOfRowSum(exponential.value, exponential.one, lemma,
                                      one, /*fractionBits=*/31);
  return storeResult(builder, share, {scale}, problem);
}
