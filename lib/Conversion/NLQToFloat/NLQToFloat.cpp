//===- NLQToFloat.cpp - Quantized nlq operations to float islands -------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/IRMapping.h"
#include "nlq/Conversion/Passes.h"
#include "nlq/Dialect/NLQ/IR/NLQOps.h"

namespace nlq {
#define GEN_PASS_DEF_NLQTOFLOAT
#include "nlq/Conversion/Passes.h.inc"
} // namespace nlq

using namespace mlir;
using namespace nlq;

namespace {
struct NLQToFloatPass : nlq::impl::NLQToFloatBase<NLQToFloatPass> {
  void runOnOperation() override {
    getOperation().walk([](NonlinearOpInterface op) {
      if (op.isQuantized())
        makeIsland(op);
    });
  }

private:
  static void makeIsland(NonlinearOpInterface op) {
    OpBuilder builder(op);
    Location loc = op->getLoc();
    Value operand = op.getOperandTensor();
    auto type = cast<RankedTensorType>(operand.getType());
    auto quantized = cast<quant::QuantizedType>(type.getElementType());
    auto floatType = type.clone(quantized.getExpressedType());
    Value real =
        quant::DequantizeCastOp::create(builder, loc, floatType, operand);
    IRMapping mapping;
    mapping.map(operand, real);
    auto exact = cast<NonlinearOpInterface>(builder.clone(*op, mapping));
    exact->removeAttr("method");
    exact->removeAttr("candidates");
    exact.getResultTensor().setType(floatType);
    Value rounded = quant::QuantizeCastOp::create(
        builder, loc, op.getResultTensor().getType(), exact.getResultTensor());
    op.getResultTensor().replaceAllUsesWith(rounded);
    op->erase();
  }
};
} // namespace
