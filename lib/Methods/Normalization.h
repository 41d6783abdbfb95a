//===- Normalization.h - Rows divided by their deviation --------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the accurate layer and RMS normalization do to the elements of a row,
// given its statistics.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_METHODS_NORMALIZATION_H
#define NLQ_LIB_METHODS_NORMALIZATION_H

#include "Steps.h"
#include <optional>

namespace nlq::methods {

/// What the two normalizations differ in: standardised elements are
/// y / sqrt(squares + epsilon * epsilonFactor / unit^2), times gammaFactor.
struct Statistics {
  /// factor * v - sum, |v - sum / factor| <= `farthest`.
  kernel::Value y;
  kernel::Value v;
  kernel::Value sum;
  int64_t farthest;
  int64_t factor;
  kernel::Value squares;
  /// The least that `squares` are where y is not 0, and the most.
  int64_t least, largest;
  double epsilonFactor;
  double gammaFactor;
  /// |y| / sqrt(squares) is at most this; why.
  double reach;
  const char *lemma;
};

/// squares + epsilon = value / 4^fraction, or where y is 0, more.
struct Variance {
  kernel::Value value;
  int64_t fraction;
};

/// Results of at most 8 bits in elements of 16 bits. With p the largest integer
/// for which (v - sum/factor) * p stays within 2^15 - 2 by both `reach` and
/// `farthest`:
///   t   = v p - rnd(sum p / factor)
///   z   = rnd(t r / 2^15),  r the row's 2^15 zScale sqrt(..)^-1 / p; for a p
///         that may be small, t + rnd(t (r - 2^15) / 2^15)
///   out = z gamma + beta, in 16 bits, or in 32 for long rows or large gammas
/// zScale is where the largest z and r fit 15 bits. Nothing if v has more than
/// 16 bits, or all roundings but the last may together exceed 1/4 of the
/// result's step.
std::optional<MethodKernel> normalizeInWords(kernel::Builder &builder,
                                             const Statistics &row,
                                             const Variance &variance,
                                             int64_t rootBits,
                                             const Problem &problem);

} // namespace nlq::methods

#endif // NLQ_LIB_METHODS_NORMALIZATION_H
