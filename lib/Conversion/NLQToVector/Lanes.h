//===- Lanes.h - Widths of integers in vectors ------------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_CONVERSION_NLQTOVECTOR_LANES_H
#define NLQ_LIB_CONVERSION_NLQTOVECTOR_LANES_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/IR/Value.h"

namespace nlq {

/// The lane for `bits`: 8-bit arithmetic is poor on every target, so 16 is the
/// narrowest.
inline unsigned getLane(unsigned bits) {
  return bits <= 16 ? 16 : bits <= 32 ? 32 : bits <= 64 ? 64 : 128;
}

/// Bits of an integer, or of a vector's elements.
inline unsigned widthOf(mlir::Value value) {
  return mlir::getElementTypeOrSelf(value.getType()).getIntOrFloatBitWidth();
}

/// Elements of a vector; 0 for a scalar.
inline int64_t lanesOf(mlir::Value value) {
  auto vector = mlir::dyn_cast<mlir::VectorType>(value.getType());
  return vector ? vector.getDimSize(0) : 0;
}

} // namespace nlq

#endif // NLQ_LIB_CONVERSION_NLQTOVECTOR_LANES_H
