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

/// `operand` through `kernel` into a new tensor.
Value makeKernelOp(OpBuilder &builder, Location loc, Value operand,
                   const kernel::Kernel &kernel) {
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
    if (input.rate == kernel::Rate::Element)
      inputs.push_back(operand);
    else
      inputs.push_back(
          makeColumnConstant(builder, loc, input, kernel.columns[column++]));
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
    rewriter.replaceOp(
        op, makeKernelOp(rewriter, op->getLoc(), operands[0], it->second));
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
