//===- MeasureReferences.cpp - Float values of quantized values -----------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MeasureSlots.h"
#include "nlq/Quantization/Metric.h"
#include "nlq/Quantization/ValueNames.h"

using namespace mlir;
using namespace nlq;

/// The name that a location gives; empty if it gives none.
static StringRef getNameOf(Location loc) {
  if (auto named = dyn_cast<NameLoc>(loc))
    return named.getName();
  if (auto fused = dyn_cast<FusedLoc>(loc))
    for (Location part : fused.getLocations())
      if (StringRef name = getNameOf(part); !name.empty())
        return name;
  return {};
}

/// True for `base` and for what nameValues makes of it where it is taken.
static bool isNamed(StringRef name, StringRef base) {
  return !base.empty() && name.consume_front(base) &&
         (name.empty() || name.starts_with("#"));
}

/// The location of the float operation that made a value, as far as the
/// quantized module still tells: that of what made the integers.
static StringRef getSourceName(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (op->getName().getStringRef() != "quant.scast")
      return getNameOf(op->getLoc());
    value = op->getOperand(0);
  }
  return {};
}

/// The float value that `value` stands for: of its own name, unless one of
/// another name is much nearer to its integers in the model with exact
/// functions. (A multiplication by a constant has no operation of its own in
/// the quantized module: its operand has the name, and is further off by the
/// factor.)
static void findReference(QuantizedValue &value, const FloatSamples &samples,
                          ArrayRef<Array> sample, const SampleValues &exact) {
  constexpr double muchNearer = 6; // dB
  auto it = exact.find(value.value);
  if (it == exact.end())
    return;
  const Array &array = it->second;
  std::vector<double> reals = dequantizeArray(value.type, array);
  StringRef base = getSourceName(value.value);
  double best = 0;
  for (auto [index, name, known] :
       llvm::enumerate(samples.getNames(), sample)) {
    if (known.shape != array.shape)
      continue;
    Sqnr nearness;
    nearness.add(known.as<float>(), reals);
    double decibels =
        nearness.getDecibels() + (isNamed(name, base) ? muchNearer : 0);
    // Nothing that is as far off as zero is the value itself.
    if (nearness.getDecibels() > 0 && decibels > best) {
      best = decibels;
      value.reference = index;
    }
  }
}

LogicalResult nlq::findReferences(std::vector<MeasuredSlot> &slots,
                                  std::vector<QuantizedValue> &results,
                                  const FloatSamples &samples,
                                  ArrayRef<Array> sample,
                                  const SampleValues &exact) {
  auto find = [&](QuantizedValue &value) {
    findReference(value, samples, sample, exact);
    return value.reference.has_value();
  };
  for (MeasuredSlot &slot : slots) {
    // By name only: values that are zero throughout are near to nothing.
    slot.result.reference = samples.find(slot.name);
    if (!slot.result.reference)
      return slot.op->emitOpError()
             << "'" << slot.name << "' can't be measured: the samples have no "
             << "values of its result";
    if (!find(slot.operand))
      return slot.op->emitOpError()
             << "'" << slot.name << "' can't be measured: the samples have no "
             << "value that is near its operand in the model with exact "
                "functions";
    llvm::erase_if(slot.consumers,
                   [&](QuantizedValue &consumer) { return !find(consumer); });
    for (QuantizedValue &other : slot.others)
      if (!find(other))
        slot.consumers.clear();
  }
  for (QuantizedValue &result : results)
    if (!find(result))
      return emitError(result.value.getLoc())
             << "measuring failed: the samples have no value that is near a "
                "result of the function in the model with exact functions";
  return success();
}
