//===- EvaluateLoops.cpp - Loops of the fast mode -------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EvaluateLoops.h"
#include <algorithm>

using namespace nlq::kernel;

bool nlq::kernel::productFits(Interval a, Interval b) {
  for (Int128 x : {a.lo, a.hi})
    for (Int128 y : {b.lo, b.hi})
      if (x * y < INT64_MIN || x * y > INT64_MAX)
        return false;
  return true;
}

template <typename F>
static void map(F f, Operand a, int64_t *__restrict out, size_t size) {
  const int64_t *values = a.data;
  for (size_t i = 0; i < size; ++i)
    out[i] = f(values[i]);
}

template <typename F>
static void map(F f, Operand a, Operand b, int64_t *__restrict out,
                size_t size) {
  const int64_t *as = a.data, *bs = b.data;
  if (a.perElement && b.perElement) {
    for (size_t i = 0; i < size; ++i)
      out[i] = f(as[i], bs[i]);
  } else if (a.perElement) {
    int64_t value = *bs;
    for (size_t i = 0; i < size; ++i)
      out[i] = f(as[i], value);
  } else {
    int64_t value = *as;
    for (size_t i = 0; i < size; ++i)
      out[i] = f(value, b.perElement ? bs[i] : *bs);
  }
}

/// Calls `f` with the rounding as a constant type.
template <typename F> static void withRounding(Rounding rounding, F f) {
  switch (rounding) {
  case Rounding::Floor:
    return f(std::integral_constant<Rounding, Rounding::Floor>());
  case Rounding::TowardZero:
    return f(std::integral_constant<Rounding, Rounding::TowardZero>());
  case Rounding::HalfUp:
    return f(std::integral_constant<Rounding, Rounding::HalfUp>());
  case Rounding::HalfEven:
    return f(std::integral_constant<Rounding, Rounding::HalfEven>());
  case Rounding::HalfAway:
    return f(std::integral_constant<Rounding, Rounding::HalfAway>());
  }
}

/// The largest amount, as an unsigned number.
static uint64_t largest(Operand amount, size_t size) {
  uint64_t most = 0;
  for (size_t i = 0; i < (amount.perElement ? size : 1); ++i)
    most = std::max(most, uint64_t(amount.data[i]));
  return most;
}

void nlq::kernel::unaryLoop(Opcode opcode, Operand a, int64_t *out,
                            size_t size) {
  if (opcode == Opcode::BitLength)
    return map([](int64_t x) { return bitLength(uint64_t(x)); }, a, out, size);
  map([](int64_t x) { return integerSqrt(uint64_t(x)); }, a, out, size);
}

static void shiftRightLoop(Rounding rounding, Operand a, Operand amount,
                           int64_t *out, size_t size) {
  bool isShort = largest(amount, size) < 64;
  withRounding(rounding, [&](auto r) {
    constexpr Rounding R = decltype(r)::value;
    if (isShort)
      return map(
          [](int64_t x, int64_t by) {
            return shiftRightRounded<R>(x, unsigned(by));
          },
          a, amount, out, size);
    map([](int64_t x, int64_t by) { return int64_t(shiftRight(x, by, R)); }, a,
        amount, out, size);
  });
}

static void divideLoop(Rounding rounding, Operand a, Operand b, int64_t *out,
                       size_t size) {
  withRounding(rounding, [&](auto r) {
    constexpr Rounding R = decltype(r)::value;
    map(
        [](int64_t x, int64_t y) {
          // Most quotients are of short positive numbers, which divide several
          // times faster.
          if (((uint64_t(x) | uint64_t(y)) >> 31) == 0 && y != 0) {
            if constexpr (R == Rounding::Floor || R == Rounding::TowardZero)
              return int64_t(uint32_t(x) / uint32_t(y));
          }
          if (y == 0)
            return int64_t(0);
          if (y == -1) // the quotient is exact and must not trap
            return int64_t(0 - uint64_t(x));
          return divideRounded<R>(x, y);
        },
        a, b, out, size);
  });
}

