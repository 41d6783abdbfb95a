//===- Registry.cpp - The registry of methods -----------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Methods/Registry.h"
#include "AllMethods.h"
#include "llvm/ADT/STLExtras.h"

using namespace nlq::methods;

static const Method *const kMethods[] = {
#define NLQ_METHOD(constant) &constant,
#include "Methods.def"
};

llvm::ArrayRef<const Method *> nlq::methods::allMethods() { return kMethods; }

const Method *nlq::methods::lookup(llvm::StringRef name) {
  for (const Method *method : kMethods)
    if (method->name == name)
      return method;
  return nullptr;
}

bool nlq::methods::isPublished(llvm::StringRef function) {
  return llvm::any_of(kMethods, [&](const Method *method) {
    return method->find(function, Form::Reference);
  });
}

llvm::StringRef Method::fallback(llvm::StringRef function) const {
  for (const Fallback &fallback : fallbacks)
    if (fallback.function == function)
      return fallback.method;
  for (const Method *method : kMethods)
    if (method->find(function, Form::Corrected))
      return method->name;
  return "";
}
