//===- Builder.h - Writing kernel graphs ------------------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_KERNEL_BUILDER_H
#define NLQ_KERNEL_BUILDER_H

#include "nlq/Kernel/Graph.h"
#include "llvm/ADT/DenseMap.h"

namespace nlq::kernel {

class Builder;

/// A node under construction. Arithmetic on values appends nodes to the
/// builder that made them; integers mix in freely as constants.
class Value {
public:
  Value() = default;
  Value(Builder *builder, NodeId id) : builder(builder), id(id) {}

  NodeId getId() const { return id; }
  Builder &getBuilder() const { return *builder; }
  Rate getRate() const;

  /// Gives the node a name for the reasons that `bound` reports. Constants,
  /// which many users share, and nodes that have a name stay as they are.
  Value named(llvm::StringRef name) const;

private:
  Builder *builder = nullptr;
  NodeId id = 0;
};

Value operator+(Value a, Value b);
Value operator+(Value a, int64_t b);
Value operator-(Value a, Value b);
Value operator-(Value a, int64_t b);
Value operator-(int64_t a, Value b);
Value operator-(Value a);
Value operator*(Value a, Value b);
Value operator*(Value a, int64_t b);

/// Builds one kernel, node by node. Equal nodes are made once; constants fold;
/// adding or shifting by 0 and multiplying or dividing by 1 make no node.
class Builder {
public:
  explicit Builder(int64_t maxRowLength) { graph.maxRowLength = maxRowLength; }
  /// Starts with the inputs, columns and tables of `kernel` and none of its
  /// nodes: for rewrites, which append nodes that refer to them by number.
  explicit Builder(const Kernel &kernel);
  Builder(const Builder &) = delete;
  Builder &operator=(const Builder &) = delete;

  Value constant(int64_t value);
  /// An input tensor of rows.
  Value element(llvm::StringRef name, unsigned bits, Interval range,
                bool isSigned = true);
  /// An input of one value per row.
  Value row(llvm::StringRef name, unsigned bits, Interval range,
            bool isSigned = true);
  /// Constants per column; a vector of equal values becomes a constant node.
  Value column(llvm::StringRef name, std::vector<int64_t> values);
  Value rowIndex();
  Value columnIndex();
  Value rowLength();

  Value mulShift(Value a, Value b, Value shift, Rounding rounding);
  Value mulShift(Value a, Value b, int64_t shift, Rounding rounding);
  Value mulShift(Value a, int64_t b, int64_t shift, Rounding rounding);
  Value shiftLeft(Value a, Value amount);
  Value shiftLeft(Value a, int64_t amount);
  Value shiftRight(Value a, Value amount, Rounding rounding = Rounding::Floor);
  Value shiftRight(Value a, int64_t amount,
                   Rounding rounding = Rounding::Floor);
  Value div(Value a, Value b, Rounding rounding = Rounding::Floor);
  Value div(Value a, int64_t b, Rounding rounding = Rounding::Floor);
  Value div(int64_t a, Value b, Rounding rounding = Rounding::Floor);
  Value min(Value a, Value b);
  Value min(Value a, int64_t b);
  Value max(Value a, Value b);
  Value max(Value a, int64_t b);
  Value clamp(Value a, Interval range);
  Value abs(Value a);
  Value compare(Predicate predicate, Value a, Value b);
  Value compare(Predicate predicate, Value a, int64_t b);
  Value select(Value condition, Value a, Value b);
  Value bitLength(Value a);
  Value lookup(Table table, Value index);
  Value sqrt(Value a);
  Value reduceMax(Value a);
  Value reduceSum(Value a);
  /// `a`, asserted to lie in `range`. The lemma says why, in one sentence that
  /// a comment beside the call proves and a test tries.
  Value assume(Value a, Interval range, llvm::StringRef lemma);

  /// `node` itself with its rate derived, folded, or the equal node that is
  /// already there: what all functions above end in.
  Value append(Node node);

  /// Ends the kernel: stores `result` in `bits` bits (signed). Nodes, column
  /// inputs and tables that do not reach it are dropped; other inputs stay,
  /// they are the kernel's signature. The builder is left empty.
  Kernel finish(Value result, unsigned bits);

  Graph &getGraph() { return graph; }

private:
  Graph graph;
  std::vector<std::vector<int64_t>> columns;
  /// Nodes by the hash of what they compute.
  llvm::DenseMap<uint64_t, llvm::SmallVector<NodeId, 1>> made;
};

} // namespace nlq::kernel

#endif // NLQ_KERNEL_BUILDER_H
