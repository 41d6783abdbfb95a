//===- Moments.h - How channels move together -----------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_QUANTIZATION_MOMENTS_H
#define NLQ_QUANTIZATION_MOMENTS_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <vector>

namespace nlq {

/// Second moments of the channels of a value: for channels i >= j the sum of
/// x_i x_j over rows x. Error feedback in the rounding of weights
/// (ErrorFeedback.h) is what asks for them.
class Moments {
public:
  Moments() = default;
  /// From `sums` as getSums has them: n (n + 1) / 2 for n channels.
  Moments(size_t numChannels, std::vector<double> sums);

  /// Counts rows of `channels` finite values each, which must be as many every
  /// time. Products are summed up in float about the mean of `rows`: no outlier
  /// that all rows share costs digits.
  void add(llvm::ArrayRef<float> rows, size_t channels);
  /// Both have as many channels, or one of them has none.
  void merge(const Moments &other);

  size_t size() const { return numChannels; }
  bool empty() const { return numChannels == 0; }
  /// The sum of x_i x_j.
  double get(size_t i, size_t j) const {
    return i >= j ? sums[i * (i + 1) / 2 + j] : get(j, i);
  }
  /// All of them with i >= j, i by i.
  llvm::ArrayRef<double> getSums() const { return sums; }

private:
  size_t numChannels = 0;
  std::vector<double> sums;
};

} // namespace nlq

#endif // NLQ_QUANTIZATION_MOMENTS_H
