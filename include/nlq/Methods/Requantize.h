//===- Requantize.h - A change of quantized type ----------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The change from one quantized type to another as a kernel of its own.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_METHODS_REQUANTIZE_H
#define NLQ_METHODS_REQUANTIZE_H

#include "nlq/Methods/Problem.h"

namespace nlq::methods {

/// out = clamp(round((q - inZeroPoint) * inScale / outScale) + outZeroPoint) on
/// rows of up to `columns`, the ratio of scales as a dyadic number of 31 bits;
/// see kernel::requantize. Fails if a type is malformed or `out` has different
/// zero points.
llvm::Expected<kernel::Kernel> buildRequantize(const Quantized &in,
                                               const Quantized &out,
                                               int64_t columns,
                                               kernel::Rounding rounding);

} // namespace nlq::methods

#endif // NLQ_METHODS_REQUANTIZE_H
