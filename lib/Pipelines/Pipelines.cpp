//===- Pipelines.cpp - Named pass pipelines -----------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Pipelines/Pipelines.h"
#include "DynamicShapes.h"
#include "FlattenGlobals.h"
#include "SeparateBuffers.h"
#include "ShareMemory.h"
#include "StridedCopies.h"
#include "ThreadScratch.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/FuncBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/InitAllDialects.h"
#include "mlir/Transforms/Passes.h"
#include "nlq/Conversion/Passes.h"
#include "nlq/Dialect/NLQ/IR/BufferizableOpInterfaceImpl.h"
#include "nlq/Dialect/NLQ/IR/NLQDialect.h"
#include "nlq/InitAll.h"
#include "nlq/Quantization/AssignPasses.h"
#include "nlq/Quantization/Passes.h"

using namespace mlir;
using namespace nlq;

void nlq::buildToKernelsPipeline(OpPassManager &pm, bool allowFloat) {
  pm.addPass(createNLQToInteger());
  // No canonicalizer before the boundary casts are lowered: it takes a dcast of
  // a qcast for nothing, and the rounding would be lost.
  pm.addPass(createCSEPass());
  // gamma and beta have gone into the kernels; nothing else may be float.
  if (!allowFloat)
    pm.addPass(createNLQVerifyIntegerOnly());
}

/// Tensors to buffers that nobody has to free but the function itself.
static void addBufferization(OpPassManager &pm) {
  pm.addPass(createDynamicShapesPass());
  pm.addNestedPass<func::FuncOp>(createSeparateBuffersPass());
  pm.addPass(bufferization::createEmptyTensorEliminationPass());
  bufferization::OneShotBufferizePassOptions options;
  options.bufferizeFunctionBoundaries = true;
  options.functionBoundaryTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  pm.addPass(bufferization::createOneShotBufferizePass(options));
  bufferization::BufferResultsToOutParamsPassOptions outParams;
  outParams.hoistStaticAllocs = true;
  outParams.modifyPublicFunctions = true;
  pm.addPass(bufferization::createBufferResultsToOutParamsPass(outParams));
  pm.addPass(createCanonicalizerPass());
  bufferization::buildBufferDeallocationPipeline(
      pm, bufferization::BufferDeallocationPipelineOptions());
  pm.addNestedPass<func::FuncOp>(createShareMemoryPass());
  pm.addNestedPass<func::FuncOp>(createStridedCopiesPass());
}

void nlq::buildLowerToLLVMPipeline(OpPassManager &pm,
                                   const LoweringOptions &options) {
  pm.addNestedPass<func::FuncOp>(createNLQLowerBoundaryCasts());
  pm.addNestedPass<func::FuncOp>(createConvertFloatNLQToLinalg());
  pm.addNestedPass<func::FuncOp>(createConvertElementwiseToLinalgPass());
  pm.addPass(createCanonicalizerPass());
  SmallVector<std::string> features(options.features.begin(),
                                    options.features.end());
  NLQPackProductsOptions packOptions;
  packOptions.features = features;
  pm.addNestedPass<func::FuncOp>(createNLQPackProducts(packOptions));
  pm.addPass(createCanonicalizerPass());
  addBufferization(pm);

  // Layers share the code of equal kernels and products.
  pm.addPass(createNLQOutline());
  bool isParallel = options.threads == Threads::OpenMP;
  if (isParallel)
    pm.addNestedPass<func::FuncOp>(createNLQParallelRows());
  ConvertNLQToVectorOptions vectorOptions;
  vectorOptions.features = features;
  vectorOptions.lanes = options.lanes;
  pm.addPass(createConvertNLQToVector(vectorOptions));
  ConvertProductToVectorOptions productOptions;
  productOptions.features = features;
  pm.addNestedPass<func::FuncOp>(createConvertProductToVector(productOptions));
  ConvertMatmulToVectorOptions matmulOptions;
  matmulOptions.rows = options.matmulRows;
  matmulOptions.lanes = options.matmulLanes;
  pm.addNestedPass<func::FuncOp>(createConvertMatmulToVector(matmulOptions));
  pm.addNestedPass<func::FuncOp>(createConvertTransposeToVector());
  pm.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());

  pm.addNestedPass<func::FuncOp>(createConvertVectorToSCFPass());
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  if (isParallel) {
    pm.addPass(createConvertSCFToOpenMPPass());
    pm.addNestedPass<func::FuncOp>(createThreadScratchPass());
  }
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(createConvertVectorToLLVMPass());
  pm.addPass(arith::createArithExpandOpsPass());
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createFinalizeMemRefToLLVMConversionPass());
  // Functions take buffers of static shapes only, each passed as one pointer,
  // which makes plain C functions of them and keeps calls cheap to compile.
  ConvertFuncToLLVMPassOptions toLLVM;
  toLLVM.useBarePtrCallConv = true;
  pm.addPass(createConvertFuncToLLVMPass(toLLVM));
  if (isParallel)
    pm.addPass(createConvertOpenMPToLLVMPass());
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertIndexToLLVMPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createFlattenGlobalsPass());
}

void nlq::buildCompilePipeline(OpPassManager &pm,
                               const LoweringOptions &options) {
  buildToKernelsPipeline(pm, options.allowFloat);
  buildLowerToLLVMPipeline(pm, options);
}

void nlq::registerPipelines() {
  PassPipelineRegistration<>(
      "nlq-to-kernels",
      "Turn an assigned module into integer kernels and verify that no float "
      "is left between the boundary casts",
      [](OpPassManager &pm) { buildToKernelsPipeline(pm); });
  PassPipelineRegistration<LoweringOptions>(
      "nlq-lower-to-llvm",
      "Lower a module of kernels, or a float module, to the LLVM dialect",
      buildLowerToLLVMPipeline);
  PassPipelineRegistration<LoweringOptions>(
      "nlq-compile", "nlq-to-kernels, then nlq-lower-to-llvm",
      buildCompilePipeline);
}

void nlq::registerAllDialects(DialectRegistry &registry) {
  registry.insert<NLQDialect>();
  registerBufferizableOpInterfaceExternalModels(registry);
}

void nlq::registerAllPasses() {
  registerNLQConversionPasses();
  registerNLQQuantizationPasses();
  registerNLQAssignPasses();
  registerPipelines();
  registerPass(createShareMemoryPass);
}
