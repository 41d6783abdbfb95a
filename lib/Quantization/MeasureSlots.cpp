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
  case ElementKind::F32: // never: callers have checked
  case ElementKind::I32:
    return f(array.template as<int32_t>());
  case ElementKind::I64:
    return f(array.template as<int64_t>());
  }
}

namespace {
/// The scales of a tensor's elements, in order.
class ElementScales {
public:
  ElementScales(const Grid &grid, ArrayRef<int64_t> shape)
      : grid(grid), shape(shape), indices(shape.size(), 0) {}

  double next() {
    if (grid.isUniform())
      return grid.scales[0];
    double scale = grid.getScale(indices);
    for (int64_t dim = int64_t(shape.size()) - 1; dim >= 0; --dim) {
      if (++indices[dim] < shape[dim])
        break;
      indices[dim] = 0;
    }
    return scale;
  }

private:
  const Grid &grid;
  ArrayRef<int64_t> shape;
  SmallVector<int64_t> indices;
};
} // namespace

std::vector<double> nlq::dequantizeArray(const Grid &type, const Array &array) {
  if (array.kind == ElementKind::F32) {
    ArrayRef<float> reals = array.as<float>();
    return std::vector<double>(reals.begin(), reals.end());
  }
  std::vector<double> values(array.getNumElements());
  ElementScales scales(type, array.shape);
  withElements(array, [&](auto elements) {
    for (auto [value, element] : llvm::zip_equal(values, elements))
      value = scales.next() * double(int64_t(element) - type.zeroPoint);
  });
  return values;
}

Array nlq::quantizeArray(const Grid &type, const Array &values) {
  ElementKind kind = type.bits == 8    ? ElementKind::I8
                     : type.bits == 16 ? ElementKind::I16
                     : type.bits == 32 ? ElementKind::I32
                                       : ElementKind::I64;
  Array array(kind, values.shape);
  ElementScales scales(type, values.shape);
  withElements(array, [&](auto elements) {
    for (auto [element, real] : llvm::zip_equal(elements, values.as<float>())) {
      double steps =
          std::nearbyint(double(real) / scales.next()) + double(type.zeroPoint);
      element = int64_t(std::clamp(steps, double(type.lo), double(type.hi)));
    }
  });
  return array;
}

//===----------------------------------------------------------------------===//
// Types of signless values
//===----------------------------------------------------------------------===//

/// How the integers `storage` are read, from where they were made.
static std::optional<Grid> traceGridBack(Value storage) {
  Operation *op = storage.getDefiningOp();
  if (!op)
    return std::nullopt;
  if (auto cast = dyn_cast<quant::StorageCastOp>(op)) {
    auto tensor = dyn_cast<RankedTensorType>(cast.getInput().getType());
    auto type = tensor ? dyn_cast<quant::QuantizedType>(tensor.getElementType())
                       : quant::QuantizedType();
    if (!isa_and_present<quant::UniformQuantizedType,
                         quant::UniformQuantizedPerAxisType>(type))
      return std::nullopt;
    return Grid::get(type, tensor.getRank());
  }
  if (isShapeOp(op)) {
    std::optional<Grid> grid = traceGridBack(op->getOperand(0));
    if (!grid)
      return std::nullopt;
    return moveGrid(op, *grid);
  }
  if (isa<tensor::ConcatOp>(op))
    return traceGridBack(op->getOperand(0));
  return std::nullopt;
}

/// Collects, from how `storage` is read later on, one scale per channel of an
/// accumulator into `scales`. The scales of `numbers` are the numbers, from 1,
/// of the accumulator's channels.
static void traceScalesForward(Value storage, const Grid &numbers,
                               std::vector<double> &scales) {
  for (Operation *user : storage.getUsers()) {
    if (auto cast = dyn_cast<quant::StorageCastOp>(user)) {
      auto type =
          dyn_cast<quant::QuantizedType>(getElementTypeOrSelf(cast.getType()));
      if (!type || int64_t(numbers.scales.size()) != numbers.shape.back())
        continue;
      methods::Quantized read = toQuantized(type);
      for (auto [column, number] : llvm::enumerate(numbers.scales))
        scales[size_t(number) - 1] = read.scale(int64_t(column));
    } else if (isShapeOp(user)) {
      traceScalesForward(user->getResult(0), moveGrid(user, numbers), scales);
    }
  }
}

