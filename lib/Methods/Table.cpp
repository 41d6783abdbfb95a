//===- Table.cpp - Exact values looked up ---------------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Exact values, computed when the kernel is built and looked up by it: the best
// any method can do with an input of so few values. Where an input has many,
// tables of 16 entries, which one instruction can hold, are put together:
//   gelu     up to 256 values of `in` and one scale of the result: one entry
//   per
//            value, on the result's grid (as the lookup operators of TFLite and
//            TOSA do). Otherwise max(x, 0) and what GELU is below it, which
//            depends on |x| and is 0 far away, by 16 parabolas.
//   softmax  e^(-s*d) for the distance d from the row's maximum as a product
//            (tabulatedExp), and shares of the row sum, all in 16 bits.
// There is no published arithmetic to reproduce, hence no reference form.
//
//===----------------------------------------------------------------------===//

#include "AllMethods.h"
#include "Exponential.h"
#include "nlq/Methods/Functions.h"
#include <algorithm>
#include <cmath>

using namespace nlq;
using namespace nlq::methods;
using kernel::Builder;
using kernel::Rounding;
using kernel::Table;
using kernel::Value;

/// The exact GELU.
static std::vector<double> gelu(const Problem &problem,
                                const std::vector<double> &x) {
  std::vector<double> y(x.size());
  lookupFunction("gelu")->evaluate(x, problem, y);
  return y;
}

/// One entry per value of `in`.
static MethodKernel entryPerValue(const Problem &problem, int64_t entries) {
  const Quantized &from = problem.narrowed, &to = problem.result;
  std::vector<double> in(entries);
  for (int64_t i = 0; i < entries; ++i)
    in[i] = from.dequantize(from.range.lo + i);
  std::vector<double> out = gelu(problem, in);
  Table table(entries);
  for (int64_t i = 0; i < entries; ++i) {
    double steps = std::floor(out[i] / to.scales[0] + 0.5);
    table[i] = int64_t(std::clamp(steps + double(to.zeroPoints[0]),
                                  double(to.range.lo), double(to.range.hi))) -
               to.zeroPoints[0];
  }
  Builder builder(problem.maxRowLength);
  Value index = narrowOperand(builder, problem) - from.range.lo;
  return storeResult(builder, builder.lookup(std::move(table), index),
                     {to.scales[0]}, problem);
}

/// GELU(x) = max(x, 0) + f(|x|) with f(a) = GELU(-a), for both kinds; f is 0
/// beyond 4.5 to within 2^-16. 0 to 4.5 (less if `in` reaches less far) is 2^14
/// steps, 16 segments of h = 0.28 each. In each a parabola meets f at both ends
/// and in the middle; it is off by at most h^3/125 times the third
/// derivative, 1.3e-4.
static MethodKernel parabolas(const Problem &problem) {
  const Quantized &from = problem.narrowed;
  const double s = from.scales[0];
  Builder builder(problem.maxRowLength);
  Value x = narrowAndCentre(builder, problem);
  // The own grid: the scale of `in`, finer as far as 16 bits allow.
  int64_t most = std::max(std::abs(from.range.lo - from.zeroPoints[0]),
                          std::abs(from.range.hi - from.zeroPoints[0]));
  int64_t fine = 0;
  while (most << (fine + 1) <= INT16_MAX)
    ++fine;
  const double scale = std::ldexp(s, int(-fine));

  // |x| to 0 ... 2^14 - 1, by a factor of 1/2 to 1 from 2^14 ... 2^15 - 1.
  int64_t last = int64_t(std::ceil(std::min(4.5 / s, double(most))));
  int64_t up = 0;
  while (last << (up + 1) <= INT16_MAX)
    ++up;
  while (last << up > INT16_MAX)
    --up;
  Value distance = builder.abs(builder.clamp(x, {-last, last}));
  distance = up >= 0 ? builder.shiftLeft(distance, up)
                     : builder.shiftRight(distance, -up);
  const int64_t top = (int64_t(1) << 14) - 1;
  int64_t factor = std::llround(
      std::ldexp(double(top) / std::ldexp(double(last), int(up)), 15));
  Value position = builder.min(
      builder.mulShift(distance, factor, 15, Rounding::HalfUp), top);
  Value segment = builder.shiftRight(position, 10);
  Value t = builder.shiftLeft(position - builder.shiftLeft(segment, 10), 5);

  const double h = double(last) * s / double(top) * 1024;
  std::vector<double> knots(33);
  for (size_t i = 0; i < knots.size(); ++i)
    knots[i] = -h / 2 * double(i);
  std::vector<double> f = gelu(problem, knots);
  // f, which is above -0.2, has steps of its own so that its roundings do not
  // add up; |slopes| and |curvatures| are below 0.5 h.
  int64_t finer = 0;
  while (finer < 4 && std::ldexp(0.25 / scale, int(finer + 1)) <= 0x1p13)
    ++finer;
  const double unit = std::ldexp(scale, int(-finer));
  Table constants(16), slopes(16), curvatures(16);
  for (size_t i = 0; i < 16; ++i) {
    double start = f[2 * i], middle = f[2 * i + 1], end = f[2 * i + 2];
    constants[i] = std::llround(start / unit);
    slopes[i] = std::llround((4 * middle - 3 * start - end) / unit);
    curvatures[i] = std::llround(2 * (start - 2 * middle + end) / unit);
  }
  auto times = [&](Value factor) {
    return builder.mulShift(t, factor, 15, Rounding::HalfUp);
  };
  Value below = builder.lookup(std::move(constants), segment) +
                times(builder.lookup(std::move(slopes), segment) +
                      times(builder.lookup(std::move(curvatures), segment)));
  below = builder.shiftRight(builder.min(below, 0), finer, Rounding::HalfUp);
  Value grid = builder.shiftLeft(builder.max(x, 0), fine) + below;
  return storeResult(builder, grid, {scale}, problem);
}

