//===- Steps.cpp - First and last steps of kernels ------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Steps.h"
#include "nlq/Kernel/Bound.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <cmath>
#include <optional>

using namespace nlq;
using namespace nlq::methods;
using kernel::Builder;
using kernel::Value;

llvm::Error nlq::methods::refuse(const llvm::Twine &reason) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), reason);
}

std::string nlq::methods::text(double value) {
  std::string result;
  llvm::raw_string_ostream(result) << llvm::format("%.6g", value);
  return result;
}

std::vector<double> nlq::methods::ratiosOfScales(llvm::ArrayRef<double> in,
                                                 llvm::ArrayRef<double> out) {
  std::vector<double> ratios(std::max(in.size(), out.size()));
  for (size_t i = 0; i < ratios.size(); ++i)
    ratios[i] = in[in.size() == 1 ? 0 : i] / out[out.size() == 1 ? 0 : i];
  return ratios;
}

kernel::Rounding nlq::methods::stepRounding(Form form) {
  return form == Form::Reference ? kernel::Rounding::HalfEven
                                 : kernel::Rounding::HalfUp;
}

/// Accumulators in 8 bits by products of words. With k such that what does not
/// saturate fits 16 bits after a shift by k, and f as many fractional bits as
/// the result then leaves there, 5 to 7,
///   w = clamp(floor(x / 2^k));  y = rnd(rnd(w * M / 2^15) / 2^f)
///   M = rnd(ratio * 2^(k+f+15))
/// so that y is off by less than 2^(1-f) steps beside its last rounding: one of
/// 2^-f by the floor, a half each by M and by the first rounding. Needs
/// ratios within a factor of 2 of each other, and no zero point.
static std::optional<Value> narrowInWords(Value x, const Quantized &from,
                                          const Quantized &to) {
  std::vector<double> ratios = ratiosOfScales(from.scales, to.scales);
  const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
  const int64_t zero = to.zeroPoints[0];
  const int64_t reach = std::max(zero - to.range.lo, to.range.hi - zero) + 1;
  if (kernel::storageRange(16).contains(from.range) ||
      to.range.hi - to.range.lo > 255 || reach > 256 || *least <= 0 ||
      *most > 2 * *least ||
      llvm::any_of(from.zeroPoints, [](int64_t zero) { return zero != 0; }))
    return std::nullopt;
  int k = 0;
  while (k < 24 && std::ldexp(double(reach) / *least, -k) > INT16_MAX)
    ++k;
  int fraction = 7;
  while (fraction >= 5 &&
         (std::llround(std::ldexp(*most, k + fraction + 15)) > INT16_MAX ||
          reach << fraction > INT16_MAX))
    --fraction;
  if (k == 0 || k == 24 || fraction < 5)
    return std::nullopt;

  Builder &builder = x.getBuilder();
  std::vector<int64_t> multipliers;
  for (double ratio : ratios)
    multipliers.push_back(std::llround(std::ldexp(ratio, k + fraction + 15)));
  Value multiplier = multipliers.size() == 1
                         ? builder.constant(multipliers[0])
                         : builder.column("multiplier", multipliers);
  Value word = builder.clamp(builder.shiftRight(x, k, kernel::Rounding::Floor),
                             kernel::storageRange(16));
  Value fine = builder.mulShift(word, multiplier, builder.constant(15),
                                kernel::Rounding::HalfUp);
  Value y = builder.mulShift(fine, int64_t(1) << (15 - fraction), 15,
                             kernel::Rounding::HalfUp);
  return builder.clamp(y, {to.range.lo - zero, to.range.hi - zero}) + zero;
}

Value nlq::methods::narrowOperand(Builder &builder, const Problem &problem) {
  const Quantized &from = problem.operand, &to = problem.narrowed;
  Value x = builder.element("x", from.bits, from.range, from.isSigned);
  if (from == to)
    return x;
  if (problem.form == Form::Corrected)
    if (std::optional<Value> narrow = narrowInWords(x, from, to))
      return narrow->named("in");
  return kernel::requantize(x, ratiosOfScales(from.scales, to.scales),
                            from.zeroPoints, to.zeroPoints[0], to.range,
                            stepRounding(problem.form))
      .named("in");
}

