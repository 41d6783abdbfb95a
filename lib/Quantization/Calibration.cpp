//===- Calibration.cpp - From samples to a profile ----------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Quantization/Calibration.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "nlq/Conversion/RowsLast.h"
#include "nlq/Dialect/NLQ/IR/NLQOps.h"
#include "nlq/Quantization/ValueNames.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace mlir;
using namespace nlq;

//===----------------------------------------------------------------------===//
// Exposing values
//===----------------------------------------------------------------------===//

static bool isMeasuredOp(Operation *op) {
  return op && isa<NonlinearOpInterface, linalg::MatmulOp,
                   linalg::BatchMatmulOp, func::ReturnOp>(op);
}

/// Whether `user` multiplies `value` by constant weights; values that are not
/// constant are those with names.
static bool isWeighted(Value value, Operation *user,
                       const llvm::MapVector<Value, std::string> &names) {
  auto matmul = dyn_cast<linalg::MatmulOp>(user);
  return matmul && matmul.getInputs()[0] == value &&
         !names.contains(matmul.getInputs()[1]);
}

static ExposedValue describe(Value value, StringRef name,
                             const llvm::MapVector<Value, std::string> &names) {
  ExposedValue exposed;
  exposed.name = name.str();
  llvm::append_range(exposed.shape,
                     cast<RankedTensorType>(value.getType()).getShape());
  exposed.keepArrays = isa<BlockArgument>(value) ||
                       isMeasuredOp(value.getDefiningOp()) ||
                       llvm::any_of(value.getUsers(), isMeasuredOp);
  exposed.keepMoments = llvm::any_of(value.getUsers(), [&](Operation *user) {
    return isWeighted(value, user, names);
  });
  return exposed;
}

FailureOr<ExposedModel> nlq::exposeValues(ModuleOp module, bool keptOnly) {
  func::FuncOp func = lookupMain(module);
  if (!func || failed(moveRowsLast(func)))
    return failure();
  ExposedModel model;
  SmallVector<Value> values;
  llvm::MapVector<Value, std::string> names = nameValues(func);
  for (auto &[value, name] : names) {
    auto type = cast<RankedTensorType>(value.getType());
    if (!type.getElementType().isF32() || !type.hasStaticShape()) {
      func.emitError("the value '")
          << name << "' must be a static f32 tensor, found " << type;
      return failure();
    }
    if (isa<BlockArgument>(value)) {
      model.arguments.push_back(describe(value, name, names));
      continue;
    }
    ExposedValue exposed = describe(value, name, names);
    if (keptOnly && !exposed.keepArrays)
      continue;
    model.results.push_back(std::move(exposed));
    values.push_back(value);
  }
  if (model.arguments.size() != func.getNumArguments()) {
    func.emitError("all arguments of 'main' must be f32 tensors");
    return failure();
  }

  auto oldReturn = cast<func::ReturnOp>(func.getBody().front().getTerminator());
  for (Value value : oldReturn.getOperands())
    model.returned.push_back(names.lookup(value));
  OpBuilder builder(oldReturn);
  func::ReturnOp::create(builder, oldReturn.getLoc(), values);
  oldReturn.erase();
  func.setType(builder.getFunctionType(func.getArgumentTypes(),
                                       ValueRange(values).getTypes()));
  func.removeResAttrsAttr();
  return model;
}

//===----------------------------------------------------------------------===//
// Running over samples
//===----------------------------------------------------------------------===//

static bool allFinite(ArrayRef<float> values) {
  return llvm::all_of(values, [](float value) { return std::isfinite(value); });
}

/// Adds the array of one more sample, which is valid.
static void addArray(Profile &profile, const ExposedValue &exposed,
                     Array array) {
  auto [it, isNew] = profile.values.insert({exposed.name, ValueProfile()});
  ValueProfile &value = it->second;
  ArrayRef<float> elements = array.as<float>();
  if (isNew) {
    value.shape = exposed.shape;
    value.min = value.max = elements.empty() ? 0 : elements.front();
  }
  for (float element : elements) {
    value.min = std::min(value.min, element);
    value.max = std::max(value.max, element);
  }
  value.histogram.add(elements);
  if (exposed.keepArrays && !exposed.shape.empty())
    value.channels.add(elements, exposed.shape.back());
  if (exposed.keepMoments)
    value.moments.add(elements, size_t(exposed.shape.back()));
  if (exposed.keepArrays && value.kept.size() < profile.numKept)
    value.kept.push_back(std::move(array));
}

/// Checks the arrays of one sample and adds them.
static llvm::Error addArrays(Profile &profile,
                             ArrayRef<ExposedValue> exposedValues,
                             std::vector<Array> arrays, StringRef what) {
  std::string sample = "sample " + std::to_string(profile.numSamples);
  if (arrays.size() != exposedValues.size())
    return llvm::createStringError(
        sample + ": expected " + llvm::Twine(exposedValues.size()) + " " +
        what + "s, found " + llvm::Twine(arrays.size()));
  for (auto [exposed, array] : llvm::zip_equal(exposedValues, arrays)) {
    std::string name = what.str() + " '" + exposed.name + "'";
    if (array.kind != ElementKind::F32 || array.shape != exposed.shape)
      return llvm::createStringError(
          sample + ": " + name +
          " does not have the type of the model: expected f32 of shape " +
          llvm::join(llvm::map_range(
                         exposed.shape,
                         [](int64_t extent) { return std::to_string(extent); }),
                     "x"));
    if (!allFinite(array.as<float>()))
      return llvm::createStringError(sample + ": " + name +
                                     " holds a NaN or an infinity");
  }
  for (auto [exposed, array] : llvm::zip_equal(exposedValues, arrays))
    addArray(profile, exposed, std::move(array));
  return llvm::Error::success();
}

llvm::Expected<Profile> nlq::calibrate(const ExposedModel &model,
                                       ModelRunner &runner, SampleSource next,
                                       const CalibrationOptions &options) {
  Profile profile;
  profile.numKept = options.numKept;
  while (true) {
    auto sample = next();
    if (!sample)
      return sample.takeError();
    if (!*sample)
      break;
    std::vector<Array> arguments = std::move(**sample);
    if (llvm::Error error =
            addArrays(profile, model.arguments, arguments, "argument"))
      return error;
    auto results = runner.run(arguments);
    if (!results)
      return results.takeError();
    if (llvm::Error error =
            addArrays(profile, model.results, std::move(*results), "value"))
      return error;
    ++profile.numSamples;
  }
  if (profile.numSamples == 0)
    return llvm::createStringError("there are no samples to calibrate with");
  return profile;
}
