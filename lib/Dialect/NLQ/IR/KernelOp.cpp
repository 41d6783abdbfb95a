//===- KernelOp.cpp - nlq.kernel: verification, effects, tiling ---------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/ShapedOpInterfaces.h"
#include "nlq/Dialect/NLQ/IR/NLQOps.h"

using namespace mlir;
using namespace nlq;

/// Whether an input of `shape` and `rate` is for outputs of `output`.
static bool fitsRate(ArrayRef<int64_t> shape, ArrayRef<int64_t> output,
                     kernel::Rate rate) {
  if (rate == kernel::Rate::Column)
    return succeeded(verifyCompatibleShape(shape, output.take_back()));
  ArrayRef<int64_t> expected =
      rate == kernel::Rate::Row ? output.drop_back() : output;
  if (shape.size() != expected.size())
    return false;
  for (auto [dim, found, wanted] : llvm::enumerate(shape, expected)) {
    // One for all rows.
    bool isShared = found == 1 && dim + 1 < output.size();
    if (!isShared && failed(verifyCompatibleShape(found, wanted)))
      return false;
  }
  return true;
}

LogicalResult KernelOp::verify() {
  const kernel::Graph &graph = getGraph().getGraph();
  if (getOutputs().size() != 1)
    return emitOpError("writes exactly one operand, found ")
           << getOutputs().size();
  if (getInputs().size() != graph.inputs.size())
    return emitOpError() << "has " << getInputs().size()
                         << " inputs, the graph takes " << graph.inputs.size();
  if (!hasPureTensorSemantics() && !hasPureBufferSemantics())
    return emitOpError("operands must be all tensors or all buffers");
  ShapedType output = getOutputType();
  if (output.getRank() == 0)
    return emitOpError("output must have a rank of at least 1");
  if (!output.getElementType().isSignlessInteger(graph.resultBits))
    return emitOpError() << "output must have elements of i" << graph.resultBits
                         << ", found " << output;
  for (auto [index, value, input] :
       llvm::enumerate(getInputs(), graph.inputs)) {
    auto type = cast<ShapedType>(value.getType());
    if (!type.getElementType().isSignlessInteger(input.bits))
      return emitOpError() << "input " << index << " ('" << input.name
                           << "') must have elements of i" << input.bits
                           << ", found " << type;
    if (!fitsRate(type.getShape(), output.getShape(), input.rate))
      return emitOpError() << "input " << index << " ('" << input.name
                           << "') has type " << type
                           << ", which does not fit the output, " << output;
  }
  if (hasPureBufferSemantics() && llvm::is_contained(getInputs(), getOutput()))
    return emitOpError("must not write a buffer that it reads");
  int64_t columns = output.getShape().back();
  if (columns == 0)
    return emitOpError("has rows of no elements");
  if (!ShapedType::isDynamic(columns) && columns > graph.maxRowLength)
    return emitOpError() << "has rows of " << columns
                         << " elements; the graph is made for rows of at most "
                         << graph.maxRowLength;
  return success();
}

void KernelOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  for (OpOperand &operand : getInputsMutable())
    if (isa<MemRefType>(operand.get().getType()))
      effects.emplace_back(MemoryEffects::Read::get(), &operand,
                           SideEffects::DefaultResource::get());
  for (OpOperand &operand : getOutputsMutable())
    if (isa<MemRefType>(operand.get().getType()))
      effects.emplace_back(MemoryEffects::Write::get(), &operand,
                           SideEffects::DefaultResource::get());
}

//===----------------------------------------------------------------------===//
// Tiling
//===----------------------------------------------------------------------===//

static bool usesRowIndex(const kernel::Graph &graph) {
  return llvm::any_of(graph.nodes, [](const kernel::Node &node) {
    return node.opcode == kernel::Opcode::RowIndex;
  });
}

SmallVector<utils::IteratorType> KernelOp::getLoopIteratorTypes() {
  const kernel::Graph &graph = getGraph().getGraph();
  utils::IteratorType rows = usesRowIndex(graph)
                                 ? utils::IteratorType::reduction
                                 : utils::IteratorType::parallel;
  SmallVector<utils::IteratorType> types(getOutputType().getRank(), rows);
  types.back() = needsWholeRows(graph) ? utils::IteratorType::reduction
                                       : utils::IteratorType::parallel;
  return types;
}

