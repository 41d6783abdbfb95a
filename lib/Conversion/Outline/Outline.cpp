//===- Outline.cpp - Kernels and matrix products into functions ---------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"
#include "nlq/Conversion/Passes.h"
#include "nlq/Dialect/NLQ/IR/NLQOps.h"

namespace nlq {
#define GEN_PASS_DEF_NLQOUTLINE
#include "nlq/Conversion/Passes.h.inc"
} // namespace nlq

using namespace mlir;
using namespace nlq;

namespace {

/// What makes two operations the same function.
using Key = std::tuple<OperationName, Attribute, Attribute>;

struct NLQOutlinePass : nlq::impl::NLQOutlineBase<NLQOutlinePass> {
  void runOnOperation() override;

private:
  func::FuncOp makeFunction(Operation *op, FunctionType type);
};

} // namespace

static bool isOutlined(Operation *op) {
  return isa<KernelOp, linalg::MatmulOp, linalg::BatchMatmulOp>(op) &&
         op->getNumResults() == 0;
}

/// A private function whose body is `op` on its arguments.
func::FuncOp NLQOutlinePass::makeFunction(Operation *op, FunctionType type) {
  std::string name = "__" + op->getName().getStringRef().str();
  std::replace(name.begin(), name.end(), '.', '_');
  auto function = func::FuncOp::create(op->getLoc(), name, type);
  function.setPrivate();
  Block *body = function.addEntryBlock();
  IRMapping mapping;
  mapping.map(op->getOperands(), body->getArguments());
  OpBuilder builder(&getContext());
  builder.setInsertionPointToStart(body);
  builder.clone(*op, mapping);
  func::ReturnOp::create(builder, op->getLoc());
  return function;
}

void NLQOutlinePass::runOnOperation() {
  SmallVector<Operation *> worklist;
  getOperation().walk([&](Operation *op) {
    if (isOutlined(op))
      worklist.push_back(op);
  });
  SymbolTable symbols(getOperation());
  llvm::DenseMap<Key, func::FuncOp> functions;
  for (Operation *op : worklist) {
    auto type = FunctionType::get(&getContext(), op->getOperandTypes(), {});
    Key key(op->getName(), op->getAttrDictionary(), TypeAttr::get(type));
    func::FuncOp &function = functions[key];
    if (!function) {
      function = makeFunction(op, type);
      symbols.insert(function);
      ++numFunctions;
    }
    OpBuilder builder(op);
    func::CallOp::create(builder, op->getLoc(), function, op->getOperands());
    op->erase();
  }
}
