//===- ObjectFile.cpp - Object files of lowered modules -----------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Execution/ObjectFile.h"
#include "mlir/ExecutionEngine/OptUtils.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace nlq;

/// Calls a function `entry` and hides all else, so that a program may hold
/// several models.
static llvm::Error exportOnly(StringRef function, StringRef entry,
                              llvm::Module &module) {
  llvm::Function *exported = module.getFunction(function);
  if (!exported)
    return llvm::createStringError("the module has no function '" + function +
                                   "'");
  // Code generation makes calls of memset and its like.
  llvm::LibFunc known;
  if ((entry != function && module.getNamedValue(entry)) ||
      llvm::TargetLibraryInfoImpl(module.getTargetTriple())
          .getLibFunc(entry, known))
    return llvm::createStringError("the entry can't be called '" + entry +
                                   "': this name is taken");
  for (llvm::GlobalValue &value : module.global_values())
    if (&value != exported && !value.isDeclaration())
      value.setLinkage(llvm::GlobalValue::InternalLinkage);
  exported->setName(entry);
  return llvm::Error::success();
}

llvm::Error nlq::emitObjectFile(ModuleOp module, const Target &target,
                                StringRef entry, StringRef path) {
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
  if (llvm::Error error = exportOnly("main", entry, *llvmModule))
    return error;
  llvmModule->setDataLayout((*machine)->createDataLayout());
  auto optimize = makeOptimizingTransformer(/*optLevel=*/3, /*sizeLevel=*/0,
                                            machine->get());
  if (llvm::Error error = optimize(llvmModule.get()))
    return error;

  llvm::SmallVector<char> object;
  llvm::raw_svector_ostream stream(object);
  llvm::legacy::PassManager passes;
  if ((*machine)->addPassesToEmitFile(passes, stream, nullptr,
                                      llvm::CodeGenFileType::ObjectFile))
    return llvm::createStringError("no object files for " + target.triple);
  passes.run(*llvmModule);
  return llvm::writeToOutput(path, [&](llvm::raw_ostream &out) {
    out << stream.str();
    return llvm::Error::success();
  });
}
