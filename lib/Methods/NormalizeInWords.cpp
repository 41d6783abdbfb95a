//===- NormalizeInWords.cpp - Normalization in 16 bits --------------------===//
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

/// Magnitudes stay at or below this, which leaves a half for a rounding.
static constexpr double kLargest = INT16_MAX - 1;
/// What all roundings but the last may be off by together, in steps of the
/// result.
static constexpr double kMostOff = 0.25;
/// kLargest times sqrt(2), rounded up.
static constexpr double kMostFill = 46341;

namespace {
/// gamma and beta in steps of the result's scale.
struct Affine {
  std::vector<double> gamma, beta;
  double largestGamma = 0, largestBeta = 0;
};
} // namespace

static Affine getAffine(const Statistics &row, const Problem &problem) {
  Affine affine;
  const Quantized &to = problem.result;
  for (int64_t i = 0; i < problem.maxRowLength; ++i) {
    double gamma = problem.gamma[i] * row.gammaFactor / to.scale(i);
    double beta = problem.beta.empty() ? 0 : problem.beta[i] / to.scale(i);
    affine.gamma.push_back(gamma);
    affine.beta.push_back(beta + double(to.zeroPoints[0]));
    affine.largestGamma = std::max(affine.largestGamma, std::fabs(gamma));
    affine.largestBeta =
        std::max(affine.largestBeta, std::fabs(affine.beta.back()));
  }
  return affine;
}

/// The affine map of z in steps of 1 / zScale, |z| / zScale <= `reach`, which
/// is off by `off` steps of the result:
///   out = rnd((rnd(z g / 2^15) + b) k / 2^15)
/// with the least integer k for which all outcomes fit 16 bits. The roundings
/// of the product and of b add k / 2^15; where that is too much, in 32 bits:
///   out = floor((z g + b) / 2^shift),  b with the half of 2^shift
static MethodKernel store(Builder &builder, Value z, const Affine &affine,
                          double zScale, double reach, double off,
                          const Problem &problem) {
  const Quantized &to = problem.result;
  // A step for roundings.
  double largestOut = affine.largestGamma * reach + affine.largestBeta + 1;
  double k = std::max(8.0, std::ceil(0x1p15 * largestOut / kLargest));
  const bool isNarrow = off + k / 0x1p15 <= kMostOff;
  int64_t shift = 15;
  if (!isNarrow) {
    shift = 30;
    while (std::ldexp(affine.largestGamma / zScale, int(shift)) > kLargest ||
           std::ldexp(largestOut, int(shift)) >= 0x1p31)
      --shift;
  }
  const double fine = isNarrow ? 0x1p15 / k : std::ldexp(1, int(shift));
  const double half = isNarrow ? 0 : fine / 2;
  // What z times a multiplier is shifted by before b is added.
  const double down = isNarrow ? 0x1p15 : 1;

  std::vector<int64_t> multipliers, offsets;
  std::vector<double> scales;
  for (int64_t i = 0; i < problem.maxRowLength; ++i) {
    multipliers.push_back(std::llround(affine.gamma[i] * fine / zScale * down));
    offsets.push_back(std::llround(affine.beta[i] * fine + half));
  }
  for (double scale : to.scales)
    scales.push_back(scale / fine);
  Value gamma = builder.column("gamma", std::move(multipliers));
  Value scaled =
      isNarrow ? builder.mulShift(z, gamma, 15, Rounding::HalfUp) : z * gamma;
  Value out = scaled + builder.column("beta", std::move(offsets));
  out.named("grid");
  Value rounded = isNarrow ? builder.mulShift(out, builder.constant(int64_t(k)),
                                              15, Rounding::HalfUp)
                           : builder.shiftRight(out, shift);
  MethodKernel result;
  result.kernel = builder.finish(builder.clamp(rounded, to.range), to.bits);
  result.grid.scales = std::move(scales);
  result.grid.offset = double(to.zeroPoints[0]) * fine + half;
  return result;
}

