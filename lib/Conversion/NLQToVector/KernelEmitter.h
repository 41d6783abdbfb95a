//===- KernelEmitter.h - Vector code of one chunk of a row ----*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Emits the nodes of a kernel graph as vector operations on W neighbouring
// elements of a row (element and column nodes) and as i64 scalars (row and
// uniform nodes). Widths come from `bound`: every node is computed in the
// narrowest of 16, 32, 64 and 128 bits that holds its operands and its value,
// so that no operation wraps.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_CONVERSION_NLQTOVECTOR_KERNELEMITTER_H
#define NLQ_LIB_CONVERSION_NLQTOVECTOR_KERNELEMITTER_H

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "nlq/Kernel/Bound.h"
#include "nlq/Kernel/Graph.h"
#include "nlq/Kernel/Semantics.h"
#include "nlq/Target/VectorFeatures.h"
#include "llvm/ADT/DenseMap.h"

namespace nlq {

class KernelEmitter {
public:
  /// `tables` holds one memref of a constant global per table of the graph.
  KernelEmitter(mlir::ImplicitLocOpBuilder &builder, const kernel::Graph &graph,
                const kernel::Bounds &bounds, mlir::ValueRange tables,
                const VectorFeatures &features)
      : builder(builder), graph(graph), bounds(bounds), tables(tables),
        features(features) {}

  /// Values of the nodes in one row.
  struct Scope : llvm::DenseMap<kernel::NodeId, mlir::Value> {
    /// Nodes as an i32 that repeats their low 8 or 16 bits, by the node and
    /// that number.
    llvm::DenseMap<std::pair<kernel::NodeId, unsigned>, mlir::Value> repeated;
  };

  /// Values of the nodes in `lanes` columns of a row.
  struct Chunk {
    int64_t lanes;
    llvm::DenseMap<kernel::NodeId, mlir::Value> values;
    /// Nodes whose values have their second and third quarters swapped, as
    /// AVX2 unpacks bytes to words, and these values in order.
    llvm::DenseSet<kernel::NodeId> swapped;
    llvm::DenseMap<kernel::NodeId, mlir::Value> inOrder;
    /// Low bits of nodes, by the node and their number.
    llvm::DenseMap<std::pair<kernel::NodeId, unsigned>, mlir::Value> lowBits;
  };

  /// Emits a node of uniform or row rate as an i64, its operands first.
  /// Reductions, inputs and indices must be in `row` already.
  mlir::Value emitRow(kernel::NodeId id, Scope &row);

  /// Emits a node of any rate as a vector of elements of the width
  /// `getWidth(id)`. Inputs, column indices and reloaded nodes must be in
  /// `chunk` already; what `row` holds is broadcast.
  mlir::Value emitChunk(kernel::NodeId id, Chunk &chunk, Scope &row);

  /// The same in the order that takes the fewest instructions: `chunk.swapped`
  /// tells which.
  mlir::Value emitUnordered(kernel::NodeId id, Chunk &chunk, Scope &row);

  /// The node, in order, cut off to `width` bits or extended to them.
  mlir::Value emitResized(kernel::NodeId id, unsigned width, Chunk &chunk,
                          Scope &row);

  /// A node of bytes from words in 64 lanes, in the order that a pack of
  /// AVX-512 gives them (nlq/Target/BytePack.h).
  mlir::Value emitPacked(kernel::NodeId id, Chunk &chunk, Scope &row);

  /// The low `width` bits of a node, in order, computed from no more where they
  /// can.
  mlir::Value emitLowBits(kernel::NodeId id, unsigned width, Chunk &chunk,
                          Scope &row);

  /// Whether a lookup takes its index, and gives its entries, byte by byte.
  bool looksUpBytes(const kernel::Node &node) const;

  /// Lane width in bits in which element nodes lie in registers.
  unsigned getWidth(kernel::NodeId id) const;
  unsigned getWidth(kernel::Interval range) const;

  /// `value` (scalar or vector) sign-extended or truncated to `width` bits.
  mlir::Value resize(mlir::Value value, unsigned width);
  /// `value` read as an unsigned integer.
  mlir::Value extendUnsigned(mlir::Value value, unsigned width);

private:
  /// Bits of the narrowest two's complement integer that holds the node.
  unsigned getBits(kernel::NodeId id) const;
  mlir::Value emitNode(kernel::NodeId id, llvm::ArrayRef<mlir::Value> operands,
                       int64_t lanes);
  /// Whether the low `width` bits of a node can be had from values of no more
  /// bits.
  bool hasLowBits(kernel::NodeId id, unsigned width) const;
  /// Whether they can be computed from those of its operands.
  bool followsFromLowBits(kernel::NodeId id, unsigned width) const;
  /// The low `width` bits of a node of uniform or row rate in all lanes.
  mlir::Value emitInAllLanes(kernel::NodeId id, unsigned width, int64_t lanes,
                             Scope &row);
  mlir::Value emitCondition(kernel::NodeId id, unsigned width, Chunk &chunk,
                            Scope &row);
  mlir::Value emitFromLowBits(kernel::NodeId id, unsigned width, Chunk &chunk,
                              Scope &row);
  mlir::Type getType(unsigned width, int64_t lanes);
  mlir::Value constant(int64_t value, unsigned width, int64_t lanes);
  mlir::Value constantLike(int64_t value, mlir::Value like);
  mlir::Value emitMulShift(kernel::NodeId id,
                           llvm::ArrayRef<mlir::Value> operands);
  mlir::Value emitHighMulShift(const kernel::Node &node,
                               llvm::ArrayRef<mlir::Value> operands,
                               kernel::Interval product);
  mlir::Value emitHighHalf(mlir::Value a, mlir::Value b, bool sticky);
  mlir::Value emitShiftRight(mlir::Value value, kernel::Int128 lo,
                             kernel::Int128 hi, mlir::Value amount,
                             kernel::Interval amountRange,
                             kernel::Rounding rounding);
  mlir::Value emitDiv(kernel::NodeId id, llvm::ArrayRef<mlir::Value> operands);
  mlir::Value emitFloorDivByProduct(mlir::Value a, kernel::Interval aRange,
                                    int64_t divisor);
  mlir::Value emitFloorDiv(mlir::Value a, kernel::Interval aRange,
                           mlir::Value b, kernel::Interval bRange);
  mlir::Value emitSqrt(mlir::Value value, kernel::Interval range);
  bool areSwapped(llvm::ArrayRef<kernel::NodeId> ids, Chunk &chunk, Scope &row);
  /// Whether a lookup gives words whose middle quarters are swapped.
  bool swapsQuarters(const kernel::Node &node, int64_t lanes) const;
  mlir::Value swapQuarters(mlir::Value value);
  mlir::Value emitByteLookups(const kernel::Table &table, mlir::Value index,
                              unsigned width, bool isSwapped);
  mlir::Value emitLookup(const kernel::Node &node, mlir::Value index,
                         unsigned width);

  mlir::ImplicitLocOpBuilder &builder;
  const kernel::Graph &graph;
  const kernel::Bounds &bounds;
  mlir::ValueRange tables;
  const VectorFeatures &features;
};

} // namespace nlq

#endif // NLQ_LIB_CONVERSION_NLQTOVECTOR_KERNELEMITTER_H
