//===- QuantizeElementwise.cpp - Sums -------------------------------------===//
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
