//===- KernelEmitter.cpp - Vector code of one chunk of a row ------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"
#include "../KernelArith.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "nlq/Target/ByteLookup.h"
#include "nlq/Target/Fixed16.h"

using namespace mlir;
using namespace nlq;
using namespace nlq::kernel;

//===----------------------------------------------------------------------===//
// Widths and constants
//===----------------------------------------------------------------------===//

/// Bits of the narrowest two's complement integer that holds `range`.
static unsigned getBits(__int128 lo, __int128 hi) {
  unsigned bits = 1;
  while (bits < 128 && (lo < -(__int128(1) << (bits - 1)) ||
                        hi > (__int128(1) << (bits - 1)) - 1))
    ++bits;
  return bits;
}

/// The lane for `bits`: 8-bit arithmetic is poor on every target, so 16 is the
/// narrowest.
static unsigned getLane(unsigned bits) {
  return bits <= 16 ? 16 : bits <= 32 ? 32 : bits <= 64 ? 64 : 128;
}

unsigned KernelEmitter::getBits(NodeId id) const {
  return ::getBits(bounds.intervals[id].lo, bounds.intervals[id].hi);
}

unsigned KernelEmitter::getWidth(Interval range) const {
  return getLane(::getBits(range.lo, range.hi));
}

unsigned KernelEmitter::getWidth(NodeId id) const {
  return getWidth(bounds.intervals[id]);
}

static unsigned widthOf(Value value) {
  return getElementTypeOrSelf(value.getType()).getIntOrFloatBitWidth();
}

static int64_t lanesOf(Value value) {
  auto vector = dyn_cast<VectorType>(value.getType());
  return vector ? vector.getDimSize(0) : 0;
}

/// The type of `lanes` integers; 0 lanes is a scalar.
Type KernelEmitter::getType(unsigned width, int64_t lanes) {
  Type element = builder.getIntegerType(width);
  return lanes ? Type(VectorType::get({lanes}, element)) : element;
}

Value KernelEmitter::constant(int64_t value, unsigned width, int64_t lanes) {
  Type type = getType(width, lanes);
  TypedAttr attr = builder.getIntegerAttr(
      builder.getIntegerType(width),
      APInt(64, uint64_t(value), /*isSigned=*/true).sextOrTrunc(width));
  if (auto vector = dyn_cast<VectorType>(type))
    attr = SplatElementsAttr::get(vector, cast<IntegerAttr>(attr).getValue());
  return arith::ConstantOp::create(builder, attr);
}

Value KernelEmitter::constantLike(int64_t value, Value like) {
  return constant(value, widthOf(like), lanesOf(like));
}

Value KernelEmitter::resize(Value value, unsigned width) {
  unsigned from = widthOf(value);
  if (from == width)
    return value;
  Type type = getType(width, lanesOf(value));
  if (from < width)
    return arith::ExtSIOp::create(builder, type, value);
  // AVX2 narrows by packs that saturate. No lane does, which LLVM can't know
  // unless it sees a clamp.
  bool isClamped =
      isa_and_nonnull<arith::MinSIOp, arith::MinUIOp, arith::MaxSIOp>(
          value.getDefiningOp());
  if (from == 32 && width == 16 && features.avx2 && !features.avx512bw &&
      lanesOf(value) > 0 && !isClamped) {
    value =
        arith::MaxSIOp::create(builder, value, constantLike(INT16_MIN, value));
    value =
        arith::MinSIOp::create(builder, value, constantLike(INT16_MAX, value));
  }
  return arith::TruncIOp::create(builder, type, value);
}

