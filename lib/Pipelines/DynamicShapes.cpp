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
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/SymbolTable.h"
#include "nlq/Dialect/NLQ/IR/NLQDialect.h"
#include "nlq/Dialect/NLQ/IR/RowLimits.h"

using namespace mlir;
using namespace nlq;

namespace {

struct DynamicShapesPass
    : PassWrapper<DynamicShapesPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(DynamicShapesPass)

  StringRef getName() const override { return "NLQDynamicShapes"; }

  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<arith::ArithDialect, bufferization::BufferizationDialect,
                    memref::MemRefDialect, scf::SCFDialect>();
  }

  void runOnOperation() override {
    SmallVector<func::FuncOp> functions(getOperation().getOps<func::FuncOp>());
    for (func::FuncOp function : functions)
      if (!function.isExternal() && !hasPlainShapes(function) &&
          failed(convert(function)))
        return signalPassFailure();
  }

private:
  static bool hasPlainShapes(func::FuncOp function);
  LogicalResult convert(func::FuncOp function);
};

} // namespace

/// Whether arguments and results lie in memory as their types say.
bool DynamicShapesPass::hasPlainShapes(func::FuncOp function) {
  auto isPlain = [](Type type, Attribute strided) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return !strided && (!tensor || tensor.hasStaticShape());
  };
  for (auto [index, type] : llvm::enumerate(function.getArgumentTypes()))
    if (!isPlain(type, function.getArgAttr(index, NLQDialect::kStridedAttr)))
      return false;
  for (auto [index, type] : llvm::enumerate(function.getResultTypes()))
    if (!isPlain(type, function.getResultAttr(index, NLQDialect::kStridedAttr)))
      return false;
  return true;
}

/// The row-major buffer of a tensor type at `pointer`; `sizes` are its dynamic
/// extents. Rows lie `rowStride` elements apart, or are dense if it is null.
static Value makeView(OpBuilder &builder, Location loc, Value pointer,
                      RankedTensorType type, ArrayRef<Value> sizes,
                      Value rowStride) {
  int64_t rank = type.getRank();
  SmallVector<OpFoldResult> extents, strides(rank);
  for (int64_t dim = 0, next = 0; dim < rank; ++dim)
    if (type.isDynamicDim(dim))
      extents.push_back(sizes[next++]);
    else
      extents.push_back(builder.getIndexAttr(type.getDimSize(dim)));
  OpFoldResult stride = builder.getIndexAttr(1);
  for (int64_t dim = rank - 1; dim >= 0; --dim) {
    strides[dim] = stride;
    auto known = dyn_cast<Attribute>(stride);
    if (rowStride && dim == rank - 1)
      stride = rowStride;
    else if (known && !type.isDynamicDim(dim))
      stride = builder.getIndexAttr(cast<IntegerAttr>(known).getInt() *
                                    type.getDimSize(dim));
    else
      stride = arith::MulIOp::create(
                   builder, loc,
                   getValueOrCreateConstantIndexOp(builder, loc, stride),
                   getValueOrCreateConstantIndexOp(builder, loc, extents[dim]))
                   .getResult();
  }
  MemRefLayoutAttrInterface layout;
  if (rowStride) {
    SmallVector<int64_t> unknown(rank, ShapedType::kDynamic);
    unknown.back() = 1;
    layout = StridedLayoutAttr::get(builder.getContext(), 0, unknown);
  }
  return memref::ReinterpretCastOp::create(
      builder, loc,
      MemRefType::get(type.getShape(), type.getElementType(), layout), pointer,
      builder.getIndexAttr(0), extents, strides);
}

/// Puts a function of its name and parameters in front of `function`, whose
/// parameters at these indices must be from 1 to the limit: it returns 0 after
/// a call, or 1 without one.
static void checkLimits(func::FuncOp function,
                        ArrayRef<std::pair<unsigned, int64_t>> limits) {
  auto module = function->getParentOfType<ModuleOp>();
  ImplicitLocOpBuilder builder(function.getLoc(), function);
  std::string name = function.getName().str();
  Type i32 = builder.getI32Type();
  auto checked = func::FuncOp::create(
      builder, name, builder.getFunctionType(function.getArgumentTypes(), i32));
  checked.setVisibility(function.getVisibility());
  SymbolTable symbols(module);
  symbols.remove(function);
  function.setName(name + "_unchecked");
  function.setPrivate();
  symbols.insert(function);

  builder.setInsertionPointToStart(checked.addEntryBlock());
  Value fits;
  for (auto [index, limit] : limits) {
    Value extent = checked.getArgument(index);
    auto constant = [&](int64_t value) -> Value {
      return arith::ConstantIntOp::create(builder, extent.getType(), value);
    };
    Value more = arith::SubIOp::create(builder, extent, constant(1));
    Value each = arith::CmpIOp::create(builder, arith::CmpIPredicate::ult, more,
                                       constant(limit));
    fits = fits ? arith::AndIOp::create(builder, fits, each).getResult() : each;
  }
  auto status = [&](int64_t value) -> Value {
    return arith::ConstantIntOp::create(builder, i32, value);
  };
  auto choice = scf::IfOp::create(builder, TypeRange(i32), fits,
                                  /*withElseRegion=*/true);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(choice.thenBlock());
    func::CallOp::create(builder, function, checked.getArguments());
    scf::YieldOp::create(builder, status(0));
    builder.setInsertionPointToStart(choice.elseBlock());
    scf::YieldOp::create(builder, status(1));
  }
  func::ReturnOp::create(builder, choice.getResults());
}

