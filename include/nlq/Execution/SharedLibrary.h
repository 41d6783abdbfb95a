//===- SharedLibrary.h - Linking shared libraries -------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_EXECUTION_SHAREDLIBRARY_H
#define NLQ_EXECUTION_SHAREDLIBRARY_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"

namespace nlq {

/// Links an object file, as emitObject makes it, into a shared library at
/// `path` (beside it, then renamed). `name` is what the library says it is
/// called. The linker is LLVM's own, which links for every architecture:
/// `ld.lld` of the LLVM this was built with, or on PATH. malloc, free, memcpy
/// and memset are left to the program that loads the library. Fails where
/// there is no linker, or with its message.
llvm::Error linkSharedLibrary(llvm::ArrayRef<char> object, llvm::StringRef name,
                              llvm::StringRef path);

} // namespace nlq

#endif // NLQ_EXECUTION_SHAREDLIBRARY_H
