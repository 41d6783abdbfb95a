//===- Requantize.h - Shared scaling expressions ----------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Expressions that several methods share: a change of scale by dyadic numbers,
// quotients with remainders, and shares of a row sum.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_KERNEL_REQUANTIZE_H
#define NLQ_KERNEL_REQUANTIZE_H

#include "nlq/Kernel/Builder.h"

namespace nlq::kernel {

/// multiplier / 2^shift, the form in which a ratio of scales is applied to
/// integers (HAWQ-V3, Yao et al., ICML 2021, section 3; used alike by I-BERT
/// and I-ViT).
struct Dyadic {
  int64_t multiplier = 0;
  /// Negative for ratios of at least 2^mantissaBits.
  int64_t shift = 0;
};

/// The dyadic number nearest to a finite `ratio`, |multiplier| in
/// [2^(mantissaBits-1), 2^mantissaBits - 1], ties away from zero; so its
/// relative error is at most 2^-mantissaBits. The sign of the ratio is the
/// multiplier's. mantissaBits is at most 52. A ratio too small for MulShift's
/// 126 bits becomes 2^-126 with its sign, which rounds every 64-bit integer
/// just as the ratio does.
Dyadic toDyadic(double ratio, unsigned mantissaBits = 31);

/// min(max(q((x - inZeroPoint) * ratio), lo), hi) with q rounding once and lo,
/// hi such that the sum with outZeroPoint lies in outRange; plus outZeroPoint.
/// `ratios` and `inZeroPoints` hold one value, or one per column. A ratio is
/// the scale of x over the scale of the result; it may be negative.
///
/// Each ratio is applied as toDyadic has it, with `multiplierBits`. With one
/// per column and `rounding` half up, all columns have the shift of the largest
/// ratio if none is below 2^-7 of it: the others' multipliers then have between
/// 24 and 31 bits. (With fewer than 31 asked for, none below 2^-3 of it.)
///
/// Where the product could leave 32 bits, x is clamped first to the values that
/// do not saturate anyway, which keeps the result: 32-bit lanes then suffice as
/// long as `outRange`, widened by the largest |ratio|, fits in 32 bits.
Value requantize(Value x, llvm::ArrayRef<double> ratios,
                 llvm::ArrayRef<int64_t> inZeroPoints, int64_t outZeroPoint,
                 Interval outRange, Rounding rounding,
                 unsigned multiplierBits = 31);

/// floor(a / d) and a - floor(a / d) * d, which `bound` knows to lie in
/// 0 to d - 1. d > 0.
struct QuotientAndRest {
  Value quotient;
  Value rest;
};
QuotientAndRest divideWithRest(Value a, Value d);
QuotientAndRest divideWithRest(Value a, int64_t d);

/// Each element's share of the row sum, as a multiple of 1/one:
///   S = sum of e,  F = floor(one * 2^fractionBits / S),
///   share = floor((e * F + 2^(fractionBits-1)) / 2^fractionBits)
/// in 0 to `one`. One quotient per row. Needs e >= 0 and a row sum of at least
/// `leastSum` > 0, for example because the row's largest element has a known
/// exponential; `lemma` says why, for the assumption. one * 2^fractionBits must
/// fit in 63 bits.
Value shareOfRowSum(Value e, int64_t leastSum, llvm::StringRef lemma,
                    int64_t one, unsigned fractionBits);

} // namespace nlq::kernel

#endif // NLQ_KERNEL_REQUANTIZE_H
