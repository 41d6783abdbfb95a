//===- Graph.h - Integer kernels as typed graphs ----------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel is a small directed acyclic graph over integers that computes one
// output row from one input row. It is the only definition of a method:
// evaluate, bound, cost, the rewrites and the code emitter all read it.
//
// The values are mathematical integers. A node has no width: `bound` derives
// one interval per node, and with it the lane the emitted code uses. A graph
// whose intervals leave 64 bits has no meaning and is refused by `bound`.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_KERNEL_GRAPH_H
#define NLQ_KERNEL_GRAPH_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nlq::kernel {

/// Index of a node in its graph. Operands come before their users.
using NodeId = uint32_t;

/// How often a node takes a new value: once per kernel, per column, per row, or
/// for each element. Ordered so that Row and Column join to Element.
enum class Rate : uint8_t { Uniform, Column, Row, Element };

/// The rate of a node whose operands have rates `a` and `b`.
Rate joinRates(Rate a, Rate b);

/// How a quotient or a shifted-out remainder is rounded to an integer.
/// Floor: towards minus infinity. TowardZero: as C's `/`. HalfUp, HalfEven,
/// HalfAway: to nearest, ties towards plus infinity, to even, away from zero.
enum class Rounding : uint8_t { Floor, TowardZero, HalfUp, HalfEven, HalfAway };

enum class Predicate : uint8_t { EQ, NE, LT, LE, GT, GE };

/// A closed interval of integers.
struct Interval {
  int64_t lo = 0;
  int64_t hi = 0;

  bool contains(int64_t value) const { return lo <= value && value <= hi; }
  bool contains(Interval other) const {
    return lo <= other.lo && other.hi <= hi;
  }
  bool operator==(const Interval &other) const {
    return lo == other.lo && hi == other.hi;
  }
  bool operator!=(const Interval &other) const { return !(*this == other); }
};

/// The interval of an integer of `bits` bits, 1 <= bits <= 64 (63 if unsigned).
Interval storageRange(unsigned bits, bool isSigned = true);

/// The kinds of nodes. Operands are a, b, c in order; q(x) rounds x as the
/// node's `rounding` says.
enum class Opcode : uint8_t {
  Constant,    ///< `imm`
  Input,       ///< input number `imm` of the graph
  RowIndex,    ///< index of the row
  ColumnIndex, ///< index of the element in its row
  RowLength,   ///< number of elements of a row
  Add,         ///< a + b
  Sub,         ///< a - b
  Mul,         ///< a * b
  MulShift,    ///< q(a * b / 2^c), 0 <= c <= 126; the product may have 127 bits
  ShiftLeft,   ///< a * 2^b, b >= 0
  ShiftRight,  ///< q(a / 2^b), b >= 0
  Div,         ///< q(a / b), b != 0
  Min,         ///< min(a, b)
  Max,         ///< max(a, b)
  Compare,     ///< 1 if `predicate`(a, b), else 0
  Select,      ///< a != 0 ? b : c
  BitLength,   ///< number of significant bits of a >= 0: 0 for 0, else
               ///< floor(log2 a) + 1
  Lookup,      ///< table number `imm` at index a
  Sqrt,        ///< floor(sqrt(a)), a >= 0; uniform or row rate only
  ReduceMax,   ///< largest a of the row
  ReduceSum,   ///< sum of a over the row
  Assume,      ///< a, known to lie in `range` by the lemma in `text`
};

/// Number of opcodes, for tables indexed by Opcode.
inline constexpr unsigned kNumOpcodes = unsigned(Opcode::Assume) + 1;

/// What a generic reader, printer or drawer of graphs must know of an opcode.
struct OpcodeInfo {
  const char *mnemonic;
  unsigned numOperands;
  bool hasImmediate;
  bool hasRounding;
  bool hasPredicate;
};
const OpcodeInfo &getInfo(Opcode opcode);
std::optional<Opcode> parseOpcode(llvm::StringRef mnemonic);
const char *stringify(Rounding rounding);
std::optional<Rounding> parseRounding(llvm::StringRef text);
const char *stringify(Predicate predicate);
std::optional<Predicate> parsePredicate(llvm::StringRef text);
const char *stringify(Rate rate);
std::optional<Rate> parseRate(llvm::StringRef text);

struct Node {
  Opcode opcode = Opcode::Constant;
  Rate rate = Rate::Uniform;
  Rounding rounding = Rounding::Floor;
  Predicate predicate = Predicate::EQ;
  int64_t imm = 0;
  /// Assume: the asserted interval.
  Interval range;
  llvm::SmallVector<NodeId, 3> operands;
  /// Assume: the lemma. Other nodes: a name for messages, may be empty.
  std::string text;

  bool operator==(const Node &other) const;
};

/// Whether the node makes one value of a row's elements.
bool isReduction(const Node &node);
/// Whether the node differs from column to column.
bool variesInRow(const Node &node);

/// An operand of the kernel. Element inputs are tensors of rows, Column inputs
/// hold one value per column, Row inputs one per row.
struct Input {
  std::string name;
  Rate rate = Rate::Element;
  /// Storage width in bits and signedness as it lies in memory.
  unsigned bits = 8;
  bool isSigned = true;
  /// Values it can take; within the storage range.
  Interval range;

  bool operator==(const Input &other) const;
};

/// A constant table: entries are indexed from 0.
using Table = std::vector<int64_t>;

/// The graph itself: plain data, built through Builder, immutable by custom.
struct Graph {
  std::vector<Node> nodes;
  std::vector<Input> inputs;
  std::vector<Table> tables;
  /// The node that is stored, and the width it is stored in (signed).
  NodeId result = 0;
  unsigned resultBits = 8;
  /// Longest row the kernel may meet: `bound` proves sums for rows of 1 to
  /// this many elements.
  int64_t maxRowLength = 1;

  bool operator==(const Graph &other) const;

  /// A readable listing, one node a line, for messages and debugging.
  std::string str() const;
};

/// The name of the first node after `id` that has one and is computed from it,
/// assumptions aside: what a nameless step serves. Empty if there is none.
std::string findNamedUser(const Graph &graph, NodeId id);

/// Whether an element depends on more than its own place's operands: on other
/// elements of its row, on its column's number or on the row's length.
bool needsWholeRows(const Graph &graph);

/// A graph with the values of its Column inputs, in the order of the Column
/// inputs among `graph.inputs`. Every vector has one entry per column.
struct Kernel {
  Graph graph;
  std::vector<std::vector<int64_t>> columns;
};

} // namespace nlq::kernel

#endif // NLQ_KERNEL_GRAPH_H
