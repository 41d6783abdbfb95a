//===- SeparateBuffers.cpp - Buffers of arguments and results -----------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SeparateBuffers.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

using namespace mlir;
using namespace nlq;

namespace {
struct SeparateBuffersPass
    : PassWrapper<SeparateBuffersPass, OperationPass<func::FuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(SeparateBuffersPass)

  StringRef getName() const override { return "NLQSeparateBuffers"; }

  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<bufferization::BufferizationDialect>();
  }

  void runOnOperation() override {
    func::FuncOp func = getOperation();
    for (BlockArgument argument : func.getArguments())
      if (isa<TensorType>(argument.getType()))
        func.setArgAttr(argument.getArgNumber(),
                        bufferization::BufferizationDialect::kWritableAttrName,
                        BoolAttr::get(&getContext(), false));
    func.walk([](func::ReturnOp op) { copyRepeated(op); });
  }

private:
  static void copyRepeated(func::ReturnOp op) {
    OpBuilder builder(op);
    llvm::SmallPtrSet<Value, 4> seen;
    for (OpOperand &operand : op->getOpOperands()) {
      auto type = dyn_cast<RankedTensorType>(operand.get().getType());
      if (!type || seen.insert(operand.get()).second)
        continue;
      operand.set(bufferization::AllocTensorOp::create(
          builder, op.getLoc(), type, /*dynamicSizes=*/ValueRange(),
          /*copy=*/operand.get()));
    }
  }
};
} // namespace

std::unique_ptr<Pass> nlq::createSeparateBuffersPass() {
  return std::make_unique<SeparateBuffersPass>();
}
