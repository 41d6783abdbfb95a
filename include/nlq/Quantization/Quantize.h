//===- Quantize.h - From a float module to a quantized one ----*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_QUANTIZATION_QUANTIZE_H
#define NLQ_QUANTIZATION_QUANTIZE_H

#include "mlir/IR/BuiltinOps.h"
#include "nlq/Quantization/Profile.h"
#include "nlq/Quantization/QuantizeRanges.h"
#include "nlq/Quantization/QuantizeWeights.h"
#include <string>

namespace nlq {

struct QuantizeOptions {
  /// Bits of activations and of weights, 4 to 8 each.
  int64_t actBits = 8;
  int64_t weightBits = 8;
  /// Bits of the residual stream, 8 to 16.
  int64_t residualBits = 16;
  /// Bits of arguments of the function that products read, 4 to 8.
  int64_t argumentBits = 8;
  /// Bits of probabilities, 8 or 16.
  int64_t probabilityBits = 16;
  /// Bits in which softmax and functions of one element get their operands: 32
  /// for accumulators as they are, 8 or 16 for a requantization before.
  int64_t operandBits = 32;
  /// Activations that only products with constant weights read have a zero
  /// point of their own.
  bool asymmetric = true;
  /// Exponents of channel factors (QuantizeRanges.h), 0 to 1: of activations
  /// that products with constant weights read, by what makes them: a
  /// normalization, a function of one element ("gelu"), a product of two
  /// activations ("attention"); and of the right factor of such a product along
  /// its columns ("value").
  double normExponent = 0.5;
  double geluExponent = 0.25;
  double attentionExponent = 0.25;
  double valueExponent = 1;
  /// 0 to 1: how much of the difference of the magnitudes |q_c| and |k_c| of a
  /// product sum_c q_c k_c moves from one to the other. At 1/2 both have
  /// sqrt(|q_c| |k_c|).
  double queryKeyExponent = 0.5;
  /// Which part of what was seen operands of products cover.
  RangeOptions range;
  WeightScale weightScale = WeightScale::LeastSquares;
  WeightRounding weightRounding = WeightRounding::Feedback;
  /// Correct the means that rounding of weights shifts.
  bool biasCorrection = true;
  /// Comma-separated groups of methods that may be assigned
  /// (QuantizeCandidates.h).
  std::string candidates = "seed";
};

/// Quantizes the function `main` as the pass `nlq-quantize` documents. Fails
/// after an error on the operation or on the module, which then is not usable.
llvm::LogicalResult quantizeModule(mlir::ModuleOp module,
                                   const Profile &profile,
                                   const QuantizeOptions &options);

} // namespace nlq

#endif // NLQ_QUANTIZATION_QUANTIZE_H
