//===- ScalarEmitter.cpp - Nodes of a kernel as scalar arith ------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ScalarEmitter.h"
#include "../KernelArith.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "nlq/Kernel/Semantics.h"

using namespace mlir;
using namespace nlq;
using namespace nlq::kernel;

static unsigned widthOf(Value value) {
  return value.getType().getIntOrFloatBitWidth();
}

/// The narrowest width that `bits` fit in.
static unsigned getLane(unsigned bits) {
  return bits <= 8    ? 8
         : bits <= 16 ? 16
         : bits <= 32 ? 32
         : bits <= 64 ? 64
                      : 128;
}

Value ScalarEmitter::constant(int64_t value, Type type) {
  return arith::ConstantOp::create(
      builder, builder.getIntegerAttr(
                   type, APInt(64, uint64_t(value), true)
                             .sextOrTrunc(type.getIntOrFloatBitWidth())));
}

Value ScalarEmitter::resize(Value value, unsigned width) {
  Type type = builder.getIntegerType(width);
  if (widthOf(value) == width)
    return value;
  if (widthOf(value) < width)
    return arith::ExtSIOp::create(builder, type, value);
  return arith::TruncIOp::create(builder, type, value);
}

Value ScalarEmitter::extendUnsigned(Value value, unsigned width) {
  if (widthOf(value) == width)
    return value;
  return arith::ExtUIOp::create(builder, builder.getIntegerType(width), value);
}

Value ScalarEmitter::emit(NodeId id, Scope &scope) {
  if (Value known = scope.lookup(id))
    return known;
  SmallVector<Value> operands;
  for (NodeId operand : graph.nodes[id].operands)
    operands.push_back(emit(operand, scope));
  Value value = resize(emitNode(id, operands), bounds.lane(id));
  return scope[id] = value;
}

