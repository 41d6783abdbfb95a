//===- Kernels.cpp - Functions compiled and loaded ------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"
#include "Diagnostics.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "nlq/Dialect/NLQ/IR/NLQOps.h"
#include "nlq/Execution/ObjectFile.h"
#include "nlq/Execution/SharedLibrary.h"
#include "nlq/Pipelines/Pipelines.h"
#include <ctime>

using namespace mlir;
using namespace nlq;
using namespace nlq::bench;

/// On a machine that others share, wall time tells little about a program.
static double getThreadSeconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

/// Only arrays of integers, and at least one operation that they are meant for.
static llvm::Error checkFunction(func::FuncOp function,
                                 const Signature &signature) {
  bool isQuantized = false;
  function.walk([&](Operation *op) {
    if (auto nonlinear = dyn_cast<NonlinearOpInterface>(op))
      isQuantized |= nonlinear.isQuantized();
    isQuantized |= isa<FixedKernelOpInterface, KernelOp, func::CallOp>(op);
  });
  auto isFloat = [](const ArrayType &type) {
    return type.kind == ElementKind::F32;
  };
  if (!isQuantized || llvm::any_of(signature.arguments, isFloat) ||
      llvm::any_of(signature.results, isFloat) || signature.results.empty())
    return llvm::createStringError(
        "'" + function.getName() +
        "' is not a function of quantized operations from integers to "
        "integers, which is what can be measured");
  return llvm::Error::success();
}

/// A copy of the module in which `name` is the only public function.
static OwningOpRef<ModuleOp> extract(ModuleOp module, StringRef name) {
  OwningOpRef<ModuleOp> copy(cast<ModuleOp>(module->clone()));
  for (auto function : copy->getOps<func::FuncOp>())
    if (function.getName() != name)
      function.setPrivate();
  return copy;
}

static LogicalResult lower(ModuleOp module, const VectorFeatures &features,
                           Threads threads) {
  PassManager manager(module.getContext());
  manager.addPass(createSymbolDCEPass());
  LoweringOptions options;
  std::vector<std::string> names = features.getNames();
  options.features = ArrayRef<std::string>(names);
  options.threads = threads;
  buildCompilePipeline(manager, options);
  return manager.run(module);
}

/// Operations of vectors of integers, by their type.
static std::map<std::string, unsigned> countVectors(ModuleOp module) {
  std::map<std::string, unsigned> counts;
  module.walk([&](Operation *op) {
    if (isa<LLVM::ConstantOp>(op))
      return;
    for (Type type : op->getResultTypes())
      if (auto vector = dyn_cast<VectorType>(type);
          vector && vector.getElementType().isSignlessInteger() &&
          !vector.getElementType().isSignlessInteger(1)) {
        std::string text;
        llvm::raw_string_ostream os(text);
        llvm::interleave(vector.getShape(), os, "x");
        os << "x" << vector.getElementType();
        ++counts[text];
      }
  });
  return counts;
}

/// The stored integers that a type allows.
static std::pair<int64_t, int64_t> getRange(Type type) {
  Type element = getElementTypeOrSelf(type);
  if (auto quantized = dyn_cast<quant::QuantizedType>(element))
    return {quantized.getStorageTypeMin(), quantized.getStorageTypeMax()};
  return {llvm::minIntN(element.getIntOrFloatBitWidth()),
          llvm::maxIntN(element.getIntOrFloatBitWidth())};
}

static llvm::Expected<Kernel> compileKernel(func::FuncOp function,
                                            const Target &target,
                                            const VectorFeatures &features,
                                            Threads threads, StringRef folder) {
  Kernel kernel;
  kernel.name = function.getName().str();
  llvm::Expected<Signature> signature = getSignature(function);
  if (!signature)
    return signature.takeError();
  kernel.signature = std::move(*signature);
  if (llvm::Error error = checkFunction(function, kernel.signature))
    return error;
  for (Type type : function.getArgumentTypes())
    kernel.argumentRanges.push_back(getRange(type));

  OwningOpRef<ModuleOp> module =
      extract(function->getParentOfType<ModuleOp>(), kernel.name);
  double start = getThreadSeconds();
  Diagnostics diagnostics(module->getContext());
  if (failed(lower(*module, features, threads)))
    return diagnostics.takeError();
  llvm::Expected<SmallVector<char>> object =
      emitObject(*module, target, /*entry=*/"nlq_main");
  if (!object)
    return object.takeError();
  kernel.compileSeconds = getThreadSeconds() - start;
  kernel.objectBytes = object->size();
  kernel.vectors = countVectors(*module);
  if (kernel.name == "main")
    kernel.name = "nlq_main";
  if (folder.empty())
    return kernel;
  kernel.library = (folder + "/lib" + kernel.name + ".so").str();
  if (llvm::Error error =
          linkSharedLibrary(*object, "lib" + kernel.name, kernel.library))
    return error;
  return kernel;
}

llvm::Expected<std::vector<Kernel>>
nlq::bench::compileKernels(ModuleOp module, const Target &target,
                           Threads threads, StringRef folder) {
  llvm::Expected<VectorFeatures> features = getVectorFeatures(target);
  if (!features)
    return features.takeError();
  std::vector<Kernel> kernels;
  for (func::FuncOp function : getEntries(module)) {
    llvm::Expected<Kernel> kernel =
        compileKernel(function, target, *features, threads, folder);
    // What a process does once, loading dialects and code generators, is no
    // cost of a kernel.
    if (kernel && kernels.empty())
      kernel = compileKernel(function, target, *features, threads, folder);
    if (!kernel)
      return kernel.takeError();
    kernels.push_back(std::move(*kernel));
  }
  return kernels;
}
