//===- Dot.cpp - Sums of neighbouring products of integers --------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Target/Dot.h"
#include "VectorPieces.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace nlq;

/// The parts of `value` at even and at odd positions.
static std::pair<Value, Value> deinterleave(ImplicitLocOpBuilder &builder,
                                            Value value) {
  auto parts = vector::DeinterleaveOp::create(builder, value);
  return {parts.getRes1(), parts.getRes2()};
}

/// accumulator + left * right, each first widened by its `Extend`.
template <typename ExtendLeft, typename ExtendRight>
static Value addProduct(ImplicitLocOpBuilder &builder, Value accumulator,
                        Value left, Value right) {
  Type type = accumulator.getType();
  Value product =
      arith::MulIOp::create(builder, ExtendLeft::create(builder, type, left),
                            ExtendRight::create(builder, type, right));
  return arith::AddIOp::create(builder, accumulator, product);
}

/// Applies `add` to pieces of the operands, `elements` each, and of the
/// accumulator, `sums` each.
static Value
addInPieces(ImplicitLocOpBuilder &builder, Value accumulator, int64_t sums,
            Value left, Value right, int64_t elements,
            llvm::function_ref<Value(Value sum, Value left, Value right)> add) {
  int64_t pieces = lanesOf(left) / elements;
  if (pieces == 1)
    return add(accumulator, left, right);
  auto piece = [&](Value value, int64_t index, int64_t size) -> Value {
    return vector::ExtractStridedSliceOp::create(
        builder, value, ArrayRef<int64_t>{index * size},
        ArrayRef<int64_t>{size}, ArrayRef<int64_t>{1});
  };
  Value result = accumulator;
  for (int64_t i = 0; i < pieces; ++i) {
    Value sum = add(piece(accumulator, i, sums), piece(left, i, elements),
                    piece(right, i, elements));
    result = vector::InsertStridedSliceOp::create(builder, sum, result,
                                                  ArrayRef<int64_t>{i * sums},
                                                  ArrayRef<int64_t>{1});
  }
  return result;
}

bool nlq::hasPairDot(const VectorFeatures &features) {
  return features.avx2 || features.avx512bw || features.neon;
}

/// left[2i] * right[2i] + left[2i+1] * right[2i+1] for 8 elements.
static Value multiplyPairs(ImplicitLocOpBuilder &builder, Value left,
                           Value right) {
  auto products = VectorType::get({4}, builder.getI32Type());
  SmallVector<Value> halves;
  for (int64_t offset : {0, 4}) {
    auto half = [&](Value value) -> Value {
      return vector::ExtractStridedSliceOp::create(
          builder, value, ArrayRef<int64_t>(offset), ArrayRef<int64_t>(4),
          ArrayRef<int64_t>(1));
    };
    halves.push_back(callIntrinsic(builder, products,
                                   "llvm.aarch64.neon.smull.v4i32",
                                   {half(left), half(right)}));
  }
  return callIntrinsic(builder, products, "llvm.aarch64.neon.addp.v4i32",
                       halves);
}

/// The same for any multiple of 8 elements.
static Value multiplyAllPairs(ImplicitLocOpBuilder &builder, Value left,
                              Value right) {
  int64_t elements = lanesOf(left);
  if (elements == 8)
    return multiplyPairs(builder, left, right);
  auto piece = [&](Value value, int64_t offset) -> Value {
    return vector::ExtractStridedSliceOp::create(
        builder, value, ArrayRef<int64_t>(offset), ArrayRef<int64_t>(8),
        ArrayRef<int64_t>(1));
  };
  Value sums = arith::ConstantOp::create(
      builder, builder.getZeroAttr(
                   VectorType::get({elements / 2}, builder.getI32Type())));
  for (int64_t offset = 0; offset < elements; offset += 8)
    sums = vector::InsertStridedSliceOp::create(
        builder,
        multiplyPairs(builder, piece(left, offset), piece(right, offset)), sums,
        ArrayRef<int64_t>(offset / 2), ArrayRef<int64_t>(1));
  return sums;
}

