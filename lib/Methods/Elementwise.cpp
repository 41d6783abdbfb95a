//===- Elementwise.cpp - Element-wise functions looked up -----------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Elementwise.h"
#include <algorithm>
#include <cmath>

using namespace nlq;
using namespace nlq::methods;
using kernel::Builder;
using kernel::Rounding;
using kernel::Table;
using kernel::Value;

static double evaluate(const Function &function, const Problem &problem,
                       double x) {
  double y;
  function.evaluate(x, problem, y);
  return y;
}

/// One entry per value of `in`.
static MethodKernel entryPerValue(const Function &function,
                                  const Problem &problem, int64_t entries) {
  const Quantized &from = problem.narrowed, &to = problem.result;
  Table table(entries);
  for (int64_t i = 0; i < entries; ++i) {
    double y = evaluate(function, problem, from.dequantize(from.range.lo + i));
    double steps = std::floor(y / to.scales[0] + 0.5);
    table[i] = int64_t(std::clamp(steps + double(to.zeroPoints[0]),
                                  double(to.range.lo), double(to.range.hi))) -
               to.zeroPoints[0];
  }
  Builder builder(problem.maxRowLength);
  Value index = narrowOperand(builder, problem) - from.range.lo;
  return storeResult(builder, builder.lookup(std::move(table), index),
                     {to.scales[0]}, problem);
}

//===----------------------------------------------------------------------===//
// Wide inputs
//===----------------------------------------------------------------------===//

static constexpr int64_t kSegments = 16;
/// Positions are 0 to 2^14 - 1.
static constexpr int64_t kPositionBits = 14;
static constexpr int64_t kTop = (int64_t(1) << kPositionBits) - 1;

namespace {
/// f(a) = y(origin - a) for distances a >= 0.
struct Below {
  const Function &function;
  const Problem &problem;
  double origin;

  double operator()(double a) const {
    return evaluate(function, problem, origin - a);
  }
  /// Far below.
  double getLimit() const { return (*this)(1e6); }
  /// What errors are measured by.
  double getUnit() const { return std::max(1.0, std::fabs((*this)(0))); }
  /// The least multiple of 1/4 from which on f is its limit within 2^-16.
  double getReach() const;
};

/// The coefficients of polynomials in t of 0 to 1, one for each segment.
using Polynomials = std::vector<std::array<double, kSegments>>;
} // namespace

double Below::getReach() const {
  double reach = 64;
  while (reach > 0.25 &&
         std::fabs((*this)(reach - 0.25) - getLimit()) < 0x1p-16 * getUnit())
    reach -= 0.25;
  return reach;
}

/// Polynomials of degree 2 or 3 that meet f in equal steps from end to end of
/// segments of `width`.
static Polynomials interpolate(const Below &f, double width, int degree) {
  Polynomials result(degree + 1);
  for (int64_t i = 0; i < kSegments; ++i) {
    double v[4];
    for (int j = 0; j <= degree; ++j)
      v[j] = f(width * (double(i) + double(j) / degree));
    result[0][i] = v[0];
    if (degree == 2) {
      result[1][i] = -3 * v[0] + 4 * v[1] - v[2];
      result[2][i] = 2 * v[0] - 4 * v[1] + 2 * v[2];
    } else {
      result[1][i] = (-11 * v[0] + 18 * v[1] - 9 * v[2] + 2 * v[3]) / 2;
      result[2][i] = (18 * v[0] - 45 * v[1] + 36 * v[2] - 9 * v[3]) / 2;
      result[3][i] = (-9 * v[0] + 27 * v[1] - 27 * v[2] + 9 * v[3]) / 2;
    }
  }
  return result;
}

/// The largest error in the middle of the parts between points that are met.
static double getError(const Below &f, double width,
                       const Polynomials &polynomials) {
  int degree = int(polynomials.size()) - 1;
  double largest = 0;
  for (int64_t i = 0; i < kSegments; ++i)
    for (int j = 0; j < degree; ++j) {
      double t = (j + 0.5) / degree, sum = 0;
      for (int power = degree; power >= 0; --power)
        sum = sum * t + polynomials[power][i];
      largest = std::max(largest, std::fabs(sum - f(width * (double(i) + t))));
    }
  return largest;
}

