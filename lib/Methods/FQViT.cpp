//===- FQViT.cpp - Powers of two ------------------------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Y. Lin, T. Zhang, P. Sun, Z. Li, S. Zhou: "FQ-ViT: Post-Training Quantization
// for Fully Quantized Vision Transformer", IJCAI 2022, arXiv 2111.13824.
// Probabilities that are powers of two (log-int-softmax) and layer
// normalization of inputs whose columns have scales that differ by powers of
// two (power-of-two factor, PTF). GELU stays in float there; the entry names
// its replacement.
//
// The integers of the reference forms are those of the published code on
// float64 tensors (docs/methods/published.md: what was compared). Where they
// are not:
//   - layer_norm takes float roots and quotients. Here 1/sd has 51 bits, so
//     that M, and with it the result by M's step, is another one where the last
//     bit of a double says on which side of an integer A 2^N lies;
//   - a constant row, for which the code divides by 0, gives beta.
//
//===----------------------------------------------------------------------===//

#include "AllMethods.h"
#include "Exponential.h"
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

//===----------------------------------------------------------------------===//
// Softmax: log-int-softmax (section 3.3)
//===----------------------------------------------------------------------===//

//   E by I-BERT's i-exp, scale a s^2 / 2^30;  D = rnd(sum E / E), half to even
//   k = floor(log2 D), and one more if D >= 1.5 * 2^k
//   p = 2^-k, or 0 if k >= 2^outBits
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
  if (exp->atZero >= int64_t(1) << (62 - kShiftLimit))
    return refuse("at the scale " + text(problem.narrowed.scales[0]) +
                  " the published exponentials, 2.79212/scale^2 * 2^30, exceed "
                  "62 bits");
  Value e = builder.shiftLeft(exp->polynomial, kShiftLimit - exp->shift);
  Value sum =
      builder.assume(builder.reduceSum(e.named("exponential")).named("row_sum"),
                     {exp->atZero << kShiftLimit, INT64_MAX},
                     "the row's largest element contributes e^0 to a sum of "
                     "non-negative terms");
  Value quotient =
      builder.div(sum, builder.max(e, 1), Rounding::HalfEven).named("quotient");
  Value k = builder.bitLength(quotient) - 1;
  // ceil(1.5 * 2^k), which is 2 for k = 0.
  Value upper =
      builder.shiftRight(builder.shiftLeft(builder.constant(3), k) + 1, 1);
  k = k + builder.compare(Predicate::GE, quotient, upper);
  int64_t zero = int64_t(1) << problem.outBits;
  Value grid = builder.select(builder.compare(Predicate::EQ, e, 0),
                              builder.constant(zero), builder.min(k, zero));
  return storeLog2Result(builder, grid, zero, problem);
}

// Corrected: the power of two nearest to the exact share, 3/4 <= 2^k E/S < 3/2,
// where the published boundary of 2/3 favours the larger one; and without a
// wide quotient per element.
//   k0 = bits of S - bits of E, so that S/2 < E 2^k0 < 2 S
//   k  = k0 + (E 2^k0 < 3/4 S) - (E 2^k0 >= 3/2 S)
static llvm::Expected<MethodKernel>
buildCorrectedSoftmax(const Problem &problem) {
  if (llvm::Error error =
          requireOneScale(problem, "a softmax compares columns"))
    return std::move(error);
  Builder builder(problem.maxRowLength);
  Value d = distanceFromMax(narrowOperand(builder, problem));
  // 3/2 S stays in 32 bits.
  llvm::Expected<Exponential> exp = polynomialExp(
      d, problem.narrowed.scales[0], problem.maxRowLength, int64_t(1) << 30);
  if (!exp)
    return exp.takeError();
  Value e = exp->value;
  Value sum = builder.assume(builder.reduceSum(e).named("row_sum"),
                             {exp->one, INT64_MAX},
                             "the row's largest element contributes e^0 to a "
                             "sum of non-negative terms");
  Value k = builder.bitLength(sum) - builder.bitLength(e);
  // For e = 0 as well: nothing shifted is nothing.
  Value shifted = builder.assume(
      builder.shiftLeft(e, k), {0, (int64_t(1) << 30) - 1},
      "a number shifted to the bit length of a sum below 2^30 is below 2^30");
  Value threeQuarters = builder.shiftRight(sum * 3 + 3, 2);
  Value threeHalves = builder.shiftRight(sum * 3 + 1, 1);
  k = k + builder.compare(Predicate::LT, shifted, threeQuarters) -
      builder.compare(Predicate::GE, shifted, threeHalves);
  int64_t zero = int64_t(1) << problem.outBits;
  // k < 0 would need a share of 3/2.
  Value grid =
      builder.select(builder.compare(Predicate::EQ, e, 0),
                     builder.constant(zero), builder.clamp(k, {0, zero}));
  return storeLog2Result(builder, grid, zero, problem);
}

//===----------------------------------------------------------------------===//
// Layer normalization with power-of-two factors (section 3.2)
//===----------------------------------------------------------------------===//

