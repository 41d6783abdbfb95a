//===- Quantizer.cpp - The state of a quantization ----------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Quantizer.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "nlq/Dialect/NLQ/IR/NLQOps.h"
#include "nlq/Quantization/QuantizeTypes.h"
#include <cmath>

using namespace mlir;
using namespace nlq;

Quantizer::Quantizer(func::FuncOp func, const Profile &profile,
                     const QuantizeOptions &options)
    : options(options), builder(func.getContext()), func(func),
      profile(profile), names(nameValues(func)) {
  for (Operation &op : func.getBody().getOps())
    floatOps.push_back(&op);
}

//===----------------------------------------------------------------------===//
// Ranges and types
//===----------------------------------------------------------------------===//

/// An error where `value` is made.
static InFlightDiagnostic emitErrorAt(Value value) {
  if (Operation *op = value.getDefiningOp())
    return op->emitError();
  return mlir::emitError(value.getLoc());
}

FailureOr<const ValueProfile *> Quantizer::getProfile(Value value) {
  StringRef name = getName(value);
  const ValueProfile *known = profile.lookup(name);
  if (!known) {
    emitErrorAt(value) << "the profile has no value '" << name
                       << "': it is not of this module, or stale";
    return failure();
  }
  ArrayRef<int64_t> shape = cast<RankedTensorType>(value.getType()).getShape();
  if (ArrayRef<int64_t>(known->shape) != shape) {
    emitErrorAt(value) << "the value '" << name << "' has the shape [" << shape
                       << "] here and [" << ArrayRef(known->shape)
                       << "] in the profile: it is not of this module, or "
                          "stale";
    return failure();
  }
  return known;
}

FailureOr<std::vector<double>> Quantizer::getConstant(Value value,
                                                      Operation *user) {
  auto values = getConstantFloats(value);
  if (failed(values))
    return user->emitOpError("cannot be quantized: its operand of type ")
           << value.getType() << " must be a constant with its data present";
  for (double element : *values)
    if (!std::isfinite(element))
      return user->emitOpError("cannot be quantized: a constant operand of "
                               "type ")
             << value.getType() << " holds a NaN or an infinity";
  return values;
}

FailureOr<double> Quantizer::getAbsMax(Value value) {
  if (!isConstant(value)) {
    auto known = getProfile(value);
    if (failed(known))
      return failure();
    return (*known)->getAbsMax();
  }
  while (isShapeOp(value.getDefiningOp()))
    value = value.getDefiningOp()->getOperand(0);
  auto values = getConstant(value, value.getDefiningOp());
  if (failed(values))
    return failure();
  double absMax = 0;
  for (double element : *values)
    absMax = std::max(absMax, std::fabs(element));
  return absMax;
}

/// True if nothing but matrix products reads `value`.
static bool feedsProductsOnly(Value value) {
  return llvm::all_of(value.getUsers(), [](Operation *user) {
    if (isShapeOp(user))
      return feedsProductsOnly(user->getResult(0));
    return isa<linalg::MatmulOp, linalg::BatchMatmulOp>(user);
  });
}

FailureOr<quant::UniformQuantizedType> Quantizer::getNaturalType(Value value) {
  FailureOr<double> absMax = getAbsMax(value);
  if (failed(absMax))
    return failure();
  MLIRContext *context = func.getContext();
  if (feedsProductsOnly(value))
    return getActivationType(context, options.actBits, *absMax);
  return getResidualType(context, options.residualBits, *absMax);
}

FailureOr<quant::UniformQuantizedType> Quantizer::getOperandType(Value value) {
  MLIRContext *context = func.getContext();
  Value source = value;
  while (isShapeOp(source.getDefiningOp()))
    source = source.getDefiningOp()->getOperand(0);
  if (auto it = raw.find(source); it != raw.end())
    if (auto type = dyn_cast<quant::UniformQuantizedType>(it->second.type))
      if (type == getProbabilityType(context) ||
          (type.getStorageTypeIntegralWidth() == 8 &&
           getLargestMagnitude(type) <= getSymmetricLimit(options.actBits)))
        return type;
  FailureOr<double> absMax = getAbsMax(value);
  if (failed(absMax))
    return failure();
  return getActivationType(context, options.actBits, *absMax);
}

//===----------------------------------------------------------------------===//
// Forms
//===----------------------------------------------------------------------===//

Value Quantizer::toQuantized(Location loc, const Form &form) {
  // A quantized operation's own result is at hand.
  if (auto cast = form.storage.getDefiningOp<quant::StorageCastOp>())
    if (getElementTypeOrSelf(cast.getInput().getType()) == form.type)
      return cast.getInput();
  Value &known = forms[{form.storage, form.type}];
  if (!known)
    known = quant::StorageCastOp::create(
        builder, loc, withElementType(form.storage.getType(), form.type),
        form.storage);
  return known;
}

Value Quantizer::toStorage(Location loc, Value quantized) {
  auto type = cast<quant::QuantizedType>(
      cast<RankedTensorType>(quantized.getType()).getElementType());
  return quant::StorageCastOp::create(
      builder, loc, withElementType(quantized.getType(), type.getStorageType()),
      quantized);
}

