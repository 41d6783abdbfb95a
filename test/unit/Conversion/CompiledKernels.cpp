//===- CompiledKernels.cpp - Kernels compiled and held to evaluate ------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompiledKernels.h"
#include "EmulatedInstructions.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/FuncBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Verifier.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "nlq/Conversion/Passes.h"
#include "nlq/Dialect/NLQ/IR/NLQOps.h"
#include "nlq/Execution/JitRunner.h"
#include "nlq/InitAll.h"
#include "nlq/Kernel/Evaluate.h"
#include "nlq/Pipelines/Pipelines.h"
#include "llvm/TargetParser/Triple.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace nlq;
using kernel::Rate;

//===----------------------------------------------------------------------===//
// Arrays of integers of any width
//===----------------------------------------------------------------------===//

static ElementKind kindOf(unsigned bits) {
  switch (bits) {
  case 8:
    return ElementKind::I8;
  case 16:
    return ElementKind::I16;
  case 32:
    return ElementKind::I32;
  default:
    return ElementKind::I64;
  }
}

static void store(Array &array, int64_t index, int64_t value) {
  std::memcpy(array.bytes.data() + index * getByteWidth(array.kind), &value,
              getByteWidth(array.kind)); // little endian
}

static int64_t load(const Array &array, int64_t index) {
  switch (array.kind) {
  case ElementKind::I8:
    return array.as<int8_t>()[index];
  case ElementKind::I16:
    return array.as<int16_t>()[index];
  case ElementKind::I32:
    return array.as<int32_t>()[index];
  default:
    return array.as<int64_t>()[index];
  }
}

//===----------------------------------------------------------------------===//
// KernelBatch
//===----------------------------------------------------------------------===//

void KernelBatch::add(std::string name, const kernel::Kernel &kernel,
                      int64_t columns, const std::vector<KernelRow> &rows) {
  int64_t numRows = rows.size();
  size_t column = 0, element = 0;
  for (const kernel::Input &input : kernel.graph.inputs) {
    if (input.rate == Rate::Column) {
      Array array(kindOf(input.bits), columns);
      for (int64_t j = 0; j < columns; ++j)
        store(array, j, kernel.columns[column][j]);
      ++column;
      arguments.push_back(std::move(array));
      continue;
    }
    int64_t length = input.rate == Rate::Element ? columns : 1;
    Array array(kindOf(input.bits), {numRows});
    if (input.rate == Rate::Element)
      array = Array(kindOf(input.bits), {numRows, columns});
    for (int64_t i = 0; i < numRows; ++i)
      for (int64_t j = 0; j < length; ++j)
        store(array, i * length + j, rows[i][element][j]);
    ++element;
    arguments.push_back(std::move(array));
  }
  Entry entry{std::move(name), kernel.graph, columns, {}};
  kernel::Evaluator evaluator(kernel, columns);
  for (int64_t i = 0; i < numRows; ++i) {
    std::vector<llvm::ArrayRef<int64_t>> inputs(rows[i].begin(), rows[i].end());
    std::vector<int64_t> out(columns);
    evaluator.run(inputs, i, out);
    entry.expected.push_back(std::move(out));
  }
  entries.push_back(std::move(entry));
}

static RankedTensorType typeOf(OpBuilder &builder, const Array &array) {
  return RankedTensorType::get(
      array.shape, builder.getIntegerType(8 * getByteWidth(array.kind)));
}

/// Tensors of static shapes to functions on bare pointers, kernels by way of
/// linalg and loops.
static void buildPortableLowering(OpPassManager &manager) {
  manager.addNestedPass<func::FuncOp>(createConvertNLQToLinalg());
  bufferization::OneShotBufferizePassOptions bufferize;
  bufferize.bufferizeFunctionBoundaries = true;
  bufferize.functionBoundaryTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  manager.addPass(bufferization::createOneShotBufferizePass(bufferize));
  bufferization::BufferResultsToOutParamsPassOptions outParams;
  outParams.hoistStaticAllocs = true;
  outParams.modifyPublicFunctions = true;
  manager.addPass(bufferization::createBufferResultsToOutParamsPass(outParams));
  bufferization::buildBufferDeallocationPipeline(
      manager, bufferization::BufferDeallocationPipelineOptions());
  manager.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
  manager.addPass(createSCFToControlFlowPass());
  manager.addPass(createConvertMathToLLVMPass());
  manager.addPass(memref::createExpandStridedMetadataPass());
  manager.addPass(createFinalizeMemRefToLLVMConversionPass());
  ConvertFuncToLLVMPassOptions toLLVM;
  toLLVM.useBarePtrCallConv = true;
  manager.addPass(createConvertFuncToLLVMPass(toLLVM));
  manager.addPass(createArithToLLVMConversionPass());
  manager.addPass(createConvertIndexToLLVMPass());
  manager.addPass(createConvertControlFlowToLLVMPass());
  manager.addPass(createReconcileUnrealizedCastsPass());
}

