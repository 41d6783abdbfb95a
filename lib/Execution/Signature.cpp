//===- Signature.cpp - What functions take and make ---------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Execution/Signature.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "nlq/Dialect/NLQ/IR/NLQDialect.h"
#include "nlq/Dialect/NLQ/IR/RowLimits.h"

using namespace mlir;
using namespace nlq;

static llvm::Expected<ArrayType> toArrayType(StringRef function, Type type,
                                             bool allowDynamic) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (tensor && (allowDynamic || tensor.hasStaticShape())) {
    ArrayType result;
    result.shape.assign(tensor.getShape().begin(), tensor.getShape().end());
    Type element = tensor.getElementType();
    if (auto quantized = dyn_cast<quant::QuantizedType>(element))
      element = IntegerType::get(type.getContext(),
                                 quantized.getStorageTypeIntegralWidth());
    if (element.isF32())
      return result;
    std::pair<unsigned, ElementKind> kinds[] = {{8, ElementKind::I8},
                                                {16, ElementKind::I16},
                                                {32, ElementKind::I32},
                                                {64, ElementKind::I64}};
    for (auto [width, kind] : kinds)
      if (element.isSignlessInteger(width)) {
        result.kind = kind;
        return result;
      }
  }
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return llvm::createStringError(
      function + " has the type " + text + " in its signature; " +
      (allowDynamic ? "" : "static ") +
      "tensors of f32, i8, i16, i32 or i64, or quantized in one of these, can "
      "be run");
}

static llvm::Expected<Signature> makeSignature(func::FuncOp function,
                                               bool allowDynamic) {
  Signature signature;
  auto convert = [&](ArrayRef<Type> types,
                     std::vector<ArrayType> &out) -> llvm::Error {
    for (Type type : types) {
      llvm::Expected<ArrayType> converted =
          toArrayType(function.getName(), type, allowDynamic);
      if (!converted)
        return converted.takeError();
      out.push_back(std::move(*converted));
    }
    return llvm::Error::success();
  };
  if (llvm::Error error =
          convert(function.getArgumentTypes(), signature.arguments))
    return error;
  if (llvm::Error error = convert(function.getResultTypes(), signature.results))
    return error;
  for (auto [index, type] : llvm::enumerate(signature.arguments)) {
    type.limits.assign(type.shape.size(), 0);
    type.isStrided = bool(function.getArgAttr(index, NLQDialect::kStridedAttr));
  }
  for (auto [index, type] : llvm::enumerate(signature.results))
    type.isStrided =
        bool(function.getResultAttr(index, NLQDialect::kStridedAttr));
  for (auto [extent, limit] : findRowLimits(function).limits)
    signature.arguments[extent.first].limits[extent.second] = limit;
  return signature;
}

llvm::Expected<Signature> nlq::getSignature(func::FuncOp function) {
  return makeSignature(function, /*allowDynamic=*/true);
}

llvm::Expected<Signature> nlq::getSignature(ModuleOp module) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main)
    return llvm::createStringError("the module has no function 'main'");
  llvm::Expected<Signature> signature =
      makeSignature(main, /*allowDynamic=*/false);
  if (!signature)
    return signature;
  auto isStrided = [](const ArrayType &type) { return type.isStrided; };
  if (llvm::any_of(signature->arguments, isStrided) ||
      llvm::any_of(signature->results, isStrided))
    return llvm::createStringError(
        "main has 'nlq.strided' in its signature; dense arrays can be run");
  return signature;
}

SmallVector<func::FuncOp> nlq::getEntries(ModuleOp module) {
  SmallVector<func::FuncOp> entries;
  for (auto function : module.getOps<func::FuncOp>())
    if (function.isPublic() && !function.isExternal())
      entries.push_back(function);
  return entries;
}

llvm::Error nlq::checkArguments(const Signature &signature,
                                ArrayRef<Array> arguments) {
  if (arguments.size() != signature.arguments.size())
    return llvm::createStringError(
        "the model takes " + Twine(signature.arguments.size()) +
        " arguments, found " + Twine(arguments.size()));
  for (auto [index, type, array] :
       llvm::enumerate(signature.arguments, arguments))
    if (array.kind != type.kind || array.shape != type.shape)
      return llvm::createStringError("argument " + Twine(index) +
                                     " has the wrong shape or element type");
  return llvm::Error::success();
}
