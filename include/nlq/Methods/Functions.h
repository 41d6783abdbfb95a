//===- Functions.h - The exact functions ------------------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The non-linear functions themselves, on a row of real numbers: what every
// method approximates. Used as the oracle in tests and measurements, and by
// methods that look values up.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_METHODS_FUNCTIONS_H
#define NLQ_METHODS_FUNCTIONS_H

#include "nlq/Methods/Problem.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace nlq::methods {

/// What an element of the result depends on, and what it is.
enum class FunctionKind {
  /// A function of one element.
  Elementwise,
  /// Shares of a row, between 0 and 1.
  Probabilities,
  /// The row divided by a statistic of it, times gamma; it reads the residual
  /// stream.
  Normalization,
};

/// How an element-wise function goes on above 0, from what it is below.
enum class Symmetry {
  None,
  /// f(x) = f(-x) + x: f is near 0 far below, near x far above.
  Ramp,
  /// f(x) = 2 f(0) - f(-x).
  Point,
};

struct Function {
  /// As the operations are called, without their dialect.
  llvm::StringRef name;
  FunctionKind kind;
  /// Computes a row. Of the problem, the function's own parameters are read
  /// (gamma, beta, epsilon, gelu) and nothing about types.
  void (*evaluate)(llvm::ArrayRef<double> in, const Problem &problem,
                   llvm::MutableArrayRef<double> out);
  /// Of element-wise functions. All of them are constant far below 0.
  Symmetry symmetry = Symmetry::None;
  /// Of normalizations: whether they add beta.
  bool hasBeta = false;

  bool isElementwise() const { return kind == FunctionKind::Elementwise; }
  bool isNormalization() const { return kind == FunctionKind::Normalization; }
};

/// softmax:    y_j = exp(x_j - max x) / sum_k exp(x_k - max x); an x_j of
///             -infinity takes no part, and a row of nothing else gives zeros
/// gelu:       y = x/2 * (1 + erf(x / sqrt 2)), or
///             y = x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))
/// silu:       y = x / (1 + exp(-x))
/// sigmoid:    y = 1 / (1 + exp(-x))
/// tanh:       y = tanh x
/// exp:        y = exp x
/// layer_norm: y_c = (x_c - mean) / sqrt(variance + epsilon) * gamma_c + beta_c
///             with the biased variance; 0 * gamma_c + beta_c where the root is
///             0
/// rms_norm:   y_c = x_c / sqrt(mean of squares + epsilon) * gamma_c; 0 where
///             the root is 0
llvm::ArrayRef<Function> allFunctions();

/// Null if there is none of that name.
const Function *lookupFunction(llvm::StringRef name);

/// The function of that name, which must exist.
const Function &getFunction(llvm::StringRef name);

} // namespace nlq::methods

#endif // NLQ_METHODS_FUNCTIONS_H