SmallVector<Range> KernelOp::getIterationDomain(OpBuilder &builder) {
  Location loc = getLoc();
  SmallVector<Range> domain;
  for (int64_t dim = 0; dim < getOutputType().getRank(); ++dim) {
    OpFoldResult size;
    if (!getOutputType().isDynamicDim(dim))
      size = builder.getIndexAttr(getOutputType().getDimSize(dim));
    else if (isa<MemRefType>(getOutputType()))
      size = memref::DimOp::create(builder, loc, getOutput(), dim).getResult();
    else
      size = tensor::DimOp::create(builder, loc, getOutput(), dim).getResult();
    domain.push_back({builder.getIndexAttr(0), size, builder.getIndexAttr(1)});
  }
  return domain;
}

/// The part of `value` at `offsets` of `sizes`.
static Operation *sliceOf(OpBuilder &builder, Location loc, Value value,
                          ArrayRef<OpFoldResult> offsets,
                          ArrayRef<OpFoldResult> sizes) {
  SmallVector<OpFoldResult> strides(offsets.size(), builder.getIndexAttr(1));
  if (isa<MemRefType>(value.getType()))
    return memref::SubViewOp::create(builder, loc, value, offsets, sizes,
                                     strides);
  return tensor::ExtractSliceOp::create(builder, loc, value, offsets, sizes,
                                        strides);
}

/// True if the tile at `offset` of `size` is the whole of dimension `dim`,
/// whose extent is `extent`. A dynamic extent is known only as the dimension of
/// the output, or of what took its place in a loop.
static bool isWholeDimension(OpFoldResult offset, OpFoldResult size,
                             int64_t dim, int64_t extent) {
  if (!isConstantIntValue(offset, 0))
    return false;
  if (!ShapedType::isDynamic(extent))
    return isConstantIntValue(size, extent);
  auto value = dyn_cast<Value>(size);
  auto dimOp = value ? value.getDefiningOp<ShapedDimOpInterface>() : nullptr;
  return dimOp && isConstantIntValue(dimOp.getDimension(), dim);
}

FailureOr<TilingResult>
KernelOp::getTiledImplementation(OpBuilder &builder,
                                 ArrayRef<OpFoldResult> offsets,
                                 ArrayRef<OpFoldResult> sizes) {
  const kernel::Graph &graph = getGraph().getGraph();
  // A tile of a dimension that is not parallel must be the whole dimension.
  for (auto [dim, type, offset, size] :
       llvm::enumerate(getLoopIteratorTypes(), offsets, sizes))
    if (type != utils::IteratorType::parallel &&
        !isWholeDimension(offset, size, dim, getOutputType().getDimSize(dim)))
      return failure();

  SmallVector<Value> operands;
  SmallVector<Operation *> slices;
  auto addSlice = [&](Value value, ArrayRef<OpFoldResult> valueOffsets,
                      ArrayRef<OpFoldResult> valueSizes) {
    Operation *slice =
        sliceOf(builder, getLoc(), value, valueOffsets, valueSizes);
    slices.push_back(slice);
    operands.push_back(slice->getResult(0));
  };
  for (auto [value, input] : llvm::zip(getInputs(), graph.inputs)) {
    if (input.rate == kernel::Rate::Column) {
      addSlice(value, offsets.take_back(), sizes.take_back());
      continue;
    }
    auto shape = cast<ShapedType>(value.getType()).getShape();
    SmallVector<OpFoldResult> inputOffsets(offsets.take_front(shape.size()));
    SmallVector<OpFoldResult> inputSizes(sizes.take_front(shape.size()));
    for (auto [dim, extent] : llvm::enumerate(shape))
      if (extent == 1 && dim + 1 < offsets.size()) {
        // One for all rows, in every tile.
        inputOffsets[dim] = builder.getIndexAttr(0);
        inputSizes[dim] = builder.getIndexAttr(1);
      }
    addSlice(value, inputOffsets, inputSizes);
  }
  addSlice(getOutput(), offsets, sizes);

  SmallVector<Type> resultTypes;
  if (hasPureTensorSemantics())
    resultTypes.push_back(operands.back().getType());
  Operation *tiled =
      mlir::clone(builder, getOperation(), resultTypes, operands);
  return TilingResult{{tiled}, SmallVector<Value>(tiled->getResults()), slices};
}

LogicalResult KernelOp::getResultTilePosition(
    OpBuilder &, unsigned, ArrayRef<OpFoldResult> offsets,
    ArrayRef<OpFoldResult> sizes, SmallVector<OpFoldResult> &resultOffsets,
    SmallVector<OpFoldResult> &resultSizes) {
  resultOffsets.assign(offsets.begin(), offsets.end());
  resultSizes.assign(sizes.begin(), sizes.end());
  return success();
}

FailureOr<TilingResult>
KernelOp::generateResultTileValue(OpBuilder &builder, unsigned,
                                  ArrayRef<OpFoldResult> offsets,
                                  ArrayRef<OpFoldResult> sizes) {
  return getTiledImplementation(builder, offsets, sizes);
}
