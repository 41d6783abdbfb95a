//===- DynamicShapes.cpp - Functions of tensors of any size -------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DynamicShapes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"

using namespace mlir;
using namespace nlq;

namespace {

/// A dynamic extent of a function: dimension `dim` of argument `argument`.
using Extent = std::pair<unsigned, int64_t>;

struct DynamicShapesPass
    : PassWrapper<DynamicShapesPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(DynamicShapesPass)

  StringRef getName() const override { return "NLQDynamicShapes"; }

  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<arith::ArithDialect, bufferization::BufferizationDialect,
                    memref::MemRefDialect>();
  }

  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal() && hasDynamicShape(function) &&
          failed(convert(function)))
        return signalPassFailure();
  }

private:
  static bool hasDynamicShape(func::FuncOp function);
  LogicalResult convert(func::FuncOp function);
};

} // namespace

bool DynamicShapesPass::hasDynamicShape(func::FuncOp function) {
  auto isDynamic = [](Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return tensor && !tensor.hasStaticShape();
  };
  return llvm::any_of(function.getArgumentTypes(), isDynamic) ||
         llvm::any_of(function.getResultTypes(), isDynamic);
}

/// The argument's extent that dimension `dim` of `value` is, followed through
/// the destinations that results take their shapes from.
static std::optional<Extent> findExtent(Value value, int64_t dim) {
  while (true) {
    if (auto argument = dyn_cast<BlockArgument>(value))
      return Extent(argument.getArgNumber(), dim);
    auto result = cast<OpResult>(value);
    Operation *op = result.getOwner();
    if (auto destination = dyn_cast<DestinationStyleOpInterface>(op)) {
      value = destination.getTiedOpOperand(result)->get();
      continue;
    }
    auto empty = dyn_cast<tensor::EmptyOp>(op);
    auto source = empty
                      ? empty.getDynamicSize(dim).getDefiningOp<tensor::DimOp>()
                      : nullptr;
    if (!source || !source.getConstantIndex())
      return std::nullopt;
    value = source.getSource();
    dim = *source.getConstantIndex();
  }
}

/// The dense row-major buffer of a tensor type at `pointer`; `sizes` are its
/// dynamic extents.
static Value makeView(OpBuilder &builder, Location loc, Value pointer,
                      RankedTensorType type, ArrayRef<Value> sizes) {
  SmallVector<OpFoldResult> extents, strides(type.getRank());
  for (int64_t dim = 0, next = 0; dim < type.getRank(); ++dim)
    if (type.isDynamicDim(dim))
      extents.push_back(sizes[next++]);
    else
      extents.push_back(builder.getIndexAttr(type.getDimSize(dim)));
  OpFoldResult stride = builder.getIndexAttr(1);
  for (int64_t dim = type.getRank() - 1; dim >= 0; --dim) {
    strides[dim] = stride;
    auto known = dyn_cast<Attribute>(stride);
    if (known && !type.isDynamicDim(dim))
      stride = builder.getIndexAttr(cast<IntegerAttr>(known).getInt() *
                                    type.getDimSize(dim));
    else
      stride = arith::MulIOp::create(
                   builder, loc,
                   getValueOrCreateConstantIndexOp(builder, loc, stride),
                   getValueOrCreateConstantIndexOp(builder, loc, extents[dim]))
                   .getResult();
  }
  return memref::ReinterpretCastOp::create(
      builder, loc, MemRefType::get(type.getShape(), type.getElementType()),
      pointer, builder.getIndexAttr(0), extents, strides);
}

