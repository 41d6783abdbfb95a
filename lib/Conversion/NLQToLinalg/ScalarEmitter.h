//===- ScalarEmitter.h - Nodes of a kernel as scalar arith ----*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Emits the nodes of a kernel graph as operations of arith on scalar integers,
// as bodies of linalg operations need them. A value has the narrowest width of
// 8, 16, 32 and 64 bits that `bound` proves to hold it; a node is computed in
// the widest of its operands and itself, products of MulShift in up to 128.
// Nothing wraps, and nothing is a float.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_CONVERSION_NLQTOLINALG_SCALAREMITTER_H
#define NLQ_LIB_CONVERSION_NLQTOLINALG_SCALAREMITTER_H

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "nlq/Kernel/Bound.h"
#include "nlq/Kernel/Graph.h"
#include "llvm/ADT/DenseMap.h"

namespace nlq {

class ScalarEmitter {
public:
  /// `tables` holds one constant tensor of rank 1 per table of the graph.
  ScalarEmitter(mlir::ImplicitLocOpBuilder &builder, const kernel::Graph &graph,
                const kernel::Bounds &bounds, mlir::ValueRange tables)
      : builder(builder), graph(graph), bounds(bounds), tables(tables) {}

  /// Values of nodes in one body.
  using Scope = llvm::DenseMap<kernel::NodeId, mlir::Value>;

  /// The value of a node, in its width; its operands first. Inputs, indices,
  /// the row's length and reductions must be in `scope` already.
  mlir::Value emit(kernel::NodeId id, Scope &scope);

  /// `value` sign-extended or truncated to `width` bits.
  mlir::Value resize(mlir::Value value, unsigned width);
  /// `value` read as an unsigned integer, in `width` bits.
  mlir::Value extendUnsigned(mlir::Value value, unsigned width);

private:
  mlir::Value constant(int64_t value, mlir::Type type);
  mlir::Value emitNode(kernel::NodeId id, llvm::ArrayRef<mlir::Value> operands);
  mlir::Value emitMulShift(const kernel::Node &node,
                           llvm::ArrayRef<mlir::Value> operands);
  mlir::Value emitShiftRight(mlir::Value value, unsigned bits,
                             mlir::Value amount, int64_t largestAmount,
                             kernel::Rounding rounding);
  mlir::Value emitDiv(const kernel::Node &node, mlir::Value a, mlir::Value b);
  mlir::Value emitSqrt(mlir::Value value, unsigned bits);
  mlir::Value isAboveHalf(kernel::Rounding rounding, mlir::Value twiceRest,
                          mlir::Value whole, mlir::Value quotient,
                          mlir::Value isNegative);

  mlir::ImplicitLocOpBuilder &builder;
  const kernel::Graph &graph;
  const kernel::Bounds &bounds;
  mlir::ValueRange tables;
};

} // namespace nlq

#endif // NLQ_LIB_CONVERSION_NLQTOLINALG_SCALAREMITTER_H