void KernelBatch::expectCompiledEqual(MLIRContext &context, int64_t lanes,
                                      const Target &target) const {
  expectEqual(context, lanes, llvm::cantFail(getVectorFeatures(target)), target,
              /*emulated=*/nullptr);
}

unsigned
KernelBatch::expectEmulatedEqual(MLIRContext &context,
                                 const VectorFeatures &features) const {
  unsigned emulated = 0;
  expectEqual(context, /*lanes=*/0, features, getHostTarget(), &emulated);
  return emulated;
}

void KernelBatch::expectPortableEqual(MLIRContext &context) const {
  expectEqual(context, getHostTarget(), "portable", buildPortableLowering,
              [](ModuleOp) {});
}

void KernelBatch::expectEqual(MLIRContext &context, int64_t lanes,
                              const VectorFeatures &features,
                              const Target &target, unsigned *emulated) const {
  LoweringOptions options;
  options.lanes = lanes;
  for (const std::string &name : features.getNames())
    options.features.push_back(name);
  expectEqual(
      context, target, ("lanes " + Twine(lanes)).str(),
      [&](OpPassManager &manager) {
        buildLowerToLLVMPipeline(manager, options);
      },
      [&](ModuleOp module) {
        if (emulated)
          *emulated = emulateInstructions(module);
      });
}

void KernelBatch::expectEqual(MLIRContext &context, const Target &target,
                              StringRef what,
                              function_ref<void(OpPassManager &)> buildLowering,
                              function_ref<void(ModuleOp)> afterwards) const {
  ImplicitLocOpBuilder builder(UnknownLoc::get(&context), &context);
  OwningOpRef<ModuleOp> module = ModuleOp::create(builder.getLoc());
  SmallVector<Type> argumentTypes, resultTypes;
  for (const Array &array : arguments)
    argumentTypes.push_back(typeOf(builder, array));
  for (const Entry &entry : entries)
    resultTypes.push_back(
        RankedTensorType::get({int64_t(entry.expected.size()), entry.columns},
                              builder.getIntegerType(entry.graph.resultBits)));
  builder.setInsertionPointToStart(module->getBody());
  auto main = func::FuncOp::create(
      builder, "main", builder.getFunctionType(argumentTypes, resultTypes));
  builder.setInsertionPointToStart(main.addEntryBlock());
  ArrayRef<BlockArgument> rest = main.getArguments();
  SmallVector<Value> values;
  for (auto [entry, type] : llvm::zip(entries, resultTypes)) {
    auto tensorType = cast<RankedTensorType>(type);
    SmallVector<Value> inputs(rest.take_front(entry.graph.inputs.size()));
    rest = rest.drop_front(inputs.size());
    Value init = tensor::EmptyOp::create(builder, tensorType.getShape(),
                                         tensorType.getElementType());
    auto op = KernelOp::create(builder, TypeRange(type), inputs, init,
                               GraphAttr::get(&context, entry.graph));
    values.push_back(op.getResult(0));
  }
  func::ReturnOp::create(builder, values);
  ASSERT_TRUE(succeeded(mlir::verify(*module)));

  llvm::Expected<Signature> signature = getSignature(*module);
  ASSERT_TRUE(bool(signature)) << llvm::toString(signature.takeError());
  PassManager manager(&context);
  buildLowering(manager);
  ASSERT_TRUE(succeeded(manager.run(*module)));
  afterwards(*module);
  auto runner = createJitRunner(*module, *signature, target);
  ASSERT_TRUE(bool(runner)) << llvm::toString(runner.takeError());
  auto results = (*runner)->run(arguments);
  ASSERT_TRUE(bool(results)) << llvm::toString(results.takeError());
  for (auto [entry, actual] : llvm::zip(entries, *results))
    for (int64_t index = 0; index < actual.getNumElements(); ++index) {
      int64_t row = index / entry.columns, column = index % entry.columns;
      ASSERT_EQ(load(actual, index), entry.expected[row][column])
          << entry.name << " on " << target.cpu << ", " << what.str()
          << ", row " << row << ", column " << column << " of " << entry.columns
          << "\n"
          << entry.graph.str();
    }
}

std::vector<Target> nlq::getTestTargets() {
  std::vector<Target> targets = {getHostTarget()};
  if (targets.front().features.find("+avx512f") != std::string::npos)
    targets.push_back(cantFail(parseTarget("x86-64-v3")));
  if (llvm::Triple(targets.front().triple).isX86())
    targets.push_back(cantFail(parseTarget("x86-64-v2")));
  return targets;
}

void nlq::loadDialects(MLIRContext &context) {
  DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  nlq::registerAllDialects(registry);
  context.appendDialectRegistry(registry);
  context.loadAllAvailableDialects();
  context.disableMultithreading();
}
