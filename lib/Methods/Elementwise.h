//===- Elementwise.h - Element-wise functions looked up ---------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Any function of one element in integers, from its exact values.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_METHODS_ELEMENTWISE_H
#define NLQ_LIB_METHODS_ELEMENTWISE_H

#include "Steps.h"
#include "nlq/Methods/Functions.h"

namespace nlq::methods {

/// `function`, which must be element-wise, from tables of its exact values.
///
/// Up to 256 values of `in` and one scale of the result: one entry per value,
/// rounded on the result's grid once.
///
/// Otherwise f(a) = y(origin - a), a the distance below `origin`, in 16
/// segments from 0 to where f has come to its limit within 2^-16 (of its value
/// at the origin, if that is larger than 1). In a segment a polynomial meets f
/// in equal steps from one end to the other: of degree 2 where that is within
/// 2^-12.25 of f, else of degree 3. Above the origin, which is 0, the function
/// follows by its symmetry; where it has none, the origin is the largest value
/// of `in`, or where the result saturates. All in 16 bits.
///
/// Fails where `in` has one scale per column, or more than 16 bits.
llvm::Expected<MethodKernel> tabulate(const Function &function,
                                      const Problem &problem);

} // namespace nlq::methods

#endif // NLQ_LIB_METHODS_ELEMENTWISE_H
