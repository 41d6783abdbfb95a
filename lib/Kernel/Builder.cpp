//===- Builder.cpp - Writing kernel graphs --------------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Kernel/Builder.h"
#include "nlq/Kernel/Rewrites.h"
#include "nlq/Kernel/Semantics.h"
#include "nlq/Kernel/Verify.h"
#include "llvm/ADT/Hashing.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>

using namespace nlq::kernel;

Rate Value::getRate() const { return builder->getGraph().nodes[id].rate; }

Value Value::named(llvm::StringRef name) const {
  Node &node = builder->getGraph().nodes[id];
  if (node.opcode != Opcode::Constant && node.opcode != Opcode::Assume &&
      node.text.empty())
    node.text = name.str();
  return *this;
}

//===----------------------------------------------------------------------===//
// Appending
//===----------------------------------------------------------------------===//

static bool isCommutative(Opcode opcode) {
  return opcode == Opcode::Add || opcode == Opcode::Mul ||
         opcode == Opcode::Min || opcode == Opcode::Max;
}

/// Whether the nodes compute the same; names do not matter, lemmas do.
static bool computeSame(const Node &a, const Node &b) {
  return a.opcode == b.opcode && a.rounding == b.rounding &&
         a.predicate == b.predicate && a.imm == b.imm && a.range == b.range &&
         a.operands == b.operands &&
         (a.opcode != Opcode::Assume || a.text == b.text);
}

static uint64_t hash(const Node &node) {
  return llvm::hash_combine(unsigned(node.opcode), unsigned(node.rounding),
                            unsigned(node.predicate), node.imm, node.range.lo,
                            node.range.hi,
                            llvm::hash_combine_range(node.operands.begin(),
                                                     node.operands.end())) &
         INT64_MAX; // the map keeps the two largest keys to itself
}

/// The value of `node` if its operands are constants and it has one.
static std::optional<int64_t> fold(const Graph &graph, const Node &node) {
  if (node.opcode == Opcode::Constant)
    return std::nullopt;
  llvm::SmallVector<int64_t, 3> operands;
  for (NodeId operand : node.operands) {
    if (graph.nodes[operand].opcode != Opcode::Constant)
      return std::nullopt;
    operands.push_back(graph.nodes[operand].imm);
  }
  std::optional<int64_t> value = apply(node, operands, graph.tables);
  // A wrong assumption stays for `bound` to refuse.
  if (node.opcode == Opcode::Assume && !node.range.contains(*value))
    return std::nullopt;
  return value;
}

/// Whether `node` is its first operand for the sake of a neutral second one.
static bool isNeutral(const Graph &graph, const Node &node) {
  if (node.operands.size() != 2)
    return false;
  const Node &second = graph.nodes[node.operands[1]];
  if (second.opcode != Opcode::Constant)
    return false;
  switch (node.opcode) {
  case Opcode::Add:
  case Opcode::Sub:
  case Opcode::ShiftLeft:
  case Opcode::ShiftRight:
    return second.imm == 0;
  case Opcode::Mul:
  case Opcode::Div:
    return second.imm == 1;
  default:
    return false;
  }
}

Value Builder::append(Node node) {
  if (isCommutative(node.opcode) &&
      graph.nodes[node.operands[0]].opcode == Opcode::Constant)
    std::swap(node.operands[0], node.operands[1]);
  if (std::optional<int64_t> value = fold(graph, node))
    return constant(*value);
  if (isNeutral(graph, node))
    return Value(this, node.operands[0]);
  // Reductions of what is the same in the whole row.
  if (isReduction(node)) {
    Value operand(this, node.operands[0]);
    Rate rate = operand.getRate();
    if (rate == Rate::Uniform || rate == Rate::Row)
      return node.opcode == Opcode::ReduceMax ? operand : operand * rowLength();
  }
  node.rate = inferRate(graph, node);
  auto &sameHash = made[hash(node)];
  for (NodeId id : sameHash)
    if (computeSame(graph.nodes[id], node))
      return Value(this, id);
  NodeId id = graph.nodes.size();
  sameHash.push_back(id);
  graph.nodes.push_back(std::move(node));
  return Value(this, id);
}

