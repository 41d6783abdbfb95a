//===- Compare.cpp - Two runs of a model, slot by slot --------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Quantization/Compare.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "nlq/Dialect/NLQ/IR/NLQOps.h"
#include "nlq/Quantization/Metric.h"
#include "nlq/Quantization/ValueNames.h"
#include <cmath>
#include <cstring>

using namespace mlir;
using namespace nlq;

//===----------------------------------------------------------------------===//
// Exposing slots
//===----------------------------------------------------------------------===//

/// The integers of a quantized tensor, made before `builder`'s place.
static Value createStorageCast(OpBuilder &builder, Value quantized) {
  auto tensor = cast<RankedTensorType>(quantized.getType());
  auto type = cast<quant::QuantizedType>(tensor.getElementType());
  auto storage = builder.getIntegerType(type.getStorageTypeIntegralWidth());
  return quant::StorageCastOp::create(builder, quantized.getLoc(),
                                      tensor.clone(storage), quantized);
}

FailureOr<std::vector<ExposedSlot>> nlq::exposeSlots(ModuleOp module) {
  func::FuncOp main = lookupMain(module);
  if (!main)
    return failure();
  auto oldReturn = cast<func::ReturnOp>(main.getBody().front().getTerminator());
  OpBuilder builder(oldReturn);
  std::vector<ExposedSlot> slots;
  SmallVector<Value> values;
  SmallVector<Attribute> attributes;
  for (auto op : main.getBody().front().getOps<NonlinearOpInterface>()) {
    if (!op.isQuantized())
      continue;
    auto name = op->getAttrOfType<StringAttr>(kSlotAttr);
    if (!name)
      return op->emitOpError()
             << "has no name: the attribute '" << kSlotAttr << "' is missing";
    auto tensor = cast<RankedTensorType>(op.getResultTensor().getType());
    slots.push_back(
        {name.str(), op->getName().getStringRef().str(),
         toQuantized(cast<quant::QuantizedType>(tensor.getElementType())),
         tensor.getNumElements()});
    values.push_back(createStorageCast(builder, op.getResultTensor()));
    attributes.push_back(builder.getDictionaryAttr(
        builder.getNamedAttr(NLQDialect::kNameAttr, name)));
  }
  if (slots.empty())
    return main.emitError("the module has no quantized non-linear operation");
  for (auto [index, value] : llvm::enumerate(oldReturn.getOperands())) {
    auto tensor = dyn_cast<RankedTensorType>(value.getType());
    if (!tensor || !tensor.getElementType().isF32())
      return main.emitError("only results of f32 can be compared, found ")
             << value.getType();
    auto name =
        main.getResultAttrOfType<StringAttr>(index, NLQDialect::kNameAttr);
    slots.push_back({name ? name.str() : "result" + std::to_string(index),
                     "result", std::nullopt, tensor.getNumElements()});
    values.push_back(value);
    attributes.push_back(main.getResultAttrDict(index)
                             ? Attribute(main.getResultAttrDict(index))
                             : builder.getDictionaryAttr({}));
  }
  func::ReturnOp::create(builder, oldReturn.getLoc(), values);
  oldReturn.erase();
  main.setType(builder.getFunctionType(main.getArgumentTypes(),
                                       ValueRange(values).getTypes()));
  main.setResAttrsAttr(builder.getArrayAttr(attributes));
  return slots;
}

static bool haveSameType(const methods::Quantized &a,
                         const methods::Quantized &b) {
  return a.bits == b.bits && a.isSigned == b.isSigned && a.range == b.range &&
         a.scales == b.scales && a.zeroPoints == b.zeroPoints;
}

