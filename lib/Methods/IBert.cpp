//===- IBert.cpp - Second-order polynomials -------------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// S. Kim, A. Gholami, Z. Yao, M. Mahoney, K. Keutzer: "I-BERT: Integer-only
// BERT Quantization", ICML 2021, arXiv 2101.01321. Second-order polynomials for
// exp and erf, an integer square root for layer normalization. q is the input
// with x = s q; floor and div round to minus infinity.
//
// The integers of the reference forms are those of the published code on
// float64 tensors (docs/methods/published.md: what was compared). Where they
// are not:
//   - the code's softmax multiplies exponentials by a learned scale and divides
//     by it again, which gives the integer back if that is a float32 number;
//   - layer_norm learns the shift that keeps its variance below 2^32 as a
//     running maximum. Here it is 0 for inputs of up to 16 bits, and otherwise
//     the smallest that holds for every input of the declared range. A constant
//     row, for which the code divides 0 by 0, gives beta.
// On float32 tensors the code rounds above 2^24 (the polynomials at fine
// scales, row sums, the wide products of GELU and layer_norm).
//
//===----------------------------------------------------------------------===//

#include "AllMethods.h"
#include "Exponential.h"
#include "Gelu.h"
#include "LayerNorm.h"
#include "llvm/ADT/bit.h"
#include <algorithm>
#include <cmath>

using namespace nlq;
using namespace nlq::methods;
using kernel::Builder;
using kernel::Predicate;
using kernel::Rounding;
using kernel::Value;

//===----------------------------------------------------------------------===//
// Softmax: i-softmax (section 3.4.2, algorithm 2)
//===----------------------------------------------------------------------===//

/// What takes E to 16 bits in QuantAct(16) of the code: 32767 / E(0), but that
/// the scale E(0)/32767 is rounded to float32 whatever the tensors are, and the
/// quotient of E's own scale by it to a mantissa of 31 bits.
static double publishedRatioTo16(double s, int64_t atZero) {
  double own = std::ldexp(kPolyA * (s * s), -int(kShiftLimit));
  double to16 = float(std::ldexp(double(atZero), int(kShiftLimit)) / 32767.0);
  int exponent;
  double mantissa = std::frexp(own / to16, &exponent);
  return std::ldexp(std::floor(std::ldexp(mantissa, 31) + 0.5), exponent - 31) /
         own;
}

//   E   = polynomial << (30 - shift)              scale a s^2 / 2^30
//   E16 = clamp(rnd(E * 32767 / (floor(C/s^2) << 30)), 0, 32767)
//   p   = (E16 * floor(2^32 / sum E16)) >> (32 - outBits)      scale 2^-outBits
static llvm::Expected<MethodKernel>
buildReferenceSoftmax(const Problem &problem) {
  if (llvm::Error error =
          requireOneScale(problem, "a softmax compares columns"))
    return std::move(error);
  Builder builder(problem.maxRowLength);
  Value d = distanceFromMax(narrowOperand(builder, problem));
  llvm::Expected<PublishedExp> exp =
      publishedPolynomialExp(d, problem.narrowed.scales[0]);
  if (!exp)
    return exp.takeError();
  // rnd(E * ratio) of E = polynomial * 2^(30 - shift), without making E, whose
  // 40 bits and more are a device of the simulation: the shifts add up. The
  // multiplier has as many bits as a 64-bit product leaves it.
  unsigned polynomialBits = llvm::bit_width(uint64_t(exp->atZero));
  kernel::Dyadic to16 = kernel::toDyadic(
      publishedRatioTo16(problem.narrowed.scales[0], exp->atZero),
      std::clamp(62 - int(polynomialBits), 31, 52));
  Value e16 = builder.clamp(
      builder.mulShift(exp->polynomial, builder.constant(to16.multiplier),
                       exp->shift + (to16.shift - kShiftLimit),
                       Rounding::HalfEven),
      {0, 32767});
  // The row's largest element has polynomial = atZero and shift = 0, of which
  // the line above makes 32767 (the ratio is off by 2^-23 of it at most). The
  // product below then stays under 2^32.
  Value sum = builder.assume(
      builder.reduceSum(e16.named("exponential")).named("row_sum"),
      {32767, INT64_MAX},
      "the row's largest element contributes 32767 to a sum of non-negative "
      "terms");
  Value factor = builder.div(int64_t(1) << 32, sum).named("factor");
  Value p = builder.mulShift(e16, factor,
                             builder.constant(32 - int64_t(problem.outBits)),
                             Rounding::Floor);
  return storeResult(builder, p, {std::ldexp(1.0, -int(problem.outBits))},
                     problem);
}

