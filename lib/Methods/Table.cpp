//===- Table.cpp - Exact values looked up ---------------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Exact values, computed when the kernel is built and looked up by it: the best
// any method can do with an input of so few values.
//   gelu     up to 256 values of `in`: one entry per value, on the result's
//   grid
//            (as the lookup operators of TFLite and TOSA do), or on one of 16
//            bits where the result has a scale per column. More: max(x, 0) and
//            what GELU is below it, which depends on |x| and is 0 far away,
//            interpolated between at most 128 entries.
//   softmax  e^(-s*d) for the distance d from the row's maximum, one reciprocal
//            of the row sum, one rounded product per element. Distances too
//            large for one table are split in high and low bits, and the
//            exponentials of both multiplied.
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

static constexpr int64_t kMaxEntries = 4096;

/// The largest magnitude on a grid of 16 bits.
static constexpr double kLargest16 = 32767;

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
  // A result with one scale: its own grid, so that nothing is rounded twice.
  // Otherwise 16 bits for all that some column can hold.
  double scale = to.scales[0];
  kernel::Interval range{to.range.lo - to.zeroPoints[0],
                         to.range.hi - to.zeroPoints[0]};
  if (!to.isPerTensor()) {
    double largest = 0, widest = 0;
    for (double y : out)
      largest = std::max(largest, std::fabs(y));
    for (double columnScale : to.scales)
      widest =
          std::max(widest, columnScale * double(std::max(-range.lo, range.hi)));
    scale = std::max(std::min(largest, widest) / kLargest16, 0x1p-60);
    range = {-int64_t(kLargest16), int64_t(kLargest16)};
  }
  Table table(entries);
  for (int64_t i = 0; i < entries; ++i)
    table[i] = int64_t(std::clamp(std::floor(out[i] / scale + 0.5),
                                  double(range.lo), double(range.hi)));
  Builder builder(problem.maxRowLength);
  Value index = narrowOperand(builder, problem) - from.range.lo;
  return storeResult(builder, builder.lookup(std::move(table), index), {scale},
                     problem);
}

/// GELU(x) = max(x, 0) + f(|x|) with f(a) = GELU(-a), for both kinds; f is 0
/// beyond 4.5 to within 2^-16. Between entries that are h apart f is
/// interpolated linearly, which is off by h^2/8 f'' where the entries are exact
/// (f'' is at most 0.8): they are moved by half of that, so that the error has
/// either sign. At most 128 entries and h a power of two in steps of `in` make
/// it 2.5e-4 at most.
static MethodKernel interpolated(const Problem &problem) {
  const int64_t kSegments = 128;
  const Quantized &from = problem.narrowed;
  const double s = from.scales[0];
  Builder builder(problem.maxRowLength);
  Value x = narrowAndCentre(builder, problem);
  // The own grid: the scale of `in`, finer as far as 16 bits allow.
  int64_t most = std::max(std::abs(from.range.lo - from.zeroPoints[0]),
                          std::abs(from.range.hi - from.zeroPoints[0]));
  int64_t fine = 0;
  while (double(most << (fine + 1)) <= kLargest16)
    ++fine;
  double scale = std::ldexp(s, int(-fine));
  int64_t reach = int64_t(std::ceil(std::min(4.5 / s, double(most))));
  int64_t lowBits = 0;
  while (reach >= kSegments << lowBits)
    ++lowBits;
  const double step = std::ldexp(s, int(lowBits));

  std::vector<double> knots(kSegments + 3);
  for (int64_t i = 0; i < kSegments + 3; ++i)
    knots[i] = -step * double(i - 1);
  std::vector<double> f = gelu(problem, knots);
  Table values(kSegments + 1);
  for (int64_t i = 0; i <= kSegments; ++i) {
    double curvature = f[i] - 2 * f[i + 1] + f[i + 2];
    double moved = f[i + 1] - (lowBits > 0 ? curvature / 16 : 0);
    values[i] = std::llround(moved / scale);
  }
  Table slopes(kSegments);
  for (int64_t i = 0; i < kSegments; ++i)
    slopes[i] = values[i + 1] - values[i];
  values.pop_back();

  int64_t last = (kSegments << lowBits) - 1;
  Value distance = builder.abs(builder.clamp(x, {-last, last}));
  Value segment = builder.shiftRight(distance, lowBits);
  Value below = builder.lookup(std::move(values), segment);
  if (lowBits > 0)
    below =
        below + builder.mulShift(builder.lookup(std::move(slopes), segment),
                                 distance - builder.shiftLeft(segment, lowBits),
                                 builder.constant(lowBits), Rounding::HalfUp);
  Value grid = builder.shiftLeft(builder.max(x, 0), fine) + below;
  return storeResult(builder, grid, {scale}, problem);
}

