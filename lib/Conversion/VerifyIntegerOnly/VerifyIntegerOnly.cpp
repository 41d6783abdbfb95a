//===- VerifyIntegerOnly.cpp - No float between the boundary casts ------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "nlq/Conversion/Passes.h"

namespace nlq {
#define GEN_PASS_DEF_NLQVERIFYINTEGERONLY
#include "nlq/Conversion/Passes.h.inc"
} // namespace nlq

using namespace mlir;
using namespace nlq;

static bool isFloat(Type type) {
  return isa<FloatType>(getElementTypeOrSelf(type));
}

/// Casts and everything that carries values through a function's signature.
static bool isAtBoundary(Operation *op) {
  return isa<quant::QuantizeCastOp, quant::DequantizeCastOp, ModuleOp,
             FunctionOpInterface>(op) ||
         (op->hasTrait<OpTrait::ReturnLike>() &&
          isa<FunctionOpInterface>(op->getParentOp()));
}

namespace {
struct NLQVerifyIntegerOnlyPass
    : nlq::impl::NLQVerifyIntegerOnlyBase<NLQVerifyIntegerOnlyPass> {
  void runOnOperation() override {
    bool found = false;
    getOperation().walk([&](Operation *op) {
      if (isAtBoundary(op))
        return;
      if (llvm::any_of(op->getOperandTypes(), isFloat) ||
          llvm::any_of(op->getResultTypes(), isFloat)) {
        op->emitOpError("touches a float between the boundary casts");
        found = true;
      }
    });
    if (found)
      return signalPassFailure();
    markAllAnalysesPreserved();
  }
};
} // namespace
