//===- ProductTile.h - How matrix products are cut for a target -*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_TARGET_PRODUCTTILE_H
#define NLQ_TARGET_PRODUCTTILE_H

#include "nlq/Target/VectorFeatures.h"

namespace nlq {

/// The block of a product's output whose accumulators stay in registers over
/// the whole depth: `rows` x (`lanes` * `vectors`) of i32. `group` neighbours
/// along the depth are multiplied and summed up by one instruction (Dot.h).
struct ProductTile {
  int64_t rows;
  /// Elements of i32 in a register.
  int64_t lanes;
  /// Registers in a row of the block.
  int64_t vectors;
  int64_t group;
  /// The instruction reads bytes of the left operand as unsigned: they are
  /// given to it as x + 128.
  bool isLeftUnsigned = false;

  int64_t getColumns() const { return lanes * vectors; }
};

/// The tile for operands of these widths, 8 or 16 bits. The accumulators leave
/// room for one row of the right operand, one element group of the left and a
/// product: 24 of the 32 registers of AVX-512 and of AArch64's dot products, 12
/// of the 16 of AVX2.
ProductTile getProductTile(unsigned lhsBits, unsigned rhsBits,
                           const VectorFeatures &features);

} // namespace nlq

#endif // NLQ_TARGET_PRODUCTTILE_H