std::optional<MethodKernel>
nlq::methods::normalizeInWords(Builder &builder, const Statistics &row,
                               const Variance &variance, int64_t rootBits,
                               const Problem &problem) {
  const Quantized &to = problem.result;
  llvm::Expected<kernel::Interval> range =
      kernel::boundNode(builder.getGraph(), row.v.getId());
  if (!range) {
    llvm::consumeError(range.takeError()); // normalize() says so, too
    return std::nullopt;
  }
  if (to.range.hi - to.range.lo > 255 ||
      !kernel::storageRange(16).contains(*range))
    return std::nullopt;
  Affine affine = getAffine(row, problem);
  const auto least = int64_t(kLargest / double(row.farthest));
  // p is rounded to an integer, r makes up for it.
  const bool isCoarse = least < 16;
  double slack = (isCoarse ? 1 : 1 + 1 / double(least)) * (1 + 0x1p-10);
  const double zScale = kLargest / (row.reach * slack);
  // z over y / factor is fill = whole * 2^exponent / root, which p and r make.
  double whole = kLargest * double(row.factor) / (row.reach * slack) *
                 std::ldexp(1, int(variance.fraction));
  // t, its mean and z are off by a half each, which gamma multiplies.
  const double off = 1.5 * affine.largestGamma / zScale;
  if (off > kMostOff || whole < 0x1p18 || whole >= 0x1p32)
    return std::nullopt;

  // fill * 2^fine, from a numerator of 52 bits.
  const int64_t fine = 51 - std::ilogb(whole);
  NormalRoot root = normalRoot(variance.value, rootBits);
  Value fill = builder.shiftLeft(
      builder.div(int64_t(std::ldexp(whole, int(fine))), root.root),
      root.exponent);
  fill = builder.assume(
      fill, {0, int64_t(std::ldexp(kMostFill, int(fine)))},
      "integers that differ deviate by sqrt(1/2) / reach at least");
  // `least` is kLargest over the deviation that `farthest` allows. A larger p
  // is at most fill + 1 <= fill * slack, which is kLargest over the one that
  // `reach` does. r / 2^15 = fill / p is below 1; for a coarse p, which is the
  // floor of fill, below 2, and so it is where elements are halved. Fractional
  // bits that r is made of.
  const int64_t bits = isCoarse ? std::min<int64_t>(fine, 30) : 15;
  Value p = builder.shiftRight(fill, fine);
  Value v = row.v;
  Value halvings = builder.constant(0);
  // Of 16 bits, v may lie farther than that: it is halved where p is 0.
  if (least == 0) {
    halvings = builder.compare(kernel::Predicate::EQ, p, 0);
    v = builder.shiftRight(v, halvings);
  }
  if (!isCoarse)
    p = p + 1;
  p = builder.max(p, std::max<int64_t>(least, 1)).named("fill");
  Value mean = builder.div(builder.shiftRight(row.sum * p, halvings),
                           row.factor, Rounding::HalfUp);
  // The root was rounded down by 2^-25, and the mean is off by a half.
  Value t = builder.assume(v * p - mean, {-INT16_MAX, INT16_MAX},
                           "the factor was chosen for the farthest element");

  Value r = builder.div(
      builder.shiftLeft(builder.shiftRight(fill, fine - bits), halvings),
      builder.shiftLeft(p, bits - 15), Rounding::HalfUp);
  Value z;
  if (isCoarse) {
    r = builder.min(r, 2 * INT16_MAX).named("reciprocal");
    z = builder.assume(
        t + builder.mulShift(t, r - (INT16_MAX + 1), 15, Rounding::HalfUp),
        {-INT16_MAX, INT16_MAX}, row.lemma);
  } else {
    r = builder.min(r, INT16_MAX).named("reciprocal");
    z = builder.mulShift(t, r, 15, Rounding::HalfUp);
  }
  z.named("standardised");

  return store(builder, z, affine, zScale, row.reach * slack, off, problem);
}
