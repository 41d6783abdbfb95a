//===- QuantizeShapes.cpp - Operations that only move elements ----------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Quantizer.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "nlq/Quantization/QuantizeTypes.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace nlq;

bool nlq::isShapeOp(Operation *op) {
  return op && isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp,
                   tensor::ExtractSliceOp, linalg::TransposeOp>(op);
}

Value nlq::moveElements(OpBuilder &builder, Operation *op, Value storage) {
  RankedTensorType type = withElementType(
      op->getResult(0).getType(),
      cast<RankedTensorType>(storage.getType()).getElementType());
  if (auto transpose = dyn_cast<linalg::TransposeOp>(op)) {
    Value init = tensor::EmptyOp::create(builder, op->getLoc(), type.getShape(),
                                         type.getElementType());
    return linalg::TransposeOp::create(builder, op->getLoc(), storage, init,
                                       transpose.getPermutation())
        ->getResult(0);
  }
  Operation *moved = builder.clone(*op);
  moved->setOperand(0, storage);
  moved->getResult(0).setType(type);
  return moved->getResult(0);
}

/// True if the groups of a reshape keep the last dimension: `shape`, of the
/// longer side, has nothing but 1 beside it in the last group.
static bool keepsLastDim(ArrayRef<int64_t> shape,
                         ArrayRef<ReassociationIndices> groups) {
  if (groups.empty())
    return false;
  return llvm::all_of(ArrayRef(groups.back()).drop_back(),
                      [&](int64_t dim) { return shape[dim] == 1; });
}

/// The entries of the source's last dimension that are the result's last
/// dimension, in order; nothing where it is another one.
static std::optional<SmallVector<int64_t>> getKeptChannels(Operation *op) {
  auto source = cast<RankedTensorType>(op->getOperand(0).getType());
  int64_t lastDim = source.getRank() - 1;
  if (lastDim < 0)
    return std::nullopt;
  bool keeps = false;
  int64_t first = 0, stride = 1, count = source.getDimSize(lastDim);
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op)) {
    keeps = keepsLastDim(source.getShape(), collapse.getReassociationIndices());
  } else if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op)) {
    keeps = keepsLastDim(expand.getResultType().getShape(),
                         expand.getReassociationIndices());
  } else if (auto transpose = dyn_cast<linalg::TransposeOp>(op)) {
    keeps = transpose.getPermutation().back() == lastDim;
  } else if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
    first = slice.getStaticOffsets().back();
    stride = slice.getStaticStrides().back();
    count = slice.getStaticSizes().back();
    keeps = !slice.getDroppedDims().test(lastDim) &&
            !ShapedType::isDynamic(first) && !ShapedType::isDynamic(stride) &&
            !ShapedType::isDynamic(count);
  }
  if (!keeps)
    return std::nullopt;
  SmallVector<int64_t> channels;
  for (int64_t index = 0; index < count; ++index)
    channels.push_back(first + index * stride);
  return channels;
}

quant::QuantizedType nlq::moveType(Operation *op, quant::QuantizedType type) {
  auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(type);
  if (!perAxis)
    return type;
  std::optional<SmallVector<int64_t>> channels = getKeptChannels(op);
  if (!channels)
    return nullptr;
  SmallVector<double> scales;
  for (int64_t channel : *channels)
    scales.push_back(perAxis.getScales()[channel]);
  return getPerChannelType(
      type.getContext(), type.getStorageTypeMax(), scales,
      cast<RankedTensorType>(op->getResult(0).getType()).getRank());
}

LogicalResult nlq::quantizeConcat(Quantizer &quantizer, Operation *op) {
  auto concat = cast<tensor::ConcatOp>(op);
  auto type = quantizer.getNaturalType(concat.getResult());
  if (failed(type))
    return failure();
  SmallVector<Value> parts;
  for (Value input : concat.getInputs()) {
    FailureOr<Value> part = quantizer.getAs(input, *type);
    if (failed(part))
      return failure();
    parts.push_back(*part);
  }
  Value storage = tensor::ConcatOp::create(quantizer.builder, op->getLoc(),
                                           concat.getDim(), parts);
  quantizer.setRaw(concat.getResult(), storage, *type);
  return success();
}