static void compareLoop(Predicate predicate, Operand a, Operand b, int64_t *out,
                        size_t size) {
  auto run = [&](auto p) {
    map([](int64_t x,
           int64_t y) { return int64_t(holds(decltype(p)::value, x, y)); },
        a, b, out, size);
  };
  switch (predicate) {
  case Predicate::EQ:
    return run(std::integral_constant<Predicate, Predicate::EQ>());
  case Predicate::NE:
    return run(std::integral_constant<Predicate, Predicate::NE>());
  case Predicate::LT:
    return run(std::integral_constant<Predicate, Predicate::LT>());
  case Predicate::LE:
    return run(std::integral_constant<Predicate, Predicate::LE>());
  case Predicate::GT:
    return run(std::integral_constant<Predicate, Predicate::GT>());
  case Predicate::GE:
    return run(std::integral_constant<Predicate, Predicate::GE>());
  }
}

void nlq::kernel::binaryLoop(const Node &node, Operand a, Operand b,
                             int64_t *out, size_t size) {
  switch (node.opcode) {
  case Opcode::Add:
    return map(
        [](int64_t x, int64_t y) { return int64_t(uint64_t(x) + uint64_t(y)); },
        a, b, out, size);
  case Opcode::Sub:
    return map(
        [](int64_t x, int64_t y) { return int64_t(uint64_t(x) - uint64_t(y)); },
        a, b, out, size);
  case Opcode::Mul:
    return map(
        [](int64_t x, int64_t y) { return int64_t(uint64_t(x) * uint64_t(y)); },
        a, b, out, size);
  case Opcode::Min:
    return map([](int64_t x, int64_t y) { return x < y ? x : y; }, a, b, out,
               size);
  case Opcode::Max:
    return map([](int64_t x, int64_t y) { return x > y ? x : y; }, a, b, out,
               size);
  case Opcode::ShiftLeft:
    return map(
        [](int64_t x, int64_t by) {
          // Only 0 can be shifted further.
          return uint64_t(by) > 63 ? 0 : int64_t(uint64_t(x) << by);
        },
        a, b, out, size);
  case Opcode::ShiftRight:
    return shiftRightLoop(node.rounding, a, b, out, size);
  case Opcode::Div:
    return divideLoop(node.rounding, a, b, out, size);
  case Opcode::Compare:
    return compareLoop(node.predicate, a, b, out, size);
  default:
    return;
  }
}

void nlq::kernel::mulShiftLoop(Rounding rounding, bool narrow, Operand a,
                               Operand b, Operand shift, int64_t *out,
                               size_t size) {
  if (narrow && largest(shift, size) < 64) {
    // The product first, in place of the result; then the shift.
    map([](int64_t x, int64_t y) { return int64_t(uint64_t(x) * uint64_t(y)); },
        a, b, out, size);
    return withRounding(rounding, [&](auto r) {
      constexpr Rounding R = decltype(r)::value;
      if (shift.perElement)
        for (size_t i = 0; i < size; ++i)
          out[i] = shiftRightRounded<R>(out[i], unsigned(shift.data[i]));
      else
        for (size_t i = 0, by = size_t(*shift.data); i < size; ++i)
          out[i] = shiftRightRounded<R>(out[i], unsigned(by));
    });
  }
  withRounding(rounding, [&](auto r) {
    constexpr Rounding R = decltype(r)::value;
    size_t aStep = a.perElement, bStep = b.perElement, by = shift.perElement;
    for (size_t i = 0; i < size; ++i) {
      Int128 product = Int128(a.data[i * aStep]) * b.data[i * bStep];
      uint64_t amount = std::min<uint64_t>(uint64_t(shift.data[i * by]), 126);
      out[i] = int64_t(shiftRightRounded<R>(product, unsigned(amount)));
    }
  });
}

void nlq::kernel::selectLoop(Operand condition, Operand a, Operand b,
                             int64_t *out, size_t size) {
  size_t step = condition.perElement, aStep = a.perElement,
         bStep = b.perElement;
  for (size_t i = 0; i < size; ++i) {
    int64_t yes = a.data[i * aStep], no = b.data[i * bStep];
    out[i] = condition.data[i * step] != 0 ? yes : no;
  }
}

void nlq::kernel::lookupLoop(const Table &table, Operand index, int64_t *out,
                             size_t size) {
  const int64_t *entries = table.data();
  uint64_t count = table.size();
  map([=](int64_t i) { return uint64_t(i) < count ? entries[i] : int64_t(0); },
      index, out, size);
}
