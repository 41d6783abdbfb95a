//===- PackedConstants.h - Weights packed at compile time -----*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_CONVERSION_PACKPRODUCTS_PACKEDCONSTANTS_H
#define NLQ_LIB_CONVERSION_PACKPRODUCTS_PACKEDCONSTANTS_H

#include "mlir/IR/BuiltinAttributes.h"
#include "nlq/Target/ProductTile.h"

namespace nlq {

/// The operands `rhs` and `start` of an nlq.product.
struct PackedConstants {
  mlir::DenseElementsAttr weights;
  mlir::DenseElementsAttr start;
};

/// Packs weights `[K, N]` of i8 or i16 as `tile` has them. The entries of
/// `bias`, N of i32, or zeros if it is null, become those of `start`, less 128
/// times the sum of the column's weights if the tile's left operand is
/// unsigned; they wrap. Nothing if the data of a constant is not present.
std::optional<PackedConstants> packConstants(mlir::ElementsAttr weights,
                                             mlir::ElementsAttr bias,
                                             const ProductTile &tile);

} // namespace nlq

#endif // NLQ_LIB_CONVERSION_PACKPRODUCTS_PACKEDCONSTANTS_H
