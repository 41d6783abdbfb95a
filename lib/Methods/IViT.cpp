//===- IViT.cpp - Shifts for exponentials ---------------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Z. Li, Q. Gu: "I-ViT: Integer-only Quantization for Efficient Vision
// Transformer Inference", ICCV 2023, arXiv 2207.01405. Exponentials by shifts,
// e^x = 2^(x log2 e) with log2 e ~ 1 + 1/2 - 1/16 and 2^-f ~ 1 - f/2. q is the
// input with x = s q; floor and div round to minus infinity.
//
// The reference forms follow the PyTorch code, which the published accuracy is
// for, and not its TVM deployment, which rounds differently and has n = 16.
// The integers of the reference forms are those of the published code on
// float64 tensors (docs/methods/published.md: what was compared). On float32
// tensors that code rounds above 2^24. The half bit of r/2, which it shifts
// before it floors, is kept.
//
//===----------------------------------------------------------------------===//

#include "AllMethods.h"
#include "Exponential.h"
#include "Gelu.h"
#include "LayerNorm.h"
#include "nlq/Kernel/Bound.h"
#include <algorithm>
#include <cmath>

using namespace nlq;
using namespace nlq::methods;
using kernel::Builder;
using kernel::Predicate;
using kernel::Rounding;
using kernel::Value;

static constexpr int64_t kInt32Max = INT32_MAX;

//===----------------------------------------------------------------------===//
// Shift exponential (section 3.3)
//===----------------------------------------------------------------------===//

/// ceil(1/s) = -floor(-1/s), in the code's sign.
static llvm::Expected<int64_t> shiftExpPeriod(double s) {
  double period = -std::floor(-1.0 / s);
  if (period > 0x1p31)
    return refuse(
        "the scale " + text(s) +
        " is too fine: the shift exponential's period 1/scale exceeds "
        "2^31");
  return int64_t(period);
}

/// e^(s*x) on the scale s / 2^n, of which `period` is ceil(1/s):
///   x <- x + (x >> 1) - (x >> 4), at least -n * period
///   z = -x div period;  E = floor((period - (-x mod period) / 2) 2^(n-z))
/// For positive x (z < 0) the code overflows; here 2^(n-z) stops at 2^32, where
/// E exceeds 2^31 - 1 whatever the rest is. All users clamp E there.
static Value shiftExp(Value x, int64_t period, int64_t n) {
  Builder &builder = x.getBuilder();
  Value scaled = x + builder.shiftRight(x, 1) - builder.shiftRight(x, 4);
  llvm::Expected<kernel::Interval> range =
      kernel::boundNode(builder.getGraph(), x.getId());
  bool neverPositive = range && range->hi <= 0;
  if (!range)
    llvm::consumeError(range.takeError()); // the finished graph is refused, too
  Value distance = -scaled;
  if (neverPositive)
    // For x = -16 a - b, b in 0 to 15, it is -23 a - b - ceil(b/2) + (b > 0),
    // at most -23 a.
    distance = builder.assume(
        distance, {0, INT64_MAX},
        "x + (x >> 1) - (x >> 4) is not positive where x is not");
  distance = builder.min(distance, n * period);
  auto [z, rest] = kernel::divideWithRest(distance, period);
  Value amount = n - z;
  if (!neverPositive)
    amount = builder.min(amount, 32);
  // One bit more than floor((period - rest / 2) 2^amount), then floored.
  return builder.shiftRight(builder.shiftLeft(2 * period - rest, amount), 1);
}

//===----------------------------------------------------------------------===//
// Softmax: Shiftmax
//===----------------------------------------------------------------------===//

//   S = min(sum E, 2^31 - 1);  F = floor((2^31 - 1) / S)
//   p = (E F) >> (32 - outBits)                         scale 2^-(outBits - 1)
static llvm::Expected<MethodKernel>
buildReferenceSoftmax(const Problem &problem) {
  if (llvm::Error error =
          requireOneScale(problem, "a softmax compares columns"))
    return std::move(error);
  const int64_t n = 15;
  llvm::Expected<int64_t> period = shiftExpPeriod(problem.narrowed.scales[0]);
  if (!period)
    return period.takeError();
  Builder builder(problem.maxRowLength);
  Value q = narrowOperand(builder, problem);
  Value e = shiftExp(q - builder.reduceMax(q).named("row_max"), *period, n);
  // The row's largest element has x = 0: rest and z are 0.
  Value sum = builder.assume(
      builder.reduceSum(e.named("exponential")).named("row_sum"),
      {*period << n, INT64_MAX},
      "the row's largest element contributes period * 2^15 to a sum of "
      "non-negative terms");
  Value factor = builder.div(kInt32Max, builder.min(sum, kInt32Max));
  Value p = builder.mulShift(e, factor.named("factor"),
                             builder.constant(32 - int64_t(problem.outBits)),
                             Rounding::Floor);
  return storeResult(builder, p, {std::ldexp(1.0, 1 - int(problem.outBits))},
                     problem);
}

