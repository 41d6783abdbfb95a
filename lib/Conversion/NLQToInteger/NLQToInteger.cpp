//===- NLQToInteger.cpp - Quantized nlq operations to nlq.kernel --------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Func/Transforms/FuncConversions.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/DialectConversion.h"
#include "nlq/Conversion/Passes.h"
#include "nlq/Dialect/NLQ/IR/NLQOps.h"
#include "nlq/Kernel/Rewrites.h"

namespace nlq {
#define GEN_PASS_DEF_NLQTOINTEGER
#include "nlq/Conversion/Passes.h.inc"
} // namespace nlq

using namespace mlir;
using namespace nlq;

namespace {

/// Quantized tensors become tensors of their storage type, signless.
struct StorageTypeConverter : TypeConverter {
  StorageTypeConverter() {
    addConversion([](Type type) { return type; });
    addConversion([](quant::QuantizedType type) -> Type {
      return IntegerType::get(type.getContext(),
                              type.getStorageTypeIntegralWidth());
    });
    addConversion([](RankedTensorType type) -> Type {
      auto quantized = dyn_cast<quant::QuantizedType>(type.getElementType());
      if (!quantized)
        return type;
      auto storage = IntegerType::get(type.getContext(),
                                      quantized.getStorageTypeIntegralWidth());
      return type.clone(storage);
    });
    auto cast = [](OpBuilder &builder, Type type, ValueRange inputs,
                   Location loc) -> Value {
      return quant::StorageCastOp::create(builder, loc, type, inputs.front());
    };
    addSourceMaterialization(cast);
    addTargetMaterialization(cast);
  }
};

/// Column constants as a tensor, in the width of their input.
Value makeColumnConstant(OpBuilder &builder, Location loc,
                         const kernel::Input &input, ArrayRef<int64_t> values) {
  auto type = RankedTensorType::get({int64_t(values.size())},
                                    builder.getIntegerType(input.bits));
  SmallVector<APInt> entries;
  for (int64_t value : values)
    entries.push_back(APInt(64, value, true).sextOrTrunc(input.bits));
  return arith::ConstantOp::create(builder, loc,
                                   DenseIntElementsAttr::get(type, entries));
}

/// A mask of i1 or i8 as i8, of the rank of what it masks.
Value makeMaskInput(OpBuilder &builder, Location loc, Value mask,
                    int64_t rank) {
  auto type = cast<RankedTensorType>(mask.getType());
  if (type.getElementType().isInteger(1)) {
    type = type.clone(builder.getI8Type());
    DenseIntElementsAttr constant;
    if (matchPattern(mask, m_Constant(&constant)))
      mask = arith::ConstantOp::create(
          builder, loc,
          constant.mapValues(type.getElementType(),
                             [](const APInt &bit) { return bit.zext(8); }));
    else
      mask = arith::ExtUIOp::create(builder, loc, type, mask);
  }
  int64_t missing = rank - type.getRank();
  if (missing == 0)
    return mask;
  // The missing dimensions join the first one.
  SmallVector<int64_t> shape(missing, 1);
  llvm::append_range(shape, type.getShape());
  SmallVector<ReassociationIndices> groups(type.getRank());
  for (int64_t dim = 0; dim <= missing; ++dim)
    groups[0].push_back(dim);
  for (int64_t dim = 1; dim < type.getRank(); ++dim)
    groups[dim].push_back(missing + dim);
  SmallVector<OpFoldResult> sizes(missing, builder.getIndexAttr(1));
  llvm::append_range(sizes, tensor::getMixedSizes(builder, loc, mask));
  return tensor::ExpandShapeOp::create(builder, loc, type.clone(shape), mask,
                                       groups, sizes);
}

/// How many keys each query sees, [1, ..., 1, queries] for rows of `operand`:
/// clamp(query + 1 + keys - queries, 0, keys). Of i32.
Value makeVisibleInput(OpBuilder &builder, Location loc, Value operand) {
  auto type = cast<RankedTensorType>(operand.getType());
  int64_t keys = type.getShape().back();
  int64_t queries = type.getDimSize(type.getRank() - 2);
  SmallVector<int64_t> shape(type.getRank() - 2, 1);
  shape.push_back(queries);
  SmallVector<int32_t> visible;
  for (int64_t query = 0; query < queries; ++query)
    visible.push_back(
        int32_t(std::clamp<int64_t>(query + 1 + keys - queries, 0, keys)));
  auto visibleType = RankedTensorType::get(shape, builder.getI32Type());
  return arith::ConstantOp::create(
      builder, loc, DenseIntElementsAttr::get(visibleType, visible));
}

/// `operand` through `kernel` into a new tensor. Kernels with a mask read it
/// (null: none) behind the operand.
Value makeKernelOp(OpBuilder &builder, Location loc, Value operand,
                   const kernel::Kernel &kernel, Value mask) {
  auto operandType = cast<RankedTensorType>(operand.getType());
  // A scalar is a row of one element.
  if (operandType.getRank() == 0)
    operand = tensor::ExpandShapeOp::create(
        builder, loc, operandType.clone(ArrayRef<int64_t>(1)), operand,
        ArrayRef<ReassociationIndices>());
  auto rowsType = cast<RankedTensorType>(operand.getType());
  SmallVector<Value> inputs;
  size_t column = 0;
  for (const kernel::Input &input : kernel.graph.inputs) {
    if (input.rate == kernel::Rate::Column)
      inputs.push_back(
          makeColumnConstant(builder, loc, input, kernel.columns[column++]));
    else if (input.rate == kernel::Rate::Row)
      inputs.push_back(makeVisibleInput(builder, loc, operand));
    else if (input.name == "mask")
      inputs.push_back(makeMaskInput(builder, loc, mask, rowsType.getRank()));
    else
      inputs.push_back(operand);
  }
  Type element = builder.getIntegerType(kernel.graph.resultBits);
  SmallVector<OpFoldResult> sizes =
      tensor::getMixedSizes(builder, loc, operand);
  Value init = tensor::EmptyOp::create(builder, loc, sizes, element);
  auto op = KernelOp::create(
      builder, loc, TypeRange(rowsType.clone(element)), inputs, init,
      GraphAttr::get(builder.getContext(), kernel.graph));
  Value result = op.getResult(0);
  if (operandType.getRank() == 0)
    result = tensor::CollapseShapeOp::create(builder, loc,
                                             operandType.clone(element), result,
                                             ArrayRef<ReassociationIndices>());
  return result;
}

/// Kernels are built before the rewriting, so that errors are reported outside
/// of patterns.
using KernelMap = DenseMap<Operation *, kernel::Kernel>;

struct KernelizeOp : ConversionPattern {
  KernelizeOp(const TypeConverter &converter, MLIRContext *context,
              const KernelMap &kernels)
      : ConversionPattern(converter, MatchAnyOpTypeTag(), 1, context),
        kernels(kernels) {}

