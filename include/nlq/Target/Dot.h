//===- Dot.h - Sums of neighbouring products of integers ------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_TARGET_DOT_H
#define NLQ_TARGET_DOT_H

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "nlq/Target/VectorFeatures.h"

namespace nlq {

/// accumulator[i] + left[2i] * right[2i] + left[2i+1] * right[2i+1], for an
/// accumulator of i32 and operands of i16 with twice the elements; sums wrap.
/// x86 has it as one multiplication of 32 (AVX-512 BW; with VNNI also the
/// addition), 16 (AVX2) or 8 elements, at twice the rate of 32-bit products;
/// NEON has widening products of 4 and the addition of neighbours.
mlir::Value emitPairDot(mlir::ImplicitLocOpBuilder &builder,
                        mlir::Value accumulator, mlir::Value left,
                        mlir::Value right, const VectorFeatures &features);

/// Whether the target has instructions for emitPairDot, so that it is worth
/// taking sums of 16-bit terms in pairs.
bool hasPairDot(const VectorFeatures &features);

/// accumulator[i] + the sum over j < 4 of left[4i+j] * right[4i+j], for an
/// accumulator of i32 and operands of i8 with four times the elements, `right`
/// signed; sums wrap. It is one instruction for 64, 32 or 16 elements and
/// unsigned `left` on AVX-512 VNNI, for every 16 and signed `left` on AArch64
/// with dotprod.
mlir::Value emitQuadDot(mlir::ImplicitLocOpBuilder &builder,
                        mlir::Value accumulator, mlir::Value left,
                        bool isLeftUnsigned, mlir::Value right,
                        const VectorFeatures &features);

/// Whether the target has an instruction for emitQuadDot of such bytes, so that
/// it is worth narrowing terms to bytes.
bool hasQuadDot(bool isLeftUnsigned, const VectorFeatures &features);

} // namespace nlq

#endif // NLQ_TARGET_DOT_H