Value Quantizer::requantizeTensor(Location loc, const Form &form,
                                  quant::UniformQuantizedType type) {
  Value quantized = toQuantized(loc, form);
  if (form.type == type)
    return quantized;
  return RequantizeOp::create(builder, loc,
                              withElementType(quantized.getType(), type),
                              quantized, RoundingMode::HalfUp);
}

Value Quantizer::requantize(Location loc, const Form &form,
                            quant::UniformQuantizedType type) {
  if (form.type == type)
    return form.storage;
  return toStorage(loc, requantizeTensor(loc, form, type));
}

void Quantizer::setRaw(Value value, Value storage, quant::QuantizedType type) {
  raw[value] = {storage, type};
}

FailureOr<Quantizer::Form> Quantizer::getRaw(Value value) {
  if (auto it = raw.find(value); it != raw.end())
    return it->second;
  Operation *op = value.getDefiningOp();
  if (isShapeOp(op) && !isConstant(value)) {
    FailureOr<Form> source = getRaw(op->getOperand(0));
    if (failed(source))
      return failure();
    if (quant::QuantizedType type = moveType(op, source->type)) {
      setRaw(value, moveElements(builder, op, source->storage), type);
      return raw[value];
    }
  }
  auto type = getNaturalType(value);
  if (failed(type))
    return failure();
  FailureOr<Value> storage = getAs(value, *type);
  if (failed(storage))
    return failure();
  setRaw(value, *storage, *type);
  return raw[value];
}

bool Quantizer::movesBetterIn(Value value, quant::UniformQuantizedType type) {
  // From where the elements were made up to `value`.
  SmallVector<Operation *> moves;
  while (isShapeOp(value.getDefiningOp()) && !raw.contains(value)) {
    moves.push_back(value.getDefiningOp());
    value = moves.back()->getOperand(0);
  }
  if (isConstant(value))
    return true;
  quant::QuantizedType made = raw.lookup(value).type;
  if (type == made ||
      type.getStorageTypeIntegralWidth() < made.getStorageTypeIntegralWidth())
    return true;
  for (Operation *op : llvm::reverse(moves))
    if (!(made = moveType(op, made)))
      return true;
  return false;
}

FailureOr<Value> Quantizer::getAs(Value value,
                                  quant::UniformQuantizedType type) {
  std::pair<Value, Type> key(value, type);
  if (auto it = forms.find(key); it != forms.end())
    return it->second;
  FailureOr<Value> storage = failure();
  Operation *op = value.getDefiningOp();
  if (isShapeOp(op) && !raw.contains(value) && movesBetterIn(value, type)) {
    FailureOr<Value> elements = getAs(op->getOperand(0), type);
    if (failed(elements))
      return failure();
    storage = moveElements(builder, op, *elements);
  } else if (isConstant(value)) {
    storage = quantizeConstant(value, type);
  } else {
    FailureOr<Form> form = getRaw(value);
    if (failed(form))
      return failure();
    storage = requantize(value.getLoc(), *form, type);
  }
  if (succeeded(storage))
    forms[key] = *storage;
  return storage;
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

/// A resource's data: `values` as T.
template <typename T>
static AsmResourceBlob makeBlob(ArrayRef<int64_t> values) {
  std::vector<T> data(values.begin(), values.end());
  return HeapAsmResourceBlob::allocateAndCopyInferAlign<T>(data);
}

Value Quantizer::createConstant(Location loc, StringRef name,
                                RankedTensorType type,
                                ArrayRef<int64_t> values) {
  // Larger constants would drown the text of a module.
  constexpr int64_t largest = 1024;
  unsigned bits = type.getElementTypeBitWidth();
  ElementsAttr attr;
  if (int64_t(values.size()) > largest) {
    AsmResourceBlob blob = bits == 8    ? makeBlob<int8_t>(values)
                           : bits == 16 ? makeBlob<int16_t>(values)
                                        : makeBlob<int32_t>(values);
    attr = DenseResourceElementsAttr::get(type, name, std::move(blob));
  } else {
    SmallVector<APInt> elements;
    for (int64_t value : values)
      elements.emplace_back(bits, uint64_t(value), /*isSigned=*/true);
    attr = DenseElementsAttr::get(type, elements);
  }
  return arith::ConstantOp::create(builder, loc, attr);
}

FailureOr<Value> Quantizer::quantizeConstant(Value value,
                                             quant::UniformQuantizedType type) {
  auto values = getConstant(value, value.getDefiningOp());
  if (failed(values))
    return failure();
  SmallVector<int64_t> integers;
  for (double element : *values)
    integers.push_back(int64_t(std::clamp(
        std::nearbyint(element / type.getScale()),
        double(type.getStorageTypeMin()), double(type.getStorageTypeMax()))));
  return createConstant(value.getLoc(), "constant",
                        withElementType(value.getType(), type.getStorageType()),
                        integers);
}
