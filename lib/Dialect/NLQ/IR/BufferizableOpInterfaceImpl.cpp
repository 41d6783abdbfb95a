//===- BufferizableOpInterfaceImpl.cpp - Bufferization of nlq ops -------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Dialect/NLQ/IR/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/Transforms/BufferUtils.h"
#include "nlq/Dialect/NLQ/IR/NLQOps.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace nlq;

namespace {

struct KernelOpInterface
    : DstBufferizableOpInterfaceExternalModel<KernelOpInterface, KernelOp> {
  /// The output is written, never read.
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand,
                              const AnalysisState &) const {
    return cast<DestinationStyleOpInterface>(op).isDpsInput(&operand);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto kernel = cast<KernelOp>(op);
    SmallVector<Value> inputs, outputs;
    for (OpOperand &operand : op->getOpOperands()) {
      FailureOr<Value> buffer =
          getBuffer(rewriter, operand.get(), options, state);
      if (failed(buffer))
        return failure();
      (kernel.isDpsInit(&operand) ? outputs : inputs).push_back(*buffer);
    }
    rewriter.setInsertionPoint(op);
    KernelOp::create(rewriter, op->getLoc(), TypeRange(), inputs, outputs,
                     kernel.getGraph());
    replaceOpWithBufferizedValues(rewriter, op, outputs);
    return success();
  }
};

struct ProductOpInterface
    : DstBufferizableOpInterfaceExternalModel<ProductOpInterface, ProductOp> {
  /// The output is written, never read.
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand,
                              const AnalysisState &) const {
    return cast<DestinationStyleOpInterface>(op).isDpsInput(&operand);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    SmallVector<Value> buffers;
    for (Value operand : op->getOperands()) {
      FailureOr<Value> buffer = getBuffer(rewriter, operand, options, state);
      if (failed(buffer))
        return failure();
      buffers.push_back(*buffer);
    }
    rewriter.setInsertionPoint(op);
    auto product = ProductOp::create(rewriter, op->getLoc(), TypeRange(),
                                     buffers, op->getAttrs());
    replaceOpWithBufferizedValues(rewriter, op, product.getOutput());
    return success();
  }
};

} // namespace

void nlq::registerBufferizableOpInterfaceExternalModels(
    DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, NLQDialect *) {
    KernelOp::attachInterface<KernelOpInterface>(*context);
    ProductOp::attachInterface<ProductOpInterface>(*context);
  });
}
