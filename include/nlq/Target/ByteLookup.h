//===- ByteLookup.h - Lookups in tables of bytes --------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A lookup by loads takes an instruction or more for each element. Targets
// with byte permutations look up whole vectors in tables of up to 256 bytes
// held in registers.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_TARGET_BYTELOOKUP_H
#define NLQ_TARGET_BYTELOOKUP_H

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "nlq/Target/VectorFeatures.h"

namespace nlq {

/// table[index] for a vector of i8, read as unsigned and below the number of
/// entries, of which there are 1 to 256. Null where the target or the number of
/// elements has no byte permutation.
///
/// * AVX-512 VBMI: emitBytePermute, without one for entries that are all equal.
/// * AVX-512 BW and AVX2: `vpshufb` for every 16 entries by the index's low
///   four bits, chosen among by the high ones, one after the other. Of 256
///   entries, half where the other follows from them: as of GELU, SiLU, tanh
///   and the sigmoid.
/// * NEON: `tbl` and `tbx`, each of up to 64 entries, which leave alone what an
///   index beyond theirs asks for.
mlir::Value emitByteLookup(mlir::ImplicitLocOpBuilder &builder,
                           llvm::ArrayRef<uint8_t> table, mlir::Value index,
                           const VectorFeatures &features);

/// Whether the target has instructions for emitByteLookup.
bool hasByteLookup(const VectorFeatures &features);

/// entries[index] for a vector of i8, read as unsigned and below the number of
/// entries, which are 64, 128 or 256 in vectors of 64. AVX-512 VBMI has it:
/// `vpermb`, `vpermi2b`, and two of these, chosen by the highest bit.
mlir::Value emitBytePermute(mlir::ImplicitLocOpBuilder &builder,
                            llvm::ArrayRef<mlir::Value> entries,
                            mlir::Value index);

} // namespace nlq

#endif // NLQ_TARGET_BYTELOOKUP_H
