//===- QuantizeElementwise.cpp - Sums and products ------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Quantizer.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "nlq/Dialect/NLQ/IR/NLQOps.h"
#include "nlq/Quantization/QuantizeTypes.h"

using namespace mlir;
using namespace nlq;

/// Both operands as wide integers at the sum's scale; their sum saturates to
/// the residual's width. The wide range leaves room for operands much larger
/// than their sum, and none for an overflow.
LogicalResult nlq::quantizeSum(Quantizer &quantizer, Operation *op) {
  MLIRContext *context = op->getContext();
  Value result = op->getResult(0);
  FailureOr<double> absMax = quantizer.getAbsMax(result);
  if (failed(absMax))
    return failure();
  auto type = getResidualType(context, unsigned(quantizer.options.residualBits),
                              *absMax);
  auto wideType = getWideType(context, type.getScale());
  FailureOr<Value> lhs = quantizer.getAs(op->getOperand(0), wideType);
  FailureOr<Value> rhs = quantizer.getAs(op->getOperand(1), wideType);
  if (failed(lhs) || failed(rhs))
    return failure();

  OpBuilder &builder = quantizer.builder;
  Location loc = op->getLoc();
  Value sum = isa<arith::AddFOp>(op)
                  ? Value(arith::AddIOp::create(builder, loc, *lhs, *rhs))
                  : Value(arith::SubIOp::create(builder, loc, *lhs, *rhs));
  auto sumType = getSymmetricType(
      context, 32, 2 * getLargestMagnitude(wideType), type.getScale());
  int64_t rank = cast<RankedTensorType>(result.getType()).getRank();
  quantizer.setRaw(
      result, quantizer.requantize(loc, {sum, Grid::get(sumType, rank)}, type),
      type);
  return success();
}

/// Both operands in the residual's width, whose product 32 bits hold. Where it
/// is requantized is its consumers' choice.
LogicalResult nlq::quantizeElementwiseProduct(Quantizer &quantizer,
                                              Operation *op) {
  MLIRContext *context = op->getContext();
  SmallVector<Value, 2> factors;
  double scale = 1;
  int64_t limit = 1;
  for (Value operand : op->getOperands()) {
    if (quantizer.isConstant(operand))
      return op->emitOpError("cannot be quantized: its constant must be one "
                             "positive number in all elements");
    FailureOr<double> absMax = quantizer.getAbsMax(operand);
    if (failed(absMax))
      return failure();
    unsigned bits = unsigned(quantizer.options.residualBits);
    auto type = getSymmetricType(context, 32, getSymmetricLimit(bits),
                                 getSymmetricScale(*absMax, bits));
    FailureOr<Value> storage = quantizer.getAs(operand, type);
    if (failed(storage))
      return failure();
    factors.push_back(*storage);
    scale *= type.getScale();
    limit *= type.getStorageTypeMax();
  }
  Value product = arith::MulIOp::create(quantizer.builder, op->getLoc(),
                                        factors[0], factors[1]);
  quantizer.setRaw(op->getResult(0), product,
                   getSymmetricType(context, 32, limit, roundScale(scale)));
  return success();
}
