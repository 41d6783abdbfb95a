//===- ByteSums.h - Sums that dot products of bytes add ---------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Targets have instructions that add products of unsigned with signed bytes.
// These rewrites bring sums of a row to such products. They keep the result bit
// for bit.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_KERNEL_BYTESUMS_H
#define NLQ_KERNEL_BYTESUMS_H

#include "nlq/Kernel/Graph.h"

namespace nlq::kernel {

/// sum T[i] for entries of 0 to 2^32 - 1 as sum over k of 2^8k sum T_k[i],
/// where T_k holds the k-th byte of each, as many as the largest entry has.
Kernel sumBytesOfLookups(const Kernel &kernel);

/// sum v^2 for v of -128 to 127 as sum (v + 128) v - 2^7 sum v.
Kernel sumBiasedSquares(const Kernel &kernel);

} // namespace nlq::kernel

#endif // NLQ_KERNEL_BYTESUMS_H
