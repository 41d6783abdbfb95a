//===- RowLimits.cpp - How long the rows of a function may be -----------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Dialect/NLQ/IR/RowLimits.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "nlq/Dialect/NLQ/IR/NLQOps.h"

using namespace mlir;
using namespace nlq;

std::optional<ArgumentExtent> nlq::findArgumentExtent(Value value,
                                                      int64_t dim) {
  while (true) {
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      if (!isa<func::FuncOp>(argument.getOwner()->getParentOp()))
        return std::nullopt;
      return ArgumentExtent(argument.getArgNumber(), dim);
    }
    auto result = cast<OpResult>(value);
    Operation *op = result.getOwner();
    if (isa<NonlinearOpInterface, FixedKernelOpInterface, quant::QuantizeCastOp,
            quant::DequantizeCastOp, quant::StorageCastOp>(op)) {
      value = op->getOperand(0);
      continue;
    }
    if (auto destination = dyn_cast<DestinationStyleOpInterface>(op)) {
      value = destination.getTiedOpOperand(result)->get();
      continue;
    }
    auto empty = dyn_cast<tensor::EmptyOp>(op);
    auto source = empty && empty.getType().isDynamicDim(dim)
                      ? empty.getDynamicSize(dim).getDefiningOp<tensor::DimOp>()
                      : nullptr;
    if (!source || !source.getConstantIndex())
      return std::nullopt;
    value = source.getSource();
    dim = *source.getConstantIndex();
  }
}

/// The value whose rows `op` handles, and how long they may be at most, where
/// that is less than any length.
static std::optional<std::pair<Value, int64_t>> getLimit(Operation *op) {
  if (auto kernel = dyn_cast<KernelOp>(op)) {
    int64_t longest = kernel.getGraph().getGraph().maxRowLength;
    if (longest < INT32_MAX)
      return std::pair(kernel.getOutput(), longest);
  }
  if (auto nonlinear = dyn_cast<NonlinearOpInterface>(op))
    if (nonlinear.isQuantized())
      if (std::optional<uint64_t> longest = nonlinear.getMaxRowLength())
        return std::pair(nonlinear.getOperandTensor(), int64_t(*longest));
  return std::nullopt;
}

RowLimits nlq::findRowLimits(func::FuncOp function) {
  RowLimits found;
  function.walk([&](Operation *op) {
    std::optional<std::pair<Value, int64_t>> limit = getLimit(op);
    if (!limit)
      return;
    auto type = dyn_cast<RankedTensorType>(limit->first.getType());
    if (!type || !type.isDynamicDim(type.getRank() - 1))
      return;
    std::optional<ArgumentExtent> extent =
        findArgumentExtent(limit->first, type.getRank() - 1);
    if (!extent) {
      if (!found.unknown)
        found.unknown = op;
      return;
    }
    auto [it, isNew] = found.limits.insert({*extent, limit->second});
    it->second = std::min(it->second, limit->second);
  });
  return found;
}