static Polynomials choosePolynomials(const Below &f, double width) {
  Polynomials parabolas = interpolate(f, width, 2);
  if (getError(f, width, parabolas) <= std::exp2(-12.25) * f.getUnit())
    return parabolas;
  return interpolate(f, width, 3);
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

/// The polynomials at a position, in steps of `unit`.
static Value evaluatePolynomials(Value position, const Polynomials &polynomials,
                                 double unit) {
  Builder &builder = position.getBuilder();
  constexpr int64_t shift = kPositionBits - 4;
  static_assert(kSegments == 16, "the upper 4 bits");
  Value segment = builder.shiftRight(position, shift);
  Value t = builder.shiftLeft(position - builder.shiftLeft(segment, shift),
                              15 - shift);
  Value sum;
  for (size_t power = polynomials.size(); power-- > 0;) {
    Table table;
    for (double coefficient : polynomials[power])
      table.push_back(std::llround(coefficient / unit));
    Value entry = builder.lookup(std::move(table), segment);
    sum = power + 1 == polynomials.size()
              ? entry
              : entry + builder.mulShift(t, sum, 15, Rounding::HalfUp);
  }
  return sum;
}

/// Where the result is at its largest value for functions that grow.
static double getSaturation(const Function &function, const Problem &problem) {
  const Quantized &to = problem.result;
  double largest = 0;
  for (int64_t i = 0; i < int64_t(to.scales.size()); ++i)
    largest = std::max(largest, to.dequantize(to.range.hi, i));
  double x = -64;
  while (x < 64 && evaluate(function, problem, x) < largest)
    x += 0.25;
  return x;
}

static MethodKernel piecewise(const Function &function,
                              const Problem &problem) {
  const Quantized &from = problem.narrowed;
  const double s = from.scales[0];
  const kernel::Interval range = {from.range.lo - from.zeroPoints[0],
                                  from.range.hi - from.zeroPoints[0]};
  Builder builder(problem.maxRowLength);
  Value x = narrowAndCentre(builder, problem);

  // The origin, and the distance from it as far as f changes.
  bool isSymmetric = function.symmetry != Symmetry::None;
  int64_t origin = 0;
  if (!isSymmetric)
    origin = int64_t(std::clamp(std::ceil(getSaturation(function, problem) / s),
                                double(range.lo), double(range.hi)));
  Below f{function, problem, double(origin) * s};
  int64_t most = std::max<int64_t>(
      1, isSymmetric ? std::max(std::abs(range.lo), std::abs(range.hi))
                     : origin - range.lo);
  int64_t last = int64_t(std::ceil(std::min(f.getReach() / s, double(most))));
  Value distance = isSymmetric
                       ? builder.abs(builder.clamp(x, {-last, last}))
                       : origin - builder.clamp(x, {origin - last, origin});
  Value position = getPosition(distance, last);
  const double width =
      double(last) * s / double(kTop) * double((kTop + 1) / kSegments);
  Polynomials polynomials = choosePolynomials(f, width);

  // The own grid: 2^14 steps of the largest value, or the scale of `in`, finer
  // as far as 16 bits allow. f is smaller than a ramp, and may have finer steps
  // so that its roundings do not add up.
  double largest = 0x1p-16;
  for (const auto &coefficients : polynomials)
    for (double coefficient : coefficients)
      largest = std::max(largest, std::fabs(coefficient));
  int64_t up = 0, finer = 0;
  double scale = std::ldexp(f.getUnit(), -14);
  if (function.symmetry == Symmetry::Ramp) {
    while (most << (up + 1) <= INT16_MAX)
      ++up;
    scale = std::ldexp(s, int(-up));
    while (finer < 4 && std::ldexp(largest / scale, int(finer + 1)) <= 0x1p13)
      ++finer;
  }
  const double unit = std::ldexp(scale, int(-finer));
  Value below = evaluatePolynomials(position, polynomials, unit);
  // f does not go beyond its limit.
  int64_t limit = std::llround(f.getLimit() / unit);
  below = f(0.25) < f.getLimit() ? builder.min(below, limit)
                                 : builder.max(below, limit);
  below = builder.shiftRight(below, finer, Rounding::HalfUp);

  Value grid = below;
  if (function.symmetry == Symmetry::Ramp)
    grid = builder.shiftLeft(builder.max(x, 0), up) + below;
  if (function.symmetry == Symmetry::Point)
    grid = builder.select(builder.compare(kernel::Predicate::LT, x, 0), below,
                          std::llround(2 * f(0) / unit) - below);
  return storeResult(builder, grid, {scale}, problem);
}

llvm::Expected<MethodKernel> nlq::methods::tabulate(const Function &function,
                                                    const Problem &problem) {
  if (llvm::Error error =
          requireOneScale(problem, "a table for each column would be needed"))
    return std::move(error);
  const Quantized &from = problem.narrowed;
  int64_t entries = from.range.hi - from.range.lo + 1;
  if (entries <= 256 && problem.result.isPerTensor())
    return entryPerValue(function, problem, entries);
  if (entries > 65536 ||
      std::max(std::abs(from.range.lo - from.zeroPoints[0]),
               std::abs(from.range.hi - from.zeroPoints[0])) > 65536)
    return refuse("the type 'in' takes values in [" +
                  llvm::Twine(from.range.lo) + ", " +
                  llvm::Twine(from.range.hi) +
                  "], and 16 bits around the zero point are allowed");
  return piecewise(function, problem);
}
