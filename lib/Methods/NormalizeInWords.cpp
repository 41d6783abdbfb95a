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
                               const Variance &variance,
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
  // p is rounded down, by almost a half where it is 1: r makes up for it.
  const bool isCoarse = least < 16;
  double slack = (isCoarse ? 1 : 1 + 1 / double(least)) * (1 + 0x1p-10);
  const double zScale = kLargest / (row.reach * slack);
  // p = floor(whole * 2^exponent / root).
  double whole = kLargest * double(row.factor) / row.reach *
                 std::ldexp(1, int(variance.fraction));
  // t, its mean and z are off by a half each, which gamma multiplies.
  const double off = 1.5 * affine.largestGamma / zScale;
  if (off > kMostOff || whole < 0x1p18 || whole >= 0x1p32)
    return std::nullopt;

  NormalRoot root = normalRoot(variance.value);
  Value p = builder.div(
      builder.shiftLeft(builder.constant(int64_t(whole)), root.exponent),
      root.root);
  // Of 16 bits, v may lie farther than that: it is halved where p is 0.
  Value v = row.v;
  Value halvings = builder.constant(0);
  if (least == 0) {
    halvings = builder.compare(kernel::Predicate::EQ, p, 0);
    v = builder.shiftRight(v, halvings);
  }
  // Integers that differ deviate by sqrt(1/2) / reach at least, which leaves p
  // 16 bits; where none differ, any p will do.
  p = builder.clamp(p, {std::max<int64_t>(least, 1), UINT16_MAX}).named("fill");
  Value mean = builder.div(builder.shiftRight(row.sum * p, halvings),
                           row.factor, Rounding::HalfUp);
  // p is at most kLargest over the farthest deviation by `reach`, where it was
  // not clamped, or by `farthest`, where it was. The root was rounded down by
  // 2^-30, and the mean is off by a half.
  Value t = builder.assume(v * p - mean, {-INT16_MAX, INT16_MAX},
                           "the factor was chosen for the farthest element");

  // |z| <= zScale * reach, and r <= 2^15 zScale reach / kLargest * (p + 1) / p,
  // which is below 2^15, or 2^16 where p is coarse.
  double numerator =
      std::ldexp(zScale * double(row.factor), int(15 + variance.fraction));
  if (numerator >= 0x1p61)
    return std::nullopt;
  Value filled = builder.shiftRight(root.root * p, root.exponent + halvings);
  Value r =
      builder.div(int64_t(numerator), builder.max(filled, 1), Rounding::HalfUp);
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
