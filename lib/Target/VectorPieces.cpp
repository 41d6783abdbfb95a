//===- VectorPieces.cpp - Instructions on parts of vectors --------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "VectorPieces.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace nlq;

int64_t nlq::lanesOf(Value vector) {
  return cast<VectorType>(vector.getType()).getDimSize(0);
}

Value nlq::callIntrinsic(ImplicitLocOpBuilder &builder, Type type,
                         StringRef name, ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(builder, type,
                                       builder.getStringAttr(name), operands)
      .getResult(0);
}

Value nlq::constantOf(ImplicitLocOpBuilder &builder, Type element,
                      ArrayRef<APInt> values) {
  auto type = VectorType::get({int64_t(values.size())}, element);
  return arith::ConstantOp::create(builder,
                                   DenseElementsAttr::get(type, values));
}

Value nlq::inPieces(ImplicitLocOpBuilder &builder, int64_t step,
                    ArrayRef<Value> operands,
                    llvm::function_ref<Value(ArrayRef<Value>)> part) {
  int64_t lanes = lanesOf(operands[0]);
  if (step == lanes)
    return part(operands);
  Value result;
  for (int64_t offset = 0; offset < lanes; offset += step) {
    SmallVector<Value> pieces;
    for (Value operand : operands)
      pieces.push_back(vector::ExtractStridedSliceOp::create(
          builder, operand, ArrayRef<int64_t>(offset), ArrayRef<int64_t>(step),
          ArrayRef<int64_t>(1)));
    Value made = part(pieces);
    if (!result)
      result = arith::ConstantOp::create(
          builder, builder.getZeroAttr(VectorType::get(
                       {lanes}, getElementTypeOrSelf(made.getType()))));
    result = vector::InsertStridedSliceOp::create(
        builder, made, result, ArrayRef<int64_t>(offset), ArrayRef<int64_t>(1));
  }
  return result;
}
