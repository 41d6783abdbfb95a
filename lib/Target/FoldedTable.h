//===- FoldedTable.h - Tables with two like halves --------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_TARGET_FOLDEDTABLE_H
#define NLQ_LIB_TARGET_FOLDEDTABLE_H

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <cstdint>
#include <optional>

namespace nlq {

/// A table T of 256 bytes whose one half follows from the other. With the
/// index i - center read as a signed number q, T(q) is entry min(-q, 127) of
/// `half` for q < 0, and for q >= 0, where h is entry q of `half`,
///
/// * Even: h;
/// * Sum: h + q modulo 256, as of GELU and SiLU from one scale to the same;
/// * Difference: constant - h, saturated to a signed byte, as of tanh and the
///   sigmoid; or so 128 less than the bytes, where they are unsigned.
struct FoldedTable {
  enum class Kind { Even, Sum, Difference };

  /// Null if no formula holds for all entries.
  static std::optional<FoldedTable> find(llvm::ArrayRef<uint8_t> table);

  /// T(index) for a vector of i8, by `lookup` in `half`.
  mlir::Value emit(mlir::ImplicitLocOpBuilder &builder, mlir::Value index,
                   llvm::function_ref<mlir::Value(mlir::Value)> lookup) const;

  Kind kind = Kind::Even;
  /// 0 or 128.
  uint8_t center = 0;
  int8_t constant = 0;
  /// What bytes are exclusive-ored with to be those of the formula: 0 or 128.
  uint8_t flip = 0;
  /// 128 entries, in the formula's bytes.
  llvm::SmallVector<uint8_t> half;
};

} // namespace nlq

#endif // NLQ_LIB_TARGET_FOLDEDTABLE_H
