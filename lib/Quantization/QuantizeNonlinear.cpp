//===- QuantizeNonlinear.cpp - Non-linear operations --------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Quantizer.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "nlq/Dialect/NLQ/IR/NLQOps.h"
#include "nlq/Methods/Functions.h"
#include "nlq/Quantization/QuantizeCandidates.h"
#include "nlq/Quantization/QuantizeTypes.h"

using namespace mlir;
using namespace nlq;

/// What the producer of the operand has, or its own requantization where the
/// options ask for one.
static FailureOr<Quantizer::Form> getOperandForm(Quantizer &quantizer,
                                                 NonlinearOpInterface op) {
  Value operand = op.getOperandTensor();
  FailureOr<Quantizer::Form> form = quantizer.getRaw(operand);
  if (failed(form))
    return failure();
  int64_t bits = quantizer.options.operandBits;
  bool isNarrowed = form->grid.bits > bits &&
                    !methods::getFunction(op.getFunction()).isNormalization();
  if (!isNarrowed && form->grid.getType(op->getContext()))
    return form;
  FailureOr<double> absMax = quantizer.getAbsMax(operand);
  if (failed(absMax))
    return failure();
  // Scales that change along other dimensions need a type of their own, too.
  quant::QuantizedType type =
      bits == 8
          ? getActivationType(op->getContext(),
                              unsigned(quantizer.options.actBits), *absMax)
          : getResidualType(op->getContext(), 16, *absMax);
  FailureOr<Value> storage = quantizer.getAs(operand, type);
  if (failed(storage))
    return failure();
  return Quantizer::Form{*storage, Grid::get(type, form->grid.shape.size())};
}

LogicalResult nlq::quantizeNonlinear(Quantizer &quantizer, Operation *op) {
  auto floatOp = cast<NonlinearOpInterface>(op);
  Value operand = floatOp.getOperandTensor();
  Value result = floatOp.getResultTensor();
  FailureOr<Quantizer::Form> form = getOperandForm(quantizer, floatOp);
  if (failed(form))
    return failure();
  auto input = quantizer.getProfile(operand);
  if (failed(input))
    return failure();

  // Probabilities have a grid that no profile changes.
  FailureOr<quant::QuantizedType> type = failure();
  if (methods::getFunction(floatOp.getFunction()).kind ==
      methods::FunctionKind::Probabilities)
    type = quant::QuantizedType(getProbabilityType(
        op->getContext(), unsigned(quantizer.options.probabilityBits)));
  else
    type = quantizer.getNaturalType(result);
  if (failed(type))
    return failure();

  OpBuilder &builder = quantizer.builder;
  Value quantizedOperand = quantizer.toQuantized(op->getLoc(), *form);
  Value mask = floatOp.getMaskTensor();
  FailureOr<Value> bytes = mask ? quantizeMask(quantizer, op, mask) : mask;
  if (failed(bytes))
    return failure();
  auto quantized = cast<NonlinearOpInterface>(builder.clone(*op));
  if (mask)
    quantized->replaceUsesOfWith(mask, *bytes);
  quantized->setOperand(0, quantizedOperand);
  Value quantizedResult = quantized.getResultTensor();
  quantizedResult.setType(withElementType(result.getType(), *type));
  quantized->setAttr(kSlotAttr,
                     builder.getStringAttr(quantizer.getName(result)));

  llvm::Expected<SmallVector<CandidateGroup, 4>> groups =
      parseCandidateGroups(quantizer.options.candidates);
  if (!groups)
    return op->emitError(llvm::toString(groups.takeError()));
  FailureOr<ArrayAttr> candidates = getCandidates(
      quantized, **input, unsigned(quantizer.options.actBits), *groups);
  if (failed(candidates))
    return failure();
  quantized.setCandidatesAttr(*candidates);
  quantizer.setRaw(result, quantizer.toStorage(op->getLoc(), quantizedResult),
                   *type);
  return success();
}

/// The result of the function as wide integers, of which 16 bits are the range
/// of the profile, and then as floats.
LogicalResult nlq::quantizeReturn(Quantizer &quantizer, Operation *op) {
  for (OpOperand &operand : op->getOpOperands()) {
    if (quantizer.isConstant(operand.get()))
      return op->emitOpError("cannot be quantized: result ")
             << operand.getOperandNumber()
             << " of 'main' does not depend on an argument";
    FailureOr<double> absMax = quantizer.getAbsMax(operand.get());
    if (failed(absMax))
      return failure();
    auto type = getWideType(op->getContext(), getSymmetricScale(*absMax, 16));
    FailureOr<Value> storage = quantizer.getAs(operand.get(), type);
    if (failed(storage))
      return failure();
    int64_t rank = cast<RankedTensorType>(operand.get().getType()).getRank();
    Value quantized =
        quantizer.toQuantized(op->getLoc(), {*storage, Grid::get(type, rank)});
    operand.set(quant::DequantizeCastOp::create(
        quantizer.builder, op->getLoc(), operand.get().getType(), quantized));
  }
  return success();
}
