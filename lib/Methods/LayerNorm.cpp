//===- LayerNorm.cpp - Layer normalization in integers --------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LayerNorm.h"
#include "Normalization.h"
#include "nlq/Kernel/Bound.h"
#include <algorithm>
#include <cmath>

using namespace nlq;
using namespace nlq::methods;
using kernel::Builder;
using kernel::Rounding;
using kernel::Value;

/// The row's sum of v^2, for v in `range`, in 32 bits: where a sum of `columns`
/// squares has more, v = a 2^h + b with 0 <= b < 2^h, and
///   sum v^2 = 4^h sum a^2 + 2^(h+1) sum a b + sum b^2
static Value sumSquares(Value v, kernel::Interval range, int64_t columns) {
  Builder &builder = v.getBuilder();
  unsigned bits = kernel::signedBits(range);
  if (std::ldexp(double(columns), int(2 * (bits - 1))) < 0x1p31)
    return builder.reduceSum((v * v).named("square"));
  unsigned half = bits / 2;
  Value upper = builder.shiftRight(v, half);
  Value lower = v - builder.shiftLeft(upper, half);
  return builder.shiftLeft(builder.reduceSum(upper * upper), 2 * half) +
         builder.shiftLeft(builder.reduceSum(upper * lower), half + 1) +
         builder.reduceSum(lower * lower);
}

llvm::Expected<RowStatistics> nlq::methods::rowStatistics(Value v,
                                                          int64_t columns) {
  Builder &builder = v.getBuilder();
  llvm::Expected<kernel::Interval> range =
      kernel::boundNode(builder.getGraph(), v.getId());
  if (!range)
    return range.takeError();
  double width = double(columns) * (double(range->hi) - double(range->lo));
  // Rounded up, should the squares not be exact.
  double largest = std::ceil(width * width / 4 * (1 + 0x1p-50));
  if (largest >= 0x1p61)
    return refuse("the variance of " + llvm::Twine(columns) + " values in [" +
                  llvm::Twine(range->lo) + ", " + llvm::Twine(range->hi) +
                  "] needs more than 61 bits; narrow them before");
  Value sum = builder.reduceSum(v).named("row_sum");
  Value squares = sumSquares(v, *range, columns).named("sum_of_squares");
  // Cauchy and Schwarz: (sum 1 * v)^2 <= (sum 1) (sum v^2).
  // Popoviciu: a variance of values in [lo, hi] is at most (hi - lo)^2 / 4.
  Value spread = builder.assume(
      squares * columns - sum * sum, {0, int64_t(largest)},
      "a variance is at least 0 and at most a quarter of the squared range");
  return RowStatistics{sum, spread, int64_t(largest)};
}

NormalRoot nlq::methods::normalRoot(Value v, int64_t bits) {
  Builder &builder = v.getBuilder();
  const int64_t most = 2 * bits;
  // v * 4^exponent has one bit fewer than twice the root's, or as many.
  Value exponent =
      builder.shiftRight(most - builder.bitLength(v), 1).named("root_exponent");
  Value normal = builder.assume(
      builder.shiftLeft(v, builder.shiftLeft(exponent, 1)),
      {int64_t(1) << (most - 2), (int64_t(1) << most) - 1},
      "a number of n bits shifted left by m - n, m even, less 1 if that is "
      "odd, has m - 1 or m bits");
  return {builder.sqrt(normal).named("root"), exponent, normal};
}

/// 1 / sqrt(v) = mantissa * 2^(exponent - 60) for a row's v in 1 to 2^62 - 1,
/// mantissa in 2^29 to 2^30, exponent in 0 to 30. Relative error below 2^-28.
static InverseRoot inverseRoot(Value v) {
  NormalRoot root = normalRoot(v, 31);
  Value mantissa =
      v.getBuilder().div(int64_t(1) << 60, root.root).named("inverse_root");
  return {mantissa, root.exponent};
}

