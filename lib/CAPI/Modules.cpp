//===- Modules.cpp - C interface: modules -------------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Handles.h"
#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "nlq/Execution/ObjectFile.h"
#include "nlq/Execution/SharedLibrary.h"
#include "nlq/InitAll.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace nlq;
using namespace nlq::capi;

//===----------------------------------------------------------------------===//
// Shared by the files of this room
//===----------------------------------------------------------------------===//

char *capi::copyString(StringRef text) {
  char *copy = static_cast<char *>(malloc(text.size() + 1));
  memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  return copy;
}

int capi::fail(char **error, const Twine &message) {
  if (error)
    *error = copyString(message.str());
  return 1;
}

int capi::fail(char **error, llvm::Error failure) {
  return fail(error, llvm::toString(std::move(failure)));
}

/// `loc` as file:line:column or a name, without the words of a diagnostic.
static std::string describe(Location loc) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (auto name = dyn_cast<NameLoc>(loc))
    stream << name.getName().getValue();
  else if (auto file = dyn_cast<FileLineColLoc>(loc))
    stream << file.getFilename().getValue() << ":" << file.getLine() << ":"
           << file.getColumn();
  else
    stream << loc;
  return text;
}

DiagnosticCollector::DiagnosticCollector(MLIRContext *context)
    : handler(context, [this](Diagnostic &diagnostic) {
        std::string text = diagnostic.str();
        if (!isa<UnknownLoc>(diagnostic.getLocation()))
          text = describe(diagnostic.getLocation()) + ": " + text;
        if (diagnostic.getSeverity() == DiagnosticSeverity::Remark)
          remarks += text + "\n";
        if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
          return success();
        for (Diagnostic &note : diagnostic.getNotes())
          text += "; " + note.str();
        errors += (errors.empty() ? "" : "\n") + text;
        return success();
      }) {}

std::string DiagnosticCollector::getError() const {
  return errors.empty() ? "failed without a message" : errors;
}

NlqModule capi::clone(const NlqModule &module) {
  NlqModule copy;
  copy.context = module.context;
  copy.module = cast<ModuleOp>(module.module.get()->clone());
  return copy;
}

llvm::Error capi::runPasses(NlqModule &module, StringRef pipeline,
                            std::string *remarks) {
  // The registry of passes is the process's.
  static bool registered = [] {
    mlir::registerAllPasses();
    nlq::registerAllPasses();
    return true;
  }();
  (void)registered;
  DiagnosticCollector diagnostics(module.context.get());
  std::string message;
  llvm::raw_string_ostream stream(message);
  PassManager manager(module.context.get());
  if (failed(parsePassPipeline(pipeline, manager, stream)))
    return llvm::createStringError("can't read the pass pipeline '" + pipeline +
                                   "': " + StringRef(message).trim());
  LogicalResult result = manager.run(module.module.get());
  if (remarks)
    *remarks = diagnostics.getRemarks();
  if (failed(result))
    return llvm::createStringError(diagnostics.getError());
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// The interface
//===----------------------------------------------------------------------===//

void nlqFreeString(char *text) { free(text); }

NlqModule *nlqModuleParse(const char *path, char **error) {
  DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  nlq::registerAllDialects(registry);
  // One thread per module: callers bring their own parallelism.
  auto context =
      std::make_shared<MLIRContext>(registry, MLIRContext::Threading::DISABLED);
  // Errors name the operation; its whole text is no part of a sentence.
  context->printOpOnDiagnostic(false);
  DiagnosticCollector diagnostics(context.get());
  auto module = parseSourceFile<ModuleOp>(path, context.get());
  if (!module) {
    fail(error, diagnostics.getError());
    return nullptr;
  }
  return new NlqModule{std::move(context), std::move(module)};
}

NlqModule *nlqModuleClone(const NlqModule *module) {
  return new NlqModule(clone(*module));
}

void nlqModuleDestroy(NlqModule *module) { delete module; }

int nlqModuleRunPasses(NlqModule *module, const char *pipeline, char **remarks,
                       char **error) {
  std::string text;
  if (llvm::Error failure = runPasses(*module, pipeline, &text))
    return fail(error, std::move(failure));
  if (remarks)
    *remarks = copyString(text);
  return 0;
}

char *nlqModulePrint(const NlqModule *module, int elide) {
  OpPrintingFlags flags;
  flags.enableDebugInfo(true, /*prettyForm=*/false);
  if (elide)
    flags.elideLargeElementsAttrs(16).elideLargeResourceString(16);
  std::string text;
  llvm::raw_string_ostream stream(text);
  module->module.get()->print(stream, flags);
  return copyString(text);
}

int nlqModuleWriteBytecode(const NlqModule *module, const char *path,
                           char **error) {
  llvm::Error failure =
      llvm::writeToOutput(path, [&](llvm::raw_ostream &out) -> llvm::Error {
        if (failed(writeBytecodeToFile(module->module.get(), out)))
          return llvm::createStringError("can't write the module as bytecode");
        return llvm::Error::success();
      });
  return failure ? fail(error, std::move(failure)) : 0;
}

/// Lowers a copy of the module for `target` and hands it to `write`.
static int
emit(const NlqModule &module, StringRef targetName, StringRef threads,
     char **error,
     llvm::function_ref<llvm::Error(ModuleOp, const Target &)> write) {
  llvm::Expected<Target> target = parseTarget(targetName);
  if (!target)
    return fail(error, target.takeError());
  DiagnosticCollector diagnostics(module.context.get());
  NlqModule lowered = clone(module);
  if (llvm::Error failure = lower(lowered, *target, threads))
    return fail(error, std::move(failure));
  if (llvm::Error failure = write(lowered.module.get(), *target))
    return fail(error, std::move(failure));
  return 0;
}

int nlqModuleEmitObject(const NlqModule *module, const char *target,
                        const char *threads, const char *entry,
                        const char *path, char **error) {
  return emit(*module, target, threads, error,
              [&](ModuleOp lowered, const Target &parsed) {
                return emitObjectFile(lowered, parsed, entry, path);
              });
}

int nlqModuleEmitLibrary(const NlqModule *module, const char *target,
                         const char *threads, const char *entry,
                         const char *name, const char *path, char **error) {
  return emit(*module, target, threads, error,
              [&](ModuleOp lowered, const Target &parsed) -> llvm::Error {
                llvm::Expected<SmallVector<char>> object =
                    emitObject(lowered, parsed, entry);
                if (!object)
                  return object.takeError();
                return linkSharedLibrary(*object, name, path);
              });
}