//   t = rnd(d s log2(e) 2^12);  E = rnd((8192 - t mod 4096) 2^8 / 2^(t div 4096
//   + 1))
// with log2(e) exact in one constant, which also spares the division for z.
static llvm::Expected<MethodKernel>
buildCorrectedSoftmax(const Problem &problem) {
  if (llvm::Error error =
          requireOneScale(problem, "a softmax compares columns"))
    return std::move(error);
  Builder builder(problem.maxRowLength);
  Value d = distanceFromMax(narrowOperand(builder, problem));
  Value t = kernel::requantize(d, {problem.narrowed.scales[0] * M_LOG2E * 4096},
                               {0}, 0, {0, 32 * 4096 - 1}, Rounding::HalfUp);
  Value z = builder.shiftRight(t, 12);
  Value fraction = t - builder.shiftLeft(z, 12);
  Value e = builder.shiftRight(builder.shiftLeft(8192 - fraction, 8), z + 1,
                               Rounding::HalfUp);
  return storeShares(builder, {e.named("exponential"), int64_t(1) << 20},
                     problem);
}

//===----------------------------------------------------------------------===//
// GELU: ShiftGELU
//===----------------------------------------------------------------------===//

//   M = max q;  E1 = shiftexp(q - M), E2 = shiftexp(-M) at the scale 1.702 s
//   S = min(E1 + E2, 2^31 - 1);  F = floor((2^31 - 1) / S)
//   sigmoid = (E1 F) >> (32 - outBits);  out = q sigmoid   scale s
//   2^-(outBits-1)
static llvm::Expected<MethodKernel> buildReferenceGelu(const Problem &problem) {
  if (llvm::Error error =
          requireOneScale(problem, "the published form takes a row's maximum"))
    return std::move(error);
  const int64_t n = 23;
  double s = problem.narrowed.scales[0];
  llvm::Expected<int64_t> period = shiftExpPeriod(1.702 * s);
  if (!period)
    return period.takeError();
  Builder builder(problem.maxRowLength);
  Value q = narrowAndCentre(builder, problem);
  Value largest = builder.reduceMax(q).named("row_max");
  Value e1 = shiftExp(q - largest, *period, n).named("exponential");
  Value e2 = shiftExp(-largest, *period, n).named("exponential_of_max");
  Value sum = builder.min(e1 + e2, kInt32Max);
  Value factor = builder.div(kInt32Max, sum).named("factor");
  // Where the sum was not clamped, E1 <= S and E1 F <= 2^31 - 1. Where it was,
  // F is 1 and E1 F is E1, at most period * 2^23.
  int64_t shift = 32 - int64_t(problem.outBits);
  Value sigmoid = builder.assume(
      builder.mulShift(e1, factor, builder.constant(shift), Rounding::Floor)
          .named("sigmoid"),
      {0, std::max(kInt32Max, *period << n) >> shift},
      "a share of a sum is at most 1, and the factor of a clamped sum is 1");
  return storeResult(builder, q * sigmoid,
                     {s * std::ldexp(1.0, 1 - int(problem.outBits))}, problem);
}

//   t = rnd(|q| 1.702 s log2(e) 2^14);  e = rnd((2^15 - t mod 2^14) / 2^(t div
//   2^14 + 1)) sigmoid = rnd((q < 0 ? e : 2^14) 2^outBits / (2^14 + e));  out =
//   q sigmoid
// 1/(1 + e^-|x|) and its mirror image need no row maximum.
static llvm::Expected<MethodKernel> buildCorrectedGelu(const Problem &problem) {
  const int64_t fraction = 14, one = int64_t(1) << fraction;
  Builder builder(problem.maxRowLength);
  // 2^-14 is left of the sigmoid at 1.702 x = -10.
  auto [q, s] = narrowForGelu(builder, problem, 6.0, 0.0);
  Value t =
      kernel::requantize(builder.abs(q), {1.702 * s * M_LOG2E * double(one)},
                         {0}, 0, {0, 32 * one - 1}, Rounding::HalfUp);
  Value z = builder.shiftRight(t, fraction);
  Value f = t - builder.shiftLeft(z, fraction);
  Value e = builder.shiftRight(2 * one - f, z + 1, Rounding::HalfUp);
  Value numerator = builder.select(builder.compare(Predicate::LT, q, 0), e,
                                   builder.constant(one));
  Value sigmoid =
      builder.div(builder.shiftLeft(numerator, int64_t(problem.outBits)),
                  e.named("exponential") + one, Rounding::HalfUp);
  return storeResult(builder, q * sigmoid.named("sigmoid"),
                     {s * std::ldexp(1.0, -int(problem.outBits))}, problem);
}

