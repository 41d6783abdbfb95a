//===- LoopBuilder.h - Loops and vectors over dense rows ------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_CONVERSION_LOOPBUILDER_H
#define NLQ_LIB_CONVERSION_LOOPBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace nlq {

/// A builder with short names for what code on buffers is made of.
class LoopBuilder : public mlir::ImplicitLocOpBuilder {
public:
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;

  mlir::Value index(int64_t value) {
    return mlir::arith::ConstantIndexOp::create(*this, value);
  }
  mlir::Value add(mlir::Value a, int64_t b) {
    return b == 0 ? a : mlir::arith::AddIOp::create(*this, a, index(b));
  }
  mlir::Value times(mlir::Value a, int64_t b) {
    return mlir::arith::MulIOp::create(*this, a, index(b));
  }
  mlir::Value zeros(mlir::Type type) {
    return mlir::arith::ConstantOp::create(*this, getZeroAttr(type));
  }

  /// `width` elements of a row of `buffer`, sign-extended to `element`.
  mlir::Value load(mlir::Value buffer, mlir::ValueRange position, int64_t width,
                   mlir::Type element);
  void store(mlir::Value vector, mlir::Value buffer,
             mlir::ValueRange position) {
    mlir::vector::StoreOp::create(*this, vector, buffer, position);
  }

  /// `for (i = begin; i < end; i += step) body(i)`
  void loop(mlir::Value begin, mlir::Value end, int64_t step,
            llvm::function_ref<void(mlir::Value)> body);
  /// The same with constant bounds; nothing if it would be empty.
  void loop(int64_t begin, int64_t end, int64_t step,
            llvm::function_ref<void(mlir::Value)> body) {
    if (begin < end)
      loop(index(begin), index(end), step, body);
  }
  /// Covers `[0, extent)` by loops in steps of `widest`, a power of two, and of
  /// smaller powers of two at the end: `body(begin, width)`.
  void pieces(int64_t extent, int64_t widest,
              llvm::function_ref<void(mlir::Value, int64_t)> body);
};

} // namespace nlq

#endif // NLQ_LIB_CONVERSION_LOOPBUILDER_H
