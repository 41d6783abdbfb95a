//===- Registry.cpp - The registry of methods -----------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Methods/Registry.h"
#include "AllMethods.h"

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
