//===- Graph.cpp - Integer kernels as typed graphs ------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Kernel/Graph.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <iterator>

using namespace nlq::kernel;

Rate nlq::kernel::joinRates(Rate a, Rate b) {
  // Two independent bits: depends on the column, depends on the row.
  static_assert((unsigned(Rate::Column) | unsigned(Rate::Row)) ==
                unsigned(Rate::Element));
  return Rate(unsigned(a) | unsigned(b));
}

Interval nlq::kernel::storageRange(unsigned bits, bool isSigned) {
  uint64_t half = uint64_t(1) << (bits - 1);
  if (isSigned)
    return {-int64_t(half - 1) - 1, int64_t(half - 1)};
  return {0, int64_t(2 * half - 1)};
}

// Indexed by Opcode: mnemonic, operands, immediate, rounding, predicate.
static const OpcodeInfo opcodeInfos[] = {
    {"constant", 0, true, false, false},
    {"input", 0, true, false, false},
    {"row_index", 0, false, false, false},
    {"column_index", 0, false, false, false},
    {"row_length", 0, false, false, false},
    {"add", 2, false, false, false},
    {"sub", 2, false, false, false},
    {"mul", 2, false, false, false},
    {"mul_shift", 3, false, true, false},
    {"shift_left", 2, false, false, false},
    {"shift_right", 2, false, true, false},
    {"div", 2, false, true, false},
    {"min", 2, false, false, false},
    {"max", 2, false, false, false},
    {"compare", 2, false, false, true},
    {"select", 3, false, false, false},
    {"bit_length", 1, false, false, false},
    {"lookup", 1, true, false, false},
    {"sqrt", 1, false, false, false},
    {"reduce_max", 1, false, false, false},
    {"reduce_sum", 1, false, false, false},
    {"assume", 1, false, false, false},
};
static_assert(std::size(opcodeInfos) == kNumOpcodes);

static const char *const roundingNames[] = {"floor", "toward_zero", "half_up",
                                            "half_even", "half_away"};
static const char *const predicateNames[] = {"eq", "ne", "lt",
                                             "le", "gt", "ge"};
static const char *const rateNames[] = {"uniform", "column", "row", "element"};

const OpcodeInfo &nlq::kernel::getInfo(Opcode opcode) {
  return opcodeInfos[unsigned(opcode)];
}

std::optional<Opcode> nlq::kernel::parseOpcode(llvm::StringRef mnemonic) {
  for (unsigned i = 0; i < kNumOpcodes; ++i)
    if (mnemonic == opcodeInfos[i].mnemonic)
      return Opcode(i);
  return std::nullopt;
}

template <typename Enum, size_t N>
static std::optional<Enum> parseName(const char *const (&names)[N],
                                     llvm::StringRef text) {
  for (size_t i = 0; i < N; ++i)
    if (text == names[i])
      return Enum(i);
  return std::nullopt;
}

const char *nlq::kernel::stringify(Rounding rounding) {
  return roundingNames[unsigned(rounding)];
}
std::optional<Rounding> nlq::kernel::parseRounding(llvm::StringRef text) {
  return parseName<Rounding>(roundingNames, text);
}
const char *nlq::kernel::stringify(Predicate predicate) {
  return predicateNames[unsigned(predicate)];
}
std::optional<Predicate> nlq::kernel::parsePredicate(llvm::StringRef text) {
  return parseName<Predicate>(predicateNames, text);
}
const char *nlq::kernel::stringify(Rate rate) {
  return rateNames[unsigned(rate)];
}
std::optional<Rate> nlq::kernel::parseRate(llvm::StringRef text) {
  return parseName<Rate>(rateNames, text);
}

bool nlq::kernel::isReduction(const Node &node) {
  return node.opcode == Opcode::ReduceMax || node.opcode == Opcode::ReduceSum;
}

bool nlq::kernel::variesInRow(const Node &node) {
  return node.rate == Rate::Element || node.rate == Rate::Column;
}

std::string nlq::kernel::findNamedUser(const Graph &graph, NodeId id) {
  std::vector<bool> depends(graph.nodes.size());
  depends[id] = true;
  for (NodeId user = id + 1; user < graph.nodes.size(); ++user) {
    const Node &node = graph.nodes[user];
    depends[user] = std::any_of(node.operands.begin(), node.operands.end(),
                                [&](NodeId each) { return depends[each]; });
    if (depends[user] && node.opcode != Opcode::Assume && !node.text.empty())
      return node.text;
  }
  return "";
}

bool Node::operator==(const Node &other) const {
  return opcode == other.opcode && rate == other.rate &&
         rounding == other.rounding && predicate == other.predicate &&
         imm == other.imm && range == other.range &&
         operands == other.operands && text == other.text;
}

bool Input::operator==(const Input &other) const {
  return name == other.name && rate == other.rate && bits == other.bits &&
         isSigned == other.isSigned && range == other.range;
}

bool Graph::operator==(const Graph &other) const {
  return nodes == other.nodes && inputs == other.inputs &&
         tables == other.tables && result == other.result &&
         resultBits == other.resultBits && maxRowLength == other.maxRowLength;
}

static void print(llvm::raw_ostream &os, const Node &node) {
  const OpcodeInfo &info = getInfo(node.opcode);
  os << info.mnemonic;
  if (info.hasPredicate)
    os << ' ' << stringify(node.predicate);
  if (info.hasImmediate)
    os << ' ' << node.imm;
  for (size_t i = 0; i < node.operands.size(); ++i)
    os << (i == 0 ? " %" : ", %") << node.operands[i];
  if (node.opcode == Opcode::Assume)
    os << " in [" << node.range.lo << ", " << node.range.hi << ']';
  if (info.hasRounding)
    os << ' ' << stringify(node.rounding);
  os << " : " << stringify(node.rate);
  if (!node.text.empty())
    os << "  // " << node.text;
}

std::string Graph::str() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "rows of 1 to " << maxRowLength << '\n';
  for (size_t i = 0; i < inputs.size(); ++i)
    os << "input " << i << " = " << inputs[i].name << " : "
       << stringify(inputs[i].rate) << (inputs[i].isSigned ? " i" : " u")
       << inputs[i].bits << " in [" << inputs[i].range.lo << ", "
       << inputs[i].range.hi << "]\n";
  for (size_t i = 0; i < tables.size(); ++i) {
    os << "table " << i << " =";
    for (int64_t entry : tables[i])
      os << ' ' << entry;
    os << '\n';
  }
  for (size_t i = 0; i < nodes.size(); ++i) {
    os << '%' << i << " = ";
    print(os, nodes[i]);
    os << '\n';
  }
  os << "result %" << result << " : i" << resultBits << '\n';
  return text;
}

bool nlq::kernel::needsWholeRows(const Graph &graph) {
  for (const Node &node : graph.nodes)
    switch (node.opcode) {
    case Opcode::ReduceMax:
    case Opcode::ReduceSum:
    case Opcode::ColumnIndex:
    case Opcode::RowLength:
      return true;
    default:
      break;
    }
  return false;
}
