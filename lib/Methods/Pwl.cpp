//===- Pwl.cpp - Lines on chosen segments ---------------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Functions of one element, of operands with too many values for a table, by up
// to 16 lines: 15 comparisons find the segment, two tables of 16 entries the
// line. What is below an origin is approximated, as far as the function
// changes, and the rest follows by symmetry (Folding.h).
//
// Where segments meet, the cuts, is the best choice there is among 63 places:
// of all ways to have 16 segments the one with the least squared error, by
// dynamic programming. Errors count as often as calibration has seen their
// distance from the origin (chooseCuts), or all alike. A segment's line is that
// of least squares with all distances alike, so that the cuts, which the
// attribute holds, say all that a kernel depends on.
//
// The ideas are public: cuts by dynamic programming are from NLI (arXiv
// 2602.02988), weights by calibration from DAPA (arXiv 2603.19338), 16 lines as
// two tables from NN-LUT (DAC 2022, arXiv 2112.02191). The arithmetic is nlq's,
// hence no reference form.
//
//===----------------------------------------------------------------------===//

#include "AllMethods.h"
#include "Folding.h"
#include <array>
#include <cmath>
#include <limits>

using namespace nlq;
using namespace nlq::methods;
using kernel::Builder;
using kernel::Rounding;
using kernel::Table;
using kernel::Value;

static constexpr int kMaxSegments = 16;
/// Cuts are at multiples of a cell of 2^8 positions.
static constexpr int kCells = 64;
static constexpr int kCellBits = kPositionBits - 6;
/// Errors are summed up at so many places of a cell.
static constexpr int kSamplesPerCell = 4;

namespace {
/// f ~ start + slope * (t - that of the segment's begin), t in cells.
struct Line {
  double start = 0, slope = 0;
};

/// Sums over samples from the first cell on, for lines of any segment and their
/// errors in constant time.
class Sums {
public:
  /// `weights`, one per cell, count errors.
  Sums(const Folded &folded, llvm::ArrayRef<double> weights);

  /// The line of least squares, and its weighted squared error.
  Line fit(int begin, int end) const;
  double getError(int begin, int end) const;

private:
  /// Of 1, t, t^2, f, t f and f^2, all alike and weighted.
  using Moments = std::array<double, 6>;
  static Moments subtract(const Moments &a, const Moments &b);

  std::array<Moments, kCells + 1> alike = {}, weighted = {};
};
} // namespace

Sums::Sums(const Folded &folded, llvm::ArrayRef<double> weights) {
  const double cell = folded.step * double(1 << kCellBits);
  for (int i = 0; i < kCells; ++i) {
    alike[i + 1] = alike[i];
    weighted[i + 1] = weighted[i];
    for (int j = 0; j < kSamplesPerCell; ++j) {
      double t = i + (j + 0.5) / kSamplesPerCell, f = folded.below(t * cell);
      Moments moments = {1, t, t * t, f, t * f, f * f};
      for (size_t k = 0; k < moments.size(); ++k) {
        alike[i + 1][k] += moments[k];
        weighted[i + 1][k] += weights[i] * moments[k];
      }
    }
  }
}

Sums::Moments Sums::subtract(const Moments &a, const Moments &b) {
  Moments result;
  for (size_t k = 0; k < result.size(); ++k)
    result[k] = a[k] - b[k];
  return result;
}

Line Sums::fit(int begin, int end) const {
  auto [n, t, tt, f, tf, ff] = subtract(alike[end], alike[begin]);
  Line line;
  line.slope = (n * tf - t * f) / (n * tt - t * t);
  line.start = (f - line.slope * t) / n + line.slope * begin;
  return line;
}

double Sums::getError(int begin, int end) const {
  Line line = fit(begin, end);
  double a = line.start - line.slope * begin, b = line.slope;
  auto [n, t, tt, f, tf, ff] = subtract(weighted[end], weighted[begin]);
  double error = ff + a * a * n + b * b * tt + 2 * (a * b * t - a * f - b * tf);
  return std::max(error, 0.0);
}

/// The cuts of kMaxSegments segments with the least sum of errors. least[m][j]
/// is that of the first j cells in m + 1 segments, the last of which begins at
/// from[m][j].
static std::vector<int64_t> optimize(const Sums &sums) {
  double errors[kCells][kCells + 1];
  for (int i = 0; i < kCells; ++i)
    for (int j = i + 1; j <= kCells; ++j)
      errors[i][j] = sums.getError(i, j);
  double least[kMaxSegments][kCells + 1];
  int from[kMaxSegments][kCells + 1];
  for (int j = 1; j <= kCells; ++j)
    least[0][j] = errors[0][j];
  for (int m = 1; m < kMaxSegments; ++m)
    for (int j = m + 1; j <= kCells; ++j) {
      least[m][j] = std::numeric_limits<double>::infinity();
      for (int i = m; i < j; ++i)
        if (double sum = least[m - 1][i] + errors[i][j]; sum < least[m][j]) {
          least[m][j] = sum;
          from[m][j] = i;
        }
    }
  std::vector<int64_t> cuts(kMaxSegments - 1);
  for (int m = kMaxSegments - 1, j = kCells; m > 0; --m)
    cuts[m - 1] = j = from[m][j];
  return cuts;
}

