//===- LayerNorm.h - Layer normalization in integers ------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Layer and RMS normalization in integers: what the published methods have in
// common, and the accurate form that corrects them all. RMS normalization is
// layer normalization without the mean.
//
// C is the number of columns, which is the length of every row: statistics
// divide by it as a constant.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_METHODS_LAYERNORM_H
#define NLQ_LIB_METHODS_LAYERNORM_H

#include "Steps.h"

namespace nlq::methods {

/// C * sum v^2 - (sum v)^2, which is C^2 times the variance of the row, and the
/// row sum. Fails if it may exceed 61 bits.
struct RowStatistics {
  kernel::Value sum;
  kernel::Value spread;
  /// The most that `spread` can be.
  int64_t largest;
};
llvm::Expected<RowStatistics> rowStatistics(kernel::Value v, int64_t columns);

/// sqrt(v) = root / 2^exponent for a row's v in 1 to 2^(2 bits) - 1, root in
/// 2^(bits - 1) to 2^bits - 1 (rounded down), exponent in 0 to bits - 1. `bits`
/// is at most 31; up to 26, the root is one instruction.
struct NormalRoot {
  kernel::Value root;
  kernel::Value exponent;
  /// v * 4^exponent, of which `root` is the root.
  kernel::Value normal;
};
NormalRoot normalRoot(kernel::Value v, int64_t bits);

/// 1 / sqrt(v) as a mantissa and an exponent of 2, less a constant.
struct InverseRoot {
  kernel::Value mantissa;
  kernel::Value exponent;
};

/// The corrected form of all methods. Layer normalization, with
/// y_c = C v_c - sum v and D the spread:
///   out_c = gamma_c * y_c / sqrt(D + epsilon C^2 / unit^2) + beta_c
/// RMS normalization, with y_c = v_c and D = sum v^2:
///   out_c = gamma_c sqrt(C) * y_c / sqrt(D + epsilon C / unit^2)
/// The root is taken with up to 8 fractional bits and the whole computed on a
/// grid at most 2^16 times finer than the result's; for results of 8 bits, in
/// elements of 16 bits where these suffice (normalizeInWords). gamma may have
/// any sign or be 0. `v` holds the operand in multiples of `unit`; for layer
/// normalization, up to a constant.
llvm::Expected<MethodKernel> accurateLayerNorm(kernel::Builder &builder,
                                               kernel::Value v, double unit,
                                               const Problem &problem);
llvm::Expected<MethodKernel> accurateRmsNorm(kernel::Builder &builder,
                                             kernel::Value v, double unit,
                                             const Problem &problem);

/// What I-BERT and I-ViT start with: mean = rnd(sum q / C), half to even as
/// torch.round, and y = q - mean.
kernel::Value subtractRoundedMean(kernel::Value q, int64_t columns);

/// What they end with, for an integer `deviation` ~ sqrt(sum y^2) >= 1:
///   F = floor(numerator / deviation);  o = floor(y F / 2)
///   out = o + floor((beta/gamma) / (sqrt(C)/2^30))
/// on the grids gamma_c * sqrt(C) / 2^30, which are negative where gamma is.
/// |o| is at most `largest`; `lemma` says why. Fails where gamma is 0.
llvm::Expected<MethodKernel>
storePublishedLayerNorm(kernel::Builder &builder, kernel::Value y,
                        kernel::Value deviation, int64_t numerator,
                        int64_t largest, llvm::StringRef lemma,
                        const Problem &problem);

/// The corrected form of methods that add nothing of their own: the operand
/// narrowed to one scale, then accurateLayerNorm or accurateRmsNorm.
llvm::Expected<MethodKernel> buildAccurateLayerNorm(const Problem &problem);
llvm::Expected<MethodKernel> buildAccurateRmsNorm(const Problem &problem);

} // namespace nlq::methods

#endif // NLQ_LIB_METHODS_LAYERNORM_H
