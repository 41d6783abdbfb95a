//===- ValueNames.cpp - Names of a float module's values ----------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Quantization/ValueNames.h"
#include "nlq/Dialect/NLQ/IR/NLQDialect.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace nlq;

/// The name inside of a location; empty if there is none.
static StringRef getNameOf(Location loc) {
  if (auto named = dyn_cast<NameLoc>(loc))
    return named.getName();
  if (auto callSite = dyn_cast<CallSiteLoc>(loc))
    return getNameOf(callSite.getCallee());
  if (auto fused = dyn_cast<FusedLoc>(loc))
    for (Location part : fused.getLocations())
      if (StringRef name = getNameOf(part); !name.empty())
        return name;
  return {};
}

static bool isFloatTensor(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && isa<FloatType>(tensor.getElementType());
}

llvm::MapVector<Value, std::string> nlq::nameValues(func::FuncOp func) {
  llvm::MapVector<Value, std::string> names;
  llvm::StringSet<> taken;
  auto add = [&](Value value, StringRef base) {
    std::string name = base.str();
    for (unsigned copy = 2; !taken.insert(name).second; ++copy)
      name = base.str() + "#" + std::to_string(copy);
    names[value] = std::move(name);
  };

  DenseSet<Value> dependsOnArguments;
  for (BlockArgument argument : func.getArguments()) {
    dependsOnArguments.insert(argument);
    if (!isFloatTensor(argument.getType()))
      continue;
    auto name = func.getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                                  NLQDialect::kNameAttr);
    add(argument, name ? name.getValue().str()
                       : "arg" + std::to_string(argument.getArgNumber()));
  }
  for (Operation &op : func.getBody().getOps()) {
    if (llvm::none_of(op.getOperands(), [&](Value operand) {
          return dependsOnArguments.contains(operand);
        }))
      continue;
    StringRef base = getNameOf(op.getLoc());
    for (Value result : op.getResults()) {
      dependsOnArguments.insert(result);
      if (isFloatTensor(result.getType()))
        add(result, base.empty() ? op.getName().getStringRef() : base);
    }
  }
  return names;
}

func::FuncOp nlq::lookupMain(ModuleOp module) {
  auto func = module.lookupSymbol<func::FuncOp>("main");
  if (!func) {
    module.emitError("the module has no function 'main'");
    return nullptr;
  }
  if (!func.getBody().hasOneBlock()) {
    func.emitError("the function 'main' must have one block, found ")
        << func.getBody().getBlocks().size();
    return nullptr;
  }
  return func;
}
