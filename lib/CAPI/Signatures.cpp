//===- Signatures.cpp - C interface: what functions take and make -------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Handles.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "nlq/Dialect/NLQ/IR/NLQDialect.h"
#include "llvm/Support/JSON.h"

using namespace mlir;
using namespace nlq;
using namespace nlq::capi;

static StringRef stringify(ElementKind kind) {
  switch (kind) {
  case ElementKind::F32:
    return "f32";
  case ElementKind::I8:
    return "i8";
  case ElementKind::I16:
    return "i16";
  case ElementKind::I32:
    return "i32";
  case ElementKind::I64:
    return "i64";
  }
  llvm_unreachable("covered switch");
}

/// The quantized type of the elements, or null.
static llvm::json::Value describeQuantized(Type type) {
  auto quantized = dyn_cast<quant::QuantizedType>(getElementTypeOrSelf(type));
  if (!quantized)
    return nullptr;
  std::string text;
  llvm::raw_string_ostream(text) << quantized;
  return text;
}

/// Arguments or results; `getName` is the name that the function gives one.
static llvm::json::Array
describe(ArrayRef<ArrayType> types, TypeRange mlirTypes, StringRef prefix,
         llvm::function_ref<StringAttr(unsigned)> getName) {
  llvm::json::Array array;
  for (auto [index, type, mlirType] : llvm::enumerate(types, mlirTypes)) {
    StringAttr name = getName(index);
    llvm::json::Array shape;
    for (int64_t extent : type.shape)
      shape.push_back(ShapedType::isDynamic(extent)
                          ? llvm::json::Value(nullptr)
                          : llvm::json::Value(extent));
    llvm::json::Array limits;
    for (int64_t limit : type.limits)
      limits.push_back(limit == 0 ? llvm::json::Value(nullptr)
                                  : llvm::json::Value(limit));
    array.push_back(llvm::json::Object{
        {"name", name ? name.str() : (prefix + Twine(index)).str()},
        {"kind", stringify(type.kind)},
        {"shape", std::move(shape)},
        {"limits", std::move(limits)},
        {"strided", type.isStrided},
        {"quantized", describeQuantized(mlirType)}});
  }
  return array;
}

/// The types in `signature` with the names that `function` gives them.
static llvm::json::Object describe(func::FuncOp function,
                                   const Signature &signature) {
  return llvm::json::Object{
      {"arguments",
       describe(signature.arguments, function.getArgumentTypes(), "arg",
                [&](unsigned index) {
                  return function.getArgAttrOfType<StringAttr>(
                      index, NLQDialect::kNameAttr);
                })},
      {"results", describe(signature.results, function.getResultTypes(),
                           "result", [&](unsigned index) {
                             return function.getResultAttrOfType<StringAttr>(
                                 index, NLQDialect::kNameAttr);
                           })}};
}

std::string capi::describeMain(ModuleOp module, const Signature &signature) {
  llvm::json::Value value =
      describe(module.lookupSymbol<func::FuncOp>("main"), signature);
  return llvm::formatv("{0}", value).str();
}

char *nlqModuleSignature(const NlqModule *module, char **error) {
  llvm::Expected<Signature> signature = getSignature(module->module.get());
  if (!signature) {
    fail(error, signature.takeError());
    return nullptr;
  }
  return copyString(describeMain(module->module.get(), *signature));
}

char *nlqModuleFunctions(const NlqModule *module, char **error) {
  llvm::json::Array functions;
  for (func::FuncOp function : getEntries(module->module.get())) {
    llvm::Expected<Signature> signature = getSignature(function);
    if (!signature) {
      fail(error, signature.takeError());
      return nullptr;
    }
    llvm::json::Object entry = describe(function, *signature);
    entry["function"] = function.getName();
    functions.push_back(std::move(entry));
  }
  return copyString(
      llvm::formatv("{0}", llvm::json::Value(std::move(functions))).str());
}
