//===- QuantizeMoves.cpp - Operations that compute nothing --------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Quantizer.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "nlq/Dialect/NLQ/IR/NLQOps.h"
#include "nlq/Quantization/QuantizeTypes.h"
#include <cmath>

using namespace mlir;
using namespace nlq;

//===----------------------------------------------------------------------===//
// Moves
//===----------------------------------------------------------------------===//

/// The positive number that all elements of a constant are.
static std::optional<double> getPositiveSplat(Value value) {
  auto values = getConstantFloats(value);
  if (failed(values) || values->empty() || !llvm::all_equal(*values) ||
      !(values->front() > 0) || !std::isfinite(values->front()))
    return std::nullopt;
  return values->front();
}

/// For a multiplication by a positive number: the other operand, and the
/// number.
static std::optional<std::pair<Value, double>> getScaling(Operation *op) {
  auto product = dyn_cast_or_null<arith::MulFOp>(op);
  if (!product)
    return std::nullopt;
  if (std::optional<double> factor = getPositiveSplat(product.getRhs()))
    return std::pair(product.getLhs(), *factor);
  if (std::optional<double> factor = getPositiveSplat(product.getLhs()))
    return std::pair(product.getRhs(), *factor);
  return std::nullopt;
}

Value nlq::getMovedOperand(Operation *op) {
  if (isShapeOp(op))
    return op->getOperand(0);
  if (auto scaling = getScaling(op))
    return scaling->first;
  return nullptr;
}

Grid nlq::getMovedGrid(Operation *op, const Grid &grid) {
  if (isShapeOp(op))
    return moveGrid(op, grid);
  Grid scaled = grid;
  double factor = getScaling(op)->second;
  for (double &scale : scaled.scales)
    scale = roundScale(scale * factor);
  return scaled;
}

quant::QuantizedType nlq::unmoveTypeOf(Operation *op,
                                       quant::QuantizedType type) {
  if (isShapeOp(op))
    return unmoveType(op, type);
  return scaleType(type, 1 / getScaling(op)->second);
}

Value nlq::moveStorage(OpBuilder &builder, Operation *op, Value storage) {
  return isShapeOp(op) ? moveElements(builder, op, storage) : storage;
}

Value Quantizer::getSource(Value value) {
  while (Value operand = getMovedOperand(value.getDefiningOp()))
    value = operand;
  return value;
}

Grid Quantizer::getMovedGrid(Value value, const Grid &grid) {
  Operation *op = value.getDefiningOp();
  Value operand = getMovedOperand(op);
  return operand ? nlq::getMovedGrid(op, getMovedGrid(operand, grid)) : grid;
}

//===----------------------------------------------------------------------===//
// Concatenations
//===----------------------------------------------------------------------===//

LogicalResult nlq::quantizeConcat(Quantizer &quantizer, Operation *op) {
  auto concat = cast<tensor::ConcatOp>(op);
  auto type = quantizer.getUniformType(concat.getResult());
  if (failed(type))
    return failure();
  SmallVector<Value> parts;
  for (Value input : concat.getInputs()) {
    FailureOr<Value> part = quantizer.getAs(input, *type);
    if (failed(part))
      return failure();
    parts.push_back(*part);
  }
  Value storage = tensor::ConcatOp::create(quantizer.builder, op->getLoc(),
                                           concat.getDim(), parts);
  quantizer.setRaw(concat.getResult(), storage, *type);
  return success();
}