//===----------------------------------------------------------------------===//
// Layer normalization: I-LayerNorm (section 3.5)
//===----------------------------------------------------------------------===//

//   mean = rnd(sum q / C);  y = q - mean;  V = sum y^2
//   k = 2^16, ten times k <- (k + V div k) >> 1
//   F = floor((2^31 - 1) / k);  o = floor(y F / 2)
// The steps have not converged for small V: 64 for V = 1 and for V = 100.
static llvm::Expected<MethodKernel>
buildReferenceLayerNorm(const Problem &problem) {
  if (llvm::Error error =
          requireOneScale(problem, "the published form sums up columns"))
    return std::move(error);
  const int64_t columns = problem.maxRowLength;
  Builder builder(columns);
  Value y = subtractRoundedMean(narrowOperand(builder, problem), columns);
  Value variance = builder.reduceSum((y * y).named("square")).named("variance");
  Value k = builder.constant(int64_t(1) << 16);
  for (int step = 0; step < 10; ++step)
    k = builder.shiftRight(k + builder.div(variance, k), 1);
  // k is never below isqrt(V) after a step, as the mean of k and V/k is not,
  // and |y| <= isqrt(V): |y| F <= 2^31 - 1.
  return storePublishedLayerNorm(builder, y, k.named("root"), kInt32Max,
                                 int64_t(1) << 30,
                                 "an element is at most the root of the sum of "
                                 "all squares, which Newton's "
                                 "steps approach from above",
                                 problem);
}

//===----------------------------------------------------------------------===//
// The entry
//===----------------------------------------------------------------------===//

// 16-bit probabilities in the PyTorch code and the seed, 8-bit ones in the TVM
// deployment. The sigmoid in GELU has 8 bits everywhere.
static const Candidate kSoftmaxWidths[] = {
    {Profile::Seed, Narrowing::Symmetric, 0, 16},
    {Profile::Standalone, Narrowing::Symmetric, 0, 8},
};
static const Candidate kCorrectedSoftmaxWidths[] = {
    {Profile::Seed, Narrowing::Symmetric, 0, 16},
    {Profile::Standalone, Narrowing::Symmetric, 0, 8},
    {Profile::Extra, Narrowing::Symmetric, 16, 16},
};
static const Candidate kGeluWidths[] = {
    {Profile::Seed, Narrowing::Symmetric, 0, 8},
    {Profile::Standalone, Narrowing::Symmetric, 0, 8},
};
static const Candidate kCorrectedGeluWidths[] = {
    {Profile::Seed, Narrowing::Symmetric, 0, 8},
    {Profile::Standalone, Narrowing::Symmetric, 0, 8},
    {Profile::Extra, Narrowing::None, 0, 15},
};
// The 16-bit residual.
static const Candidate kLayerNormWidths[] = {
    {Profile::Seed, Narrowing::None, 0, 16},
    {Profile::Standalone, Narrowing::None, 0, 16},
};
static const Implementation kImplementations[] = {
    {"softmax", Form::Reference, buildReferenceSoftmax, kSoftmaxWidths},
    {"softmax", Form::Corrected, buildCorrectedSoftmax,
     kCorrectedSoftmaxWidths},
    {"gelu", Form::Reference, buildReferenceGelu, kGeluWidths},
    {"gelu", Form::Corrected, buildCorrectedGelu, kCorrectedGeluWidths},
    {"layer_norm", Form::Reference, buildReferenceLayerNorm, kLayerNormWidths},
    {"layer_norm", Form::Corrected, buildAccurateLayerNorm, kLayerNormWidths},
    {"rms_norm", Form::Corrected, buildAccurateRmsNorm, kLayerNormWidths},
};

const Method nlq::methods::kIViT = {
    "ivit",           "I-ViT",
    "shifts",         "Li and Gu, ICCV 2023, arXiv 2207.01405",
    kImplementations, {}};
