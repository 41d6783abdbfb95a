//===- ThreadScratch.cpp - Stack buffers of OpenMP loops ----------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ThreadScratch.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/OpenMP/OpenMPDialect.h"

using namespace mlir;
using namespace nlq;

namespace {
struct ThreadScratchPass
    : PassWrapper<ThreadScratchPass, OperationPass<func::FuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ThreadScratchPass)

  StringRef getName() const override { return "NLQThreadScratch"; }

  void runOnOperation() override {
    SmallVector<memref::AllocaScopeOp> scopes;
    getOperation().walk([&](memref::AllocaScopeOp scope) {
      if (scope->getParentOfType<omp::ParallelOp>())
        scopes.push_back(scope);
    });
    for (memref::AllocaScopeOp scope : scopes)
      dissolve(scope);
  }

private:
  static void dissolve(memref::AllocaScopeOp scope) {
    Block &thread =
        scope->getParentOfType<omp::ParallelOp>().getRegion().front();
    Block &body = scope.getBodyRegion().front();
    Operation *returned = body.getTerminator();
    for (Operation &op :
         llvm::make_early_inc_range(body.without_terminator())) {
      if (isa<memref::AllocaOp>(op) && op.getNumOperands() == 0)
        op.moveBefore(&thread, thread.begin());
      else
        op.moveBefore(scope);
    }
    scope->replaceAllUsesWith(returned->getOperands());
    scope.erase();
  }
};
} // namespace

std::unique_ptr<Pass> nlq::createThreadScratchPass() {
  return std::make_unique<ThreadScratchPass>();
}