Value KernelEmitter::extendUnsigned(Value value, unsigned width) {
  return arith::ExtUIOp::create(builder, getType(width, lanesOf(value)), value);
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

Value KernelEmitter::emitRow(NodeId id, Scope &row) {
  if (Value known = row.lookup(id))
    return known;
  const Node &node = graph.nodes[id];
  SmallVector<Value> operands;
  for (NodeId operand : node.operands)
    operands.push_back(emitRow(operand, row));
  Value value = resize(emitNode(id, operands, /*lanes=*/0), 64);
  return row[id] = value;
}

Value KernelEmitter::emitChunk(NodeId id, Chunk &chunk, Scope &row) {
  Value value = emitUnordered(id, chunk, row);
  if (!chunk.swapped.contains(id))
    return value;
  Value &ordered = chunk.inOrder[id];
  if (!ordered)
    ordered = swapQuarters(value);
  return ordered;
}

Value KernelEmitter::emitResized(NodeId id, unsigned width, Chunk &chunk,
                                 Scope &row) {
  // A pack puts words back into order, if the quarters are swapped after it.
  Value value = resize(emitUnordered(id, chunk, row), width);
  return chunk.swapped.contains(id) ? swapQuarters(value) : value;
}

/// Whether all values have their quarters swapped that have an order: not those
/// that are one for the row.
bool KernelEmitter::areSwapped(ArrayRef<NodeId> ids, Chunk &chunk, Scope &row) {
  bool areSome = false;
  for (NodeId id : ids) {
    if (!variesInRow(graph.nodes[id]))
      continue;
    emitUnordered(id, chunk, row);
    if (!chunk.swapped.contains(id))
      return false;
    areSome = true;
  }
  return areSome;
}

Value KernelEmitter::emitUnordered(NodeId id, Chunk &chunk, Scope &row) {
  if (Value known = chunk.values.lookup(id))
    return known;
  const Node &node = graph.nodes[id];
  const int64_t lanes = chunk.lanes;
  unsigned width = getWidth(id);
  auto isWide = [&](NodeId operand) { return getWidth(operand) > width; };
  Value value;
  if (node.opcode == Opcode::Constant) {
    value = constant(node.imm, width, lanes);
  } else if (!variesInRow(node)) {
    Value scalar = resize(emitRow(id, row), width);
    value = vector::BroadcastOp::create(builder, getType(width, lanes), scalar);
  } else if (llvm::any_of(node.operands, isWide) &&
             followsFromLowBits(id, width)) {
    value = emitFromLowBits(id, width, chunk, row);
  } else {
    bool byBytes = node.opcode == Opcode::Lookup && looksUpBytes(node);
    bool isSwapped = byBytes ? swapsQuarters(node, lanes)
                             : areSwapped(node.operands, chunk, row);
    SmallVector<Value> operands;
    for (NodeId operand : node.operands)
      operands.push_back(byBytes     ? emitLowBits(operand, 8, chunk, row)
                         : isSwapped ? emitUnordered(operand, chunk, row)
                                     : emitChunk(operand, chunk, row));
    value = resize(emitNode(id, operands, lanes), width);
    if (isSwapped)
      chunk.swapped.insert(id);
  }
  return chunk.values[id] = value;
}

/// One node from its operands, in a width that holds operands and value.
Value KernelEmitter::emitNode(NodeId id, ArrayRef<Value> operands,
                              int64_t lanes) {
  const Node &node = graph.nodes[id];
  unsigned width = getWidth(id);
  for (NodeId operand : node.operands)
    width = std::max(width, getWidth(operand));
  auto wide = [&](unsigned index) { return resize(operands[index], width); };
  switch (node.opcode) {
  case Opcode::Constant:
    return constant(node.imm, width, lanes);
  case Opcode::Add:
    return arith::AddIOp::create(builder, wide(0), wide(1));
  case Opcode::Sub:
    return arith::SubIOp::create(builder, wide(0), wide(1));
  case Opcode::Mul:
    return arith::MulIOp::create(builder, wide(0), wide(1));
  case Opcode::Min:
    // LLVM sees no sign to narrow with then.
    if (llvm::all_of(node.operands, [&](NodeId operand) {
          return bounds.intervals[operand].lo >= 0;
        }))
      return arith::MinUIOp::create(builder, wide(0), wide(1));
    return arith::MinSIOp::create(builder, wide(0), wide(1));
  case Opcode::Max:
    return arith::MaxSIOp::create(builder, wide(0), wide(1));
  case Opcode::Compare: {
    Value bit = arith::CmpIOp::create(builder, getPredicate(node.predicate),
                                      wide(0), wide(1));
    return extendUnsigned(bit, width);
  }
  case Opcode::Select: {
    Value bit =
        arith::CmpIOp::create(builder, arith::CmpIPredicate::ne, operands[0],
                              constantLike(0, operands[0]));
    return arith::SelectOp::create(builder, bit, wide(1), wide(2));
  }
  case Opcode::MulShift:
    return emitMulShift(id, operands);
  case Opcode::ShiftLeft: {
    Value amount = wide(1);
    // A zero may be shifted by more than its lane.
    if (bounds.intervals[node.operands[1]].hi >= int64_t(width))
      amount = arith::MinSIOp::create(builder, amount,
                                      constant(width - 1, width, lanes));
    return arith::ShLIOp::create(builder, wide(0), amount);
  }
  case Opcode::ShiftRight:
    return emitShiftRight(operands[0], bounds.intervals[node.operands[0]].lo,
                          bounds.intervals[node.operands[0]].hi, operands[1],
                          bounds.intervals[node.operands[1]], node.rounding);
  case Opcode::Div:
    return emitDiv(id, operands);
  case Opcode::BitLength: {
    Value zeros = math::CountLeadingZerosOp::create(builder, wide(0));
    return arith::SubIOp::create(builder, constant(width, width, lanes), zeros);
  }
  case Opcode::Lookup:
    return emitLookup(node, operands[0], getWidth(id));
  case Opcode::Sqrt:
    return emitSqrt(resize(operands[0], 64),
                    bounds.intervals[node.operands[0]]);
  case Opcode::Assume:
    return operands[0];
  case Opcode::Input:
  case Opcode::RowIndex:
  case Opcode::ColumnIndex:
  case Opcode::RowLength:
  case Opcode::ReduceMax:
  case Opcode::ReduceSum:
    break;
  }
  llvm_unreachable("the row lowering places these nodes");
}

//===----------------------------------------------------------------------===//
// Shifts
//===----------------------------------------------------------------------===//

/// round(value / 2^amount), the value being in [lo, hi]. `half` is the
/// half of the divisor, 0 where the amount is 0; all modes are a floor shift
/// after adding something:
///   half up    half
///   half even  half - 1 + (bit `amount` of value), at least 0
///   half away  half - (value < 0), at least 0
///   to zero    (value < 0) ? 2^amount - 1 : 0
/// A value of at least 0 plus half is read as an unsigned number.
Value KernelEmitter::emitShiftRight(Value value, __int128 lo, __int128 hi,
                                    Value amount, Interval amountRange,
                                    Rounding rounding) {
  unsigned bits = ::getBits(lo, hi);
  bool isUnsigned =
      lo >= 0 && (rounding == Rounding::Floor || rounding == Rounding::HalfUp);
  bool needsRoom = rounding != Rounding::Floor && !isUnsigned;
  if (needsRoom && amountRange.lo > 0 && amountRange.hi <= bits) {
    using Unsigned = unsigned __int128;
    __int128 top = __int128((Unsigned(1) << (getLane(bits) - 1)) - 1);
    needsRoom = __int128(1) << (amountRange.hi - 1) > top - hi;
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
  unsigned aBits = ::getBits(a.lo, a.hi);
  unsigned widest = std::max(aBits, getBits(node.operands[1]));
  if (lanesOf(operands[0]) > 0 && widest <= 16 && amount.lo == 15 &&
      amount.hi == 15 && node.rounding == Rounding::HalfUp &&
      product.hi < int64_t(1) << 30)
    if (Value value = emitRoundedProduct(builder, resize(operands[0], 16),
                                         resize(operands[1], 16), features))
      return value;
  int64_t half = widest <= 16 ? 16 : 32;
  if (lanesOf(operands[0]) == 0 || widest > 32 ||
      ::getBits(product.lo, product.hi) <= half)
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
    return int64_t((__int128(end) << up) >> half) | int64_t(sticky);
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
  __int128 corners[] = {__int128(a.lo) * b.lo, __int128(a.lo) * b.hi,
                        __int128(a.hi) * b.lo, __int128(a.hi) * b.hi};
  __int128 least = *std::min_element(corners, corners + 4);
  __int128 most = *std::max_element(corners, corners + 4);
  unsigned bits = ::getBits(least, most);
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
// Division, square root, tables
//===----------------------------------------------------------------------===//

/// Integers below this have floors of quotients and square roots that f64 gets
/// right (emitFloorDiv, emitSqrt).
static constexpr int64_t kExact = int64_t(1) << 52;

/// floor(a / b) for b > 0.
Value KernelEmitter::emitFloorDiv(Value a, Interval aRange, Value b,
                                  Interval bRange) {
  // Vectors have no integer division. For |a| < 2^52 the quotient in f64 is
  // exact after flooring: a / b is at least 1 / b away from the next integer q
  // above it, more than the half ulp q * 2^-53 by which division rounds. LLVM
  // makes vectors of the scalars of several rows, too, where these convert.
  bool isFast = lanesOf(a) > 0 || features.avx512bw;
  bool divisorIsConstant = bRange.lo == bRange.hi;
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
    __int128 up = (-__int128(aRange.lo) + bRange.lo - 1) / bRange.lo;
    __int128 moved = up * bRange.lo;
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
  unsigned bits = std::max(::getBits(aRange.lo, aRange.hi),
                           ::getBits(bRange.lo, bRange.hi)) +
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
    __int128 lo = __int128(aRange.lo) + bRange.lo / 2;
    __int128 hi = __int128(aRange.hi) + bRange.hi / 2;
    if (unsigned lane = getLane(::getBits(lo, hi)); lane <= 64) {
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

static bool hasWords(const Table &table) {
  return llvm::all_of(table, [](int64_t entry) {
    return entry >= INT16_MIN && entry <= INT16_MAX;
  });
}

/// By bytes, a lookup in few entries takes fewer instructions of AVX2 than by
/// words only if its index comes in bytes.
bool KernelEmitter::looksUpBytes(const Node &node) const {
  if (node.opcode != Opcode::Lookup || node.rate != Rate::Element)
    return false;
  const Table &table = graph.tables[node.imm];
  if (table.size() > 256 || !hasWords(table))
    return false;
  return table.size() > 16 || (features.avx2 && !features.avx512bw &&
                               hasLowBits(node.operands[0], 8));
}

static bool hasBytes(const Table &table, int64_t least, int64_t most) {
  return llvm::all_of(
      table, [&](int64_t entry) { return entry >= least && entry <= most; });
}

bool KernelEmitter::swapsQuarters(const Node &node, int64_t lanes) const {
  const Table &table = graph.tables[node.imm];
  return features.avx2 && !features.avx512bw && lanes == 32 &&
         !hasBytes(table, INT8_MIN, INT8_MAX) && !hasBytes(table, 0, UINT8_MAX);
}

Value KernelEmitter::swapQuarters(Value value) {
  SmallVector<int64_t> order;
  int64_t quarter = lanesOf(value) / 4;
  for (int64_t begin : {0, 2, 1, 3})
    for (int64_t i = 0; i < quarter; ++i)
      order.push_back(begin * quarter + i);
  return vector::ShuffleOp::create(builder, value, value, order);
}

/// A lookup of the low bytes of the entries and, unless these say all, one of
/// the high bytes. Null where the target has none.
Value KernelEmitter::emitByteLookups(const Table &table, Value index,
                                     unsigned width, bool isSwapped) {
  Value bytes = resize(index, 8);
  auto lookup = [&](unsigned shift) {
    SmallVector<uint8_t> part;
    for (int64_t entry : table)
      part.push_back(uint8_t(entry >> shift));
    return emitByteLookup(builder, part, bytes, features);
  };
  Value low = lookup(0);
  if (!low)
    return Value();
  if (hasBytes(table, INT8_MIN, INT8_MAX))
    return resize(low, width);
  if (hasBytes(table, 0, UINT8_MAX))
    return extendUnsigned(low, width);
  Value high = lookup(8), both;
  if (isSwapped) {
    // AVX2's unpacks, which work within halves.
    int64_t lanes = lanesOf(low), quarter = lanes / 4;
    SmallVector<int64_t> order;
    for (int64_t begin : {0, 2, 1, 3})
      for (int64_t i = begin * quarter; i < (begin + 1) * quarter; ++i)
        order.append({i, lanes + i});
    both = vector::ShuffleOp::create(builder, low, high, order);
  } else {
    both = vector::InterleaveOp::create(builder, low, high);
  }
  Value entry =
      vector::BitCastOp::create(builder, getType(16, lanesOf(bytes)), both);
  return resize(entry, width);
}

Value KernelEmitter::emitLookup(const Node &node, Value index, unsigned width) {
  Value table = tables[node.imm];
  unsigned entryWidth =
      cast<MemRefType>(table.getType()).getElementTypeBitWidth();
  int64_t lanes = lanesOf(index);
  if (!lanes) {
    Value position =
        arith::IndexCastOp::create(builder, builder.getIndexType(), index);
    Value entry = memref::LoadOp::create(builder, table, ValueRange(position));
    return resize(entry, std::max(width, entryWidth));
  }
  const Table &entriesOf = graph.tables[node.imm];
  if (looksUpBytes(node)) {
    bool isSwapped = swapsQuarters(node, lanes);
    if (Value entry = emitByteLookups(entriesOf, index, width, isSwapped))
      return entry;
    // The index, read as unsigned, is below the number of entries.
    index = extendUnsigned(index, 16);
  }
  if (entriesOf.size() <= 16 && hasWords(entriesOf)) {
    SmallVector<int16_t> words(entriesOf.begin(), entriesOf.end());
    if (Value entry = emitLookup16(builder, words, index, features))
      return entry;
  }
  Value zero = arith::ConstantIndexOp::create(builder, 0);
  VectorType type =
      VectorType::get({lanes}, builder.getIntegerType(entryWidth));
  Value mask = arith::ConstantOp::create(
      builder, DenseElementsAttr::get(
                   VectorType::get({lanes}, builder.getI1Type()), true));
  Value passThrough =
      arith::ConstantOp::create(builder, builder.getZeroAttr(type));
  Value entries =
      vector::GatherOp::create(builder, type, table, ValueRange(zero),
                               resize(index, 32), mask, passThrough);
  return resize(entries, std::max(width, entryWidth));
}
