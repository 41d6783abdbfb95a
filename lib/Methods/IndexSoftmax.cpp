//===- IndexSoftmax.cpp - 32 exponentials ---------------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// W. Zhong et al.: "IntAttention: A Fully Integer Attention Pipeline for
// Efficient Edge Inference", MLSys 2026, arXiv 2511.21513: a softmax that takes
// the scores' 32-bit integers and looks exponentials up in a table of 2^b = 32
// bytes, of which the last, from the distance c = 6.6 on, is 0.
//
// Where the integers here can differ from the published simulation, which
// divides in float32:
//   - the index, at scales below 6.6 / 2^19 = 1.3e-5, where float32 does not
//     hold all quotients apart;
//   - a probability that is within 2^-17 of half a step, of rows whose
//     exponentials sum up to more than 2^17.
//
//===----------------------------------------------------------------------===//

#include "AllMethods.h"
#include "Exponential.h"
#include <cmath>

using namespace nlq;
using namespace nlq::methods;
using kernel::Builder;
using kernel::Rounding;
using kernel::Table;
using kernel::Value;

/// c and 2^b - 1 of the paper.
static constexpr double kReach = 6.6;
static constexpr int64_t kLastIndex = 31;

/// rnd(one * e^(-c i / (2^b - 1))), and 0 at the end.
static Table makeTable(int64_t one) {
  Table table(kLastIndex + 1);
  for (int64_t i = 0; i < kLastIndex; ++i)
    table[i] =
        std::llround(double(one) * std::exp(-kReach * double(i) / kLastIndex));
  return table;
}

//   reach = trunc(c / s);  i = min(d, reach) (2^b - 1) div reach
//   E = T[i], at most 255;  p = rnd(E (2^outBits - 1) / sum E)
// rnd to even. The scale is 1 / (2^outBits - 1); the paper has 8 bits.
static llvm::Expected<MethodKernel>
buildReferenceSoftmax(const Problem &problem) {
  if (llvm::Error error =
          requireOneScale(problem, "a softmax compares columns"))
    return std::move(error);
  const double s = problem.narrowed.scales[0];
  const double reach = std::trunc(kReach / s);
  if (reach < 1)
    return refuse("at the scale " + text(s) +
                  " the reach trunc(6.6/scale) is 0, by which is divided");
  if (reach > 0x1p52)
    return refuse("the scale " + text(s) +
                  " is too fine: the reach 6.6/scale exceeds 2^52");
  Builder builder(problem.maxRowLength);
  Value d = builder.min(distanceFromMax(narrowOperand(builder, problem)),
                        int64_t(reach));
  Value index = builder.div(d * kLastIndex, int64_t(reach)).named("index");
  Value e = builder.lookup(makeTable(255), index).named("exponential");
  Value sum = builder.assume(
      builder.reduceSum(e).named("row_sum"), {255, INT64_MAX},
      "the row's largest element contributes 255 to a sum of non-negative "
      "terms");
  int64_t one = (int64_t(1) << problem.outBits) - 1;
  // E <= sum E.
  Value p = builder.assume(builder.div(e * one, sum, Rounding::HalfEven),
                           {0, one}, "a share of a row's sum is at most 1");
  return storeResult(builder, p, {1 / double(one)}, problem);
}

//   i = rnd(min(d s / c, 1) (2^b - 1));  E = T[i], of 15 bits
static llvm::Expected<MethodKernel>
buildCorrectedSoftmax(const Problem &problem) {
  if (llvm::Error error =
          requireOneScale(problem, "a softmax compares columns"))
    return std::move(error);
  Builder builder(problem.maxRowLength);
  Value d = distanceFromMax(narrowOperand(builder, problem));
  // 15 bits put an index of 31 off by 2^-10 at most.
  Value index = kernel::requantize(
      d, {problem.narrowed.scales[0] * kLastIndex / kReach}, {0}, 0,
      {0, kLastIndex}, Rounding::HalfUp, /*multiplierBits=*/15);
  Value e = builder.lookup(makeTable(kTabulatedOne), index.named("index"));
  return storeShares(builder, {e.named("exponential"), kTabulatedOne}, problem);
}

static const Candidate kReferenceWidths[] = {
    {Profile::Other, Narrowing::None, 0, 8},
};
static const Candidate kCorrectedWidths[] = {
    {Profile::Other, Narrowing::None, 0, 16},
    {Profile::Other, Narrowing::Symmetric, 0, 8},
};
static const Implementation kImplementations[] = {
    {"softmax", Form::Reference, buildReferenceSoftmax, kReferenceWidths},
    {"softmax", Form::Corrected, buildCorrectedSoftmax, kCorrectedWidths},
};
static const Fallback kFallbacks[] = {{"gelu", "ibert"},
                                      {"layer_norm", "ibert"}};

const Method nlq::methods::kIndexSoftmax = {
    "indexsoftmax",
    "IndexSoftmax",
    "a table of 32 exponentials",
    "Zhong et al., MLSys 2026, arXiv 2511.21513",
    kImplementations,
    kFallbacks};