llvm::Error nlq::checkComparable(ArrayRef<ExposedSlot> first,
                                 ArrayRef<ExposedSlot> second) {
  auto fail = [](StringRef name, const Twine &what) {
    return llvm::createStringError("the modules can't be compared: '" + name +
                                   "' " + what);
  };
  for (auto [index, slot] : llvm::enumerate(first)) {
    if (index >= second.size())
      return fail(slot.name, "is in the first one only");
    const ExposedSlot &other = second[index];
    if (slot.name != other.name)
      return fail(slot.name, "of the first one stands where the second one has "
                             "'" +
                                 other.name + "'");
    if (slot.op != other.op || slot.numElements != other.numElements)
      return fail(slot.name, "is another operation in the second one");
    if (slot.type.has_value() != other.type.has_value() ||
        (slot.type && !haveSameType(*slot.type, *other.type)))
      return fail(slot.name, "has another quantized type in the second one");
  }
  if (second.size() > first.size())
    return fail(second[first.size()].name, "is in the second one only");
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Comparing
//===----------------------------------------------------------------------===//

namespace {

/// One slot's sums.
struct SlotSums {
  /// The index of the float value among the float model's results.
  std::optional<size_t> reference;
  Sqnr first, second;
};

class Comparer {
public:
  Comparer(ArrayRef<ExposedSlot> slots, const ExposedModel *floatModel);

  llvm::Error add(ArrayRef<Array> first, ArrayRef<Array> second,
                  ArrayRef<Array> floats);
  Comparison finish();

private:
  Comparison comparison;
  std::vector<SlotSums> sums;
  bool hasSecond = false;
};

} // namespace

Comparer::Comparer(ArrayRef<ExposedSlot> slots, const ExposedModel *floatModel)
    : sums(slots.size()) {
  size_t numResults = 0;
  for (auto [slot, sum] : llvm::zip(slots, sums)) {
    comparison.slots.emplace_back().slot = slot;
    if (!floatModel)
      continue;
    // Results have names of their own; the float model says what they are.
    std::string name = slot.name;
    if (!slot.type) {
      if (numResults >= floatModel->returned.size())
        continue;
      name = floatModel->returned[numResults++];
    }
    auto it =
        llvm::find_if(floatModel->results, [&](const ExposedValue &value) {
          return value.name == name;
        });
    if (it != floatModel->results.end())
      sum.reference = size_t(it - floatModel->results.begin());
  }
}

/// Calls `f` with the typed elements of arrays of one kind.
template <typename F, typename... Arrays>
static void withElements(F f, const Array &first, const Arrays &...others) {
  switch (first.kind) {
  case ElementKind::F32:
    return f(first.as<float>(), others.template as<float>()...);
  case ElementKind::I8:
    return f(first.as<int8_t>(), others.template as<int8_t>()...);
  case ElementKind::I16:
    return f(first.as<int16_t>(), others.template as<int16_t>()...);
  case ElementKind::I32:
    return f(first.as<int32_t>(), others.template as<int32_t>()...);
  case ElementKind::I64:
    return f(first.as<int64_t>(), others.template as<int64_t>()...);
  }
}

/// The real numbers of a slot's integers, or of a result.
static std::vector<double> toReals(const ExposedSlot &slot,
                                   const Array &array) {
  std::vector<double> reals(array.getNumElements());
  int64_t columns = array.shape.empty() ? 1 : array.shape.back();
  withElements(
      [&](auto elements) {
        for (auto [index, element] : llvm::enumerate(elements))
          reals[index] = slot.type ? slot.type->dequantize(int64_t(element),
                                                           index % columns)
                                   : double(element);
      },
      array);
  return reals;
}

template <typename T>
static void addDifferences(ArrayRef<T> a, ArrayRef<T> b,
                           SlotComparison &comparison) {
  for (auto [x, y] : llvm::zip_equal(a, b)) {
    // By bits: two NaNs are the same, two zeros are not.
    if (std::memcmp(&x, &y, sizeof(T)) == 0)
      continue;
    ++comparison.numDifferent;
    comparison.largestDifference =
        std::max(comparison.largestDifference, std::abs(double(x) - double(y)));
  }
}

llvm::Error Comparer::add(ArrayRef<Array> first, ArrayRef<Array> second,
                          ArrayRef<Array> floats) {
  hasSecond = !second.empty();
  for (auto [index, sum] : llvm::enumerate(sums)) {
    SlotComparison &slot = comparison.slots[index];
    const Array &array = first[index];
    if (hasSecond)
      withElements([&](auto a, auto b) { addDifferences(a, b, slot); }, array,
                   second[index]);
    if (!sum.reference)
      continue;
    const Array &wanted = floats[*sum.reference];
    if (wanted.getNumElements() != array.getNumElements())
      return llvm::createStringError(
          "'" + slot.slot.name + "' has " + Twine(array.getNumElements()) +
          " elements, the float model's value of that name has " +
          Twine(wanted.getNumElements()));
    sum.first.add(wanted.as<float>(), toReals(slot.slot, array));
    if (hasSecond)
      sum.second.add(wanted.as<float>(), toReals(slot.slot, second[index]));
  }
  ++comparison.numSamples;
  return llvm::Error::success();
}

Comparison Comparer::finish() {
  for (auto [index, slot, sum] : llvm::enumerate(comparison.slots, sums)) {
    if (sum.reference) {
      slot.sqnr = sum.first.getDecibels();
      if (hasSecond)
        slot.otherSqnr = sum.second.getDecibels();
    }
    if (slot.numDifferent && !comparison.firstDifference)
      comparison.firstDifference = index;
  }
  return std::move(comparison);
}

llvm::Expected<Comparison>
nlq::compareRuns(ArrayRef<ExposedSlot> slots, ModelRunner &first,
                 ModelRunner *second, SampleSource next,
                 const ExposedModel *floatModel, ModelRunner *floatRunner) {
  Comparer comparer(slots, floatModel);
  uint64_t numSamples = 0;
  while (true) {
    auto sample = next();
    if (!sample)
      return sample.takeError();
    if (!*sample)
      break;
    std::vector<Array> results[3];
    ModelRunner *runners[3] = {&first, second,
                               floatModel ? floatRunner : nullptr};
    for (auto [runner, arrays] : llvm::zip(runners, results)) {
      if (!runner)
        continue;
      auto made = runner->run(**sample);
      if (!made)
        return made.takeError();
      arrays = std::move(*made);
    }
    if (llvm::Error error = comparer.add(results[0], results[1], results[2]))
      return error;
    ++numSamples;
  }
  if (numSamples == 0)
    return llvm::createStringError("there are no samples to compare on");
  return comparer.finish();
}
