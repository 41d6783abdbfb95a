//===- RoundedArithmetic.cpp - Shifts, quotients, roots
//---------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a kernel rounds: shifts to the right, products that are shifted,
// quotients and square roots, by the instructions that targets have.
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"
#include "Lanes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "nlq/Kernel/Semantics.h"
#include "nlq/Target/Fixed16.h"

using namespace mlir;
using namespace nlq;
using namespace nlq::kernel;

//===----------------------------------------------------------------------===//
// Shifts and products that are shifted
//===----------------------------------------------------------------------===//

/// round(value / 2^amount), the value being in [lo, hi]. `half` is the
/// half of the divisor, 0 where the amount is 0; all modes are a floor shift
/// after adding something:
///   half up    half
///   half even  half - 1 + (bit `amount` of value), at least 0
///   half away  half - (value < 0), at least 0
///   to zero    (value < 0) ? 2^amount - 1 : 0
/// A value of at least 0 plus half is read as an unsigned number.
Value KernelEmitter::emitShiftRight(Value value, Int128 lo, Int128 hi,
                                    Value amount, Interval amountRange,
                                    Rounding rounding) {
  unsigned bits = signedBits(lo, hi);
  bool isUnsigned =
      lo >= 0 && (rounding == Rounding::Floor || rounding == Rounding::HalfUp);
  bool needsRoom = rounding != Rounding::Floor && !isUnsigned;
  if (needsRoom && amountRange.lo > 0 && amountRange.hi <= bits) {
    Int128 top = Int128((UInt128(1) << (getLane(bits) - 1)) - 1);
    needsRoom = Int128(1) << (amountRange.hi - 1) > top - hi;
  }
  // Past the bits of the value a larger amount gives the same result: cap it
  // where value + half stays within the lane.
  int64_t cap = std::min<int64_t>(amountRange.hi, bits + needsRoom);
  unsigned width = std::max(
      getLane(std::max<unsigned>(bits, cap + 1) + needsRoom), widthOf(value));
  value = resize(value, width);
  amount = resize(amount, std::max(width, widthOf(amount)));
  if (amountRange.hi > cap)
    amount = arith::MinSIOp::create(builder, amount, constantLike(cap, amount));
  amount = resize(amount, width);
  auto shiftFloor = [&](Value x) -> Value {
    if (isUnsigned)
      return arith::ShRUIOp::create(builder, x, amount);
    return arith::ShRSIOp::create(builder, x, amount);
  };
  if (rounding == Rounding::Floor)
    return shiftFloor(value);
  Value one = constantLike(1, value);
  Value zero = constantLike(0, value);
  Value power = arith::ShLIOp::create(builder, one, amount);
  Value half =
      amountRange.lo > 0
          ? arith::ShLIOp::create(builder, one,
                                  arith::SubIOp::create(builder, amount, one))
                .getResult()
          : arith::ShRUIOp::create(builder, power, one).getResult();
  auto isNegative = [&]() -> Value {
    return arith::CmpIOp::create(builder, arith::CmpIPredicate::slt, value,
                                 zero);
  };
  Value addend;
  switch (rounding) {
  case Rounding::Floor:
    llvm_unreachable("handled above");
  case Rounding::HalfUp:
    addend = half;
    break;
  case Rounding::HalfEven: {
    Value odd = arith::AndIOp::create(builder, shiftFloor(value), one);
    addend = arith::AddIOp::create(
        builder, arith::SubIOp::create(builder, half, one), odd);
    addend = arith::MaxSIOp::create(builder, addend, zero);
    break;
  }
  case Rounding::HalfAway: {
    Value less = extendUnsigned(isNegative(), width);
    addend = arith::SubIOp::create(builder, half, less);
    addend = arith::MaxSIOp::create(builder, addend, zero);
    break;
  }
  case Rounding::TowardZero:
    addend = arith::SelectOp::create(builder, isNegative(),
                                     arith::SubIOp::create(builder, power, one),
                                     zero);
    break;
  }
  return shiftFloor(arith::AddIOp::create(builder, value, addend));
}

