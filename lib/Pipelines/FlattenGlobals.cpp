//===- FlattenGlobals.cpp - Constants as flat arrays --------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FlattenGlobals.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/Pass/Pass.h"

using namespace mlir;
using namespace nlq;

namespace {
struct FlattenGlobalsPass
    : PassWrapper<FlattenGlobalsPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(FlattenGlobalsPass)

  StringRef getName() const override { return "NLQFlattenGlobals"; }

  void runOnOperation() override {
    for (auto global : getOperation().getOps<LLVM::GlobalOp>()) {
      auto value = dyn_cast_or_null<ElementsAttr>(global.getValueAttr());
      if (!value || value.getShapedType().getRank() < 2)
        continue;
      int64_t count = value.getNumElements();
      Type element = value.getElementType();
      auto type = RankedTensorType::get({count}, element);
      if (auto dense = dyn_cast<DenseElementsAttr>(value))
        global.setValueAttr(dense.reshape(type));
      else if (auto resource = dyn_cast<DenseResourceElementsAttr>(value))
        global.setValueAttr(
            DenseResourceElementsAttr::get(type, resource.getRawHandle()));
      else
        continue;
      // Pointers are opaque: uses compute their offsets by types of their own.
      global.setGlobalType(LLVM::LLVMArrayType::get(element, count));
    }
  }
};
} // namespace

std::unique_ptr<Pass> nlq::createFlattenGlobalsPass() {
  return std::make_unique<FlattenGlobalsPass>();
}
