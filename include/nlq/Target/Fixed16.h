//===- Fixed16.h - 16-bit fixed-point instructions ------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Operations on vectors of i16 that x86 and AArch64 have instructions for and
// LLVM does not recognise in their spelled-out form.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_TARGET_FIXED16_H
#define NLQ_TARGET_FIXED16_H

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "nlq/Target/VectorFeatures.h"

namespace nlq {

/// floor((a * b + 2^14) / 2^15) for vectors of i16, of which no lane has -2^15
/// in both. `vpmulhrsw` of 32 (AVX-512 BW) or 16 elements (AVX2), `sqrdmulh` of
/// 8 (NEON); null where the target or the number of elements has none.
mlir::Value emitRoundedProduct(mlir::ImplicitLocOpBuilder &builder,
                               mlir::Value a, mlir::Value b,
                               const VectorFeatures &features);

/// Whether the target has an instruction for emitRoundedProduct.
bool hasRoundedProduct(const VectorFeatures &features);

/// table[index] for a vector of i16 with elements in 0 to 15 and at most 16
/// entries: `vpermw` (AVX-512 BW), two byte shuffles (AVX2) or `tbl` (NEON);
/// null where there is none of them.
mlir::Value emitLookup16(mlir::ImplicitLocOpBuilder &builder,
                         llvm::ArrayRef<int16_t> table, mlir::Value index,
                         const VectorFeatures &features);

} // namespace nlq

#endif // NLQ_TARGET_FIXED16_H
