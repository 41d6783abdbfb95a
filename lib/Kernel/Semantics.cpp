//===- Semantics.cpp - What each opcode means -----------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Kernel/Semantics.h"
#include <algorithm>

using namespace nlq::kernel;

unsigned nlq::kernel::signedBits(Int128 lo, Int128 hi) {
  unsigned bits = 1;
  while (bits < 128 &&
         (lo < -(Int128(1) << (bits - 1)) || hi >= (Int128(1) << (bits - 1))))
    ++bits;
  return bits;
}

int64_t nlq::kernel::integerSqrt(uint64_t a) {
  // Newton's iteration from a power of two above the root. It decreases until
  // it reaches floor(sqrt(a)) and would not decrease further, which is where it
  // stops: x >= sqrt(a) implies (x + a/x)/2 >= sqrt(a).
  if (a < 2)
    return int64_t(a);
  uint64_t x = uint64_t(1) << ((bitLength(a) + 1) / 2);
  for (;;) {
    uint64_t next = (x + a / x) >> 1;
    if (next >= x)
      return int64_t(x);
    x = next;
  }
}

Int128 nlq::kernel::shiftRight(Int128 a, int64_t amount, Rounding rounding) {
  // Only 64-bit values are shifted by more than 126, and beyond 64 their
  // quotient lies strictly between -1/2 and 1/2 whatever the amount.
  unsigned by = unsigned(std::min<int64_t>(amount, 126));
  switch (rounding) {
  case Rounding::Floor:
    return shiftRightRounded<Rounding::Floor>(a, by);
  case Rounding::TowardZero:
    return shiftRightRounded<Rounding::TowardZero>(a, by);
  case Rounding::HalfUp:
    return shiftRightRounded<Rounding::HalfUp>(a, by);
  case Rounding::HalfEven:
    return shiftRightRounded<Rounding::HalfEven>(a, by);
  case Rounding::HalfAway:
    return shiftRightRounded<Rounding::HalfAway>(a, by);
  }
  return 0;
}

Int128 nlq::kernel::divide(Int128 a, Int128 b, Rounding rounding) {
  switch (rounding) {
  case Rounding::Floor:
    return divideRounded<Rounding::Floor>(a, b);
  case Rounding::TowardZero:
    return divideRounded<Rounding::TowardZero>(a, b);
  case Rounding::HalfUp:
    return divideRounded<Rounding::HalfUp>(a, b);
  case Rounding::HalfEven:
    return divideRounded<Rounding::HalfEven>(a, b);
  case Rounding::HalfAway:
    return divideRounded<Rounding::HalfAway>(a, b);
  }
  return 0;
}

std::optional<Int128> nlq::kernel::applyExact(const Node &node,
                                              llvm::ArrayRef<int64_t> operands,
                                              llvm::ArrayRef<Table> tables) {
  Int128 a = operands.size() > 0 ? operands[0] : 0;
  Int128 b = operands.size() > 1 ? operands[1] : 0;
  Int128 c = operands.size() > 2 ? operands[2] : 0;
  switch (node.opcode) {
  case Opcode::Constant:
    return Int128(node.imm);
  case Opcode::Add:
    return a + b;
  case Opcode::Sub:
    return a - b;
  case Opcode::Mul:
    return a * b;
  case Opcode::MulShift:
    if (c < 0 || c > 126)
      return std::nullopt;
    return shiftRight(a * b, int64_t(c), node.rounding);
  case Opcode::ShiftLeft:
    if (b < 0)
      return std::nullopt;
    return a * (Int128(1) << int(std::min<Int128>(b, 64)));
  case Opcode::ShiftRight:
    if (b < 0)
      return std::nullopt;
    return shiftRight(a, int64_t(b), node.rounding);
  case Opcode::Div:
    if (b == 0)
      return std::nullopt;
    return divide(a, b, node.rounding);
  case Opcode::Min:
    return std::min(a, b);
  case Opcode::Max:
    return std::max(a, b);
  case Opcode::Compare:
    return Int128(holds(node.predicate, a, b));
  case Opcode::Select:
    return a != 0 ? b : c;
  case Opcode::BitLength:
    if (a < 0)
      return std::nullopt;
    return Int128(bitLength(uint64_t(a)));
  case Opcode::Lookup: {
    if (node.imm < 0 || uint64_t(node.imm) >= tables.size())
      return std::nullopt;
    const Table &table = tables[node.imm];
    if (a < 0 || a >= Int128(table.size()))
      return std::nullopt;
    return Int128(table[size_t(a)]);
  }
  case Opcode::Sqrt:
    if (a < 0)
      return std::nullopt;
    return Int128(integerSqrt(uint64_t(a)));
  case Opcode::Assume:
    return a;
  case Opcode::Input:
  case Opcode::RowIndex:
  case Opcode::ColumnIndex:
  case Opcode::RowLength:
  case Opcode::ReduceMax:
  case Opcode::ReduceSum:
    return std::nullopt;
  }
  return std::nullopt;
}

std::optional<int64_t> nlq::kernel::apply(const Node &node,
                                          llvm::ArrayRef<int64_t> operands,
                                          llvm::ArrayRef<Table> tables) {
  std::optional<Int128> exact = applyExact(node, operands, tables);
  if (!exact || *exact < INT64_MIN || *exact > INT64_MAX)
    return std::nullopt;
  return int64_t(*exact);
}

std::string nlq::kernel::toString(Int128 value) {
  UInt128 rest = value < 0 ? UInt128(0) - UInt128(value) : UInt128(value);
  std::string text;
  do {
    text += char('0' + int(rest % 10));
    rest /= 10;
  } while (rest != 0);
  if (value < 0)
    text += '-';
  std::reverse(text.begin(), text.end());
  return text;
}
