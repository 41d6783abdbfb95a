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
#include "nlq/Methods/Functions.h"
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

const ValueProfile *Quantizer::lookupProfile(Value value) {
  return isConstant(value) ? nullptr : profile.lookup(getName(value));
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

namespace {
/// Who reads a value, moves left out.
struct Readers {
  /// Nothing but matrix products.
  bool areProducts = true;
  /// Nothing but left sides of products with constant weights, and these with
  /// the value's last dimension as theirs.
  bool haveWeights = true;
  bool keepChannels = true;
  /// Nothing but softmaxes that it is an added mask of.
  bool areMasks = true;
};
} // namespace

/// True if the last dimension of what `op` moves, and no more, is the result's.
static bool keepsLastDim(Operation *op) {
  if (!isShapeOp(op))
    return true;
  auto source = cast<RankedTensorType>(op->getOperand(0).getType());
  if (source.getRank() == 0)
    return false;
  Grid channels;
  channels.shape.assign(source.getRank(), 1);
  channels.shape.back() = source.getShape().back();
  for (int64_t channel = 0; channel < channels.shape.back(); ++channel)
    channels.scales.push_back(double(channel));
  Grid moved = moveGrid(op, channels);
  return !moved.shape.empty() && moved.scales == channels.scales &&
         moved.shape.back() == channels.shape.back();
}

static Readers getReaders(Value value, Quantizer &quantizer) {
  Readers readers;
  for (OpOperand &use : value.getUses()) {
    Operation *user = use.getOwner();
    if (getMovedOperand(user) == value) {
      Readers later = getReaders(user->getResult(0), quantizer);
      readers.areProducts &= later.areProducts;
      readers.haveWeights &= later.haveWeights;
      readers.keepChannels &= later.keepChannels && keepsLastDim(user);
      readers.areMasks &= later.areMasks && isShapeOp(user);
      continue;
    }
    readers.areMasks &= isAddedMask(use);
    bool isMatmul = isa<linalg::MatmulOp>(user);
    readers.areProducts &= isMatmul || isa<linalg::BatchMatmulOp>(user);
    readers.haveWeights &= isMatmul && use.getOperandNumber() == 0 &&
                           quantizer.isConstant(user->getOperand(1));
  }
  return readers;
}

double Quantizer::getExponent(Value value) {
  Operation *op = getSource(value).getDefiningOp();
  if (auto nonlinear = dyn_cast_or_null<NonlinearOpInterface>(op)) {
    const methods::Function &function =
        methods::getFunction(nonlinear.getFunction());
    return function.isNormalization() ? options.normExponent
           : function.isElementwise() ? options.geluExponent
                                      : 0;
  }
  if (isa_and_present<linalg::MatmulOp, linalg::BatchMatmulOp>(op))
    return options.attentionExponent;
  return 0;
}

unsigned Quantizer::getActBits(Value value) {
  return unsigned(isa<BlockArgument>(getSource(value)) ? options.argumentBits
                                                       : options.actBits);
}

FailureOr<quant::QuantizedType> Quantizer::getNaturalType(Value value) {
  Readers readers = getReaders(value, *this);
  if (readers.areMasks && !value.use_empty())
    return quant::QuantizedType(getMaskType(func.getContext()));
  if (!readers.areProducts || !readers.haveWeights || isConstant(value)) {
    FailureOr<quant::UniformQuantizedType> type = getUniformType(value);
    if (failed(type))
      return failure();
    return quant::QuantizedType(*type);
  }
  FailureOr<const ValueProfile *> known = getProfile(value);
  if (failed(known))
    return failure();
  std::vector<double> factors;
  if (readers.keepChannels)
    factors = getChannelFactors(**known, getExponent(value));
  return getActivationType(func.getContext(), getActBits(value), **known,
                           factors, options.asymmetric,
                           cast<RankedTensorType>(value.getType()).getRank(),
                           options.range);
}

FailureOr<quant::UniformQuantizedType> Quantizer::getUniformType(Value value) {
  if (getReaders(value, *this).areProducts)
    return getSymmetricType(value);
  FailureOr<double> absMax = getAbsMax(value);
  if (failed(absMax))
    return failure();
  return getResidualType(func.getContext(), unsigned(options.residualBits),
                         *absMax);
}

FailureOr<quant::UniformQuantizedType>
Quantizer::getSymmetricType(Value value) {
  MLIRContext *context = func.getContext();
  if (isConstant(value)) {
    FailureOr<double> absMax = getAbsMax(value);
    if (failed(absMax))
      return failure();
    return nlq::getActivationType(context, getActBits(value), *absMax);
  }
  FailureOr<const ValueProfile *> known = getProfile(value);
  if (failed(known))
    return failure();
  return cast<quant::UniformQuantizedType>(
      getActivationType(context, getActBits(value), **known, /*factors=*/{},
                        /*isAsymmetric=*/false, /*rank=*/0, options.range));
}

/// True if products read integers of `grid` as they are.
static bool isNarrow(const Grid &grid, unsigned actBits) {
  return grid.bits == 8 && grid.hi - grid.lo < (int64_t(1) << actBits);
}

FailureOr<quant::QuantizedType> Quantizer::getOperandType(Value value) {
  if (raw.contains(getSource(value))) {
    Grid grid = getRawGrid(value);
    if (quant::QuantizedType type = grid.getType(func.getContext()))
      if (isNarrow(grid, getActBits(value)) ||
          type == getProbabilityType(func.getContext(),
                                     unsigned(options.probabilityBits)))
        return type;
  }
  return getNaturalType(value);
}

FailureOr<quant::UniformQuantizedType>
Quantizer::getSymmetricOperandType(Value value) {
  if (raw.contains(getSource(value))) {
    Grid grid = getRawGrid(value);
    auto type = dyn_cast_or_null<quant::UniformQuantizedType>(
        grid.getType(func.getContext()));
    if (type && ((isNarrow(grid, getActBits(value)) && grid.zeroPoint == 0) ||
                 type == getProbabilityType(func.getContext(),
                                            unsigned(options.probabilityBits))))
      return type;
  }
  return getSymmetricType(value);
}

//===----------------------------------------------------------------------===//
// Forms
//===----------------------------------------------------------------------===//

Value Quantizer::toQuantized(Location loc, const Form &form) {
  quant::QuantizedType type = form.grid.getType(func.getContext());
  // A quantized operation's own result is at hand.
  if (auto cast = form.storage.getDefiningOp<quant::StorageCastOp>())
    if (getElementTypeOrSelf(cast.getInput().getType()) == type)
      return cast.getInput();
  Value &known = forms[{form.storage, type}];
  if (!known)
    known = quant::StorageCastOp::create(
        builder, loc, withElementType(form.storage.getType(), type),
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
                                  quant::QuantizedType type) {
  Value quantized = toQuantized(loc, form);
  if (form.grid.getType(func.getContext()) == type)
    return quantized;
  return RequantizeOp::create(builder, loc,
                              withElementType(quantized.getType(), type),
                              quantized, RoundingMode::HalfUp);
}

Value Quantizer::requantize(Location loc, const Form &form,
                            quant::QuantizedType type) {
  if (form.grid.getType(func.getContext()) == type)
    return form.storage;
  return toStorage(loc, requantizeTensor(loc, form, type));
}

void Quantizer::setRaw(Value value, Value storage, Grid grid) {
  raw[value] = {storage, std::move(grid)};
}

void Quantizer::setRaw(Value value, Value storage, quant::QuantizedType type) {
  setRaw(value, storage,
         Grid::get(type, cast<RankedTensorType>(value.getType()).getRank()));
}

FailureOr<Quantizer::Form> Quantizer::getRaw(Value value) {
  if (auto it = raw.find(value); it != raw.end())
    return it->second;
  Operation *op = value.getDefiningOp();
  Value operand = getMovedOperand(op);
  if (operand && !isConstant(value)) {
    FailureOr<Form> source = getRaw(operand);
    if (failed(source))
      return failure();
    setRaw(value, moveStorage(builder, op, source->storage),
           nlq::getMovedGrid(op, source->grid));
    return raw[value];
  }
  FailureOr<quant::UniformQuantizedType> type = getUniformType(value);
  if (failed(type))
    return failure();
  FailureOr<Value> storage = getAs(value, *type);
  if (failed(storage))
    return failure();
  setRaw(value, *storage, *type);
  return raw[value];
}

Grid Quantizer::getRawGrid(Value value) {
  if (auto it = raw.find(value); it != raw.end())
    return it->second.grid;
  Operation *op = value.getDefiningOp();
  return nlq::getMovedGrid(op, getRawGrid(getMovedOperand(op)));
}

bool Quantizer::canRequantize(Value value, quant::QuantizedType type) {
  if (isConstant(value))
    return isa<quant::UniformQuantizedType>(type);
  if (getRawGrid(value).getType(func.getContext()))
    return true;
  Operation *op = value.getDefiningOp();
  Value operand = getMovedOperand(op);
  quant::QuantizedType before = operand ? unmoveTypeOf(op, type) : nullptr;
  return before && !raw.contains(value) && canRequantize(operand, before);
}

bool Quantizer::movesBetterIn(Value value, quant::QuantizedType type) {
  Operation *op = value.getDefiningOp();
  Value operand = getMovedOperand(op);
  if (!operand)
    return false;
  // What was moved already is requantized there, if its scales let it.
  if (auto made = raw.find(value);
      made != raw.end() && made->second.grid.getType(func.getContext()))
    return false;
  quant::QuantizedType before = unmoveTypeOf(op, type);
  if (!before || !canRequantize(operand, before))
    return false;
  if (isConstant(value))
    return true;
  Grid made = getRawGrid(value);
  quant::QuantizedType madeType = made.getType(func.getContext());
  return !madeType || madeType == type ||
         type.getStorageTypeIntegralWidth() < made.bits;
}

FailureOr<Value> Quantizer::getAs(Value value, quant::QuantizedType type) {
  std::pair<Value, Type> key(value, type);
  if (auto it = forms.find(key); it != forms.end())
    return it->second;
  FailureOr<Value> storage = failure();
  Operation *op = value.getDefiningOp();
  if (movesBetterIn(value, type)) {
    FailureOr<Value> elements =
        getAs(getMovedOperand(op), unmoveTypeOf(op, type));
    if (failed(elements))
      return failure();
    storage = moveStorage(builder, op, *elements);
  } else if (isConstant(value)) {
    storage = quantizeConstant(value, type);
  } else {
    FailureOr<Form> form = getRaw(value);
    if (failed(form))
      return failure();
    if (!form->grid.getType(func.getContext()))
      return emitErrorAt(value)
             << "cannot be quantized: the scales of its integers change along "
                "another dimension than the last";
    storage = requantize(value.getLoc(), *form, type);
  }
  if (succeeded(storage))
    forms[key] = *storage;
  return storage;
}

FailureOr<Quantizer::Form> Quantizer::getMovedAs(Value value,
                                                 quant::QuantizedType type) {
  Operation *op = value.getDefiningOp();
  Value operand = getMovedOperand(op);
  if (!operand) {
    FailureOr<Value> storage = getAs(value, type);
    if (failed(storage))
      return failure();
    return Form{
        *storage,
        Grid::get(type, cast<RankedTensorType>(value.getType()).getRank())};
  }
  FailureOr<Form> source = getMovedAs(operand, type);
  if (failed(source))
    return failure();
  Value &storage = moved[{value, type}];
  if (!storage)
    storage = moveStorage(builder, op, source->storage);
  return Form{storage, nlq::getMovedGrid(op, source->grid)};
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
                                             quant::QuantizedType wanted) {
  auto type = dyn_cast<quant::UniformQuantizedType>(wanted);
  if (!type)
    return emitErrorAt(value) << "cannot be quantized: a constant has one "
                                 "scale, found "
                              << wanted;
  auto values = getConstant(value, value.getDefiningOp());
  if (failed(values))
    return failure();
  SmallVector<int64_t> integers;
  for (double element : *values)
    integers.push_back(int64_t(std::clamp(
        std::nearbyint(element / type.getScale()) + double(type.getZeroPoint()),
        double(type.getStorageTypeMin()), double(type.getStorageTypeMax()))));
  return createConstant(value.getLoc(), "constant",
                        withElementType(value.getType(), type.getStorageType()),
                        integers);
}