static llvm::Expected<Statistics> getDeviations(Value v, int64_t columns) {
  llvm::Expected<RowStatistics> row = rowStatistics(v, columns);
  if (!row)
    return row.takeError();
  // The others of a row deviate by -y_c together, so their squares sum up to at
  // least y_c^2 / (C-1). The spread is the sum of (v_i - v_j)^2 over all pairs,
  // C-1 of which differ at least where any do.
  Builder &builder = v.getBuilder();
  llvm::Expected<kernel::Interval> range =
      kernel::boundNode(builder.getGraph(), v.getId());
  if (!range)
    return range.takeError();
  return Statistics{(v * columns - row->sum).named("deviation"),
                    v,
                    row->sum,
                    range->hi - range->lo,
                    columns,
                    row->spread,
                    std::max<int64_t>(columns - 1, 1),
                    row->largest,
                    double(columns) * double(columns),
                    1,
                    std::sqrt(double(columns)),
                    "an element of a row of C deviates by at most sqrt(C - 1) "
                    "standard deviations"};
}

static llvm::Expected<Statistics> getSquares(Value v, int64_t columns) {
  Builder &builder = v.getBuilder();
  llvm::Expected<kernel::Interval> range =
      kernel::boundNode(builder.getGraph(), v.getId());
  if (!range)
    return range.takeError();
  double most = std::max(std::fabs(double(range->lo)), double(range->hi));
  double largest = std::ceil(double(columns) * most * most * (1 + 0x1p-50));
  if (largest >= 0x1p61)
    return refuse("the squares of " + llvm::Twine(columns) + " values in [" +
                  llvm::Twine(range->lo) + ", " + llvm::Twine(range->hi) +
                  "] need more than 61 bits; narrow them before");
  Value squares = builder.assume(
      sumSquares(v, *range, columns).named("sum_of_squares"),
      {0, int64_t(largest)},
      "a square is at least 0, and at most that of the largest magnitude");
  return Statistics{v,
                    v,
                    builder.constant(0),
                    int64_t(most),
                    1,
                    squares,
                    1,
                    int64_t(largest),
                    double(columns),
                    std::sqrt(double(columns)),
                    1,
                    "an element is at most the root of the sum of all squares"};
}

/// The most fractional bits, up to 8 and possibly below 0, with which squares
/// plus epsilon stay below 2^bits.
static int64_t getFraction(const Statistics &row, double epsilon,
                           int64_t bits) {
  int64_t fraction = 8;
  while (fraction >= 0 &&
         std::ldexp(double(row.largest) + epsilon + 1, int(2 * fraction)) >=
             std::ldexp(1, int(bits)))
    --fraction;
  return fraction;
}

static Variance addEpsilon(const Statistics &row, double epsilon,
                           int64_t fraction) {
  Builder &builder = row.squares.getBuilder();
  const int64_t added = std::llround(std::ldexp(epsilon, int(2 * fraction)));
  const int64_t least = row.least << (2 * fraction);
  Value variance = builder.shiftLeft(row.squares, 2 * fraction) + added;
  // Other squares than 0 reach this anyway; where they are 0, y is 0.
  if (added < least)
    variance = builder.max(variance, least);
  return Variance{variance.named("variance"), fraction};
}

