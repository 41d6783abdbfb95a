//===- Semantics.h - What each opcode means ---------------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The one definition of each opcode's meaning on integers. Evaluate's loops,
// the builder's constant folding and the corners of `bound`'s intervals all use
// the functions below, so they cannot disagree.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_KERNEL_SEMANTICS_H
#define NLQ_KERNEL_SEMANTICS_H

#include "nlq/Kernel/Graph.h"
#include <type_traits>

namespace nlq::kernel {

__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 UInt128;

/// Number of bits of the narrowest signed integer that holds `lo` and `hi`, at
/// most 128.
unsigned signedBits(Int128 lo, Int128 hi);

/// The unsigned type of the same width; std::make_unsigned does not know
/// 128-bit integers in strict modes.
template <typename Int>
using UnsignedOf =
    std::conditional_t<std::is_same_v<Int, Int128>, UInt128, uint64_t>;

/// q(a / 2^amount) for 0 <= amount < the width of Int, exact for every a.
/// The shifted-out bits are compared with one half doubled, as unsigned
/// numbers, so that nothing overflows and amount 0 needs no special case.
template <Rounding R, typename Int>
inline Int shiftRightRounded(Int a, unsigned amount) {
  using UInt = UnsignedOf<Int>;
  Int quotient = a >> amount;
  if constexpr (R == Rounding::Floor)
    return quotient;
  UInt one = UInt(1) << amount;
  UInt rest = UInt(a) & (one - 1);
  if constexpr (R == Rounding::TowardZero)
    return quotient + Int((a < 0) & (rest != 0));
  UInt twice = rest << 1;
  if constexpr (R == Rounding::HalfUp)
    return quotient + Int(twice >= one);
  if constexpr (R == Rounding::HalfEven)
    return quotient + Int((twice > one) | ((twice == one) & (quotient & 1)));
  return quotient + Int((twice > one) | ((twice == one) & (a >= 0)));
}

/// q(a / b) for b != 0 and a quotient that fits in Int.
template <Rounding R, typename Int> inline Int divideRounded(Int a, Int b) {
  using UInt = UnsignedOf<Int>;
  Int quotient = a / b;
  Int rest = a % b; // has the sign of a
  if constexpr (R == Rounding::TowardZero)
    return quotient;
  // The sign of the exact quotient, wherever the rest is not 0.
  bool negative = (a < 0) != (b < 0);
  if constexpr (R == Rounding::Floor)
    return quotient - Int(rest != 0 && negative);
  UInt twice = (rest < 0 ? UInt(0) - UInt(rest) : UInt(rest)) << 1;
  UInt whole = b < 0 ? UInt(0) - UInt(b) : UInt(b);
  bool away = twice > whole;
  if (twice == whole)
    away = R == Rounding::HalfAway ||
           (R == Rounding::HalfUp ? !negative : bool(quotient & 1));
  if (!away)
    return quotient;
  return negative ? quotient - 1 : quotient + 1;
}

template <typename Int>
inline bool holds(Predicate predicate, const Int &a, const Int &b) {
  switch (predicate) {
  case Predicate::EQ:
    return a == b;
  case Predicate::NE:
    return a != b;
  case Predicate::LT:
    return a < b;
  case Predicate::LE:
    return a <= b;
  case Predicate::GT:
    return a > b;
  case Predicate::GE:
    return a >= b;
  }
  return false;
}

/// 0 for 0, else floor(log2 a) + 1; `a` as an unsigned number.
inline int64_t bitLength(uint64_t a) {
  return a == 0 ? 0 : 64 - __builtin_clzll(a);
}

/// floor(sqrt(a)).
int64_t integerSqrt(uint64_t a);

/// q(a / 2^amount) for any amount >= 0.
Int128 shiftRight(Int128 a, int64_t amount, Rounding rounding);

/// q(a / b), b != 0.
Int128 divide(Int128 a, Int128 b, Rounding rounding);

/// The exact value of `node` on `operands`, for opcodes that compute one value
/// from values of the same element: not for inputs, indices, RowLength and
/// reductions. Nothing if the value is undefined: a zero divisor, a shift
/// amount out of range, a negative root, an index outside of the table.
/// (A ShiftLeft by more than 64 is computed as one by 64: both leave 64 bits.)
std::optional<Int128> applyExact(const Node &node,
                                 llvm::ArrayRef<int64_t> operands,
                                 llvm::ArrayRef<Table> tables);

/// The same where the value fits in 64 bits, nothing where it does not.
std::optional<int64_t> apply(const Node &node, llvm::ArrayRef<int64_t> operands,
                             llvm::ArrayRef<Table> tables);

/// Decimal text, for messages.
std::string toString(Int128 value);

} // namespace nlq::kernel

#endif // NLQ_KERNEL_SEMANTICS_H
