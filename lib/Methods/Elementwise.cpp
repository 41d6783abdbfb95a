//===- Elementwise.cpp - Element-wise functions looked up -----------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Elementwise.h"
#include "Folding.h"
#include <algorithm>
#include <array>
#include <cmath>

using namespace nlq;
using namespace nlq::methods;
using kernel::Builder;
using kernel::Rounding;
using kernel::Table;
using kernel::Value;

/// One entry per value of `in`.
static MethodKernel entryPerValue(const Function &function,
                                  const Problem &problem, int64_t entries) {
  const Quantized &from = problem.narrowed, &to = problem.result;
  Table table(entries);
  for (int64_t i = 0; i < entries; ++i) {
    double y =
        evaluateAt(function, problem, from.dequantize(from.range.lo + i));
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
static constexpr int64_t kTop = (int64_t(1) << kPositionBits) - 1;

/// The coefficients of polynomials in t of 0 to 1, one for each segment.
using Polynomials = std::vector<std::array<double, kSegments>>;

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

static MethodKernel piecewise(const Function &function,
                              const Problem &problem) {
  Builder builder(problem.maxRowLength);
  Folded folded(builder, function, problem);
  Polynomials polynomials = choosePolynomials(
      folded.below, folded.step * double((kTop + 1) / kSegments));
  double largest = 0;
  for (const auto &coefficients : polynomials)
    for (double coefficient : coefficients)
      largest = std::max(largest, std::fabs(coefficient));
  return folded.store(largest, [&](Value position, double unit) {
    return evaluatePolynomials(position, polynomials, unit);
  });
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