static llvm::Expected<MethodKernel> buildGelu(const Problem &problem) {
  if (llvm::Error error =
          requireOneScale(problem, "a table for each column would be needed"))
    return std::move(error);
  const Quantized &from = problem.narrowed;
  int64_t entries = from.range.hi - from.range.lo + 1;
  if (entries <= 256 && problem.result.isPerTensor())
    return entryPerValue(problem, entries);
  if (entries > 65536 ||
      std::max(std::abs(from.range.lo - from.zeroPoints[0]),
               std::abs(from.range.hi - from.zeroPoints[0])) > 65536)
    return refuse("the type 'in' takes values in [" +
                  llvm::Twine(from.range.lo) + ", " +
                  llvm::Twine(from.range.hi) +
                  "], and 16 bits around the zero point are allowed");
  return parabolas(problem);
}

static llvm::Expected<MethodKernel> buildSoftmax(const Problem &problem) {
  if (llvm::Error error =
          requireOneScale(problem, "a softmax compares columns"))
    return std::move(error);
  const double s = problem.narrowed.scales[0];
  const kernel::Interval range = problem.narrowed.range;
  Builder builder(problem.maxRowLength);
  Value x = narrowOperand(builder, problem);
  Value largest = builder.reduceMax(x).named("row_max");

  // From here on the exponential rounds to 0.
  double vanishing = std::ceil(kTabulatedReach / s);
  int64_t farthest =
      int64_t(std::min(vanishing, double(range.hi) - double(range.lo)));
  if (farthest < range.hi - range.lo)
    x = builder.max(x, builder.max(largest - farthest, range.lo));
  Value d = builder.assume(
      largest - x, {0, farthest},
      "an element was raised to no less than so much below the maximum");
  // In 15 bits, coarser if need be: a step is 7e-4 at most then, and the
  // exponential off by half of that, relatively.
  int64_t coarser = 0;
  while (((farthest >> coarser) + 1) > INT16_MAX)
    ++coarser;
  d = builder.shiftRight(d, coarser, Rounding::HalfUp).named("distance");
  return storeShares(builder,
                     tabulatedExp(d, std::ldexp(s, int(coarser)),
                                  (farthest >> coarser) + (coarser > 0)),
                     problem);
}

static const Candidate kSoftmaxWidths[] = {
    {Profile::Extra, Narrowing::None, 0, 16},
    {Profile::Extra, Narrowing::Symmetric, 0, 16},
    {Profile::Extra, Narrowing::Symmetric, 16, 16},
};
static const Candidate kGeluWidths[] = {
    {Profile::Extra, Narrowing::Symmetric, 0, 16},
    {Profile::Extra, Narrowing::Asymmetric, 8, 16},
    {Profile::Extra, Narrowing::Symmetric, 12, 16},
    {Profile::Extra, Narrowing::Symmetric, 16, 16},
};
static const Implementation kImplementations[] = {
    {"softmax", Form::Corrected, buildSoftmax, kSoftmaxWidths},
    {"gelu", Form::Corrected, buildGelu, kGeluWidths},
};
/// A row normalisation has too many inputs for a table.
static const Fallback kFallbacks[] = {{"layer_norm", "ibert"}};

const Method nlq::methods::kTable = {
    "table",
    "table",
    "exact values looked up in tables",
    "TOSA TABLE and TFLite's lookup operators; softmax by exact differences",
    kImplementations,
    kFallbacks};
