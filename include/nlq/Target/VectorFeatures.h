//===- VectorFeatures.h - What vector instructions a target has -*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_TARGET_VECTORFEATURES_H
#define NLQ_TARGET_VECTORFEATURES_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace nlq {

/// The instruction sets that lowerings know special forms for. Nothing set is
/// the portable form, which gives the same bits.
struct VectorFeatures {
  bool avx2 = false;
  /// AVX-512 F, BW and VL.
  bool avx512bw = false;
  /// AVX-512 VNNI, beside avx512bw.
  bool avx512vnni = false;
  /// AVX-512 VBMI, beside avx512bw.
  bool avx512vbmi = false;
  /// AArch64's vectors of 16 bytes (Advanced SIMD).
  bool neon = false;
  /// AArch64's dot products of bytes (FEAT_DotProd), beside neon.
  bool dotprod = false;

  /// From names, as pass options spell them: `avx2`, `avx512bw`, `avx512vnni`,
  /// `avx512vbmi`, `neon`, `dotprod`. Fails with the name that is none of
  /// these.
  static llvm::Expected<VectorFeatures>
  parse(llvm::ArrayRef<std::string> names);
  /// The names of what is set.
  std::vector<std::string> getNames() const;
};

} // namespace nlq

#endif // NLQ_TARGET_VECTORFEATURES_H
