//===- RandomGraph.cpp - Random kernels for tests -------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernel/RandomGraph.h"
#include "nlq/Kernel/Bound.h"
#include "nlq/Kernel/Rewrites.h"
#include "nlq/Kernel/Verify.h"
#include <algorithm>

using namespace nlq::kernel;

namespace {
/// Grows one graph, keeping only nodes that `bound` accepts.
class Grower {
public:
  Grower(Random &random, const RandomGraphOptions &options)
      : random(random), options(options) {}

  /// Nothing if this attempt led nowhere.
  std::optional<RandomKernel> grow();

private:
  using Id = std::optional<NodeId>;

  void addInputs();
  Id add(Node node);
  Id add(Opcode opcode, llvm::ArrayRef<Id> operands,
         std::optional<Rounding> rounding = std::nullopt);
  Id constant(int64_t value);
  Id drawConstant();
  Id pick();
  Id pickReducible();
  Id pickPerRow();
  Id clampTo(Id value, Interval range);
  Id addRandomNode();
  Id combineUnused();
  Id addOpcode(Opcode opcode);
  Id addTable();
  Id addIdiom();
  Id assume(Id value, Interval range, const char *lemma);

  Random &random;
  const RandomGraphOptions &options;
  Kernel kernel;
  std::vector<Interval> intervals;
  std::vector<unsigned> uses;
  int64_t rowLength = 1;
};
} // namespace

Grower::Id Grower::add(Node node) {
  Graph &graph = kernel.graph;
  node.rate = inferRate(graph, node);
  if (node.opcode == Opcode::Sqrt && node.rate != Rate::Uniform &&
      node.rate != Rate::Row)
    return std::nullopt;
  graph.nodes.push_back(node);
  llvm::Expected<Interval> interval = boundNode(graph, graph.nodes.size() - 1);
  bool perElement = node.rate == Rate::Element || node.rate == Rate::Column;
  unsigned most = perElement ? options.maxElementBits : options.maxRowBits;
  bool keep = interval && signedBits(*interval) <= most;
  if (!keep) {
    if (!interval)
      llvm::consumeError(interval.takeError());
    graph.nodes.pop_back();
    return std::nullopt;
  }
  intervals.push_back(*interval);
  uses.push_back(0);
  for (NodeId operand : node.operands)
    ++uses[operand];
  return graph.nodes.size() - 1;
}

Grower::Id Grower::add(Opcode opcode, llvm::ArrayRef<Id> operands,
                       std::optional<Rounding> rounding) {
  Node node;
  node.opcode = opcode;
  for (Id operand : operands) {
    if (!operand)
      return std::nullopt;
    node.operands.push_back(*operand);
  }
  if (getInfo(opcode).hasRounding)
    node.rounding = rounding ? *rounding : Rounding(random.in(0, 4));
  if (getInfo(opcode).hasPredicate)
    node.predicate = Predicate(random.in(0, 5));
  return add(std::move(node));
}

Grower::Id Grower::constant(int64_t value) {
  Node node;
  node.imm = value;
  return add(std::move(node));
}

Grower::Id Grower::drawConstant() {
  switch (random.in(0, 5)) {
  case 0:
    return constant(random.in(-4, 4));
  case 1:
    return constant(random.in(-300, 300));
  case 2:
    return constant(int64_t(1) << random.in(0, 40));
  case 3:
    return constant(storageRange(unsigned(8 << random.in(0, 2))).lo);
  case 4:
    return constant(storageRange(unsigned(8 << random.in(0, 2))).hi);
  default:
    return constant(random.in(INT32_MIN, INT32_MAX));
  }
}

void Grower::addInputs() {
  Graph &graph = kernel.graph;
  auto declare = [&](Rate rate) {
    Input input;
    input.rate = rate;
    input.name = stringify(rate) + std::to_string(graph.inputs.size());
    input.bits = unsigned(8 << std::min<int64_t>(random.in(0, 3), 2));
    input.isSigned =
        rate == Rate::Column || !options.unsignedInputs || !random.oneIn(4);
    Interval storage = storageRange(input.bits, input.isSigned);
    input.range = storage;
    if (random.oneIn(2)) {
      int64_t a = random.in(storage), b = random.in(storage);
      input.range = {std::min(a, b), std::max(a, b)};
    }
    graph.inputs.push_back(input);
    Node node;
    node.opcode = Opcode::Input;
    node.imm = int64_t(graph.inputs.size()) - 1;
    add(std::move(node));
    if (rate == Rate::Column) {
      std::vector<int64_t> &values = kernel.columns.emplace_back();
      for (int64_t i = 0; i < rowLength; ++i)
        values.push_back(random.oneIn(8)   ? input.range.lo
                         : random.oneIn(8) ? input.range.hi
                                           : random.in(input.range));
    }
  };
  for (int64_t count = random.in(1, 3); count > 0; --count)
    declare(Rate::Element);
  if (options.columnInputs)
    for (int64_t count = random.in(0, 2); count > 0; --count)
      declare(Rate::Column);
  if (options.rowInputs && random.oneIn(2))
    declare(Rate::Row);
}

