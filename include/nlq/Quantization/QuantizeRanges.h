//===- QuantizeRanges.h - Ranges and scales of activations ----*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// From what a profile knows of a value to the real range its integers cover,
// and to the scales of its channels.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_QUANTIZATION_QUANTIZERANGES_H
#define NLQ_QUANTIZATION_QUANTIZERANGES_H

#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "nlq/Quantization/Profile.h"

namespace nlq {

/// Which part of a value's histogram its integers cover.
enum class RangeChoice {
  /// All that was seen.
  Extremes,
  /// All but a fraction of the values, half of it on each side.
  Percentile,
  /// The part with the least squared error of rounding and clipping, by the
  /// histogram ("optimal MSE", Choukroun et al. 2019, arXiv 1902.06822, section
  /// 3.1).
  LeastSquares,
};

llvm::StringRef stringify(RangeChoice choice);
/// Fails, naming the word, unless it is `extremes`, `percentile` or
/// `least-squares`.
llvm::Expected<RangeChoice> parseRangeChoice(llvm::StringRef word);

struct RangeOptions {
  RangeChoice choice = RangeChoice::Extremes;
  /// For RangeChoice::Percentile: how many of a hundred values are covered.
  double percentile = 99.99;
};

/// A closed interval of reals that holds 0.
struct RealRange {
  double lo = 0, hi = 0;
};

/// What integers of `bits` bits are to cover of a value. Without a histogram
/// that is all that was seen.
RealRange chooseRange(const ValueProfile &value, unsigned bits,
                      const RangeOptions &options);

/// Factors of a value's channels, f_c = (absmax_c / max absmax)^exponent (after
/// SmoothQuant, Xiao et al. 2023, arXiv 2211.10438, section 4, the weights'
/// part left out): channel c has f_c times the scale of the largest one. An
/// exponent of 1 gives each channel its own range. Factors are at least 2^-8,
/// so that a channel that is nearly silent on the samples is not cut off where
/// it is not. Empty, for one scale per tensor, where the exponent is 0 or
/// nothing is known of the channels.
std::vector<double> getChannelFactors(const ValueProfile &value,
                                      double exponent);

/// The type in i8 with `bits` bits, 4 to 8, in which chooseRange's part of
/// every channel has its place; per channel of the last of `rank` dimensions
/// where `factors` has entries. Asymmetric types hold -2^(bits-1) to 2^(bits-1)
/// - 1 with one zero point for all channels, symmetric ones -limit to limit.
mlir::quant::QuantizedType
getActivationType(mlir::MLIRContext *context, unsigned bits,
                  const ValueProfile &value, llvm::ArrayRef<double> factors,
                  bool isAsymmetric, int64_t rank, const RangeOptions &options);

} // namespace nlq

#endif // NLQ_QUANTIZATION_QUANTIZERANGES_H
