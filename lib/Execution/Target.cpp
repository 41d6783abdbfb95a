//===- Target.cpp - The machine code is made for ------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Execution/Target.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

using namespace nlq;

Target nlq::getHostTarget() {
  Target target;
  target.triple = llvm::sys::getProcessTriple();
  target.cpu = llvm::sys::getHostCPUName().str();
  // A virtual machine may hide features of its processor: spell them all.
  for (const auto &feature : llvm::sys::getHostCPUFeatures()) {
    if (!target.features.empty())
      target.features += ",";
    target.features += (feature.second ? "+" : "-") + feature.first().str();
  }
  return target;
}

llvm::Expected<Target> nlq::parseTarget(llvm::StringRef name) {
  if (name == "native")
    return getHostTarget();
  if (name == "aarch64")
    return Target{"aarch64-linux-gnu", "generic", "+dotprod"};
  if (name == "riscv64") // of what Linux distributions ask for
    return Target{"riscv64-linux-gnu", "generic-rv64", "+m,+a,+f,+d,+c"};
  for (const char *triple : {"x86_64-linux-gnu", "aarch64-linux-gnu"}) {
    Target target = {triple, name.str(), ""};
    llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine =
        createTargetMachine(target);
    if (machine)
      return target;
    llvm::consumeError(machine.takeError());
  }
  return llvm::createStringError("unknown processor '" + name.str() +
                                 "' for x86_64-linux-gnu and "
                                 "aarch64-linux-gnu");
}

llvm::Expected<VectorFeatures> nlq::getVectorFeatures(const Target &target) {
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine =
      createTargetMachine(target);
  if (!machine)
    return machine.takeError();
  VectorFeatures features;
  const llvm::MCSubtargetInfo &subtarget = *(*machine)->getMCSubtargetInfo();
  const llvm::Triple &triple = (*machine)->getTargetTriple();
  features.neon = triple.isAArch64() && triple.isLittleEndian() &&
                  subtarget.checkFeatures("+neon");
  features.dotprod = features.neon && subtarget.checkFeatures("+dotprod");
  if (!triple.isX86())
    return features;
  features.avx2 = subtarget.checkFeatures("+avx2");
  features.avx512bw = subtarget.checkFeatures("+avx512bw,+avx512vl");
  features.avx512vnni =
      features.avx512bw && subtarget.checkFeatures("+avx512vnni");
  features.avx512vbmi =
      features.avx512bw && subtarget.checkFeatures("+avx512vbmi");
  return features;
}

llvm::Expected<bool> nlq::runsHere(const Target &target) {
  if (llvm::Triple(target.triple).getArch() !=
      llvm::Triple(llvm::sys::getProcessTriple()).getArch())
    return false;
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine =
      createTargetMachine(target);
  if (!machine)
    return machine.takeError();
  const llvm::MCSubtargetInfo &subtarget = *(*machine)->getMCSubtargetInfo();
  for (const auto &feature : llvm::sys::getHostCPUFeatures())
    if (!feature.second &&
        subtarget.checkFeatures(("+" + feature.first()).str()))
      return false;
  return true;
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
nlq::createTargetMachine(const Target &target) {
  llvm::InitializeAllTargetInfos();
  llvm::InitializeAllTargets();
  llvm::InitializeAllTargetMCs();
  llvm::InitializeAllAsmPrinters();
  std::string message;
  llvm::Triple triple(target.triple);
  const llvm::Target *llvmTarget =
      llvm::TargetRegistry::lookupTarget(triple, message);
  if (!llvmTarget)
    return llvm::createStringError("no code generator for triple '" +
                                   target.triple + "': " + message);
  std::unique_ptr<llvm::MCSubtargetInfo> subtarget(
      llvmTarget->createMCSubtargetInfo(triple, "", ""));
  if (!subtarget->isCPUStringValid(target.cpu))
    return llvm::createStringError("unknown processor '" + target.cpu +
                                   "' for " + target.triple);
  std::unique_ptr<llvm::TargetMachine> machine(llvmTarget->createTargetMachine(
      triple, target.cpu, target.features, llvm::TargetOptions(),
      llvm::Reloc::PIC_, std::nullopt, llvm::CodeGenOptLevel::Default));
  if (!machine)
    return llvm::createStringError("no code generator for " + target.triple);
  return std::move(machine);
}