LogicalResult DynamicShapesPass::convert(func::FuncOp function) {
  if (!function.getBody().hasOneBlock())
    return function.emitError() << "'" << function.getName()
                                << "' has dynamic extents or strided rows "
                                   "and more than one block";
  if (auto uses = function.getSymbolUses(getOperation());
      uses && !uses->empty())
    return function.emitError()
           << "'" << function.getName()
           << "' has dynamic extents or strided rows and is called by another "
              "function; only functions of static shapes may be called";
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
             << "' has dynamic extents or strided rows and the type " << type
             << " in its signature; only tensors are allowed there";

  // How long rows may be, and what dynamic extents of results are, while
  // arguments are still tensors.
  RowLimits rows = findRowLimits(function);
  if (rows.unknown)
    return rows.unknown->emitOpError()
           << "has rows whose length is no dimension of an argument of '"
           << function.getName() << "', which could be checked";
  std::vector<std::vector<ArgumentExtent>> resultExtents;
  for (auto [index, value] : llvm::enumerate(returned.getOperands())) {
    auto type = cast<RankedTensorType>(value.getType());
    auto &extents = resultExtents.emplace_back();
    for (int64_t dim = 0; dim < type.getRank(); ++dim) {
      if (!type.isDynamicDim(dim))
        continue;
      std::optional<ArgumentExtent> extent = findArgumentExtent(value, dim);
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
  llvm::DenseMap<ArgumentExtent, Value> sizes;
  SmallVector<std::pair<unsigned, int64_t>> limits;
  for (unsigned argument = 0; argument < numArguments; ++argument) {
    auto type = cast<RankedTensorType>(types[argument]);
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      if (type.isDynamicDim(dim)) {
        sizes[{argument, dim}] = arith::IndexCastOp::create(
            builder, loc, builder.getIndexType(),
            block.addArgument(builder.getI64Type(), loc));
        if (auto it = rows.limits.find({argument, dim});
            it != rows.limits.end())
          limits.emplace_back(block.getNumArguments() - 1 - numArguments,
                              it->second);
      }
  }
  // The strides of rows, null where these are dense.
  SmallVector<Value> strides(types.size());
  for (unsigned index = 0; index < types.size(); ++index)
    if (index < numArguments
            ? function.getArgAttr(index, NLQDialect::kStridedAttr)
            : function.getResultAttr(index - numArguments,
                                     NLQDialect::kStridedAttr))
      strides[index] = arith::IndexCastOp::create(
          builder, loc, builder.getIndexType(),
          block.addArgument(builder.getI64Type(), loc));
  for (unsigned argument = 0; argument < numArguments; ++argument) {
    auto type = cast<RankedTensorType>(types[argument]);
    SmallVector<Value> extents;
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      if (type.isDynamicDim(dim))
        extents.push_back(sizes.lookup({argument, dim}));
    Value view = makeView(builder, loc, pointers[argument], type, extents,
                          strides[argument]);
    oldArguments[argument].replaceAllUsesWith(
        bufferization::ToTensorOp::create(builder, loc, type, view,
                                          /*restrict=*/true,
                                          /*writable=*/false));
  }
  SmallVector<Value> destinations;
  for (auto [index, extents] : llvm::enumerate(resultExtents)) {
    SmallVector<Value> values;
    for (ArgumentExtent extent : extents)
      values.push_back(sizes.lookup(extent));
    destinations.push_back(
        makeView(builder, loc, pointers[numArguments + index],
                 cast<RankedTensorType>(types[numArguments + index]), values,
                 strides[numArguments + index]));
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
  if (!limits.empty())
    checkLimits(function, limits);
  return success();
}

std::unique_ptr<Pass> nlq::createDynamicShapesPass() {
  return std::make_unique<DynamicShapesPass>();
}