static llvm::Expected<MethodKernel> buildGelu(const Problem &problem) {
  if (llvm::Error error =
          requireOneScale(problem, "a table for each column would be needed"))
    return std::move(error);
  const Quantized &from = problem.narrowed;
  int64_t entries = from.range.hi - from.range.lo + 1;
  if (entries <= 256)
    return entryPerValue(problem, entries);
  if (entries > 65536 ||
      std::max(std::abs(from.range.lo - from.zeroPoints[0]),
               std::abs(from.range.hi - from.zeroPoints[0])) > 65536)
    return refuse("the type 'in' takes values in [" +
                  llvm::Twine(from.range.lo) + ", " +
                  llvm::Twine(from.range.hi) +
                  "], and 16 bits around the zero point are allowed");
  return interpolated(problem);
}

/// rnd(one * e^(-step * i)) for i = 0 ... entries - 1.
static Table exponentials(double step, int64_t entries, int64_t one) {
  Table table(entries);
  for (int64_t i = 0; i < entries; ++i)
    table[i] = std::llround(double(one) * std::exp(-step * double(i)));
  return table;
}

static llvm::Expected<MethodKernel> buildSoftmax(const Problem &problem) {
  if (llvm::Error error =
          requireOneScale(problem, "a softmax compares columns"))
    return std::move(error);
  double s = problem.narrowed.scales[0];
  const int64_t one = int64_t(1) << 16;
  Builder builder(problem.maxRowLength);
  Value d = distanceFromMax(narrowOperand(builder, problem));

  // From here on the exponential is below a quarter of its grid's step.
  double farthest = std::ceil(std::log(4.0 * double(one)) / s);
  double distances = std::min(farthest, double(problem.narrowed.range.hi) -
                                            double(problem.narrowed.range.lo));
  if (distances < double(kMaxEntries)) {
    int64_t last = int64_t(distances);
    Value e =
        builder.lookup(exponentials(s, last + 1, one), builder.min(d, last));
    return storeShares(builder, {e.named("exponential"), one}, problem);
  }
  // e^(-s*d) = e^(-s*256*high) * e^(-s*low), low in 0 to 255. The first factor
  // has 14 bits more than the product, so that small ones keep their value.
  double highs = std::floor(distances / 256) + 1;
  if (highs > double(kMaxEntries))
    return refuse("at the scale " + text(s) +
                  " the exponential needs a table of " + text(highs) +
                  " entries, and " + llvm::Twine(kMaxEntries) + " are allowed");
  d = builder.min(d, int64_t(distances));
  Value high = builder.shiftRight(d, 8);
  Value low = d - builder.shiftLeft(high, 8);
  const int64_t extraBits = 14;
  Value e = builder.mulShift(
      builder.lookup(exponentials(256 * s, int64_t(highs), one << extraBits),
                     high),
      builder.lookup(exponentials(s, 256, int64_t(1) << extraBits), low),
      builder.constant(2 * extraBits), Rounding::HalfUp);
  return storeShares(builder, {e.named("exponential"), one}, problem);
}

static const Candidate kSoftmaxWidths[] = {
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
