//===- Requantize.cpp - Shared scaling expressions ------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Kernel/Requantize.h"
#include "nlq/Kernel/Bound.h"
#include "nlq/Kernel/Semantics.h"
#include <algorithm>
#include <cassert>
#include <cmath>

using namespace nlq::kernel;

Dyadic nlq::kernel::toDyadic(double ratio, unsigned mantissaBits) {
  assert(std::isfinite(ratio) && mantissaBits >= 1 && mantissaBits <= 52);
  if (ratio == 0)
    return {0, 0};
  int exponent;
  double fraction = std::frexp(std::fabs(ratio), &exponent);
  // Exact up to the rounding itself: the scaled fraction keeps its 53 bits.
  int64_t top = int64_t(1) << mantissaBits;
  int64_t multiplier =
      int64_t(std::floor(std::ldexp(fraction, int(mantissaBits)) + 0.5));
  int64_t shift = int64_t(mantissaBits) - exponent;
  if (multiplier == top) { // a fraction just below 1 was rounded up
    multiplier = top / 2;
    --shift;
  }
  if (shift > 126) {
    // |x * ratio| < 2^63 * 2^(mantissaBits - 126) <= 2^-11 here: strictly
    // between -1/2 and 1/2, as |x * 2^-126| is.
    multiplier = 1;
    shift = 126;
  }
  return {ratio < 0 ? -multiplier : multiplier, shift};
}

namespace {
/// The scaling of one column: x -> q((x - zeroPoint) * multiplier / 2^shift).
struct Scaling {
  int64_t multiplier;
  int64_t shift;
  int64_t zeroPoint;
  Rounding rounding;

  Scaling(double ratio, std::optional<int64_t> commonShift, int64_t zeroPoint,
          Rounding rounding)
      : zeroPoint(zeroPoint), rounding(rounding) {
    if (commonShift) {
      multiplier = std::llround(std::ldexp(ratio, int(*commonShift)));
      shift = *commonShift;
      return;
    }
    Dyadic dyadic = toDyadic(ratio);
    // A ratio of 2^31 or more: an exact left shift of the multiplier, as far as
    // it goes. Beyond, every x but the zero point saturates, and still does.
    int64_t left = std::clamp<int64_t>(-dyadic.shift, 0, 31);
    multiplier = dyadic.multiplier * (int64_t(1) << left);
    shift = std::max<int64_t>(dyadic.shift, 0);
  }

  Int128 operator()(Int128 x) const {
    return shiftRight((x - zeroPoint) * multiplier, shift, rounding);
  }
};
} // namespace

/// The shift of the largest ratio, if the multipliers of the others keep all
/// but `spareBits` with it.
static std::optional<int64_t> findCommonShift(llvm::ArrayRef<double> ratios,
                                              unsigned multiplierBits,
                                              unsigned spareBits) {
  double least = HUGE_VAL, most = 0;
  for (double ratio : ratios) {
    least = std::min(least, std::fabs(ratio));
    most = std::max(most, std::fabs(ratio));
  }
  int64_t shift = toDyadic(most, multiplierBits).shift;
  if (std::ldexp(least, int(spareBits)) < most || shift < 0 || shift > 126)
    return std::nullopt;
  return shift;
}

/// The least x in [range.lo, range.hi] for which `predicate` holds, which keeps
/// holding from there on; range.hi if there is none.
template <typename Predicate>
static int64_t firstWhere(Interval range, Predicate predicate) {
  Int128 lo = range.lo, hi = range.hi;
  while (lo < hi) {
    Int128 middle = lo + (hi - lo) / 2;
    if (predicate(int64_t(middle)))
      hi = middle;
    else
      lo = middle + 1;
  }
  return int64_t(lo);
}

/// An interval such that moving an x of `range` to its nearest end changes
/// nothing about the scaled value clamped to `saturated`.
///
/// The scaling rises with x if the multiplier is positive. From the first x
/// where it reaches saturated.hi on, every x gives saturated.hi after the
/// clamp, and so does that first x: it may stand for all of them. Below it, x
/// is not touched. The other three cases are mirrored, which is why the search
/// runs on -x and on the negated scaling. The first x exceeds saturated.hi by
/// less than |ratio| + 1, the step from an x to the next.
static Interval usefulInputs(const Scaling &scale, Interval range,
                             Interval saturated) {
  bool rises = scale.multiplier >= 0;
  auto saturatesUpwards = [&](int64_t x) {
    return rises ? scale(x) >= saturated.hi : scale(x) <= saturated.lo;
  };
  auto saturatesDownwards = [&](int64_t x) {
    return rises ? scale(x) <= saturated.lo : scale(x) >= saturated.hi;
  };
  Interval useful;
  useful.hi = firstWhere(range, saturatesUpwards);
  // ~x = -x - 1 mirrors 64-bit integers without leaving them.
  useful.lo = ~firstWhere({~range.hi, ~range.lo}, [&](int64_t mirrored) {
    return saturatesDownwards(~mirrored);
  });
  // Where no x is between the two, either end alone would do.
  useful.lo = std::min(useful.lo, useful.hi);
  return useful;
}