/// floor(a * b / 2^half), the high half of a product of twice the lane, which
/// targets have an instruction for (16 bits) or make of even and odd lanes
/// (32). `sticky`: the lowest bit is set where the low half is not 0.
Value KernelEmitter::emitHighHalf(Value a, Value b, bool sticky) {
  unsigned half = widthOf(a);
  Value low, high;
  if (half == 32) {
    auto product = arith::MulSIExtendedOp::create(builder, a, b);
    low = product.getLow();
    high = product.getHigh();
  } else {
    Value product = arith::MulIOp::create(builder, resize(a, 2 * half),
                                          resize(b, 2 * half));
    auto lower = [&](Value value) -> Value {
      return arith::TruncIOp::create(builder, a.getType(), value);
    };
    low = lower(product);
    high = lower(
        arith::ShRUIOp::create(builder, product, constantLike(half, product)));
  }
  if (!sticky)
    return high;
  Value rest = arith::CmpIOp::create(builder, arith::CmpIPredicate::ne, low,
                                     constantLike(0, low));
  return arith::OrIOp::create(builder, high, extendUnsigned(rest, half));
}

/// round(a * b / 2^amount) from the product's high half alone, where that is
/// enough, or by an instruction that rounds: nothing if the lanes are no halves
/// of the product's, or the shift does not reach beyond the low half. All that
/// rounding asks of the low half is whether it is 0, and for ties upwards or no
/// ties not even that:
///   floor((p + 2^(s-1)) / 2^s) = floor((floor(p / 2^h) + 2^(s-h-1)) / 2^(s-h))
/// for h < s, as 2^(s-1) is a multiple of 2^h.
Value KernelEmitter::emitHighMulShift(const Node &node,
                                      ArrayRef<Value> operands,
                                      Interval product) {
  Interval a = bounds.intervals[node.operands[0]];
  Interval amount = bounds.intervals[node.operands[2]];
  unsigned aBits = signedBits(a.lo, a.hi);
  unsigned widest = std::max(aBits, getBits(node.operands[1]));
  if (lanesOf(operands[0]) > 0 && widest <= 16 && amount.lo == 15 &&
      amount.hi == 15 && node.rounding == Rounding::HalfUp &&
      product.hi < int64_t(1) << 30)
    if (Value value = emitRoundedProduct(builder, resize(operands[0], 16),
                                         resize(operands[1], 16), features))
      return value;
  int64_t half = widest <= 16 ? 16 : 32;
  if (lanesOf(operands[0]) == 0 || widest > 32 ||
      signedBits(product.lo, product.hi) <= half)
    return Value();
  bool sticky =
      node.rounding != Rounding::Floor && node.rounding != Rounding::HalfUp;
  int64_t least = half + (node.rounding == Rounding::Floor ? 0
                          : sticky                         ? 2
                                                           : 1);
  // Room in `a` makes up for a shift that is too small.
  int64_t up = std::max<int64_t>(0, least - amount.lo);
  if (int64_t(aBits) + up > half)
    return Value();
  Value left = resize(operands[0], half);
  if (up > 0)
    left = arith::ShLIOp::create(builder, left, constantLike(up, left));
  Value high = emitHighHalf(left, resize(operands[1], half), sticky);
  auto ofHigh = [&](int64_t end) {
    return int64_t((Int128(end) << up) >> half) | int64_t(sticky);
  };
  Value rest =
      resize(operands[2], std::max<unsigned>(half, widthOf(operands[2])));
  rest = arith::AddIOp::create(builder, rest, constantLike(up - half, rest));
  return emitShiftRight(high, ofHigh(product.lo), ofHigh(product.hi), rest,
                        {amount.lo + up - half, amount.hi + up - half},
                        node.rounding);
}

Value KernelEmitter::emitMulShift(NodeId id, ArrayRef<Value> operands) {
  const Node &node = graph.nodes[id];
  Interval a = bounds.intervals[node.operands[0]];
  Interval b = bounds.intervals[node.operands[1]];
  Int128 corners[] = {Int128(a.lo) * b.lo, Int128(a.lo) * b.hi,
                      Int128(a.hi) * b.lo, Int128(a.hi) * b.hi};
  Int128 least = *std::min_element(corners, corners + 4);
  Int128 most = *std::max_element(corners, corners + 4);
  unsigned bits = signedBits(least, most);
  if (bits <= 64)
    if (Value value =
            emitHighMulShift(node, operands, {int64_t(least), int64_t(most)}))
      return value;
  unsigned width = std::max(
      {getLane(bits), getWidth(node.operands[0]), getWidth(node.operands[1])});
  Value product = arith::MulIOp::create(builder, resize(operands[0], width),
                                        resize(operands[1], width));
  return emitShiftRight(product, least, most, operands[2],
                        bounds.intervals[node.operands[2]], node.rounding);
}

