//===- Requantize.h - Requantization as a kernel --------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_METHODS_REQUANTIZE_H
#define NLQ_METHODS_REQUANTIZE_H

#include "nlq/Kernel/Graph.h"
#include "nlq/Methods/Problem.h"
#include "llvm/Support/Error.h"

namespace nlq::methods {

/// The kernel that takes rows of at most `columns` elements of type `in` to
/// type `out`: clamp(round((q - zp_in) * scale_in / scale_out) + zp_out), the
/// ratio as a 31-bit mantissa and a shift. Fails, with the reason, where no
/// lane is safe.
llvm::Expected<kernel::Kernel> buildRequantize(const Quantized &in,
                                               const Quantized &out,
                                               int64_t columns,
                                               kernel::Rounding rounding);

} // namespace nlq::methods

#endif // NLQ_METHODS_REQUANTIZE_H