/// The product of two grids, whose scales are the same along the reduction or
/// make up for each other.
static Grid multiplyGrids(const Grid &lhs, const Grid &rhs) {
  Grid product;
  size_t rank = lhs.shape.size();
  product.shape = rhs.shape;
  product.shape[rank - 2] = 1;
  if (!rhs.isConstantAlong(rank - 2)) {
    // What one side has along the reduction the other has not.
    product.shape.assign(rank, 1);
    product.scales = {lhs.scales[0] * rhs.scales[0]};
    return product;
  }
  for (double scale : rhs.scales)
    product.scales.push_back(lhs.scales[0] * scale);
  return product;
}

/// The type of the accumulator of a product, or none. The product of its
/// operands' scales is the surest: a multiplication after it may have become
/// part of the type in which the accumulator is read.
static std::optional<Grid> getAccumulatorType(Operation *product) {
  auto tensor = cast<RankedTensorType>(product->getResult(0).getType());
  std::optional<Grid> lhs = traceGridBack(product->getOperand(0));
  std::optional<Grid> rhs = traceGridBack(product->getOperand(1));
  Grid type;
  if (lhs && rhs) {
    type = multiplyGrids(*lhs, *rhs);
  } else {
    Grid numbers;
    int64_t columns = tensor.getShape().back();
    numbers.shape.assign(tensor.getRank(), 1);
    numbers.shape.back() = columns;
    numbers.scales.resize(columns);
    std::iota(numbers.scales.begin(), numbers.scales.end(), 1.0);
    std::vector<double> scales(columns, 0.0);
    traceScalesForward(product->getResult(0), numbers, scales);
    if (llvm::is_contained(scales, 0.0))
      return std::nullopt;
    type.shape = numbers.shape;
    type.scales = std::move(scales);
  }
  type.bits = tensor.getElementTypeBitWidth();
  kernel::Interval range = kernel::storageRange(type.bits);
  type.lo = range.lo;
  type.hi = range.hi;
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
  // What an accumulator starts from may be computed from its other operand.
  if (!dependent.contains(value) && !dependsOnConstantsOnly(value) &&
      traceGridBack(value)) {
    others.insert(value);
    return;
  }
  Operation *op = value.getDefiningOp();
  if (!op || !path.insert(op))
    return;
  for (Value operand : op->getOperands())
    require(operand);
}

bool ConsumerSearch::addProduct(Operation *product) {
  std::optional<Grid> type = getAccumulatorType(product);
  if (!type)
    return false;
  for (Value operand : product->getOperands().take_front(2))
    if (!dependent.contains(operand) && !dependsOnConstantsOnly(operand) &&
        !traceGridBack(operand))
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
    other.type = *traceGridBack(value);
    slot.others.push_back(std::move(other));
  }
  slot.path.assign(path.begin(), path.end());
  llvm::sort(slot.path, isBefore);
}

/// All operations that `value` is computed by, constants left out, in order.
static std::vector<Operation *> findPath(Value value) {
  llvm::SetVector<Operation *> path;
  SmallVector<Value> stack = {value};
  while (!stack.empty()) {
    Operation *op = stack.pop_back_val().getDefiningOp();
    if (op && !op->hasTrait<OpTrait::ConstantLike>() && path.insert(op))
      llvm::append_range(stack, op->getOperands());
  }
  std::vector<Operation *> inOrder(path.begin(), path.end());
  llvm::sort(inOrder, isBefore);
  return inOrder;
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
      quantized.type = Grid::get(
          cast<quant::QuantizedType>(getElementTypeOrSelf(value.getType())),
          cast<RankedTensorType>(value.getType()).getRank());
    };
    fill(slot.operand, nonlinear.getOperandTensor());
    fill(slot.result, nonlinear.getResultTensor());
    Value mask = nonlinear.getMaskTensor();
    if (mask && !matchPattern(mask, m_Constant())) {
      slot.mask = mask;
      slot.maskPath = findPath(mask);
    }
    ConsumerSearch(slot).run();
    slots.push_back(std::move(slot));
  }
  return slots;
}
