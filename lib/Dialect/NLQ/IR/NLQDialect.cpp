//===- NLQDialect.cpp - The nlq dialect ---------------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Dialect/NLQ/IR/NLQDialect.h"
#include "nlq/Dialect/NLQ/IR/NLQOps.h"

using namespace mlir;
using namespace nlq;

#include "nlq/Dialect/NLQ/IR/NLQDialect.cpp.inc"

void NLQDialect::initialize() {
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "nlq/Dialect/NLQ/IR/NLQOps.cpp.inc"
      >();
}