//===----------------------------------------------------------------------===//
// Quotients and square roots
//===----------------------------------------------------------------------===//

/// Integers below this have floors of quotients and square roots that f64 gets
/// right (emitFloorDiv, emitSqrt).
static constexpr int64_t kExact = int64_t(1) << 52;

/// floor(a / divisor) for scalars that LLVM makes vectors of: no quotient, and
/// no high half of a product, of which it makes none. (a + 1/2) / divisor is at
/// least 1 / (2 divisor) away from an integer, and its product with the rounded
/// reciprocal is off by less than a 2^-52 / divisor.
Value KernelEmitter::emitFloorDivByProduct(Value a, Interval aRange,
                                           int64_t divisor) {
  Type f64 = builder.getF64Type();
  auto constant = [&](double value) -> Value {
    return arith::ConstantOp::create(builder, builder.getF64FloatAttr(value));
  };
  Value middle = arith::AddFOp::create(
      builder, arith::SIToFPOp::create(builder, f64, a), constant(0.5));
  Value quotient =
      arith::MulFOp::create(builder, middle, constant(1 / double(divisor)));
  if (aRange.lo < 0)
    quotient = math::FloorOp::create(builder, quotient);
  return arith::FPToSIOp::create(builder, a.getType(), quotient);
}

/// floor(a / b) for b > 0.
Value KernelEmitter::emitFloorDiv(Value a, Interval aRange, Value b,
                                  Interval bRange) {
  // Vectors have no integer division. For |a| < 2^52 the quotient in f64 is
  // exact after flooring: a / b is at least 1 / b away from the next integer q
  // above it, more than the half ulp q * 2^-53 by which division rounds. LLVM
  // makes vectors of the scalars of several rows, too, where these convert.
  bool isFast = lanesOf(a) > 0 || features.avx512bw;
  bool divisorIsConstant = bRange.lo == bRange.hi;
  if (lanesOf(a) == 0 && isFast && divisorIsConstant &&
      aRange.lo > -kExact / 4 && aRange.hi < kExact / 4)
    return emitFloorDivByProduct(a, aRange, bRange.lo);
  if (isFast && !divisorIsConstant && aRange.lo > -kExact &&
      aRange.hi < kExact) {
    Type f64 = builder.getF64Type();
    if (int64_t lanes = lanesOf(a))
      f64 = VectorType::get({lanes}, f64);
    Value quotient =
        arith::DivFOp::create(builder, arith::SIToFPOp::create(builder, f64, a),
                              arith::SIToFPOp::create(builder, f64, b));
    if (aRange.lo < 0)
      quotient = math::FloorOp::create(builder, quotient);
    return arith::FPToSIOp::create(builder, a.getType(), quotient);
  }
  if (aRange.lo >= 0)
    return arith::DivUIOp::create(builder, a, b);
  if (divisorIsConstant) {
    // Moved by multiples of the divisor to where no sign is to be looked at.
    Int128 up = (-Int128(aRange.lo) + bRange.lo - 1) / bRange.lo;
    Int128 moved = up * bRange.lo;
    if ((aRange.hi + moved) >> widthOf(a) == 0) {
      Value quotient = arith::DivUIOp::create(
          builder,
          arith::AddIOp::create(builder, a, constantLike(int64_t(moved), a)),
          b);
      return arith::SubIOp::create(builder, quotient,
                                   constantLike(int64_t(up), a));
    }
  }
  Value quotient = arith::DivSIOp::create(builder, a, b);
  Value remainder = arith::SubIOp::create(
      builder, a, arith::MulIOp::create(builder, quotient, b));
  Value below = arith::CmpIOp::create(builder, arith::CmpIPredicate::slt,
                                      remainder, constantLike(0, a));
  return arith::SubIOp::create(builder, quotient,
                               extendUnsigned(below, widthOf(a)));
}

