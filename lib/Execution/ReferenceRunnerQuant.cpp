//===- ReferenceRunnerQuant.cpp - Rules of the boundary casts -------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ReferenceRunnerPlan.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include <cmath>

using namespace mlir;
using namespace nlq;
using namespace nlq::reference;

namespace {
/// A quantized type as the lowered casts hold it: in f32.
struct FloatGrid {
  /// One entry, or one per channel.
  std::vector<float> scales, zeroPoints;
  float low = 0, high = 0;
  /// Elements that follow each other in one channel.
  int64_t inner = 1;

  size_t channel(int64_t index) const {
    return scales.size() == 1 ? 0 : (index / inner) % scales.size();
  }
};
} // namespace

static llvm::Expected<FloatGrid> makeGrid(Operation *op, Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  auto element = tensor
                     ? dyn_cast<quant::QuantizedType>(tensor.getElementType())
                     : quant::QuantizedType();
  if (!isa_and_present<quant::UniformQuantizedType,
                       quant::UniformQuantizedPerAxisType>(element) ||
      !element.isSigned() || !element.getExpressedType().isF32())
    return makeError(op, "only signed uniform types of f32, per tensor or per "
                         "axis, can be run");
  methods::Quantized numbers = toQuantized(element);
  FloatGrid grid;
  grid.scales.assign(numbers.scales.begin(), numbers.scales.end());
  grid.zeroPoints.assign(numbers.zeroPoints.begin(), numbers.zeroPoints.end());
  grid.low = float(numbers.range.lo);
  grid.high = float(numbers.range.hi);
  if (auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(element))
    for (int64_t extent :
         tensor.getShape().drop_front(perAxis.getQuantizedDimension() + 1))
      grid.inner *= extent;
  return grid;
}

template <typename T>
static void quantize(const FloatGrid &grid, const float *from, T *to,
                     int64_t size) {
  for (int64_t i = 0; i < size; ++i) {
    size_t channel = grid.channel(i);
    float zeroPoint = grid.zeroPoints[channel];
    float value =
        std::isnan(from[i])
            ? zeroPoint
            : std::nearbyint(from[i] / grid.scales[channel]) + zeroPoint;
    value = std::min(std::max(value, grid.low), grid.high);
    // The bound of 32 and 64 bits is not a float: it rounds up beyond them.
    if (value >= -float(std::numeric_limits<T>::min()))
      to[i] = std::numeric_limits<T>::max();
    else
      to[i] = T(value);
  }
}

static llvm::Expected<Action> qcastRule(Operation *op, Planner &planner) {
  llvm::Expected<FloatGrid> grid = makeGrid(op, op->getResult(0).getType());
  if (!grid)
    return grid.takeError();
  llvm::Expected<Place> from = planner.lookup(op->getOperand(0));
  if (!from)
    return from.takeError();
  if (from->kind != ElementKind::F32)
    return makeError(op, "the operand must be f32");
  llvm::Expected<Place> to = planner.define(op->getResult(0));
  if (!to)
    return to.takeError();
  return Action(
      [grid = std::move(*grid), from = *from, to = *to](Frame &frame) {
        dispatchInteger(to.kind, [&](auto element) {
          using T = decltype(element);
          quantize(grid, frame.read<float>(from), frame.write<T>(to),
                   to.getNumElements());
        });
      });
}

static llvm::Expected<Action> dcastRule(Operation *op, Planner &planner) {
  llvm::Expected<FloatGrid> grid = makeGrid(op, op->getOperand(0).getType());
  if (!grid)
    return grid.takeError();
  llvm::Expected<Place> from = planner.lookup(op->getOperand(0));
  if (!from)
    return from.takeError();
  llvm::Expected<Place> to = planner.define(op->getResult(0));
  if (!to)
    return to.takeError();
  if (to->kind != ElementKind::F32)
    return makeError(op, "the result must be f32");
  return Action(
      [grid = std::move(*grid), from = *from, to = *to](Frame &frame) {
        dispatchInteger(from.kind, [&](auto element) {
          using T = decltype(element);
          const T *values = frame.read<T>(from);
          float *out = frame.write<float>(to);
          for (int64_t i = 0, size = to.getNumElements(); i < size; ++i) {
            size_t channel = grid.channel(i);
            out[i] = (float(values[i]) - grid.zeroPoints[channel]) *
                     grid.scales[channel];
          }
        });
      });
}

void reference::addQuantRules(Rules &rules) {
  rules["quant.dcast"] = dcastRule;
  rules["quant.qcast"] = qcastRule;
}
