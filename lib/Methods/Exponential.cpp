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

MethodKernel nlq::methods::storeShares(Builder &builder,
                                       const Exponential &exponential,
                                       const Problem &problem) {
  int64_t one = (int64_t(1) << problem.outBits) - 1;
  double scale = 1 / double(one);
  double steps = 1 / problem.result.scales[0];
  if (problem.result.isPerTensor() && steps >= 1 && steps <= double(one) &&
      steps == std::floor(steps)) {
    one = int64_t(steps);
    scale = problem.result.scales[0];
  }
  // The lemma: one distance in each row is 0, its exponential is
  // `exponential.one`, and no exponential is negative.
  Value share = kernel::shareOfRowSum(exponential.value, exponential.one,
                                      "the row's largest element contributes "
                                      "e^0 to a sum of exponentials, none "
                                      "of which is negative",
                                      one, /*fractionBits=*/31);
  return storeResult(builder, share, {scale}, problem);
}
