//===- BytePack.h - Words packed to bytes -----------------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// x86 narrows words to bytes, saturated, by one instruction that takes turns
// between 8 words of one vector and 8 of another. A narrowing that keeps the
// order takes two instructions a vector, each two steps, and one to join them.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_TARGET_BYTEPACK_H
#define NLQ_TARGET_BYTEPACK_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace nlq {

/// Words that one instruction of AVX-512 BW packs.
inline constexpr int64_t kPackedLanes = 64;

/// Which of 64 bytes emitBytePack makes of a word.
inline int64_t getPackedLane(int64_t lane) {
  constexpr int64_t half = kPackedLanes / 2, turn = 8;
  int64_t inHalf = lane % half;
  return inHalf / turn * 2 * turn + lane / half * turn + inHalf % turn;
}

/// 64 words as bytes, saturated to those that are signed or unsigned, in the
/// order that getPackedLane gives: `vpacksswb` or `vpackuswb` of AVX-512 BW.
mlir::Value emitBytePack(mlir::ImplicitLocOpBuilder &builder, mlir::Value words,
                         bool isSigned);

/// These bytes in the order of the words: one permutation of 8 parts.
mlir::Value orderPackedBytes(mlir::ImplicitLocOpBuilder &builder,
                             mlir::Value bytes);

} // namespace nlq

#endif // NLQ_TARGET_BYTEPACK_H
