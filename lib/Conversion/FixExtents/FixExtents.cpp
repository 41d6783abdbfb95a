//===- FixExtents.cpp - Static shapes for a function of dynamic ones ----===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "nlq/Conversion/Passes.h"
#include "nlq/Dialect/NLQ/IR/NLQOps.h"

namespace nlq {
#define GEN_PASS_DEF_NLQFIXEXTENTS
#include "nlq/Conversion/Passes.h.inc"
} // namespace nlq

using namespace mlir;
using namespace nlq;

/// Gives the dynamic extents of the arguments' types values, in order.
static LogicalResult fixArguments(func::FuncOp function,
                                  ArrayRef<int64_t> extents) {
  size_t count = 0;
  for (BlockArgument argument : function.getArguments()) {
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (!type || type.hasStaticShape())
      continue;
    SmallVector<int64_t> shape(type.getShape());
    for (int64_t &extent : shape)
      if (ShapedType::isDynamic(extent) && count++ < extents.size())
        extent = extents[count - 1];
    argument.setType(type.clone(shape));
  }
  if (count != extents.size())
    return function.emitError()
           << "'" << function.getName() << "' has " << count
           << " dynamic extents in its arguments, found values for "
           << extents.size();
  return success();
}

/// Gives results the shapes of the operands whose shapes they have.
static LogicalResult fixResults(Operation &op) {
  bool keepsShape =
      isa<NonlinearOpInterface, FixedKernelOpInterface, quant::QuantizeCastOp,
          quant::DequantizeCastOp, quant::StorageCastOp>(op);
  for (OpResult result : op.getResults()) {
    auto type = dyn_cast<RankedTensorType>(result.getType());
    if (!type || type.hasStaticShape())
      continue;
    if (!keepsShape)
      return op.emitOpError() << "has a dynamic shape that does not follow "
                                 "from those of arguments";
    auto operand = cast<ShapedType>(op.getOperand(0).getType());
    result.setType(type.clone(operand.getShape()));
  }
  return success();
}

namespace {
struct NLQFixExtentsPass : nlq::impl::NLQFixExtentsBase<NLQFixExtentsPass> {
  using NLQFixExtentsBase::NLQFixExtentsBase;

  void runOnOperation() override {
    for (int64_t extent : extents)
      if (extent < 0) {
        getOperation().emitError("extents must not be negative, found ")
            << extent;
        return signalPassFailure();
      }
    auto main = getOperation().lookupSymbol<func::FuncOp>("main");
    if (!main || main.isExternal() || !main.getBody().hasOneBlock()) {
      getOperation().emitError(
          "the module has no function 'main' of one block");
      return signalPassFailure();
    }
    if (failed(fixArguments(main, ArrayRef<int64_t>(*extents))))
      return signalPassFailure();
    Block &body = main.getBody().front();
    for (Operation &op : body.without_terminator())
      if (failed(fixResults(op)))
        return signalPassFailure();
    main.setType(FunctionType::get(&getContext(), body.getArgumentTypes(),
                                   body.getTerminator()->getOperandTypes()));
  }
};
} // namespace
