//===- Folding.cpp - Functions of one element on a half line --------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Folding.h"
#include <algorithm>
#include <cmath>
#include <limits>

using namespace nlq;
using namespace nlq::methods;
using kernel::Builder;
using kernel::Rounding;
using kernel::Value;

static constexpr int64_t kTop = (int64_t(1) << kPositionBits) - 1;

double nlq::methods::evaluateAt(const Function &function,
                                const Problem &problem, double x) {
  double y;
  function.evaluate(x, problem, y);
  return y;
}

double Below::getUnit() const { return std::max(1.0, std::fabs((*this)(0))); }

double Below::getReach() const {
  double reach = 64;
  while (reach > 0.25 &&
         std::fabs((*this)(reach - 0.25) - getLimit()) < 0x1p-16 * getUnit())
    reach -= 0.25;
  return reach;
}

static double getLargestResult(const Problem &problem) {
  const Quantized &to = problem.result;
  double largest = 0;
  for (int64_t i = 0; i < int64_t(to.scales.size()); ++i)
    largest = std::max(largest, to.dequantize(to.range.hi, i));
  return largest;
}

/// Where the result is at its largest value, for functions that grow.
static double getSaturation(const Function &function, const Problem &problem) {
  double largest = getLargestResult(problem);
  double x = -64;
  while (x < 64 && evaluateAt(function, problem, x) < largest)
    x += 0.25;
  return x;
}

/// `distance` of 0 to `last` to a position of 0 to 2^14 - 1, by a factor of 1/2
/// to 1 from 2^14 ... 2^15 - 1.
static Value getPosition(Value distance, int64_t last) {
  Builder &builder = distance.getBuilder();
  int64_t up = 0;
  while (last << (up + 1) <= INT16_MAX)
    ++up;
  int64_t down = 0;
  while (last >> down > INT16_MAX)
    ++down;
  distance = builder.shiftRight(builder.shiftLeft(distance, up), down);
  int64_t factor = std::llround(
      std::ldexp(double(kTop) / std::ldexp(double(last), int(up - down)), 15));
  return builder.min(builder.mulShift(distance, factor, 15, Rounding::HalfUp),
                     kTop);
}

Folded::Folded(Builder &builder, const Function &function,
               const Problem &problem)
    : function(function), problem(problem),
      below{function, problem, 0,
            function.symmetry != Symmetry::None
                ? std::numeric_limits<double>::infinity()
                : std::ldexp(getLargestResult(problem), 10)} {
  const Quantized &from = problem.narrowed;
  const bool isSymmetric = function.symmetry != Symmetry::None;
  range = {from.range.lo - from.zeroPoints[0],
           from.range.hi - from.zeroPoints[0]};
  scale = from.scales[0];
  constexpr int64_t widest = 65536;
  if (from.isPerTensor() && -widest <= range.lo && range.hi <= widest) {
    x = narrowAndCentre(builder, problem);
  } else {
    // Below the reach f is flat. Above, so is a function with a point of
    // symmetry; a ramp, which is less than 0.28 above its function, saturates
    // the result, and a function without symmetry does.
    double reach = below.getReach();
    if (function.symmetry == Symmetry::Ramp)
      reach = std::max(reach, getLargestResult(problem) + 0.3);
    if (!isSymmetric)
      reach += std::fabs(getSaturation(function, problem));
    range = {-INT16_MAX, INT16_MAX};
    scale = reach / double(range.hi);
    x = kernel::requantize(narrowOperand(builder, problem),
                           ratiosOfScales(from.scales, {scale}),
                           from.zeroPoints, 0, range, Rounding::HalfUp)
            .named("working");
  }

  int64_t origin = 0;
  if (!isSymmetric)
    origin =
        int64_t(std::clamp(std::ceil(getSaturation(function, problem) / scale),
                           double(range.lo), double(range.hi)));
  below.origin = double(origin) * scale;
  most = std::max<int64_t>(
      1, isSymmetric ? std::max(std::abs(range.lo), std::abs(range.hi))
                     : origin - range.lo);
  int64_t last =
      int64_t(std::ceil(std::min(below.getReach() / scale, double(most))));
  Value distance = isSymmetric
                       ? builder.abs(builder.clamp(x, {-last, last}))
                       : origin - builder.clamp(x, {origin - last, origin});
  position = getPosition(distance, last);
  step = double(last) * scale / double(kTop);
}

MethodKernel Folded::store(
    double largest,
    llvm::function_ref<Value(Value position, double unit)> evaluate) const {
  Builder &builder = position.getBuilder();
  // The own grid: 2^14 steps of the largest value, or the scale of `in`, finer
  // as far as 16 bits allow. f is smaller than a ramp, and may have finer steps
  // so that its roundings do not add up.
  largest = std::max(largest, 0x1p-16);
  int64_t up = 0, finer = 0;
  double gridScale = std::ldexp(below.getUnit(), -14);
  if (function.symmetry == Symmetry::Ramp) {
    while (most << (up + 1) <= INT16_MAX)
      ++up;
    gridScale = std::ldexp(scale, int(-up));
    while (finer < 4 &&
           std::ldexp(largest / gridScale, int(finer + 1)) <= 0x1p13)
      ++finer;
  }
  const double unit = std::ldexp(gridScale, int(-finer));
  Value value = evaluate(position, unit);
  // f does not go beyond its limit.
  int64_t limit = std::llround(below.getLimit() / unit);
  value = below(0.25) < below.getLimit() ? builder.min(value, limit)
                                         : builder.max(value, limit);
  value = builder.shiftRight(value, finer, Rounding::HalfUp);

  Value grid = value;
  if (function.symmetry == Symmetry::Ramp)
    grid = builder.shiftLeft(builder.max(x, 0), up) + value;
  if (function.symmetry == Symmetry::Point)
    grid = builder.select(builder.compare(kernel::Predicate::LT, x, 0), value,
                          std::llround(2 * below(0) / unit) - value);
  return storeResult(builder, grid, {gridScale}, problem);
}
