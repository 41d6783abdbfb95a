//===- Gelu.h - What corrected GELUs share ----------------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What corrected GELUs share.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_METHODS_GELU_H
#define NLQ_LIB_METHODS_GELU_H

#include "Steps.h"

namespace nlq::methods {

/// A value with real = scale * value.
struct Scaled {
  kernel::Value value;
  double scale;
};

/// The operand, narrowed and centred, on one scale of at least `finest` and in
/// at most 16 bits, which leaves room for products of it in 32-bit elements.
///
/// An `in` that is no such type, an accumulator for example, is requantized
/// once more, to 16 bits over [-reach, reach]: everything outside gives the
/// same result, because GELU(x) > x - 0.17 saturates the result above, and is 0
/// below -reach up to the method's own error (the caller's `reachBelow`).
Scaled narrowForGelu(kernel::Builder &builder, const Problem &problem,
                     double reachBelow, double finest);

} // namespace nlq::methods

#endif // NLQ_LIB_METHODS_GELU_H