namespace {
/// x = unit * value, value = (q - zero point) << a_c.
struct Factored {
  Value value;
  double unit;
};
} // namespace

/// The operand on the finest column's scale. Fails unless all columns' scales
/// are that one times powers of two.
static llvm::Expected<Factored> factorOperand(Builder &builder,
                                              const Problem &problem) {
  const std::vector<double> &scales = problem.narrowed.scales;
  double unit = *std::min_element(scales.begin(), scales.end());
  std::vector<int64_t> factors;
  for (size_t i = 0; i < scales.size(); ++i) {
    int64_t factor = std::llround(std::log2(scales[i] / unit));
    if (factor > 7 ||
        std::fabs(std::ldexp(unit, int(factor)) / scales[i] - 1) > 1e-6)
      return refuse("the scales of 'in' differ by " + text(scales[i] / unit) +
                    " (columns' least and " + llvm::Twine(i) +
                    "), and powers of two up to 2^7 are allowed");
    factors.push_back(factor);
  }
  Value q = narrowAndCentre(builder, problem);
  Value value = builder.shiftLeft(q, builder.column("factor", factors));
  return Factored{value.named("factored"), unit};
}

/// 1 / sqrt(v) = mantissa * 2^(exponent - 82) for a row's v in 1 to 2^62 - 1,
/// mantissa in 2^51 to 2^52, exponent in 0 to 30. Relative error below 2^-51.
/// One step of Newton's: with D' = v 4^exponent and r of 30 bits, off by a
/// relative d,
///   D' r^2 = 2^120 (1 - 2 d),   r' = r + r d
static InverseRoot fineInverseRoot(Value v) {
  Builder &builder = v.getBuilder();
  NormalRoot root = normalRoot(v, 31);
  Value coarse = builder.div(int64_t(1) << 60, root.root).named("inverse_root");
  const int64_t one = int64_t(1) << 60, limit = int64_t(1) << 33;
  Value square =
      builder.mulShift(root.normal, coarse * coarse, 60, Rounding::HalfUp);
  Value error = builder.assume(
      one - square, {-limit, limit},
      "r is off by less than 2^-28, its square by less than 2^-27");
  Value mantissa = builder.shiftLeft(coarse, 22);
  Value fine = builder.assume(
      mantissa + builder.mulShift(mantissa, error, 61, Rounding::HalfUp),
      {(int64_t(1) << 51) - 1, (int64_t(1) << 52) + 1},
      "2^82 over the root of 2^60 to 2^62");
  return {fine.named("fine_inverse_root"), root.exponent};
}