/// round(a / b): the floor quotient, plus one where the remainder asks for it.
Value KernelEmitter::emitDiv(NodeId id, ArrayRef<Value> operands) {
  const Node &node = graph.nodes[id];
  Interval aRange = bounds.intervals[node.operands[0]];
  Interval bRange = bounds.intervals[node.operands[1]];
  // Operands that are negated need one bit more.
  unsigned bits = std::max(signedBits(aRange.lo, aRange.hi),
                           signedBits(bRange.lo, bRange.hi)) +
                  (bRange.hi < 0 ? 1 : 0);
  unsigned width = getLane(bits);
  Value a = resize(operands[0], width);
  Value b = resize(operands[1], width);
  if (bRange.hi < 0) {
    a = arith::SubIOp::create(builder, constantLike(0, a), a);
    b = arith::SubIOp::create(builder, constantLike(0, b), b);
    aRange = {-aRange.hi, aRange.lo == INT64_MIN ? INT64_MAX : -aRange.lo};
    bRange = {-bRange.hi, bRange.lo == INT64_MIN ? INT64_MAX : -bRange.lo};
  }
  if (node.rounding == Rounding::HalfUp) {
    // floor((a + floor(b / 2)) / b): an odd b has no ties.
    Int128 lo = Int128(aRange.lo) + bRange.lo / 2;
    Int128 hi = Int128(aRange.hi) + bRange.hi / 2;
    if (unsigned lane = getLane(signedBits(lo, hi)); lane <= 64) {
      width = std::max(width, lane);
      b = resize(b, width);
      Value half = arith::ShRUIOp::create(builder, b, constantLike(1, b));
      Value sum = arith::AddIOp::create(builder, resize(a, width), half);
      return emitFloorDiv(sum, {int64_t(lo), int64_t(hi)}, b, bRange);
    }
  }
  Value quotient = emitFloorDiv(a, aRange, b, bRange);
  if (node.rounding == Rounding::Floor ||
      (node.rounding == Rounding::TowardZero && aRange.lo >= 0))
    return quotient;

  Value remainder = arith::SubIOp::create(
      builder, a, arith::MulIOp::create(builder, quotient, b));
  Value zero = constantLike(0, a);
  auto compare = [&](arith::CmpIPredicate predicate, Value x,
                     Value y) -> Value {
    return arith::CmpIOp::create(builder, predicate, x, y);
  };
  // remainder < b, so twice it less b stays in the lane.
  Value excess = arith::SubIOp::create(
      builder, remainder, arith::SubIOp::create(builder, b, remainder));
  Value up;
  switch (node.rounding) {
  case Rounding::Floor:
    llvm_unreachable("handled above");
  case Rounding::TowardZero:
    up = arith::AndIOp::create(
        builder, compare(arith::CmpIPredicate::slt, a, zero),
        compare(arith::CmpIPredicate::ne, remainder, zero));
    break;
  case Rounding::HalfUp:
    up = compare(arith::CmpIPredicate::sge, excess, zero);
    break;
  case Rounding::HalfEven:
  case Rounding::HalfAway: {
    Value tie = compare(arith::CmpIPredicate::eq, excess, zero);
    Value onTie;
    if (node.rounding == Rounding::HalfEven)
      onTie = compare(
          arith::CmpIPredicate::ne,
          arith::AndIOp::create(builder, quotient, constantLike(1, a)), zero);
    else
      onTie = compare(arith::CmpIPredicate::sge, a, zero);
    up = arith::OrIOp::create(builder,
                              compare(arith::CmpIPredicate::sgt, excess, zero),
                              arith::AndIOp::create(builder, tie, onTie));
    break;
  }
  }
  return arith::AddIOp::create(builder, quotient,
                               extendUnsigned(up, widthOf(a)));
}

/// floor(sqrt(value)), value an i64 >= 0. Below 2^52 flooring the root in f64
/// is exact: sqrt(n^2 - 1) is more than 1 / (2n) >= 2^-27 below n, a whole unit
/// in its last place. Otherwise the root is off by one at most; the neighbours
/// are tried. Squares are compared unsigned: the largest, 3037000500^2, has 64
/// bits.
Value KernelEmitter::emitSqrt(Value value, Interval range) {
  Type f64 = builder.getF64Type();
  Value root = arith::FPToSIOp::create(
      builder, value.getType(),
      math::SqrtOp::create(builder,
                           arith::SIToFPOp::create(builder, f64, value)));
  if (range.hi < kExact)
    return root;
  auto exceeds = [&](Value candidate) -> Value {
    Value square = arith::MulIOp::create(builder, candidate, candidate);
    return arith::CmpIOp::create(builder, arith::CmpIPredicate::ugt, square,
                                 value);
  };
  Value one = constantLike(1, value);
  Value less = arith::SubIOp::create(builder, root, one);
  root = arith::SelectOp::create(builder, exceeds(root), less, root);
  Value more = arith::AddIOp::create(builder, root, one);
  return arith::SelectOp::create(builder, exceeds(more), root, more);
}