static bool fitsLane(Int128 value) {
  return value >= INT32_MIN && value <= INT32_MAX;
}

Value nlq::kernel::requantize(Value x, llvm::ArrayRef<double> ratios,
                              llvm::ArrayRef<int64_t> inZeroPoints,
                              int64_t outZeroPoint, Interval outRange,
                              Rounding rounding, unsigned multiplierBits) {
  Builder &builder = x.getBuilder();
  size_t columns = std::max(ratios.size(), inZeroPoints.size());
  assert((ratios.size() == columns || ratios.size() == 1) &&
         (inZeroPoints.size() == columns || inZeroPoints.size() == 1));
  Interval saturated{outRange.lo - outZeroPoint, outRange.hi - outZeroPoint};
  Interval range{INT64_MIN, INT64_MAX};
  if (llvm::Expected<Interval> known = boundNode(builder.getGraph(), x.getId()))
    range = *known;
  else
    llvm::consumeError(known.takeError()); // the finished graph is refused, too

  // Half up is what no published arithmetic uses.
  std::optional<int64_t> commonShift;
  if (multiplierBits < 31)
    commonShift = findCommonShift(ratios, multiplierBits, /*spareBits=*/3);
  if (!commonShift && rounding == Rounding::HalfUp && ratios.size() > 1)
    commonShift = findCommonShift(ratios, 31, /*spareBits=*/7);
  bool clampInput = false;
  Int128 least = 0, most = 0;
  std::vector<int64_t> multipliers, shifts, zeroPoints, lows, highs;
  for (size_t i = 0; i < columns; ++i) {
    Scaling scale(ratios[ratios.size() == 1 ? 0 : i], commonShift,
                  inZeroPoints[inZeroPoints.size() == 1 ? 0 : i], rounding);
    for (int64_t end : {range.lo, range.hi})
      if (!fitsLane(scale(end)) || !fitsLane(Int128(end) - scale.zeroPoint))
        clampInput = true;
    Interval useful = usefulInputs(scale, range, saturated);
    for (int64_t end : {useful.lo, useful.hi}) {
      least = std::min(least, scale(end));
      most = std::max(most, scale(end));
    }
    multipliers.push_back(scale.multiplier);
    shifts.push_back(scale.shift);
    zeroPoints.push_back(scale.zeroPoint);
    lows.push_back(useful.lo);
    highs.push_back(useful.hi);
  }
  if (clampInput) {
    x = builder.max(x, builder.column("input_low", std::move(lows)));
    x = builder.min(x, builder.column("input_high", std::move(highs)));
  }
  Value centred = x - builder.column("input_zero_point", std::move(zeroPoints));
  Value scaled = builder.mulShift(
      centred, builder.column("multiplier", std::move(multipliers)),
      builder.column("shift", std::move(shifts)), rounding);
  // Intervals know the columns' extremes and not which of them meet, so they
  // pair the widest clamp with the largest ratio. Column by column, the scaling
  // is monotone, so that the ends of the useful inputs bound it.
  if (clampInput && columns > 1 && least >= INT64_MIN && most <= INT64_MAX)
    scaled = builder.assume(
        scaled, {int64_t(least), int64_t(most)},
        "an input clamped to its column's useful range scales to no more than "
        "that range's ends do");
  // Where the lane has room for it, the zero point is added before the clamp,
  // which then is the saturation to the result's storage.
  Value moved = scaled + outZeroPoint;
  auto lane = [&](Value value) {
    llvm::Expected<Interval> known =
        boundNode(builder.getGraph(), value.getId());
    if (known)
      return signedBits(*known) <= 16   ? 16u
             : signedBits(*known) <= 32 ? 32u
                                        : 64u;
    llvm::consumeError(known.takeError());
    return 64u;
  };
  if (lane(moved) == lane(scaled))
    return builder.clamp(moved, outRange);
  return builder.clamp(scaled, saturated) + outZeroPoint;
}

QuotientAndRest nlq::kernel::divideWithRest(Value a, Value d) {
  Value quotient = a.getBuilder().div(a, d, Rounding::Floor);
  return {quotient, a - quotient * d};
}

QuotientAndRest nlq::kernel::divideWithRest(Value a, int64_t d) {
  return divideWithRest(a, a.getBuilder().constant(d));
}

Value nlq::kernel::shareOfRowSum(Value e, int64_t leastSum,
                                 llvm::StringRef lemma, int64_t one,
                                 unsigned fractionBits) {
  Builder &builder = e.getBuilder();
  Value sum = builder.assume(builder.reduceSum(e).named("row_sum"),
                             {leastSum, INT64_MAX}, lemma);
  int64_t whole = one << fractionBits;
  Value reciprocal = builder.div(whole, sum).named("reciprocal");
  // e <= S, so e * floor(whole / S) <= whole; adding one half of 2^fractionBits
  // does not reach the next multiple of it.
  return builder.assume(
      builder.mulShift(e, reciprocal, fractionBits, Rounding::HalfUp)
          .named("share"),
      {0, one}, "a term's share of a sum of non-negative terms is at most 1");
}
