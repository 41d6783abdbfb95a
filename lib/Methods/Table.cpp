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
//   element-wise functions
//            up to 256 values of `in` and one scale of the result: one entry
//            per value, on the result's grid (as the lookup operators of TFLite
//            and TOSA do). Otherwise by polynomials in 16 segments (tabulate).
//   softmax  e^(-s*d) for the distance d from the row's maximum as a product
//            (factoredExp from 8 bits to 8, which is cheaper and 3 dB worse;
//            else tabulatedExp), and shares of the row sum, all in 16 bits.
//            For results finer than 2^-15, one entry per distance of 8 bits.
// There is no published arithmetic to reproduce, hence no reference form.
//
//===----------------------------------------------------------------------===//

#include "AllMethods.h"
#include "Elementwise.h"
#include "Exponential.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cmath>

using namespace nlq;
using namespace nlq::methods;
using kernel::Builder;
using kernel::Rounding;
using kernel::Value;

static constexpr llvm::StringLiteral kGelu = "gelu", kSilu = "silu",
                                     kSigmoid = "sigmoid", kTanh = "tanh",
                                     kExp = "exp";

template <const llvm::StringLiteral &name>
static llvm::Expected<MethodKernel> build(const Problem &problem) {
  return tabulate(getFunction(name), problem);
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

  const Quantized &to = problem.result;
  if (range.hi - range.lo <= 255) {
    Value d = (largest - x).named("distance");
    if (to.range.hi - to.range.lo <= 255)
      return storeShares(builder, factoredExp(d, s), problem);
    // Shares of 16 bits and more need exponentials of more than 15.
    int64_t bits =
        std::min<int64_t>(24, 31 - llvm::Log2_64_Ceil(problem.maxRowLength));
    if (problem.outBits == 16 && !hasSharesOfWords(to) && bits > 15)
      return storeShares(builder,
                         exactExp(d, s, range.hi - range.lo, (1 << bits) - 1),
                         problem);
  }

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
  const bool toBytes = to.range.hi - to.range.lo <= 255;
  return storeShares(builder,
                     tabulatedExp(d, std::ldexp(s, int(coarser)),
                                  (farthest >> coarser) + (coarser > 0),
                                  toBytes ? 14 : 15),
                     problem);
}

static const Candidate kSoftmaxWidths[] = {
    {Profile::Extra, Narrowing::None, 0, 16},
    {Profile::Extra, Narrowing::Symmetric, 0, 16},
    {Profile::Extra, Narrowing::Symmetric, 16, 16},
};
static const Candidate kElementwiseWidths[] = {
    {Profile::Extra, Narrowing::Symmetric, 0, 16},
    {Profile::Extra, Narrowing::Asymmetric, 8, 16},
    {Profile::Extra, Narrowing::Symmetric, 12, 16},
    {Profile::Extra, Narrowing::Symmetric, 16, 16},
};
static const Implementation kImplementations[] = {
    {"softmax", Form::Corrected, buildSoftmax, kSoftmaxWidths},
    {kGelu, Form::Corrected, build<kGelu>, kElementwiseWidths},
    {kSilu, Form::Corrected, build<kSilu>, kElementwiseWidths},
    {kSigmoid, Form::Corrected, build<kSigmoid>, kElementwiseWidths},
    {kTanh, Form::Corrected, build<kTanh>, kElementwiseWidths},
    {kExp, Form::Corrected, build<kExp>, kElementwiseWidths},
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