/// Any node, rather one that nothing uses yet, and rarely a uniform one.
Grower::Id Grower::pick() {
  NodeId id = 0;
  for (int tries = 0; tries < 4; ++tries) {
    id = NodeId(random.in(0, int64_t(intervals.size()) - 1));
    bool uniform = kernel.graph.nodes[id].rate == Rate::Uniform;
    if (uses[id] == 0 && (!uniform || random.oneIn(4)))
      break;
  }
  return id;
}

Grower::Id Grower::pickReducible() {
  for (int tries = 0; tries < 20; ++tries) {
    Id id = pick();
    Rate rate = kernel.graph.nodes[*id].rate;
    if (rate == Rate::Element || rate == Rate::Column)
      return id;
  }
  return std::nullopt;
}

Grower::Id Grower::pickPerRow() {
  for (int tries = 0; tries < 20; ++tries) {
    Id id = pick();
    if (kernel.graph.nodes[*id].rate == Rate::Row)
      return id;
  }
  return add(Opcode::ReduceMax, {pickReducible()});
}

Grower::Id Grower::clampTo(Id value, Interval range) {
  if (!value)
    return std::nullopt;
  if (intervals[*value].lo < range.lo)
    value = add(Opcode::Max, {value, constant(range.lo)});
  if (value && intervals[*value].hi > range.hi)
    value = add(Opcode::Min, {value, constant(range.hi)});
  return value;
}

Grower::Id Grower::addTable() {
  Table table;
  int64_t size = random.oneIn(3) ? random.in(257, 700) : random.in(1, 256);
  Interval values = storageRange(unsigned(8 << random.in(0, 2)));
  for (int64_t i = 0; i < size; ++i)
    table.push_back(random.in(values));
  Node node;
  node.opcode = Opcode::Lookup;
  Id index = clampTo(pick(), {0, size - 1});
  if (!index)
    return std::nullopt;
  node.operands.push_back(*index);
  node.imm = int64_t(kernel.graph.tables.size());
  kernel.graph.tables.push_back(std::move(table));
  Id id = add(std::move(node));
  if (!id)
    kernel.graph.tables.pop_back();
  return id;
}

Grower::Id Grower::assume(Id value, Interval range, const char *lemma) {
  if (!value)
    return std::nullopt;
  Node node;
  node.opcode = Opcode::Assume;
  node.range = range;
  node.text = lemma;
  node.operands.push_back(*value);
  return add(std::move(node));
}

/// Subgraphs whose values are narrower than their operands' intervals, as
/// methods use them: assumptions that are true, and relations that bound knows.
Grower::Id Grower::addIdiom() {
  switch (random.in(0, 5)) {
  case 0: { // at most the largest of the row
    Id a = pickReducible();
    return add(Opcode::Sub, {a, add(Opcode::ReduceMax, {a})});
  }
  case 1: { // |a|
    Id a = pick();
    return add(Opcode::Max, {a, add(Opcode::Sub, {constant(0), a})});
  }
  case 2: { // remainder
    Id a = pick(), d = clampTo(pick(), {1, random.in(1, 1000)});
    Id quotient = add(Opcode::Div, {a, d}, Rounding::Floor);
    return add(Opcode::Sub, {a, add(Opcode::Mul, {quotient, d})});
  }
  case 3: { // share of a row sum
    Id a = clampTo(pickReducible(), {0, random.in(1, 100000)});
    Id sum = add(Opcode::Max, {add(Opcode::ReduceSum, {a}), constant(1)});
    int64_t one = random.in(1, 70000);
    // Rounding the reciprocal up would let the share exceed `one`.
    Id reciprocal =
        add(Opcode::Div, {constant(one << 31), sum}, Rounding::Floor);
    Id share = add(Opcode::MulShift, {a, reciprocal, constant(31)});
    return assume(share, {0, one}, "a term is at most the sum");
  }
  case 4: { // n sum a^2 >= (sum a)^2
    Id a = clampTo(pickReducible(), {-40000, 40000});
    Id sum = add(Opcode::ReduceSum, {a});
    Node length;
    length.opcode = Opcode::RowLength;
    Id squares =
        add(Opcode::Mul, {add(Opcode::ReduceSum, {add(Opcode::Mul, {a, a})}),
                          add(std::move(length))});
    return assume(add(Opcode::Sub, {squares, add(Opcode::Mul, {sum, sum})}),
                  {0, INT64_MAX}, "the Cauchy-Schwarz inequality");
  }
  default: { // trivially true
    Id a = pick();
    return assume(a, intervals[*a], "the interval itself");
  }
  }
}