  LogicalResult
  matchAndRewrite(Operation *op, ArrayRef<Value> operands,
                  ConversionPatternRewriter &rewriter) const override {
    auto it = kernels.find(op);
    if (it == kernels.end())
      return rewriter.notifyMatchFailure(op, "no kernel was built for it");
    auto nonlinear = dyn_cast<NonlinearOpInterface>(op);
    Value mask = nonlinear ? nonlinear.getMaskTensor() : Value();
    if (mask)
      mask = operands[llvm::find(op->getOperands(), mask).getIndex()];
    rewriter.replaceOp(op, makeKernelOp(rewriter, op->getLoc(), operands[0],
                                        it->second, mask));
    return success();
  }

  const KernelMap &kernels;
};

/// A storage cast is nothing once quantized types are gone.
struct DropStorageCast : OpConversionPattern<quant::StorageCastOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(quant::StorageCastOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, adaptor.getInput());
    return success();
  }
};

/// Operations of the tensor dialect move elements, whatever these are.
struct RetypeTensorOp : ConversionPattern {
  RetypeTensorOp(const TypeConverter &converter, MLIRContext *context)
      : ConversionPattern(converter, MatchAnyOpTypeTag(), 1, context) {}

  LogicalResult
  matchAndRewrite(Operation *op, ArrayRef<Value> operands,
                  ConversionPatternRewriter &rewriter) const override {
    if (!isa<tensor::TensorDialect>(op->getDialect()) || op->getNumRegions())
      return rewriter.notifyMatchFailure(op, "is no plain tensor operation");
    OperationState state(op->getLoc(), op->getName());
    if (failed(getTypeConverter()->convertTypes(op->getResultTypes(),
                                                state.types)))
      return failure();
    state.addOperands(operands);
    state.addAttributes(op->getDiscardableAttrDictionary().getValue());
    state.propertiesAttr = op->getPropertiesAsAttribute();
    rewriter.replaceOp(op, rewriter.create(state));
    return success();
  }
};