static Node make(Opcode opcode, llvm::ArrayRef<Value> operands) {
  Node node;
  node.opcode = opcode;
  for (Value operand : operands)
    node.operands.push_back(operand.getId());
  return node;
}

static Value append(Opcode opcode, llvm::ArrayRef<Value> operands) {
  return operands[0].getBuilder().append(make(opcode, operands));
}

static Value append(Opcode opcode, llvm::ArrayRef<Value> operands,
                    Rounding rounding) {
  Node node = make(opcode, operands);
  node.rounding = rounding;
  return operands[0].getBuilder().append(std::move(node));
}

//===----------------------------------------------------------------------===//
// Leaves
//===----------------------------------------------------------------------===//

Builder::Builder(const Kernel &kernel) : columns(kernel.columns) {
  graph.inputs = kernel.graph.inputs;
  graph.tables = kernel.graph.tables;
  graph.maxRowLength = kernel.graph.maxRowLength;
}

Value Builder::constant(int64_t value) {
  Node node;
  node.imm = value;
  return append(std::move(node));
}

static Node makeInput(size_t number) {
  Node node;
  node.opcode = Opcode::Input;
  node.imm = int64_t(number);
  return node;
}

Value Builder::element(llvm::StringRef name, unsigned bits, Interval range,
                       bool isSigned) {
  graph.inputs.push_back({name.str(), Rate::Element, bits, isSigned, range});
  return append(makeInput(graph.inputs.size() - 1));
}

Value Builder::row(llvm::StringRef name, unsigned bits, Interval range,
                   bool isSigned) {
  graph.inputs.push_back({name.str(), Rate::Row, bits, isSigned, range});
  return append(makeInput(graph.inputs.size() - 1));
}

/// The narrowest of 8, 16, 32 and 64 signed bits that holds `range`.
static unsigned storageBits(Interval range) {
  for (unsigned bits : {8u, 16u, 32u})
    if (storageRange(bits).contains(range))
      return bits;
  return 64;
}

Value Builder::column(llvm::StringRef name, std::vector<int64_t> values) {
  auto [lo, hi] = std::minmax_element(values.begin(), values.end());
  Interval range{*lo, *hi};
  if (range.lo == range.hi)
    return constant(range.lo);
  // Columns of equal values are one input.
  size_t next = 0;
  for (size_t i = 0; i < graph.inputs.size(); ++i)
    if (graph.inputs[i].rate == Rate::Column && columns[next++] == values)
      return append(makeInput(i));
  graph.inputs.push_back(
      {name.str(), Rate::Column, storageBits(range), true, range});
  columns.push_back(std::move(values));
  return append(makeInput(graph.inputs.size() - 1));
}

Value Builder::rowIndex() {
  Node node;
  node.opcode = Opcode::RowIndex;
  return append(std::move(node));
}

Value Builder::columnIndex() {
  Node node;
  node.opcode = Opcode::ColumnIndex;
  return append(std::move(node));
}