LogicalResult DynamicShapesPass::convert(func::FuncOp function) {
  if (!function.getBody().hasOneBlock())
    return function.emitError() << "'" << function.getName()
                                << "' has dynamic extents and more than one "
                                   "block";
  if (auto uses = function.getSymbolUses(getOperation());
      uses && !uses->empty())
    return function.emitError()
           << "'" << function.getName()
           << "' has dynamic extents and is called by another function; only "
              "functions of static shapes may be called";
  Block &block = function.getBody().front();
  Location loc = function.getLoc();
  OpBuilder builder = OpBuilder::atBlockBegin(&block);
  auto returned = cast<func::ReturnOp>(block.getTerminator());
  unsigned numArguments = function.getNumArguments();
  SmallVector<Type> types(function.getArgumentTypes());
  types.append(function.getResultTypes().begin(),
               function.getResultTypes().end());
  for (Type type : types)
    if (!isa<RankedTensorType>(type))
      return function.emitError()
             << "'" << function.getName()
             << "' has dynamic extents and the type " << type
             << " in its signature; only tensors are allowed there";

  // What dynamic extents of results are, while arguments are still tensors.
  std::vector<std::vector<Extent>> resultExtents;
  for (auto [index, value] : llvm::enumerate(returned.getOperands())) {
    auto type = cast<RankedTensorType>(value.getType());
    auto &extents = resultExtents.emplace_back();
    for (int64_t dim = 0; dim < type.getRank(); ++dim) {
      if (!type.isDynamicDim(dim))
        continue;
      std::optional<Extent> extent = findExtent(value, dim);
      if (!extent)
        return function.emitError()
               << "dimension " << dim << " of result " << index << " of '"
               << function.getName() << "' is dynamic and no dimension of an "
               << "argument";
      extents.push_back(*extent);
    }
  }

  SmallVector<Value> oldArguments(function.getArguments());
  SmallVector<Value> pointers;
  for (Type type : types)
    pointers.push_back(block.addArgument(
        MemRefType::get({}, cast<RankedTensorType>(type).getElementType()),
        loc));
  llvm::DenseMap<Extent, Value> sizes;
  for (unsigned argument = 0; argument < numArguments; ++argument) {
    auto type = cast<RankedTensorType>(types[argument]);
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      if (type.isDynamicDim(dim))
        sizes[{argument, dim}] = arith::IndexCastOp::create(
            builder, loc, builder.getIndexType(),
            block.addArgument(builder.getI64Type(), loc));
  }
  for (unsigned argument = 0; argument < numArguments; ++argument) {
    auto type = cast<RankedTensorType>(types[argument]);
    SmallVector<Value> extents;
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      if (type.isDynamicDim(dim))
        extents.push_back(sizes.lookup({argument, dim}));
    Value view = makeView(builder, loc, pointers[argument], type, extents);
    oldArguments[argument].replaceAllUsesWith(
        bufferization::ToTensorOp::create(builder, loc, type, view,
                                          /*restrict=*/true,
                                          /*writable=*/false));
  }
  SmallVector<Value> destinations;
  for (auto [index, extents] : llvm::enumerate(resultExtents)) {
    SmallVector<Value> values;
    for (Extent extent : extents)
      values.push_back(sizes.lookup(extent));
    destinations.push_back(
        makeView(builder, loc, pointers[numArguments + index],
                 cast<RankedTensorType>(types[numArguments + index]), values));
  }
  builder.setInsertionPoint(returned);
  for (auto [value, destination] :
       llvm::zip(returned.getOperands(), destinations)) {
    auto store = bufferization::MaterializeInDestinationOp::create(
        builder, loc, value, destination);
    store.setRestrict(true);
    store.setWritable(true);
  }
  func::ReturnOp::create(builder, returned.getLoc());
  returned.erase();
  block.eraseArguments(0, numArguments);
  function.setType(
      builder.getFunctionType(block.getArgumentTypes(), TypeRange()));
  function.setAllArgAttrs(SmallVector<Attribute>(
      block.getNumArguments(), builder.getDictionaryAttr({})));
  function.setAllResultAttrs(ArrayRef<Attribute>());
  return success();
}

std::unique_ptr<Pass> nlq::createDynamicShapesPass() {
  return std::make_unique<DynamicShapesPass>();
}