static llvm::Expected<MethodKernel> normalize(Builder &builder,
                                              const Statistics &row,
                                              double unit,
                                              const Problem &problem) {
  const int64_t columns = problem.maxRowLength;
  const Quantized &to = problem.result;

  double epsilon = problem.epsilon * row.epsilonFactor / (unit * unit);
  int64_t fraction = getFraction(row, epsilon, 61);
  if (fraction < 0)
    return refuse("epsilon is " + text(epsilon) +
                  " in units of the row's squares, which do not leave it room "
                  "in 61 bits");
  // A root of 26 bits, if what rounds epsilon is below 2^-17 of the variance.
  int64_t coarse = getFraction(row, epsilon, 52);
  bool isShort =
      coarse >= 0 && std::ldexp(double(row.least), int(2 * coarse)) >= 0x1p16;
  if (std::optional<MethodKernel> narrow = normalizeInWords(
          builder, row, addEpsilon(row, epsilon, isShort ? coarse : fraction),
          isShort ? 26 : 31, problem))
    return std::move(*narrow);
  InverseRoot inverse = inverseRoot(addEpsilon(row, epsilon, fraction).value);

  // z = y / sqrt(squares + epsilon) on a grid of 2^-zBits, |z| <= reach.
  // Roundings of root and inverse are relative errors far below the factor 2
  // that is left here.
  Value y = row.y;
  const double reach = row.reach;
  const char *lemma = row.lemma;
  int64_t reachBits = int64_t(std::ceil(std::log2(reach)));
  int64_t zBits = 26 - reachBits;
  int64_t zLimit = int64_t(std::ceil(std::ldexp(2 * reach, int(zBits))));
  // The root of v 4^e is below 2^31, so that |y| 2^e is below
  // 2^(31 - fraction + reachBits). Shifted to 30 bits, y can be multiplied
  // with one shift for all rows, which is beyond the lower half of the product.
  int64_t up = fraction - 1 - reachBits;
  Value shift = (60 - fraction - zBits) - inverse.exponent;
  if (up >= 0) {
    const int64_t limit = int64_t(1) << 30;
    y = builder.assume(builder.shiftLeft(y, inverse.exponent + up),
                       {-limit, limit}, lemma);
    shift = builder.constant(60 - fraction - zBits + up);
  }
  Value z = builder.assume(
      builder.mulShift(y, inverse.mantissa, shift, Rounding::HalfUp)
          .named("standardised"),
      {-zLimit, zLimit}, lemma);

  // gamma z + beta in steps of the result's scale / 2^fine. One shift for all
  // columns: small gammas lose relative precision that the sum cannot show.
  double largestGamma = 0, largestOut = 0;
  std::vector<double> gamma(columns), beta(columns);
  for (int64_t i = 0; i < columns; ++i) {
    gamma[i] = problem.gamma[i] * row.gammaFactor / to.scale(i);
    if (!problem.beta.empty())
      beta[i] = problem.beta[i] / to.scale(i);
    largestGamma = std::max(largestGamma, std::fabs(gamma[i]));
    largestOut = std::max(largestOut,
                          std::fabs(gamma[i]) * 2 * reach + std::fabs(beta[i]));
  }
  int64_t fine = 16;
  while (fine >= 0 && std::ldexp(largestOut + 1, int(fine)) >= 0x1p30)
    --fine;
  if (fine < 0)
    return refuse("gamma and beta reach " + text(largestOut) +
                  " steps of the result's scale, and 2^30 are allowed");
  // Coarser, as far as 2^-8, if the product's upper half then is gamma z.
  const int64_t half = 32;
  auto shiftOf = [&](int64_t fine) {
    double ratio = std::ldexp(largestGamma, int(fine - zBits));
    return ratio > 0 ? kernel::toDyadic(ratio, /*mantissaBits=*/31).shift : 31;
  };
  int64_t coarser = fine;
  while (coarser > 8 && shiftOf(coarser) < half)
    --coarser;
  bool upperHalf = shiftOf(coarser) >= half;
  if (upperHalf)
    fine = coarser;
  int64_t gammaShift = upperHalf ? half : shiftOf(fine);
  std::vector<int64_t> multipliers(columns), offsets(columns);
  std::vector<double> scales;
  for (int64_t i = 0; i < columns; ++i) {
    multipliers[i] =
        std::llround(std::ldexp(gamma[i], int(fine - zBits + gammaShift)));
    // The upper half is floored, which takes half a step off on average.
    double offset = std::ldexp(beta[i], int(fine));
    offsets[i] = upperHalf ? int64_t(std::ceil(offset)) : std::llround(offset);
  }
  for (double scale : to.scales)
    scales.push_back(std::ldexp(scale, int(-fine)));
  Value scaled =
      builder.mulShift(z, builder.column("gamma", std::move(multipliers)),
                       builder.constant(gammaShift),
                       upperHalf ? Rounding::Floor : Rounding::HalfUp);
  Value out = scaled + builder.column("beta", std::move(offsets));
  out.named("grid");
  // The result's grid is a power of two coarser.
  Value stored = builder.clamp(builder.shiftRight(out, fine, Rounding::HalfUp),
                               {to.range.lo - to.zeroPoints[0],
                                to.range.hi - to.zeroPoints[0]}) +
                 to.zeroPoints[0];
  MethodKernel result;
  result.kernel = builder.finish(stored, to.bits);
  result.grid.scales = std::move(scales);
  return result;
}

