//===- FoldedTable.cpp - Tables with two like halves ----------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FoldedTable.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace nlq;

static int8_t saturate(int value) {
  return int8_t(std::clamp<int>(value, INT8_MIN, INT8_MAX));
}

/// What the formula makes of the number q >= 0 and its entry of the half.
static uint8_t apply(const FoldedTable &folded, int q, uint8_t entry) {
  switch (folded.kind) {
  case FoldedTable::Kind::Even:
    return entry;
  case FoldedTable::Kind::Sum:
    return uint8_t(entry + q);
  case FoldedTable::Kind::Difference:
    return uint8_t(saturate(folded.constant - int8_t(entry)));
  }
  llvm_unreachable("unknown kind");
}

/// The half of a table that a formula makes up; null if it does not.
static std::optional<FoldedTable> fold(ArrayRef<uint8_t> table, uint8_t center,
                                       FoldedTable::Kind kind, uint8_t flip) {
  auto entryOf = [&](int q) -> uint8_t {
    return table[uint8_t(q + center)] ^ flip;
  };
  // -128 has no absolute value.
  if (entryOf(-128) != entryOf(-127))
    return std::nullopt;
  FoldedTable folded;
  folded.kind = kind;
  folded.center = center;
  folded.flip = flip;
  // Entry 0 is that of q = 0 alone.
  uint8_t middle = entryOf(0);
  if (kind == FoldedTable::Kind::Difference) {
    // Near the middle nothing is saturated.
    folded.constant = saturate(int8_t(entryOf(1)) + int8_t(entryOf(-1)));
    middle = uint8_t(saturate(folded.constant - int8_t(middle)));
  }
  folded.half.push_back(middle);
  for (int q = 1; q < 128; ++q)
    folded.half.push_back(entryOf(-q));
  for (int q = 0; q < 128; ++q)
    if (apply(folded, q, folded.half[q]) != entryOf(q))
      return std::nullopt;
  return folded;
}

std::optional<FoldedTable> FoldedTable::find(ArrayRef<uint8_t> table) {
  constexpr std::pair<Kind, uint8_t> kForms[] = {{Kind::Even, 0},
                                                 {Kind::Sum, 0},
                                                 {Kind::Difference, 0},
                                                 {Kind::Difference, 128}};
  if (table.size() != 256)
    return std::nullopt;
  for (uint8_t center : {0, 128})
    for (auto [kind, flip] : kForms)
      if (auto folded = fold(table, center, kind, flip))
        return folded;
  return std::nullopt;
}

Value FoldedTable::emit(ImplicitLocOpBuilder &builder, Value index,
                        llvm::function_ref<Value(Value)> lookup) const {
  auto type = cast<VectorType>(index.getType());
  auto splat = [&](int64_t value) -> Value {
    return arith::ConstantOp::create(
        builder, SplatElementsAttr::get(type, APInt(8, uint64_t(value),
                                                    /*isSigned=*/false,
                                                    /*implicitTrunc=*/true)));
  };
  if (center != 0)
    index = arith::XOrIOp::create(builder, index, splat(center));
  Value entry = lookup(math::AbsIOp::create(
      builder, arith::MaxSIOp::create(builder, index, splat(-127))));
  Value result = entry;
  if (kind == Kind::Sum) {
    Value positive = arith::MaxSIOp::create(builder, index, splat(0));
    result = arith::AddIOp::create(builder, entry, positive);
  } else if (kind == Kind::Difference) {
    Value rest = LLVM::SSubSat::create(builder, type, splat(constant), entry);
    Value isNegative = arith::CmpIOp::create(builder, arith::CmpIPredicate::slt,
                                             index, splat(0));
    result = arith::SelectOp::create(builder, isNegative, entry, rest);
  }
  if (flip != 0)
    result = arith::XOrIOp::create(builder, result, splat(flip));
  return result;
}