/// Cells weighted as often as their distances have been seen: 99 of 100 parts,
/// and one part all alike, so that what calibration has not seen is not left to
/// chance.
static std::vector<double> weigh(const Folded &folded,
                                 const Distribution &distribution) {
  std::vector<double> seen(kCells);
  double total = 0;
  const double cell = folded.step * double(1 << kCellBits);
  for (size_t bin = 0; bin < distribution.counts.size(); ++bin) {
    double x = distribution.lowest + distribution.width * (double(bin) + 0.5);
    double distance = folded.below.origin - x;
    if (folded.function.symmetry != Symmetry::None)
      distance = std::fabs(distance);
    // Beyond the ends there is no error to weigh.
    double at = distance / cell;
    if (at < 0 || at >= kCells)
      continue;
    seen[size_t(at)] += double(distribution.counts[bin]);
    total += double(distribution.counts[bin]);
  }
  std::vector<double> weights(kCells, 0.01 / kCells);
  if (total > 0)
    for (int i = 0; i < kCells; ++i)
      weights[i] += 0.99 * seen[i] / total;
  return weights;
}

/// Of the segments of `cuts`, the line at a position, in steps of `unit`.
static Value evaluateLines(Value position, llvm::ArrayRef<int64_t> cuts,
                           llvm::ArrayRef<Line> lines, double unit) {
  Builder &builder = position.getBuilder();
  Value segment = builder.constant(0);
  Table begins = {0}, starts, slopes;
  for (int64_t cut : cuts) {
    begins.push_back(cut << kCellBits);
    segment = segment + builder.compare(kernel::Predicate::GE, position,
                                        cut << kCellBits);
  }
  // Slopes in unit / position have 15 bits together with the shift.
  double steepest = 0x1p-20;
  for (const Line &line : lines)
    steepest = std::max(steepest,
                        std::fabs(std::ldexp(line.slope, -kCellBits) / unit));
  int64_t shift = 0;
  while (shift < 30 && std::ldexp(steepest, int(shift + 1)) <= INT16_MAX)
    ++shift;
  for (const Line &line : lines) {
    starts.push_back(std::llround(line.start / unit));
    slopes.push_back(
        std::llround(std::ldexp(line.slope, int(shift) - kCellBits) / unit));
  }
  Value rest = builder.assume(
      position - builder.lookup(std::move(begins), segment),
      {0, (int64_t(1) << kPositionBits) - 1},
      "a segment begins at or before the positions that are in it");
  return builder.lookup(std::move(starts), segment) +
         builder.mulShift(rest, builder.lookup(std::move(slopes), segment),
                          builder.constant(shift), Rounding::HalfUp);
}

static llvm::Expected<MethodKernel> approximate(const Function &function,
                                                const Problem &problem) {
  if (problem.cuts.size() >= kMaxSegments)
    return refuse("there are " + llvm::Twine(problem.cuts.size()) +
                  " cuts, and at most 15 are allowed");
  Builder builder(problem.maxRowLength);
  Folded folded(builder, function, problem);
  Sums sums(folded, std::vector<double>(kCells, 1.0));
  std::vector<int64_t> cuts = problem.cuts;
  if (cuts.empty())
    cuts = optimize(sums);
  std::vector<Line> lines;
  double largest = 0;
  int begin = 0;
  for (size_t i = 0; i <= cuts.size(); ++i) {
    int end = i < cuts.size() ? int(cuts[i]) : kCells;
    lines.push_back(sums.fit(begin, end));
    largest = std::max(
        {largest, std::fabs(lines.back().start),
         std::fabs(lines.back().start + lines.back().slope * (end - begin))});
    begin = end;
  }
  return folded.store(largest, [&](Value position, double unit) {
    return evaluateLines(position, cuts, lines, unit);
  });
}

static std::vector<int64_t> chooseCuts(const Function &function,
                                       const Problem &problem,
                                       const Distribution &distribution) {
  Builder builder(problem.maxRowLength);
  Folded folded(builder, function, problem);
  return optimize(Sums(folded, weigh(folded, distribution)));
}

//===----------------------------------------------------------------------===//
// The entry
//===----------------------------------------------------------------------===//

static constexpr llvm::StringLiteral kGelu = "gelu", kSilu = "silu",
                                     kSigmoid = "sigmoid", kTanh = "tanh",
                                     kExp = "exp";

static const Candidate kWidths[] = {
    {Profile::Other, Narrowing::Symmetric, 16, 16},
    {Profile::Other, Narrowing::None, 0, 16},
};

template <const llvm::StringLiteral &name> struct Lines {
  static llvm::Expected<MethodKernel> build(const Problem &problem) {
    return approximate(getFunction(name), problem);
  }
  static std::vector<int64_t> choose(const Problem &problem,
                                     const Distribution &distribution) {
    return chooseCuts(getFunction(name), problem, distribution);
  }
  static constexpr Implementation entry() {
    return {name, Form::Corrected, build, kWidths, choose};
  }
};

static const Implementation kImplementations[] = {
    Lines<kGelu>::entry(), Lines<kSilu>::entry(), Lines<kSigmoid>::entry(),
    Lines<kTanh>::entry(), Lines<kExp>::entry(),
};
/// A row is no function of one element.
static const Fallback kFallbacks[] = {{"softmax", "table"},
                                      {"layer_norm", "ibert"}};

const Method nlq::methods::kPwl = {
    "pwl",
    "piecewise linear",
    "lines on segments chosen for the distribution of the operand",
    "segments as in NLI, arXiv 2602.02988, weights as in DAPA, arXiv "
    "2603.19338",
    kImplementations,
    kFallbacks};
