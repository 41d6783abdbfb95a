//===- Problem.h - An operation as plain numbers ----------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One instance of a non-linear operation in plain numbers: all that a method
// needs to build its kernel.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_METHODS_PROBLEM_H
#define NLQ_METHODS_PROBLEM_H

#include "nlq/Kernel/Graph.h"
#include "llvm/Support/Error.h"
#include <vector>

namespace nlq::methods {

/// An affine quantized type: real = scale * (q - zeroPoint).
struct Quantized {
  /// Storage width in bits, and signedness.
  unsigned bits = 8;
  bool isSigned = true;
  /// One per tensor, or one per column. Positive and finite.
  std::vector<double> scales = {1.0};
  /// As many as there are scales.
  std::vector<int64_t> zeroPoints = {0};
  /// Stored values that occur; narrower than the storage for 6-bit values in 8
  /// bits.
  kernel::Interval range = {-128, 127};

  double scale(int64_t column) const {
    return scales[scales.size() == 1 ? 0 : column];
  }
  int64_t zeroPoint(int64_t column) const {
    return zeroPoints[zeroPoints.size() == 1 ? 0 : column];
  }
  /// The real number that `q` stands for in `column`.
  double dequantize(int64_t q, int64_t column = 0) const {
    return scale(column) * double(q - zeroPoint(column));
  }
  bool isPerTensor() const { return scales.size() == 1; }

  bool operator==(const Quantized &other) const {
    return bits == other.bits && isSigned == other.isSigned &&
           scales == other.scales && zeroPoints == other.zeroPoints &&
           range == other.range;
  }
  bool operator!=(const Quantized &other) const { return !(*this == other); }
};

/// Reference: bit-exact to the published code, on the method's own grid.
/// Corrected: the same idea, rounded to nearest, safe in 32-bit elements.
enum class Form { Reference, Corrected };

enum class GeluKind { Erf, Tanh };

struct Problem {
  /// What the producer has: an accumulator, a residual, an activation.
  Quantized operand;
  /// The type the method's arithmetic starts from, "in". The kernel's first
  /// step requantizes to it; equal to `operand` means there is no such step.
  Quantized narrowed;
  /// What the consumer takes. The kernel's last step requantizes the method's
  /// own grid to it.
  Quantized result;
  /// Columns of the tensor: the longest row for softmax, the row length where
  /// there are constants per column.
  int64_t maxRowLength = 1;
  /// Width of the method's own grid, 1 to 16: of probabilities (softmax) and of
  /// the sigmoid inside I-ViT's GELU. Other functions have a grid of their own
  /// and ignore it.
  unsigned outBits = 16;
  /// Where a method that works in segments cuts them, as chosen from what
  /// calibration has seen: in 64ths of the distances that it looks at, growing.
  /// Empty: the method's own choice.
  std::vector<int64_t> cuts;
  Form form = Form::Corrected;
  /// Normalizations: gamma and beta (none for rms_norm) one per column; epsilon
  /// added to the mean of squares, in units of x^2.
  std::vector<double> gamma;
  std::vector<double> beta;
  double epsilon = 0;
  /// Probabilities: which elements of a row take part. The others have no part
  /// in its maximum and its sum, and the probability 0; so has every element of
  /// a row in which none takes part.
  ///   hasMask   where the kernel's second element input "mask", of 8 bits, is
  ///             not 0
  ///   isCausal  the first "visible" elements of the row, a row input of 32
  ///             bits in 0 to maxRowLength
  /// With both, those that both let take part.
  bool hasMask = false;
  bool isCausal = false;
  /// gelu: which function is meant. The published approximations of the erf
  /// form serve for both, which differ by at most 5e-4.
  GeluKind gelu = GeluKind::Erf;
};

/// Fails on numbers that no method can take, naming the one.
llvm::Error validate(llvm::StringRef function, const Problem &problem);

/// Fails if `type`, called `name` in the message, is no quantized type for rows
/// of `columns`.
llvm::Error validate(llvm::StringRef name, const Quantized &type,
                     int64_t columns);

} // namespace nlq::methods

#endif // NLQ_METHODS_PROBLEM_H
