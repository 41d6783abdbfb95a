//===- PairDot.cpp - Sums of two products of 16-bit integers ------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Target/PairDot.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace nlq;

namespace {
/// An instruction that multiplies `elements` pairs and adds neighbours.
struct Instruction {
  const char *intrinsic;
  int64_t elements;
};
} // namespace

/// The widest instruction for `elements` operands, or one with no intrinsic.
static Instruction select(int64_t elements, const VectorFeatures &features) {
  if (features.avx512bw && elements >= 32)
    return {"llvm.x86.avx512.pmaddw.d.512", 32};
  if ((features.avx2 || features.avx512bw) && elements >= 16)
    return {"llvm.x86.avx2.pmadd.wd", 16};
  if ((features.avx2 || features.avx512bw) && elements >= 8)
    return {"llvm.x86.sse2.pmadd.wd", 8};
  return {nullptr, elements};
}

static Value addProducts(ImplicitLocOpBuilder &builder, Value accumulator,
                         Value left, Value right) {
  auto type = cast<VectorType>(accumulator.getType());
  auto lefts = vector::DeinterleaveOp::create(builder, left);
  auto rights = vector::DeinterleaveOp::create(builder, right);
  auto add = [&](Value a, Value b) {
    Value product =
        arith::MulIOp::create(builder, arith::ExtSIOp::create(builder, type, a),
                              arith::ExtSIOp::create(builder, type, b));
    accumulator = arith::AddIOp::create(builder, accumulator, product);
  };
  add(lefts.getRes1(), rights.getRes1());
  add(lefts.getRes2(), rights.getRes2());
  return accumulator;
}

Value nlq::emitPairDot(ImplicitLocOpBuilder &builder, Value accumulator,
                       Value left, Value right,
                       const VectorFeatures &features) {
  auto type = cast<VectorType>(accumulator.getType());
  int64_t elements = 2 * type.getDimSize(0);
  Instruction instruction = select(elements, features);
  if (!instruction.intrinsic)
    return addProducts(builder, accumulator, left, right);
  int64_t step = instruction.elements;
  auto partType = VectorType::get({step / 2}, builder.getI32Type());
  auto part = [&](Value vector, int64_t offset) -> Value {
    if (step == elements)
      return vector;
    return vector::ExtractStridedSliceOp::create(
        builder, vector, ArrayRef<int64_t>(offset), ArrayRef<int64_t>(step),
        ArrayRef<int64_t>(1));
  };
  Value products =
      arith::ConstantOp::create(builder, builder.getZeroAttr(type));
  for (int64_t offset = 0; offset < elements; offset += step) {
    Value sums =
        LLVM::CallIntrinsicOp::create(
            builder, partType, builder.getStringAttr(instruction.intrinsic),
            ValueRange{part(left, offset), part(right, offset)})
            .getResult(0);
    products = step == elements
                   ? sums
                   : vector::InsertStridedSliceOp::create(
                         builder, sums, products, ArrayRef<int64_t>(offset / 2),
                         ArrayRef<int64_t>(1))
                         .getResult();
  }
  return arith::AddIOp::create(builder, accumulator, products);
}
