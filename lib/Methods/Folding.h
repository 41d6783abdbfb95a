//===- Folding.h - Functions of one element on a half line ------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What approximations of functions of one element share that work in segments:
// only what is below an origin is approximated, up to where the function is
// flat.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_METHODS_FOLDING_H
#define NLQ_LIB_METHODS_FOLDING_H

#include "Steps.h"
#include "nlq/Kernel/Builder.h"
#include "nlq/Methods/Functions.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <algorithm>

namespace nlq::methods {

/// The function at a real number.
double evaluateAt(const Function &function, const Problem &problem, double x);

/// f(a) = y(origin - a) for distances a >= 0, at most `cap`.
struct Below {
  const Function &function;
  const Problem &problem;
  double origin;
  /// 2^10 times the largest result of functions that grow without end, however
  /// far beyond it the operand's values lie.
  double cap;

  double operator()(double a) const {
    return std::min(evaluateAt(function, problem, origin - a), cap);
  }
  /// Far below.
  double getLimit() const { return (*this)(1e6); }
  /// What errors are measured by.
  double getUnit() const;
  /// The least multiple of 1/4 from which on f is its limit within 2^-16 units.
  double getReach() const;
};

/// Positions are 0 to 2^14 - 1.
inline constexpr int64_t kPositionBits = 14;

/// f(a) = y(origin - a) of an operand, a the distance below `origin`, from 0 to
/// where f has come to its limit within 2^-16 (of its value at the origin, if
/// that is larger than 1), or the operand's range ends. Above the origin, which
/// is 0, the function follows by its symmetry; where it has none, the origin is
/// the operand's largest value, or where the result saturates.
struct Folded {
  /// Of the operand as narrowOperand has it. If that is no type of one scale
  /// and 16 bits around its zero point, an accumulator for example, it is
  /// requantized once more, to 16 bits over what changes the result.
  Folded(kernel::Builder &builder, const Function &function,
         const Problem &problem);

  /// The kernel from what `evaluate` makes of the position: f in steps of the
  /// given unit. `largest` is the largest magnitude of what it holds, for which
  /// the unit leaves room in 15 bits.
  MethodKernel
  store(double largest,
        llvm::function_ref<kernel::Value(kernel::Value position, double unit)>
            evaluate) const;

  const Function &function;
  const Problem &problem;
  /// The operand less its zero point: real = scale * x, and its values.
  kernel::Value x;
  double scale;
  kernel::Interval range;
  /// Largest distance in the range, in steps of x.
  int64_t most;
  Below below;
  /// a = step * position.
  kernel::Value position;
  double step;
};

} // namespace nlq::methods

#endif // NLQ_LIB_METHODS_FOLDING_H