Grower::Id Grower::addOpcode(Opcode opcode) {
  switch (opcode) {
  case Opcode::Constant:
    return drawConstant();
  case Opcode::Input:
    return std::nullopt; // added first
  case Opcode::RowIndex:
  case Opcode::ColumnIndex:
  case Opcode::RowLength:
    return add(opcode, {});
  case Opcode::MulShift:
    return add(opcode,
               {pick(), random.oneIn(2) ? drawConstant() : pick(),
                random.oneIn(2)
                    ? constant(random.in(0, 126))
                    : clampTo(pick(), {random.in(0, 20), random.in(20, 126)})});
  case Opcode::ShiftLeft:
    return add(opcode, {pick(), clampTo(pick(), {0, random.in(0, 20)})});
  case Opcode::ShiftRight:
    return add(opcode, {pick(), random.oneIn(2) ? constant(random.in(0, 70))
                                                : clampTo(pick(), {0, 80})});
  case Opcode::Div: {
    Interval positive{1, INT64_MAX}, negative{INT64_MIN, -1};
    Id divisor =
        random.oneIn(3) ? drawConstant()
        : random.oneIn(3)
            ? clampTo(pick(), negative)
            : clampTo(random.oneIn(2) ? pick() : pickPerRow(), positive);
    return add(opcode, {pick(), divisor});
  }
  case Opcode::Select:
    return add(
        opcode,
        {random.oneIn(3) ? pick() : add(Opcode::Compare, {pick(), pick()}),
         pick(), pick()});
  case Opcode::BitLength:
    return add(opcode, {clampTo(pick(), {0, INT64_MAX})});
  case Opcode::Lookup:
    return addTable();
  case Opcode::Sqrt:
    return add(opcode, {clampTo(pickPerRow(), {0, INT64_MAX})});
  case Opcode::ReduceMax:
  case Opcode::ReduceSum:
    return add(opcode, {pickReducible()});
  case Opcode::Assume:
    return addIdiom();
  default:
    return add(opcode, {pick(), random.oneIn(4) ? drawConstant() : pick()});
  }
}

Grower::Id Grower::addRandomNode() {
  return addOpcode(Opcode(random.in(0, kNumOpcodes - 1)));
}

/// An element node that depends on many of the nodes that nothing uses yet.
Grower::Id Grower::combineUnused() {
  Id result;
  bool wanted = !random.oneIn(3);
  NodeId count = wanted ? NodeId(intervals.size()) : 0;
  for (NodeId id = 0; id < count; ++id) {
    if (uses[id] != 0 || kernel.graph.nodes[id].rate == Rate::Uniform ||
        random.oneIn(4))
      continue;
    // In few bits, lest the wide hide the narrow.
    Id part = clampTo(id, storageRange(unsigned(8 << random.in(0, 2))));
    Opcode opcodes[] = {Opcode::Add, Opcode::Sub, Opcode::Max};
    Id joined = result ? add(opcodes[random.in(0, 2)], {result, part}) : part;
    if (joined)
      result = joined;
  }
  if (result && kernel.graph.nodes[*result].rate == Rate::Element)
    return result;
  // An input wider than the elements allowed left no element node.
  for (NodeId id = NodeId(intervals.size()); id-- > 0;)
    if (kernel.graph.nodes[id].rate == Rate::Element)
      return id;
  return std::nullopt;
}

std::optional<RandomKernel> Grower::grow() {
  rowLength = random.oneIn(8) ? 1 : random.in(1, options.maxRowLength);
  Graph &graph = kernel.graph;
  graph.maxRowLength =
      random.oneIn(2) ? rowLength : random.in(rowLength, options.maxRowLength);
  addInputs();
  if (graph.nodes.empty())
    return std::nullopt; // all inputs are wider than the limits allow
  unsigned wanted = unsigned(random.in(4, options.numNodes));
  for (unsigned tries = 0;
       graph.nodes.size() < wanted && tries < 4 * options.numNodes; ++tries)
    addRandomNode();
  Id result = combineUnused();
  if (!result)
    return std::nullopt;
  // Narrowed more often than not, as kernels end.
  unsigned bits = unsigned(8 << random.in(0, 3));
  if (!random.oneIn(3) || !storageRange(bits).contains(intervals[*result]))
    result = clampTo(result, storageRange(bits));
  if (!result)
    return std::nullopt;
  graph.result = *result;
  graph.resultBits = bits;
  removeDeadNodes(kernel);
  // An assumption that did not reach the result may have narrowed a node.
  BoundOptions limits;
  limits.maxElementBits = options.maxElementBits;
  limits.maxRowBits = options.maxRowBits;
  if (llvm::Expected<Bounds> bounds = bound(graph, limits))
    return RandomKernel{std::move(kernel), rowLength};
  else
    llvm::consumeError(bounds.takeError());
  return std::nullopt;
}

RandomKernel nlq::kernel::randomKernel(uint64_t seed,
                                       const RandomGraphOptions &options) {
  Random random(seed);
  for (;;)
    if (std::optional<RandomKernel> drawn = Grower(random, options).grow())
      return std::move(*drawn);
}