static llvm::Expected<MethodKernel>
buildCorrectedSoftmax(const Problem &problem) {
  if (llvm::Error error =
          requireOneScale(problem, "a softmax compares columns"))
    return std::move(error);
  Builder builder(problem.maxRowLength);
  Value d = distanceFromMax(narrowOperand(builder, problem));
  llvm::Expected<Exponential> exp = polynomialExp(
      d, problem.narrowed.scales[0], problem.maxRowLength, int64_t(1) << 31);
  if (!exp)
    return exp.takeError();
  return storeShares(builder, *exp, problem);
}

//===----------------------------------------------------------------------===//
// GELU: i-GELU (section 3.4.1, algorithm 1)
//===----------------------------------------------------------------------===//

// erf(u) ~ sgn(u) (a (min(|u|, -b) + b)^2 + 1)
static constexpr double kErfA = -0.2888;
static constexpr double kErfB = -1.769;
// sqrt 2, as the code has it, and the code's shift n.
static constexpr double kSqrt2 = 1.4142;
static constexpr int kErfShift = 14;

//   se = s / 1.4142;  B = floor(b / se);  C = floor((1/a) / se^2), both
//   negative y   = floor(sgn(q) ((min(|q|, -B) + B)^2 + C) / 2^14)   scale a
//   se^2 2^14 < 0 out = q (y + floor(1 / (a se^2 2^14)))        scale s (a se^2
//   2^14) / 2, < 0
// per column: the published model feeds the accumulator of the layer before.
static llvm::Expected<MethodKernel> buildReferenceGelu(const Problem &problem) {
  std::vector<int64_t> bs, cs, ones;
  std::vector<double> scales;
  for (double s : problem.narrowed.scales) {
    double se = s / kSqrt2;
    double c = std::floor(1 / kErfA / (se * se));
    if (c < -0x1p60)
      return refuse("the scale " + text(s) +
                    " is too fine: the polynomial's constant exceeds 2^60");
    double ySc = std::ldexp(se * se * kErfA, kErfShift);
    bs.push_back(int64_t(std::floor(kErfB / se)));
    cs.push_back(int64_t(c));
    ones.push_back(int64_t(std::floor(1 / ySc)));
    scales.push_back(s * ySc / 2);
  }
  Builder builder(problem.maxRowLength);
  Value q = narrowAndCentre(builder, problem);
  Value b = builder.column("b", std::move(bs));
  Value c = builder.column("c", std::move(cs));
  Value one = builder.column("one", std::move(ones));
  Value t = builder.min(builder.abs(q), -b) + b;
  Value square = t * t + c;
  // At q = 0 the sign, and with it y, is 0 in the code; there out is 0 anyway.
  Value erf = builder.shiftRight(
      builder.select(builder.compare(Predicate::LT, q, 0), -square, square),
      kErfShift);
  Value out = q * (erf.named("erf") + one);
  return storeResult(builder, out, std::move(scales), problem);
}

//   u = |q| << k, k such that B has 10 bits or more;  se = s / 2^k / sqrt 2
//   n = max(0, bits of C - 14);  one = rnd(C / 2^n), all constants positive
//   y = rnd((C - (B - min(u, B))^2) / 2^n);  out = q (one + sgn(q) y)
// on the positive scale s 0.2888 se^2 2^n / 2.
static llvm::Expected<MethodKernel> buildCorrectedGelu(const Problem &problem) {
  Builder builder(problem.maxRowLength);
  // The polynomial is exactly -1 below b sqrt 2. C < 2^31 needs s > 5.7e-5.
  auto [q, s] = narrowForGelu(builder, problem, -kErfB * M_SQRT2, 6e-5);
  int64_t k = 0;
  while (std::ldexp(-kErfB * M_SQRT2 / s, int(k)) < 512)
    ++k;
  double se = std::ldexp(s, int(-k)) / M_SQRT2;
  int64_t b = std::llround(-kErfB / se);
  int64_t c = std::llround(-1 / kErfA / (se * se));
  // one <= 2^14 and |y| <= one: out has at most 16 + 15 bits.
  int64_t n = 0;
  while ((c >> n) >= (int64_t(1) << 14))
    ++n;
  Value one = builder.shiftRight(builder.constant(c), n, Rounding::HalfUp);
  // Clamped before the shift, which it must survive in 32 bits, and after.
  Value u = builder.shiftLeft(builder.min(builder.abs(q), (b >> k) + 1), k);
  Value t = b - builder.min(u, b);
  Value erf = builder.shiftRight(c - t * t, n, Rounding::HalfUp).named("erf");
  Value out = q * builder.select(builder.compare(Predicate::LT, q, 0),
                                 one - erf, one + erf);
  return storeResult(builder, out,
                     {s * -kErfA * se * se * std::ldexp(1.0, int(n)) / 2},
                     problem);
}