//   v = (q - zp) << a_c;  D = C sum v^2 - (sum v)^2;  mu / sd = sum v / sqrt D
//   A = |gamma| C / (s_out sqrt D);  N = clamp(7 - floor(log2 A), 0, 31)
//   M = clamp(floor(A 2^N), 0, 255)
//   B = rnd((beta - gamma mu / sd) / s_out * 2^N)
//   out = rnd((sgn(gamma) M v + B) / 2^N)              on the result's own
//   scale
// M, N and B depend on row and column. epsilon is ignored, as in the code.
static llvm::Expected<MethodKernel>
buildReferenceLayerNorm(const Problem &problem) {
  const int64_t columns = problem.maxRowLength;
  Builder builder(columns);
  llvm::Expected<Factored> factored = factorOperand(builder, problem);
  if (!factored)
    return factored.takeError();
  Value v = factored->value;
  llvm::Expected<kernel::Interval> range =
      kernel::boundNode(builder.getGraph(), v.getId());
  if (!range)
    return range.takeError();
  llvm::Expected<RowStatistics> row = rowStatistics(v, columns);
  if (!row)
    return row.takeError();
  // A spread of 0 makes the code divide by 0; here it counts as 1.
  InverseRoot inverse = fineInverseRoot(builder.max(row->spread, 1));

  const int64_t mantissaBits = 50;
  std::vector<int64_t> mantissas, shifts, signs, betas;
  double largestA = 256, largestBeta = 0;
  for (int64_t i = 0; i < columns; ++i) {
    double scale = problem.result.scale(i);
    double a = std::fabs(problem.gamma[i]) * double(columns) / scale;
    kernel::Dyadic dyadic = kernel::toDyadic(a, mantissaBits);
    if (a >= 0x1p31)
      return refuse("gamma of column " + llvm::Twine(i) +
                    " exceeds 2^31 steps of the result's scale");
    mantissas.push_back(dyadic.multiplier);
    // gamma = 0: log2 A is minus infinity in the code, so N is 31.
    shifts.push_back(dyadic.multiplier == 0 ? 100 : dyadic.shift);
    signs.push_back(problem.gamma[i] < 0 ? -1 : 1);
    largestBeta = std::max(largestBeta, std::fabs(problem.beta[i] / scale));
    largestA = std::max(largestA, a);
  }
  if (largestBeta >= 0x1p15)
    return refuse("beta reaches " + text(largestBeta) +
                  " steps of the result's scale, and 2^15 are allowed");
  Value shift = builder.column("a_shift", std::move(shifts));
  Value sign = builder.column("sign", std::move(signs));

  // A = T * 2^(exponent - 32 - shift), T normalised to 51 or 52 bits.
  Value t = builder.mulShift(inverse.mantissa,
                             builder.column("a_mantissa", std::move(mantissas)),
                             builder.constant(mantissaBits), Rounding::HalfUp);
  Value fullN = 40 - builder.bitLength(t) - inverse.exponent + shift;
  Value n = builder.clamp(fullN, {0, 31}).named("N");
  // A 2^N = T / 2^amount. Where A is 2^8 or more, N is 0 and M saturates.
  Value amount = (shift + 32) - inverse.exponent - n;
  Value m =
      builder.min(builder.shiftRight(t, builder.clamp(amount, {0, 63})), 255);

  // B with 16 fractional bits before its only rounding, or more where 62 bits
  // hold them. beta 2^N comes from beta at N = 31.
  double reach = std::max(std::fabs(double(range->lo)), double(range->hi)) + 1;
  auto bitsOf = [](double most) { return int64_t(std::ilogb(most)) + 1; };
  const int64_t fraction = std::clamp<int64_t>(
      std::min(31 - bitsOf(largestBeta + 1), 61 - bitsOf(largestA * reach)), 16,
      30);
  const int64_t meanFraction =
      std::clamp<int64_t>(61 - bitsOf(double(columns) * reach), 20, 30);
  for (int64_t i = 0; i < columns; ++i)
    betas.push_back(std::llround(std::ldexp(
        problem.beta[i] / problem.result.scale(i), int(31 + fraction))));
  Value betaPart = builder.shiftRight(builder.column("beta", std::move(betas)),
                                      31 - n, Rounding::HalfEven);
  Value mean = builder.div(builder.shiftLeft(row->sum, meanFraction), columns,
                           Rounding::HalfEven);
  int64_t largestShift = int64_t(std::ceil(largestA * reach)) << fraction;
  Value meanPart = builder.assume(
      builder.mulShift(
          t, mean.named("mean"),
          builder.clamp(amount + (meanFraction - fraction), {0, 126}),
          Rounding::HalfEven),
      {-largestShift, largestShift},
      "A * 2^N is below 2^8 unless N is 0, and A is largest where the spread "
      "is "
      "1");
  Value b = builder.shiftRight(betaPart - sign * meanPart, fraction,
                               Rounding::HalfEven);
  Value out =
      builder.shiftRight(sign * m * v + b.named("B"), n, Rounding::HalfEven);
  return storeResult(builder, out, problem.result.scales, problem);
}

static llvm::Expected<MethodKernel>
buildCorrectedLayerNorm(const Problem &problem) {
  Builder builder(problem.maxRowLength);
  llvm::Expected<Factored> factored = factorOperand(builder, problem);
  if (!factored)
    return factored.takeError();
  return accurateLayerNorm(builder, factored->value, factored->unit, problem);
}

static llvm::Expected<MethodKernel>
buildCorrectedRmsNorm(const Problem &problem) {
  Builder builder(problem.maxRowLength);
  llvm::Expected<Factored> factored = factorOperand(builder, problem);
  if (!factored)
    return factored.takeError();
  return accurateRmsNorm(builder, factored->value, factored->unit, problem);
}

//===----------------------------------------------------------------------===//
// The entry
//===----------------------------------------------------------------------===//

// 6-bit exponents in the seed, 4-bit ones in FQ-ViT, whose activations are
// asymmetric.
static const Candidate kSoftmaxWidths[] = {
    {Profile::Seed, Narrowing::Symmetric, 0, 6},
    {Profile::Standalone, Narrowing::Asymmetric, 0, 4},
};
static const Candidate kLayerNormWidths[] = {
    {Profile::Seed, Narrowing::PowerOfTwoFactors, 0, 16},
    {Profile::Standalone, Narrowing::PowerOfTwoFactors, 0, 16},
};
static const Implementation kImplementations[] = {
    {"softmax", Form::Reference, buildReferenceSoftmax, kSoftmaxWidths},
    {"softmax", Form::Corrected, buildCorrectedSoftmax, kSoftmaxWidths},
    {"layer_norm", Form::Reference, buildReferenceLayerNorm, kLayerNormWidths},
    {"layer_norm", Form::Corrected, buildCorrectedLayerNorm, kLayerNormWidths},
    {"rms_norm", Form::Corrected, buildCorrectedRmsNorm, kLayerNormWidths},
};
static const Fallback kFallbacks[] = {{"gelu", "ibert"}};

const Method nlq::methods::kFQViT = {"fqvit",
                                     "FQ-ViT",
                                     "log2 probabilities, power-of-two factors",
                                     "Lin et al., IJCAI 2022, arXiv 2111.13824",
                                     kImplementations,
                                     kFallbacks};
