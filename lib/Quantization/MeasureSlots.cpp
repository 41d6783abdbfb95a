//===- MeasureSlots.cpp - Slots and what surrounds them -------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MeasureSlots.h"
#include "Quantizer.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "nlq/Quantization/Metric.h"
#include "nlq/Quantization/QuantizeTypes.h"
#include "nlq/Quantization/ValueNames.h"
#include <cmath>
#include <numeric>

using namespace mlir;
using namespace nlq;

//===----------------------------------------------------------------------===//
// Arrays of quantized types
//===----------------------------------------------------------------------===//

/// Calls `f` with the typed elements of an array of integers.
template <typename ArrayT, typename F>
static void withElements(ArrayT &array, F f) {
  switch (array.kind) {
  case ElementKind::I8:
    return f(array.template as<int8_t>());
  case ElementKind::I16:
    return f(array.template as<int16_t>());
  case ElementKind::F32: // never: these arrays hold integers
  case ElementKind::I32:
    return f(array.template as<int32_t>());
  case ElementKind::I64:
    return f(array.template as<int64_t>());
  }
}

static int64_t getNumColumns(const Array &array) {
  return array.shape.empty() ? 1 : array.shape.back();
}

std::vector<double> nlq::dequantizeArray(const methods::Quantized &type,
                                         const Array &array) {
  std::vector<double> values(array.getNumElements());
  int64_t columns = getNumColumns(array);
  withElements(array, [&](auto elements) {
    using T = std::remove_cv_t<std::remove_reference_t<decltype(elements[0])>>;
    for (size_t i = 0; i < elements.size(); ++i) {
      int64_t q = type.isSigned ? int64_t(elements[i])
                                : int64_t(std::make_unsigned_t<T>(elements[i]));
      values[i] = type.dequantize(q, int64_t(i) % columns);
    }
  });
  return values;
}

Array nlq::quantizeArray(const methods::Quantized &type, const Array &values) {
  ElementKind kind = type.bits == 8    ? ElementKind::I8
                     : type.bits == 16 ? ElementKind::I16
                     : type.bits == 32 ? ElementKind::I32
                                       : ElementKind::I64;
  Array array(kind, values.shape);
  int64_t columns = getNumColumns(values);
  ArrayRef<float> reals = values.as<float>();
  withElements(array, [&](auto elements) {
    for (size_t i = 0; i < elements.size(); ++i) {
      int64_t column = int64_t(i) % columns;
      double steps = std::nearbyint(double(reals[i]) / type.scale(column)) +
                     double(type.zeroPoint(column));
      elements[i] = int64_t(
          std::clamp(steps, double(type.range.lo), double(type.range.hi)));
    }
  });
  return array;
}

//===----------------------------------------------------------------------===//
// Types of signless values
//===----------------------------------------------------------------------===//

/// The type in which the integers `storage` were made, or null.
static quant::QuantizedType traceTypeBack(Value storage) {
  Operation *op = storage.getDefiningOp();
  if (!op)
    return nullptr;
  if (auto cast = dyn_cast<quant::StorageCastOp>(op))
    return dyn_cast<quant::QuantizedType>(
        getElementTypeOrSelf(cast.getInput().getType()));
  if (isShapeOp(op)) {
    quant::QuantizedType type = traceTypeBack(op->getOperand(0));
    return type ? moveType(op, type) : nullptr;
  }
  if (isa<tensor::ConcatOp>(op))
    return traceTypeBack(op->getOperand(0));
  return nullptr;
}

/// Collects, from how `storage` is read later on, one scale per channel of an
/// accumulator into `scales`. The scales of `channels` are the numbers, from 1,
/// of the accumulator's channels that its last dimension has.
static void traceScalesForward(Value storage, quant::QuantizedType channels,
                               std::vector<double> &scales) {
  auto numbers = cast<quant::UniformQuantizedPerAxisType>(channels).getScales();
  for (Operation *user : storage.getUsers()) {
    if (auto cast = dyn_cast<quant::StorageCastOp>(user)) {
      auto type =
          dyn_cast<quant::QuantizedType>(getElementTypeOrSelf(cast.getType()));
      if (!type)
        continue;
      methods::Quantized read = toQuantized(type);
      for (auto [column, number] : llvm::enumerate(numbers))
        scales[size_t(number) - 1] = read.scale(int64_t(column));
    } else if (isShapeOp(user)) {
      if (quant::QuantizedType moved = moveType(user, channels))
        traceScalesForward(user->getResult(0), moved, scales);
    }
  }
}

/// The type of the accumulator of a product, or none. The product of its
/// operands' scales is the surest: a multiplication after it may have become
/// part of the type in which the accumulator is read.
static std::optional<methods::Quantized>
getAccumulatorType(Operation *product) {
  auto tensor = cast<RankedTensorType>(product->getResult(0).getType());
  methods::Quantized type;
  type.bits = tensor.getElementTypeBitWidth();
  type.range = kernel::storageRange(type.bits);
  quant::QuantizedType lhs = traceTypeBack(product->getOperand(0));
  quant::QuantizedType rhs = traceTypeBack(product->getOperand(1));
  auto uniformLhs = dyn_cast_or_null<quant::UniformQuantizedType>(lhs);
  auto uniformRhs = dyn_cast_or_null<quant::UniformQuantizedType>(rhs);
  if (uniformLhs && uniformRhs) {
    type.scales = {uniformLhs.getScale() * uniformRhs.getScale()};
    return type;
  }
  SmallVector<double> numbers(tensor.getShape().back());
  std::iota(numbers.begin(), numbers.end(), 1.0);
  std::vector<double> scales(numbers.size(), 0.0);
  traceScalesForward(product->getResult(0),
                     getPerChannelType(product->getContext(), /*limit=*/1,
                                       numbers, tensor.getRank()),
                     scales);
  if (llvm::is_contained(scales, 0.0))
    return std::nullopt;
  type.zeroPoints.assign(scales.size(), 0);
  type.scales = std::move(scales);
  return type;
}

