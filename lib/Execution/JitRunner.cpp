//===- JitRunner.cpp - Running a lowered model in this process ----------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Execution/JitRunner.h"
#include "mlir/ExecutionEngine/ExecutionEngine.h"
#include "mlir/ExecutionEngine/OptUtils.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

using namespace mlir;
using namespace nlq;

namespace {

class JitRunner : public ModelRunner {
public:
  JitRunner(std::unique_ptr<ExecutionEngine> engine, void (*entry)(void **),
            Signature signature)
      : engine(std::move(engine)), entry(entry),
        signature(std::move(signature)) {}

  llvm::Expected<std::vector<Array>> run(ArrayRef<Array> arguments) override;

private:
  std::unique_ptr<ExecutionEngine> engine;
  void (*entry)(void **);
  Signature signature;
};

} // namespace

llvm::Expected<std::vector<Array>> JitRunner::run(ArrayRef<Array> arguments) {
  if (llvm::Error error = checkArguments(signature, arguments))
    return error;
  std::vector<Array> results;
  results.reserve(signature.results.size()); // pointers lead into them
  SmallVector<const void *> pointers;
  for (const Array &array : arguments)
    pointers.push_back(array.bytes.data());
  for (const ArrayType &type : signature.results)
    pointers.push_back(
        results.emplace_back(type.kind, type.shape).bytes.data());
  // The packed entry takes the address of every argument.
  SmallVector<void *> packed;
  for (const void *&pointer : pointers)
    packed.push_back(&pointer);
  entry(packed.data());
  return results;
}

llvm::Expected<std::unique_ptr<ModelRunner>>
nlq::createJitRunner(ModuleOp module, Signature signature,
                     const Target &target) {
  if (llvm::Triple(target.triple).getArch() !=
      llvm::Triple(llvm::sys::getProcessTriple()).getArch())
    return llvm::createStringError("code for " + target.triple +
                                   " can't run on this machine");
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine =
      createTargetMachine(target);
  if (!machine)
    return machine.takeError();

  DialectRegistry registry;
  registerAllToLLVMIRTranslations(registry);
  module.getContext()->appendDialectRegistry(registry);

  // The engine keeps a reference to the transformer while it compiles.
  auto transformer = makeOptimizingTransformer(/*optLevel=*/2, /*sizeLevel=*/0,
                                               machine->get());
  ExecutionEngineOptions options;
  options.transformer = transformer;
  options.jitCodeGenOptLevel = llvm::CodeGenOptLevel::Default;
  options.enableGDBNotificationListener = false;
  options.enablePerfNotificationListener = false;
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> jitMachine =
      createTargetMachine(target);
  if (!jitMachine)
    return jitMachine.takeError();
  llvm::Expected<std::unique_ptr<ExecutionEngine>> engine =
      ExecutionEngine::create(module, options, std::move(*jitMachine));
  if (!engine)
    return engine.takeError();
  (*engine)->initialize();
  auto entry = (*engine)->lookupPacked("main");
  if (!entry)
    return entry.takeError();
  return std::make_unique<JitRunner>(std::move(*engine), *entry,
                                     std::move(signature));
}