//===----------------------------------------------------------------------===//
// Layer normalization (section 3.4.3, algorithm 4)
//===----------------------------------------------------------------------===//

//   mean = rnd(sum q / C);  y = q - mean;  V = sum (y >> sh)^2
//   sd = isqrt(V) << sh;  F = floor(2^31 / sd);  o = floor(y F / 2)
static llvm::Expected<MethodKernel>
buildReferenceLayerNorm(const Problem &problem) {
  if (llvm::Error error =
          requireOneScale(problem, "the published form sums up columns"))
    return std::move(error);
  const int64_t columns = problem.maxRowLength;
  Builder builder(columns);
  Value q = narrowOperand(builder, problem);
  Value y = subtractRoundedMean(q, columns);
  double width =
      double(problem.narrowed.range.hi) - double(problem.narrowed.range.lo);
  int64_t shift = 0;
  if (width >= 0x1p16)
    while (double(columns) * std::pow(std::ldexp(width, int(-shift)), 2) >=
           0x1p32)
      ++shift;
  Value shifted = builder.shiftRight(y, shift);
  Value variance =
      builder.reduceSum((shifted * shifted).named("square")).named("variance");
  Value deviation = builder.shiftLeft(
      builder.max(builder.sqrt(variance).named("root"), 1), shift);
  // Without a shift: |y| <= isqrt(sum y^2), being an integer whose square is at
  // most the sum, so |y| floor(2^31 / sd) <= 2^31, halved. With a shift only
  // |y >> sh| <= sd >> sh, so that |y| < sd + 2^sh <= 2 sd and o doubles.
  int64_t largest = int64_t(1) << (shift == 0 ? 30 : 31);
  return storePublishedLayerNorm(
      builder, y, deviation, int64_t(1) << 31, largest,
      "an element is at most the root of the sum of all squares, up to what a "
      "shift drops",
      problem);
}

//===----------------------------------------------------------------------===//
// The entry
//===----------------------------------------------------------------------===//

// 16-bit probabilities in the seed, 8-bit ones in I-BERT itself.
static const Candidate kSoftmaxWidths[] = {
    {Profile::Seed, Narrowing::Symmetric, 0, 16},
    {Profile::Standalone, Narrowing::Symmetric, 0, 8},
};
static const Candidate kCorrectedSoftmaxWidths[] = {
    {Profile::Seed, Narrowing::Symmetric, 0, 16},
    {Profile::Standalone, Narrowing::Symmetric, 0, 8},
    {Profile::Extra, Narrowing::Symmetric, 16, 16},
};
// GELU takes the accumulator, layer_norm the residual.
static const Candidate kWideWidths[] = {
    {Profile::Seed, Narrowing::None, 0, 16},
    {Profile::Standalone, Narrowing::None, 0, 16},
};
static const Candidate kCorrectedGeluWidths[] = {
    {Profile::Seed, Narrowing::None, 0, 16},
    {Profile::Standalone, Narrowing::None, 0, 16},
    {Profile::Extra, Narrowing::Symmetric, 0, 16},
};
static const Implementation kImplementations[] = {
    {"softmax", Form::Reference, buildReferenceSoftmax, kSoftmaxWidths},
    {"softmax", Form::Corrected, buildCorrectedSoftmax,
     kCorrectedSoftmaxWidths},
    {"gelu", Form::Reference, buildReferenceGelu, kWideWidths},
    {"gelu", Form::Corrected, buildCorrectedGelu, kCorrectedGeluWidths},
    {"layer_norm", Form::Reference, buildReferenceLayerNorm, kWideWidths},
    {"layer_norm", Form::Corrected, buildAccurateLayerNorm, kWideWidths},
    {"rms_norm", Form::Corrected, buildAccurateRmsNorm, kWideWidths},
};

const Method nlq::methods::kIBert = {"ibert",
                                     "I-BERT",
                                     "second-order polynomials",
                                     "Kim et al., ICML 2021, arXiv 2101.01321",
                                     kImplementations,
                                     {}};
