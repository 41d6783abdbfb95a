//===- ObjectFile.cpp - Object files of lowered modules -----------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Execution/ObjectFile.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/ExecutionEngine/OptUtils.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace nlq;

/// The public functions, and what they are called outside: `main` is `entry`.
static llvm::StringMap<std::string> getExports(ModuleOp module,
                                               StringRef entry) {
  llvm::StringMap<std::string> exports;
  for (auto function : module.getOps<LLVM::LLVMFuncOp>())
    if (function.isPublic() && !function.isExternal()) {
      StringRef name = function.getName();
      exports[name] = name == "main" ? entry.str() : name.str();
    }
  return exports;
}

/// Kernels fill vectors of 512 bits where there are any; so may what LLVM makes
/// of scalars beside them, which it keeps to 256 bits on some processors.
static void preferWideVectors(llvm::Module &module) {
  for (llvm::Function &function : module)
    if (!function.isDeclaration())
      function.addFnAttr("prefer-vector-width", "512");
}

/// Hides all that is not exported, so that a program may hold several models.
static llvm::Error exportOnly(const llvm::StringMap<std::string> &exports,
                              llvm::Module &module) {
  if (exports.empty())
    return llvm::createStringError(
        "the module has no public function to be exported");
  for (llvm::GlobalValue &value : module.global_values())
    if (!exports.contains(value.getName()) && !value.isDeclaration())
      value.setLinkage(llvm::GlobalValue::InternalLinkage);
  for (const auto &[function, name] : exports) {
    // Code generation makes calls of memset and its like.
    llvm::LibFunc known;
    if ((function != name && module.getNamedValue(name)) ||
        llvm::TargetLibraryInfoImpl(module.getTargetTriple())
            .getLibFunc(name, known))
      return llvm::createStringError("the function '" + function +
                                     "' can't be called '" + name +
                                     "': this name is taken");
    module.getFunction(function)->setName(name);
  }
  return llvm::Error::success();
}

llvm::Expected<SmallVector<char>>
nlq::emitObject(ModuleOp module, const Target &target, StringRef entry) {
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine =
      createTargetMachine(target);
  if (!machine)
    return machine.takeError();
  DialectRegistry registry;
  registerAllToLLVMIRTranslations(registry);
  module.getContext()->appendDialectRegistry(registry);

  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> llvmModule =
      translateModuleToLLVMIR(module, context);
  if (!llvmModule)
    return llvm::createStringError(
        "the module can't be translated to LLVM IR; lower it first "
        "(nlq-lower-to-llvm)");
  llvmModule->setTargetTriple(llvm::Triple(target.triple));
  if (llvm::Error error = exportOnly(getExports(module, entry), *llvmModule))
    return error;
  llvmModule->setDataLayout((*machine)->createDataLayout());
  llvm::Expected<VectorFeatures> features = getVectorFeatures(target);
  if (!features)
    return features.takeError();
  if (features->avx512bw)
    preferWideVectors(*llvmModule);
  auto optimize = makeOptimizingTransformer(/*optLevel=*/3, /*sizeLevel=*/0,
                                            machine->get());
  if (llvm::Error error = optimize(llvmModule.get()))
    return error;

  SmallVector<char> object;
  llvm::raw_svector_ostream stream(object);
  llvm::legacy::PassManager passes;
  if ((*machine)->addPassesToEmitFile(passes, stream, nullptr,
                                      llvm::CodeGenFileType::ObjectFile))
    return llvm::createStringError("no object files for " + target.triple);
  passes.run(*llvmModule);
  return object;
}

llvm::Error nlq::emitObjectFile(ModuleOp module, const Target &target,
                                StringRef entry, StringRef path) {
  llvm::Expected<SmallVector<char>> object = emitObject(module, target, entry);
  if (!object)
    return object.takeError();
  return llvm::writeToOutput(path, [&](llvm::raw_ostream &out) {
    out.write(object->data(), object->size());
    return llvm::Error::success();
  });
}
