//===- Registry.h - The registry of methods ---------------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// All methods, by name.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_METHODS_REGISTRY_H
#define NLQ_METHODS_REGISTRY_H

#include "nlq/Methods/Method.h"

namespace nlq::methods {

/// In the order in which tables show them.
llvm::ArrayRef<const Method *> allMethods();

/// Null if there is none of that name.
const Method *lookup(llvm::StringRef name);

/// True if a method has a reference form of the function. Protocols of
/// published methods have no say in the others.
bool isPublished(llvm::StringRef function);

} // namespace nlq::methods

#endif // NLQ_METHODS_REGISTRY_H
