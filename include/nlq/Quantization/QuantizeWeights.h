//===- QuantizeWeights.h - Weights of a matrix product --------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The matrix product y_n = sum_k x_k W[k, n] + b_n on integers. The activation
// is x_k = s_k (q_k - z), so that
//
//   y_n = sum_k (q_k - z) E[k, n] + b_n,   E[k, n] = s_k W[k, n],
//
// and with E[k, n] = t_n Q[k, n] the accumulator
//
//   a_n = sum_k q_k Q[k, n] + B_n,   B_n = round(b_n / t_n) - z sum_k Q[k, n]
//
// stands for y_n = t_n a_n: scales per channel of the activation and its zero
// point cost nothing at run time.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_QUANTIZATION_QUANTIZEWEIGHTS_H
#define NLQ_QUANTIZATION_QUANTIZEWEIGHTS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <vector>

namespace nlq {

/// How t_n is chosen.
enum class WeightScale {
  /// The largest |E[k, n]| becomes the largest integer.
  Extremes,
  /// The least squared error sum_k m_k (E[k, n] - t_n Q[k, n])^2 over scales
  /// from the one of the extremes down ("optimal MSE", Choukroun et al. 2019,
  /// arXiv 1902.06822, section 3.1), with m_k the variance of q_k over
  /// calibration samples, or 1 where it is not known: the error expected of y_n
  /// if the q_k were independent.
  LeastSquares,
};

/// Fails, naming the word, unless it is `extremes` or `least-squares`.
llvm::Expected<WeightScale> parseWeightScale(llvm::StringRef word);

/// How E[k, n] / t_n becomes an integer.
enum class WeightRounding {
  /// The nearest one.
  Nearest,
  /// So that the errors of other weights are made up for (ErrorFeedback.h), by
  /// the covariance of the q_k; the nearest one where it is not known.
  Feedback,
};

/// Fails, naming the word, unless it is `nearest` or `feedback`.
llvm::Expected<WeightRounding> parseWeightRounding(llvm::StringRef word);

/// What is known of the activation, one entry per row of the weights.
struct ActivationChannels {
  /// s_k.
  std::vector<double> scales;
  int64_t zeroPoint = 0;
  /// The largest |q|.
  int64_t limit = 0;
  /// Mean of x_k over calibration samples, for the correction of the bias;
  /// empty for none.
  std::vector<double> means;
  /// m_k; empty for 1.
  std::vector<double> variances;
  /// Covariance of the q_k, [depth, depth], positive definite; empty where it
  /// is not known.
  std::vector<double> covariance;
};

struct IntegerWeights {
  /// Q, [depth, columns] as the weights.
  std::vector<int64_t> weights;
  /// B, one per column; empty where all are 0.
  std::vector<int64_t> bias;
  /// t, one per column, positive, of six digits.
  std::vector<double> scales;
  /// The largest |a_n| of any activation.
  int64_t limit = 1;
};

/// Quantizes `weights`, [depth, columns], to symmetric integers of `bits` bits,
/// each column with its scale; `bias` has an entry per column or is empty. With
/// `channels.means`, what rounding the weights adds to the mean of y_n is taken
/// from the bias: b_n + sum_k means_k (W[k, n] - t_n Q[k, n] / s_k) (Nagel et
/// al. 2019, arXiv 1906.04721, section 4.2).
///
/// A column of weights that are nearly 0 beside its bias gets a scale at which
/// the bias takes half of 32 bits. Fails where roundWithFeedback does.
llvm::Expected<IntegerWeights>
quantizeWeights(llvm::ArrayRef<double> weights, llvm::ArrayRef<double> bias,
                const ActivationChannels &channels, unsigned bits,
                WeightScale scale, WeightRounding rounding);

} // namespace nlq

#endif // NLQ_QUANTIZATION_QUANTIZEWEIGHTS_H