Value nlq::methods::narrowAndCentre(Builder &builder, const Problem &problem) {
  Value q = narrowOperand(builder, problem);
  const std::vector<int64_t> &zeroPoints = problem.narrowed.zeroPoints;
  if (llvm::all_of(zeroPoints, [](int64_t zero) { return zero == 0; }))
    return q;
  return q - builder.column("zero_point", zeroPoints);
}

/// Names the node of `grid`, below its assumptions, and returns the name.
static std::string nameGrid(Value grid) {
  kernel::Graph &graph = grid.getBuilder().getGraph();
  kernel::NodeId id = grid.getId();
  while (graph.nodes[id].opcode == kernel::Opcode::Assume)
    id = graph.nodes[id].operands[0];
  Value(&grid.getBuilder(), id).named("grid");
  return graph.nodes[id].text;
}

/// 15 bits where that keeps elements of 16 bits narrow and is off by less than
/// 2^-4 steps of an 8-bit result (2^-13 of at most 2^8 steps); 31 otherwise.
static unsigned getMultiplierBits(Value grid, const Problem &problem) {
  if (problem.form == Form::Reference ||
      problem.result.range.hi - problem.result.range.lo > 255)
    return 31;
  llvm::Expected<kernel::Interval> range =
      kernel::boundNode(grid.getBuilder().getGraph(), grid.getId());
  if (!range) {
    llvm::consumeError(range.takeError()); // the finished graph is refused, too
    return 31;
  }
  return kernel::storageRange(16).contains(*range) ? 15 : 31;
}

MethodKernel nlq::methods::storeResult(Builder &builder, Value grid,
                                       std::vector<double> scales,
                                       const Problem &problem) {
  const Quantized &to = problem.result;
  std::string name = nameGrid(grid);
  std::vector<double> ratios = ratiosOfScales(scales, to.scales);
  Value stored;
  if (llvm::all_of(ratios, [](double ratio) { return ratio == 1; }))
    stored = builder.clamp(grid, {to.range.lo - to.zeroPoints[0],
                                  to.range.hi - to.zeroPoints[0]}) +
             to.zeroPoints[0];
  else
    stored = kernel::requantize(grid, ratios, {0}, to.zeroPoints[0], to.range,
                                stepRounding(problem.form),
                                getMultiplierBits(grid, problem));
  MethodKernel result;
  result.kernel = builder.finish(stored, to.bits);
  result.grid.node = std::move(name);
  result.grid.scales = std::move(scales);
  return result;
}

MethodKernel nlq::methods::storeLog2Result(Builder &builder, Value grid,
                                           int64_t zero,
                                           const Problem &problem) {
  // 2^-grid on a linear grid of powers of two: the result's own, if it is one.
  // Otherwise one that is finer than any 16-bit result needs.
  int64_t fraction = 30;
  if (problem.result.isPerTensor()) {
    int exponent;
    if (std::frexp(problem.result.scales[0], &exponent) == 0.5 &&
        exponent <= 1 && exponent > -30)
      fraction = 1 - exponent;
  }
  std::string name = nameGrid(grid);
  // A shift of 2^fraction by more than 62 rounds to 0 as 62 does.
  Value power =
      builder.shiftRight(builder.constant(int64_t(1) << fraction),
                         builder.min(grid, 62), stepRounding(problem.form));
  power = builder
              .select(builder.compare(kernel::Predicate::EQ, grid,
                                      builder.constant(zero)),
                      builder.constant(0), power)
              .named("power");
  MethodKernel result =
      storeResult(builder, power, {std::ldexp(1.0, int(-fraction))}, problem);
  result.grid.node = std::move(name);
  result.grid.scales.clear();
  result.grid.isLog2 = true;
  result.grid.zero = zero;
  return result;
}

llvm::Error nlq::methods::requireOneScale(const Problem &problem,
                                          llvm::StringRef why) {
  if (problem.narrowed.isPerTensor())
    return llvm::Error::success();
  return refuse("the type 'in' has one scale per column, and " + why);
}
