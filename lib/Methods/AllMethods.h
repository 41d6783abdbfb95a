//===- AllMethods.h - The methods' entries ----------------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each is defined in the file of its name.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_METHODS_ALLMETHODS_H
#define NLQ_LIB_METHODS_ALLMETHODS_H

#include "nlq/Methods/Method.h"

namespace nlq::methods {

#define NLQ_METHOD(constant) extern const Method constant;
#include "Methods.def"

} // namespace nlq::methods

#endif // NLQ_LIB_METHODS_ALLMETHODS_H
