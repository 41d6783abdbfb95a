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
//   gelu     one entry per value of `in`, on the result's grid (as the lookup
//            operators of TFLite and TOSA do);
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

static llvm::Expected<MethodKernel> buildGelu(const Problem &problem) {
  const Quantized &from = problem.narrowed, &to = problem.result;
  if (llvm::Error error =
          requireOneScale(problem, "a table for each column would be needed"))
    return std::move(error);
  if (!to.isPerTensor())
    return refuse("the result has one scale per column, and a table for each "
                  "would be needed");
  int64_t entries = from.range.hi - from.range.lo + 1;
  if (entries > 256)
    return refuse("the type 'in' takes " + llvm::Twine(entries) +
                  " values, and a table of at most 256 is allowed");
  std::vector<double> in(entries), out(entries);
  for (int64_t i = 0; i < entries; ++i)
    in[i] = from.dequantize(from.range.lo + i);
  lookupFunction("gelu")->evaluate(in, problem, out);
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