//===----------------------------------------------------------------------===//
// Consumers
//===----------------------------------------------------------------------===//

static bool isProduct(Operation *op) {
  return isa<linalg::MatmulOp, linalg::BatchMatmulOp>(op);
}

static bool dependsOnConstantsOnly(Value value) {
  Operation *op = value.getDefiningOp();
  return op && llvm::all_of(op->getOperands(), dependsOnConstantsOnly);
}

namespace {
/// Follows a slot's result to the products that read it.
class ConsumerSearch {
public:
  explicit ConsumerSearch(MeasuredSlot &slot) : slot(slot) {}

  void run();

private:
  void follow(Value value);
  /// Adds what computes `value` from the slot's result, constants and the
  /// values in `others`.
  void require(Value value);
  bool addProduct(Operation *product);

  MeasuredSlot &slot;
  llvm::DenseSet<Value> dependent;
  llvm::SetVector<Operation *> products;
  llvm::SetVector<Operation *> path;
  llvm::SetVector<Value> others;
};
} // namespace

void ConsumerSearch::follow(Value value) {
  if (!dependent.insert(value).second)
    return;
  for (OpOperand &use : value.getUses()) {
    Operation *user = use.getOwner();
    if (isProduct(user) && use.getOperandNumber() < 2)
      products.insert(user);
    else if (isa<quant::StorageCastOp, RequantizeOp>(user) || isShapeOp(user))
      follow(user->getResult(0));
  }
}

void ConsumerSearch::require(Value value) {
  if (value == slot.result.value || matchPattern(value, m_Constant()))
    return;
  if (!dependent.contains(value) && !dependsOnConstantsOnly(value)) {
    others.insert(value);
    return;
  }
  Operation *op = value.getDefiningOp();
  if (!path.insert(op))
    return;
  for (Value operand : op->getOperands())
    require(operand);
}

bool ConsumerSearch::addProduct(Operation *product) {
  std::optional<methods::Quantized> type = getAccumulatorType(product);
  if (!type || !dependsOnConstantsOnly(product->getOperand(2)))
    return false;
  for (Value operand : product->getOperands().take_front(2))
    if (!dependent.contains(operand) && !dependsOnConstantsOnly(operand) &&
        !isa_and_present<quant::UniformQuantizedType>(traceTypeBack(operand)))
      return false;
  QuantizedValue consumer;
  consumer.value = product->getResult(0);
  consumer.type = std::move(*type);
  slot.consumers.push_back(std::move(consumer));
  return true;
}

static bool isBefore(Operation *a, Operation *b) {
  return a->isBeforeInBlock(b);
}

void ConsumerSearch::run() {
  follow(slot.result.value);
  // Uses have no order of their own that a file would keep.
  SmallVector<Operation *> inOrder = products.takeVector();
  llvm::sort(inOrder, isBefore);
  for (Operation *product : inOrder)
    if (addProduct(product)) {
      path.insert(product);
      for (Value operand : product->getOperands())
        require(operand);
    }
  for (Value value : others) {
    QuantizedValue other;
    other.value = value;
    other.type = toQuantized(traceTypeBack(value));
    slot.others.push_back(std::move(other));
  }
  slot.path.assign(path.begin(), path.end());
  llvm::sort(slot.path, isBefore);
}

FailureOr<std::vector<MeasuredSlot>> nlq::collectSlots(func::FuncOp main) {
  std::vector<MeasuredSlot> slots;
  for (Operation &op : main.getBody().front()) {
    auto nonlinear = dyn_cast<NonlinearOpInterface>(op);
    if (!nonlinear || !nonlinear.isQuantized())
      continue;
    MeasuredSlot slot;
    slot.op = nonlinear;
    auto name = op.getAttrOfType<StringAttr>(kSlotAttr);
    if (!name)
      return op.emitOpError()
             << "has no name: the attribute '" << kSlotAttr << "' is missing";
    ArrayAttr candidates = nonlinear.getCandidatesAttr();
    if (!candidates || candidates.empty())
      return op.emitOpError()
             << "'" << name.getValue() << "' has no candidates to measure";
    slot.name = name.str();
    auto fill = [](QuantizedValue &quantized, Value value) {
      quantized.value = value;
      quantized.type = toQuantized(
          cast<quant::QuantizedType>(getElementTypeOrSelf(value.getType())));
    };
    fill(slot.operand, nonlinear.getOperandTensor());
    fill(slot.result, nonlinear.getResultTensor());
    ConsumerSearch(slot).run();
    slots.push_back(std::move(slot));
  }
  return slots;
}
