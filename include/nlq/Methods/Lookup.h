//===- Lookup.h - A table of integers ---------------------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The kernel of an explicit table, the same in which tabulated functions end.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_METHODS_LOOKUP_H
#define NLQ_METHODS_LOOKUP_H

#include "nlq/Methods/Problem.h"

namespace nlq::methods {

/// q_out = table[q_in - min q_in] on rows of `columns` elements, the entries
/// being stored values of `out`. Fails, saying why, if a type is malformed,
/// `in` has not as many values as there are entries, or an entry is no value of
/// `out`.
llvm::Expected<kernel::Kernel> buildLookup(const Quantized &in,
                                           const Quantized &out,
                                           llvm::ArrayRef<int32_t> table,
                                           int64_t columns);

} // namespace nlq::methods

#endif // NLQ_METHODS_LOOKUP_H