llvm::Expected<MethodKernel>
nlq::methods::accurateLayerNorm(Builder &builder, Value v, double unit,
                                const Problem &problem) {
  llvm::Expected<Statistics> row = getDeviations(v, problem.maxRowLength);
  if (!row)
    return row.takeError();
  return normalize(builder, *row, unit, problem);
}

llvm::Expected<MethodKernel>
nlq::methods::accurateRmsNorm(Builder &builder, Value v, double unit,
                              const Problem &problem) {
  llvm::Expected<Statistics> row = getSquares(v, problem.maxRowLength);
  if (!row)
    return row.takeError();
  return normalize(builder, *row, unit, problem);
}

Value nlq::methods::subtractRoundedMean(Value q, int64_t columns) {
  Builder &builder = q.getBuilder();
  Value mean = builder.div(builder.reduceSum(q).named("row_sum"), columns,
                           Rounding::HalfEven);
  return (q - mean.named("mean")).named("deviation");
}

llvm::Expected<MethodKernel> nlq::methods::storePublishedLayerNorm(
    Builder &builder, Value y, Value deviation, int64_t numerator,
    int64_t largest, llvm::StringRef lemma, const Problem &problem) {
  const int64_t columns = problem.maxRowLength;
  // Both codes hold this root in float32 whatever the tensors are.
  double step = double(std::sqrt(float(columns))) / 0x1p30;
  std::vector<double> scales(columns);
  std::vector<int64_t> offsets(columns);
  for (int64_t i = 0; i < columns; ++i) {
    double gamma = problem.gamma[i];
    if (gamma == 0)
      return refuse("gamma[" + llvm::Twine(i) +
                    "] is 0, by which the published form divides beta");
    double offset = std::floor(problem.beta[i] / gamma / step);
    if (!(std::fabs(offset) < 0x1p62))
      return refuse("beta/gamma of column " + llvm::Twine(i) +
                    " exceeds 62 bits on the published grid sqrt(C)/2^30");
    offsets[i] = int64_t(offset);
    scales[i] = step * gamma;
  }
  Value factor = builder.div(numerator, deviation).named("factor");
  Value scaled = builder.assume(
      builder.mulShift(y, factor, builder.constant(1), Rounding::Floor)
          .named("standardised"),
      {-largest, largest}, lemma);
  Value out = scaled + builder.column("beta", std::move(offsets));
  return storeResult(builder, out, std::move(scales), problem);
}

llvm::Expected<MethodKernel>
nlq::methods::buildAccurateLayerNorm(const Problem &problem) {
  if (llvm::Error error =
          requireOneScale(problem, "the columns have no common unit"))
    return std::move(error);
  Builder builder(problem.maxRowLength);
  Value q = narrowOperand(builder, problem);
  return accurateLayerNorm(builder, q, problem.narrowed.scales[0], problem);
}

llvm::Expected<MethodKernel>
nlq::methods::buildAccurateRmsNorm(const Problem &problem) {
  if (llvm::Error error =
          requireOneScale(problem, "the columns have no common unit"))
    return std::move(error);
  Builder builder(problem.maxRowLength);
  Value q = narrowAndCentre(builder, problem);
  return accurateRmsNorm(builder, q, problem.narrowed.scales[0], problem);
}