Value Builder::rowLength() {
  Node node;
  node.opcode = Opcode::RowLength;
  return append(std::move(node));
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

Value nlq::kernel::operator+(Value a, Value b) {
  return append(Opcode::Add, {a, b});
}
Value nlq::kernel::operator+(Value a, int64_t b) {
  return a + a.getBuilder().constant(b);
}
Value nlq::kernel::operator-(Value a, Value b) {
  return append(Opcode::Sub, {a, b});
}
Value nlq::kernel::operator-(Value a, int64_t b) {
  return a - a.getBuilder().constant(b);
}
Value nlq::kernel::operator-(int64_t a, Value b) {
  return b.getBuilder().constant(a) - b;
}
Value nlq::kernel::operator-(Value a) { return 0 - a; }
Value nlq::kernel::operator*(Value a, Value b) {
  return append(Opcode::Mul, {a, b});
}
Value nlq::kernel::operator*(Value a, int64_t b) {
  return a * a.getBuilder().constant(b);
}

Value Builder::mulShift(Value a, Value b, Value shift, Rounding rounding) {
  return ::append(Opcode::MulShift, {a, b, shift}, rounding);
}
Value Builder::mulShift(Value a, Value b, int64_t shift, Rounding rounding) {
  return mulShift(a, b, constant(shift), rounding);
}
Value Builder::mulShift(Value a, int64_t b, int64_t shift, Rounding rounding) {
  return mulShift(a, constant(b), constant(shift), rounding);
}
Value Builder::shiftLeft(Value a, Value amount) {
  return ::append(Opcode::ShiftLeft, {a, amount});
}
Value Builder::shiftLeft(Value a, int64_t amount) {
  return shiftLeft(a, constant(amount));
}
Value Builder::shiftRight(Value a, Value amount, Rounding rounding) {
  return ::append(Opcode::ShiftRight, {a, amount}, rounding);
}
Value Builder::shiftRight(Value a, int64_t amount, Rounding rounding) {
  return shiftRight(a, constant(amount), rounding);
}
Value Builder::div(Value a, Value b, Rounding rounding) {
  return ::append(Opcode::Div, {a, b}, rounding);
}
Value Builder::div(Value a, int64_t b, Rounding rounding) {
  return div(a, constant(b), rounding);
}
Value Builder::div(int64_t a, Value b, Rounding rounding) {
  return div(constant(a), b, rounding);
}
Value Builder::min(Value a, Value b) { return ::append(Opcode::Min, {a, b}); }
Value Builder::min(Value a, int64_t b) { return min(a, constant(b)); }
Value Builder::max(Value a, Value b) { return ::append(Opcode::Max, {a, b}); }
Value Builder::max(Value a, int64_t b) { return max(a, constant(b)); }
Value Builder::clamp(Value a, Interval range) {
  return min(max(a, range.lo), range.hi);
}
Value Builder::abs(Value a) { return max(a, -a); }

Value Builder::compare(Predicate predicate, Value a, Value b) {
  Node node = make(Opcode::Compare, {a, b});
  node.predicate = predicate;
  return append(std::move(node));
}
Value Builder::compare(Predicate predicate, Value a, int64_t b) {
  return compare(predicate, a, constant(b));
}
Value Builder::select(Value condition, Value a, Value b) {
  return ::append(Opcode::Select, {condition, a, b});
}
Value Builder::bitLength(Value a) { return ::append(Opcode::BitLength, {a}); }

Value Builder::lookup(Table table, Value index) {
  auto known = llvm::find(graph.tables, table);
  Node node = make(Opcode::Lookup, {index});
  node.imm = known - graph.tables.begin();
  if (known == graph.tables.end())
    graph.tables.push_back(std::move(table));
  return append(std::move(node));
}

Value Builder::sqrt(Value a) { return ::append(Opcode::Sqrt, {a}); }
Value Builder::reduceMax(Value a) { return ::append(Opcode::ReduceMax, {a}); }
Value Builder::reduceSum(Value a) { return ::append(Opcode::ReduceSum, {a}); }

Value Builder::assume(Value a, Interval range, llvm::StringRef lemma) {
  Node node = make(Opcode::Assume, {a});
  node.range = range;
  node.text = lemma.str();
  return append(std::move(node));
}

Kernel Builder::finish(Value result, unsigned bits) {
  graph.result = result.getId();
  graph.resultBits = bits;
  Kernel kernel{std::move(graph), std::move(columns)};
  graph = Graph();
  columns.clear();
  made.clear();
  removeDeadNodes(kernel);
  return kernel;
}
