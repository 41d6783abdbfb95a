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

/// The kept value that `value` stands for: of its own name, unless one of
/// another name is much nearer to its integers in the model with exact
/// functions. (A multiplication by a constant has no operation of its own in
/// the quantized module: its operand has the name, and is further off by the
/// factor.)
static void findReference(QuantizedValue &value, const Profile &profile,
                          const SampleValues &exact) {
  constexpr double muchNearer = 6; // dB
  auto it = exact.find(value.value);
  if (it == exact.end())
    return;
  const Array &array = it->second;
  std::vector<double> reals = dequantizeArray(value.type, array);
  StringRef base = getSourceName(value.value);
  double best = 0;
  for (const auto &[name, known] : profile.values) {
    if (known.kept.empty() || known.kept.front().shape != array.shape)
      continue;
    Sqnr nearness;
    nearness.add(known.kept.front().as<float>(), reals);
    double decibels =
        nearness.getDecibels() + (isNamed(name, base) ? muchNearer : 0);
    // Nothing that is as far off as zero is the value itself.
    if (nearness.getDecibels() > 0 && decibels > best) {
      best = decibels;
      value.reference = &known;
      value.name = name;
    }
  }
}

/// Values that are zero throughout have no SQNR: their own name must do.
static void lookUp(QuantizedValue &value, const Profile &profile,
                   StringRef name) {
  const ValueProfile *known = profile.lookup(name);
  if (!known || known->kept.empty())
    return;
  value.reference = known;
  value.name = name.str();
}

LogicalResult nlq::findReferences(std::vector<MeasuredSlot> &slots,
                                  const Profile &profile,
                                  const SampleValues &exact) {
  for (MeasuredSlot &slot : slots) {
    lookUp(slot.result, profile, slot.name);
    if (!slot.result.reference)
      return slot.op->emitOpError()
             << "'" << slot.name << "' can't be measured: the profile keeps no "
             << "arrays of its result";
    findReference(slot.operand, profile, exact);
    if (!slot.operand.reference)
      return slot.op->emitOpError()
             << "'" << slot.name << "' can't be measured: the profile keeps no "
             << "array that is near its operand in the model with exact "
                "functions";
    for (QuantizedValue &consumer : slot.consumers)
      findReference(consumer, profile, exact);
    for (QuantizedValue &other : slot.others)
      findReference(other, profile, exact);
    llvm::erase_if(slot.consumers, [](const QuantizedValue &consumer) {
      return !consumer.reference;
    });
    if (llvm::any_of(slot.others, [](const QuantizedValue &other) {
          return !other.reference;
        }))
      slot.consumers.clear();
  }
  return success();
}
