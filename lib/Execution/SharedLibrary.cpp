//===- SharedLibrary.cpp - Linking shared libraries ---------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Execution/SharedLibrary.h"
#include "mlir/Support/LLVM.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace nlq;

static llvm::Expected<std::string> findLinker() {
  if (auto found = llvm::sys::findProgramByName("ld.lld", {NLQ_LLVM_TOOLS_DIR}))
    return *found;
  for (StringRef name : {"ld.lld-22", "ld.lld"})
    if (auto found = llvm::sys::findProgramByName(name))
      return *found;
  return llvm::createStringError("no linker for shared libraries: ld.lld is "
                                 "neither beside LLVM's tools nor on PATH");
}

namespace {

/// A file that is removed in the end.
struct TemporaryFile {
  SmallString<128> path;

  explicit TemporaryFile(const char *suffix, std::error_code &error) {
    error = llvm::sys::fs::createTemporaryFile("nlq", suffix, path);
  }
  ~TemporaryFile() { llvm::sys::fs::remove(path); }
};

} // namespace

llvm::Error nlq::linkSharedLibrary(ArrayRef<char> object, StringRef name,
                                   StringRef path) {
  llvm::Expected<std::string> linker = findLinker();
  if (!linker)
    return linker.takeError();
  std::error_code error;
  TemporaryFile objectFile("o", error);
  TemporaryFile messages("txt", error);
  TemporaryFile library("so", error);
  if (error)
    return llvm::createStringError(error, "no place for temporary files");
  if (llvm::Error failure =
          llvm::writeToOutput(objectFile.path, [&](llvm::raw_ostream &out) {
            out.write(object.data(), object.size());
            return llvm::Error::success();
          }))
    return failure;
  StringRef arguments[] = {*linker,     "-shared",     "--soname",      name,
                           "-z",        "noexecstack", objectFile.path, "-o",
                           library.path};
  std::string message;
  int status = llvm::sys::ExecuteAndWait(
      *linker, arguments, /*Env=*/std::nullopt,
      {StringRef(), StringRef(messages.path), StringRef(messages.path)},
      /*SecondsToWait=*/0, /*MemoryLimit=*/0, &message);
  if (status != 0) {
    auto text = llvm::MemoryBuffer::getFile(messages.path);
    StringRef first = text ? (*text)->getBuffer().split('\n').first : "";
    return llvm::createStringError(
        "the linker " + *linker +
        " failed: " + (first.empty() ? StringRef(message) : first));
  }
  auto linked = llvm::MemoryBuffer::getFile(library.path);
  if (!linked)
    return llvm::createStringError(linked.getError(),
                                   "the linked library can't be read");
  return llvm::writeToOutput(path, [&](llvm::raw_ostream &out) {
    out << (*linked)->getBuffer();
    return llvm::Error::success();
  });
}