/// One node from its operands, in a width that holds operands and value.
Value ScalarEmitter::emitNode(NodeId id, ArrayRef<Value> operands) {
  const Node &node = graph.nodes[id];
  unsigned width = bounds.lane(id);
  for (NodeId operand : node.operands)
    width = std::max(width, bounds.lane(operand));
  Type type = builder.getIntegerType(width);
  auto wide = [&](unsigned index) { return resize(operands[index], width); };
  auto bitsOf = [&](unsigned index) {
    return signedBits(bounds.intervals[node.operands[index]]);
  };
  switch (node.opcode) {
  case Opcode::Constant:
    return constant(node.imm, type);
  case Opcode::Add:
    return arith::AddIOp::create(builder, wide(0), wide(1));
  case Opcode::Sub:
    return arith::SubIOp::create(builder, wide(0), wide(1));
  case Opcode::Mul:
    return arith::MulIOp::create(builder, wide(0), wide(1));
  case Opcode::Min:
    return arith::MinSIOp::create(builder, wide(0), wide(1));
  case Opcode::Max:
    return arith::MaxSIOp::create(builder, wide(0), wide(1));
  case Opcode::Compare:
    return extendUnsigned(arith::CmpIOp::create(builder,
                                                getPredicate(node.predicate),
                                                wide(0), wide(1)),
                          width);
  case Opcode::Select: {
    Value isSet =
        arith::CmpIOp::create(builder, arith::CmpIPredicate::ne, operands[0],
                              constant(0, operands[0].getType()));
    return arith::SelectOp::create(builder, isSet, wide(1), wide(2));
  }
  case Opcode::MulShift:
    return emitMulShift(node, operands);
  case Opcode::ShiftLeft: {
    // A zero may be shifted by more than its width.
    Value amount =
        arith::MinSIOp::create(builder, wide(1), constant(width - 1, type));
    return arith::ShLIOp::create(builder, wide(0), amount);
  }
  case Opcode::ShiftRight:
    return emitShiftRight(operands[0], bitsOf(0), operands[1],
                          bounds.intervals[node.operands[1]].hi, node.rounding);
  case Opcode::Div:
    return emitDiv(node, wide(0), wide(1));
  case Opcode::BitLength: {
    Value zeros = math::CountLeadingZerosOp::create(builder, wide(0));
    return arith::SubIOp::create(builder, constant(width, type), zeros);
  }
  case Opcode::Lookup: {
    Value position = arith::IndexCastOp::create(builder, builder.getIndexType(),
                                                operands[0]);
    return tensor::ExtractOp::create(builder, tables[node.imm], position);
  }
  case Opcode::Sqrt:
    return emitSqrt(wide(0), bitsOf(0));
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
  llvm_unreachable("whoever makes the body places these nodes");
}

/// Whether a quotient towards minus infinity becomes the next integer, given
/// twice its remainder and the divisor, both unsigned. `isNegative` is whether
/// the exact quotient is below 0.
Value ScalarEmitter::isAboveHalf(Rounding rounding, Value twiceRest,
                                 Value whole, Value quotient,
                                 Value isNegative) {
  auto compare = [&](arith::CmpIPredicate predicate, Value a,
                     Value b) -> Value {
    return arith::CmpIOp::create(builder, predicate, a, b);
  };
  Value zero = constant(0, quotient.getType());
  if (rounding == Rounding::TowardZero)
    return arith::AndIOp::create(
        builder, isNegative,
        compare(arith::CmpIPredicate::ne, twiceRest, zero));
  if (rounding == Rounding::HalfUp)
    return compare(arith::CmpIPredicate::uge, twiceRest, whole);
  Value onTie;
  if (rounding == Rounding::HalfEven)
    onTie = compare(arith::CmpIPredicate::ne,
                    arith::AndIOp::create(builder, quotient,
                                          constant(1, quotient.getType())),
                    zero);
  else
    onTie = arith::XOrIOp::create(builder, isNegative,
                                  constant(1, isNegative.getType()));
  Value tie = compare(arith::CmpIPredicate::eq, twiceRest, whole);
  return arith::OrIOp::create(
      builder, compare(arith::CmpIPredicate::ugt, twiceRest, whole),
      arith::AndIOp::create(builder, tie, onTie));
}

/// round(value / 2^amount), the value being one of `bits` bits: the floor, and
/// one more where the bits that are shifted out say so.
Value ScalarEmitter::emitShiftRight(Value value, unsigned bits, Value amount,
                                    int64_t largestAmount, Rounding rounding) {
  // |value| <= 2^(bits-1), so that all larger shifts round as that by bits + 1
  // does, which leaves a quarter at most.
  int64_t cap = std::min<int64_t>(largestAmount, bits + 1);
  unsigned width =
      std::max(widthOf(value), getLane(std::max<unsigned>(bits, cap + 1)));
  if (largestAmount > cap)
    amount = arith::MinSIOp::create(builder, amount,
                                    constant(cap, amount.getType()));
  amount = resize(amount, width);
  value = resize(value, width);
  Value quotient = arith::ShRSIOp::create(builder, value, amount);
  if (rounding == Rounding::Floor)
    return quotient;
  Type type = value.getType();
  Value one = constant(1, type);
  Value whole = arith::ShLIOp::create(builder, one, amount);
  Value mask = arith::SubIOp::create(builder, whole, one);
  Value twice = arith::ShLIOp::create(
      builder, arith::AndIOp::create(builder, value, mask), one);
  Value isNegative = arith::CmpIOp::create(builder, arith::CmpIPredicate::slt,
                                           value, constant(0, type));
  Value up = isAboveHalf(rounding, twice, whole, quotient, isNegative);
  return arith::AddIOp::create(builder, quotient, extendUnsigned(up, width));
}

/// The product in a width that holds all of it, then the shift.
Value ScalarEmitter::emitMulShift(const Node &node, ArrayRef<Value> operands) {
  Interval a = bounds.intervals[node.operands[0]];
  Interval b = bounds.intervals[node.operands[1]];
  Int128 corners[] = {Int128(a.lo) * b.lo, Int128(a.lo) * b.hi,
                      Int128(a.hi) * b.lo, Int128(a.hi) * b.hi};
  Int128 least = *std::min_element(corners, corners + 4);
  Int128 most = *std::max_element(corners, corners + 4);
  unsigned bits = signedBits(least, most);
  unsigned width = getLane(bits);
  for (unsigned index : {0, 1})
    width = std::max(width, widthOf(operands[index]));
  Value product = arith::MulIOp::create(builder, resize(operands[0], width),
                                        resize(operands[1], width));
  return emitShiftRight(product, bits, operands[2],
                        bounds.intervals[node.operands[2]].hi, node.rounding);
}

/// round(a / b) in the width of both, which holds the quotient too.
Value ScalarEmitter::emitDiv(const Node &node, Value a, Value b) {
  Type type = a.getType();
  Value zero = constant(0, type);
  auto isBelowZero = [&](Value value) -> Value {
    return arith::CmpIOp::create(builder, arith::CmpIPredicate::slt, value,
                                 zero);
  };
  Value quotient = arith::DivSIOp::create(builder, a, b);
  if (node.rounding == Rounding::TowardZero)
    return quotient;
  // From the quotient towards zero to the floor, with a remainder of b's sign.
  Value rest = arith::RemSIOp::create(builder, a, b);
  Value isInexact =
      arith::CmpIOp::create(builder, arith::CmpIPredicate::ne, rest, zero);
  Value isNegative =
      arith::XOrIOp::create(builder, isBelowZero(a), isBelowZero(b));
  Value isAbove = arith::AndIOp::create(builder, isInexact, isNegative);
  quotient = arith::SubIOp::create(builder, quotient,
                                   extendUnsigned(isAbove, widthOf(a)));
  if (node.rounding == Rounding::Floor)
    return quotient;
  rest = arith::SelectOp::create(builder, isAbove,
                                 arith::AddIOp::create(builder, rest, b), rest);
  auto magnitude = [&](Value value) -> Value {
    return arith::SelectOp::create(builder, isBelowZero(b),
                                   arith::SubIOp::create(builder, zero, value),
                                   value);
  };
  Value twice =
      arith::ShLIOp::create(builder, magnitude(rest), constant(1, type));
  Value up =
      isAboveHalf(node.rounding, twice, magnitude(b), quotient, isNegative);
  return arith::AddIOp::create(builder, quotient,
                               extendUnsigned(up, widthOf(a)));
}

/// floor(sqrt(value)), digit by digit: the value is of `bits` bits with sign
/// and at least 0.
Value ScalarEmitter::emitSqrt(Value value, unsigned bits) {
  Type type = value.getType();
  Value zero = constant(0, type), one = constant(1, type);
  Value root = zero, rest = value;
  for (int shift = int(bits - 1) / 2 * 2; shift >= 0; shift -= 2) {
    Value digit = constant(int64_t(1) << shift, type);
    Value next = arith::AddIOp::create(builder, root, digit);
    Value fits =
        arith::CmpIOp::create(builder, arith::CmpIPredicate::uge, rest, next);
    rest = arith::SubIOp::create(
        builder, rest, arith::SelectOp::create(builder, fits, next, zero));
    root = arith::AddIOp::create(
        builder, arith::ShRUIOp::create(builder, root, one),
        arith::SelectOp::create(builder, fits, digit, zero));
  }
  return root;
}