Value nlq::emitPairDot(ImplicitLocOpBuilder &builder, Value accumulator,
                       Value left, Value right,
                       const VectorFeatures &features) {
  Type type = accumulator.getType();
  int64_t elements = cast<VectorType>(left.getType()).getDimSize(0);
  const int64_t widest = features.avx512bw ? 32 : features.avx2 ? 16 : 0;
  if (widest && elements > widest && elements % widest == 0) {
    auto add = [&](Value sum, Value left, Value right) {
      return emitPairDot(builder, sum, left, right, features);
    };
    return addInPieces(builder, accumulator, widest / 2, left, right, widest,
                       add);
  }
  if (features.avx512vnni && elements == 32)
    return callIntrinsic(builder, type, "llvm.x86.avx512.vpdpwssd.512",
                         {accumulator, left, right});
  const char *multiply = nullptr;
  if (features.avx512bw && elements == 32)
    multiply = "llvm.x86.avx512.pmaddw.d.512";
  else if ((features.avx2 || features.avx512bw) && elements == 16)
    multiply = "llvm.x86.avx2.pmadd.wd";
  else if ((features.avx2 || features.avx512bw) && elements == 8)
    multiply = "llvm.x86.sse2.pmadd.wd";
  if (multiply)
    return arith::AddIOp::create(
        builder, accumulator,
        callIntrinsic(builder, type, multiply, {left, right}));
  if (features.neon && elements % 8 == 0)
    return arith::AddIOp::create(builder, accumulator,
                                 multiplyAllPairs(builder, left, right));
  auto [leftEven, leftOdd] = deinterleave(builder, left);
  auto [rightEven, rightOdd] = deinterleave(builder, right);
  accumulator = addProduct<arith::ExtSIOp, arith::ExtSIOp>(builder, accumulator,
                                                           leftEven, rightEven);
  return addProduct<arith::ExtSIOp, arith::ExtSIOp>(builder, accumulator,
                                                    leftOdd, rightOdd);
}

bool nlq::hasQuadDot(bool isLeftUnsigned, const VectorFeatures &features) {
  return isLeftUnsigned ? features.avx512vnni : features.dotprod;
}

Value nlq::emitQuadDot(ImplicitLocOpBuilder &builder, Value accumulator,
                       Value left, bool isLeftUnsigned, Value right,
                       const VectorFeatures &features) {
  int64_t elements = cast<VectorType>(left.getType()).getDimSize(0);
  if (features.avx512vnni && isLeftUnsigned) {
    if (elements > 64 && elements % 64 == 0)
      return addInPieces(builder, accumulator, 16, left, right, 64,
                         [&](Value sum, Value left, Value right) {
                           return emitQuadDot(builder, sum, left,
                                              isLeftUnsigned, right, features);
                         });
    if (elements == 64 || elements == 32 || elements == 16)
      return callIntrinsic(
          builder, accumulator.getType(),
          ("llvm.x86.avx512.vpdpbusd." + Twine(8 * elements)).str(),
          {accumulator, left, right});
  }
  // What products repeat comes last: the instruction can do that itself.
  if (features.dotprod && !isLeftUnsigned && elements % 16 == 0)
    return addInPieces(builder, accumulator, 4, left, right, 16,
                       [&](Value sum, Value left, Value right) {
                         return callIntrinsic(
                             builder, sum.getType(),
                             "llvm.aarch64.neon.sdot.v4i32.v16i8",
                             {sum, right, left});
                       });
  auto add = isLeftUnsigned ? addProduct<arith::ExtUIOp, arith::ExtSIOp>
                            : addProduct<arith::ExtSIOp, arith::ExtSIOp>;
  auto [leftEven, leftOdd] = deinterleave(builder, left);
  auto [rightEven, rightOdd] = deinterleave(builder, right);
  for (auto [l, r] : {std::pair(leftEven, rightEven), {leftOdd, rightOdd}}) {
    auto [l0, l1] = deinterleave(builder, l);
    auto [r0, r1] = deinterleave(builder, r);
    accumulator = add(builder, accumulator, l0, r0);
    accumulator = add(builder, accumulator, l1, r1);
  }
  return accumulator;
}