struct NLQToIntegerPass : nlq::impl::NLQToIntegerBase<NLQToIntegerPass> {
  void runOnOperation() override;

private:
  FailureOr<KernelMap> buildKernels();
};

} // namespace

/// The kernel of every quantized operation, or errors on all that have none.
FailureOr<KernelMap> NLQToIntegerPass::buildKernels() {
  KernelMap kernels;
  bool failedAny = false;
  auto add = [&](Operation *op, llvm::Expected<kernel::Kernel> kernel,
                 const Twine &what) {
    if (!kernel) {
      op->emitOpError() << what << ": " << llvm::toString(kernel.takeError());
      failedAny = true;
      return;
    }
    std::string widths = methods::describeWidths(*kernel);
    if (!widths.empty())
      emitRemark(op->getLoc()) << what << ": " << widths;
    kernels.try_emplace(op, kernel::simplify(*kernel));
    ++numKernels;
  };
  getOperation().walk([&](Operation *op) {
    if (auto fixed = dyn_cast<FixedKernelOpInterface>(op)) {
      add(op, fixed.buildKernel(), "as a kernel");
      return;
    }
    auto nonlinear = dyn_cast<NonlinearOpInterface>(op);
    if (!nonlinear || !nonlinear.isQuantized())
      return;
    MethodAttrInterface method = nonlinear.getMethodAttr();
    if (!method) {
      op->emitOpError("has no method; assign one first (nlq-assign)");
      failedAny = true;
      return;
    }
    add(op, nonlinear.buildKernel(method),
        "as '" + method.getMethodName() + "'");
  });
  if (failedAny)
    return failure();
  return kernels;
}

void NLQToIntegerPass::runOnOperation() {
  FailureOr<KernelMap> kernels = buildKernels();
  if (failed(kernels))
    return signalPassFailure();

  MLIRContext *context = &getContext();
  StorageTypeConverter converter;
  RewritePatternSet patterns(context);
  patterns.add<KernelizeOp>(converter, context, *kernels);
  patterns.add<DropStorageCast, RetypeTensorOp>(converter, context);
  populateFunctionOpInterfaceTypeConversionPattern<func::FuncOp>(patterns,
                                                                 converter);
  populateReturnOpTypeConversionPattern(patterns, converter);
  populateCallOpTypeConversionPattern(patterns, converter);

  ConversionTarget target(*context);
  target.addLegalOp<quant::QuantizeCastOp, quant::DequantizeCastOp>();
  target.addIllegalOp<quant::StorageCastOp>();
  target.addDynamicallyLegalOp<func::FuncOp>([&](func::FuncOp op) {
    return converter.isSignatureLegal(op.getFunctionType());
  });
  target.markUnknownOpDynamicallyLegal([&](Operation *op) {
    return !kernels->contains(op) && converter.isLegal(op);
  });
  if (failed(
          applyPartialConversion(getOperation(), target, std::move(patterns))))
    signalPassFailure();
}
