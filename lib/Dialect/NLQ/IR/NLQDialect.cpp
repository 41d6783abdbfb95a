//===- NLQDialect.cpp - The nlq dialect ---------------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Dialect/NLQ/IR/NLQDialect.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "nlq/Dialect/NLQ/IR/NLQOps.h"

using namespace mlir;
using namespace nlq;

#include "nlq/Dialect/NLQ/IR/NLQDialect.cpp.inc"

/// `type` is that of an argument or result with the attribute.
static LogicalResult verifyFunctionAttribute(Operation *op, Type type,
                                             NamedAttribute attribute) {
  if (attribute.getName() != NLQDialect::kStridedAttr)
    return success();
  if (!isa<UnitAttr>(attribute.getValue()))
    return op->emitOpError() << "has an attribute 'nlq.strided' that is not a "
                                "unit attribute: "
                             << attribute.getValue();
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || tensor.getRank() < 2)
    return op->emitOpError() << "has 'nlq.strided' on a value of type " << type
                             << ", and tensors of two dimensions and more have "
                                "rows that can lie apart";
  return success();
}

LogicalResult NLQDialect::verifyRegionArgAttribute(Operation *op, unsigned,
                                                   unsigned index,
                                                   NamedAttribute attribute) {
  auto function = dyn_cast<FunctionOpInterface>(op);
  return function ? verifyFunctionAttribute(
                        op, function.getArgumentTypes()[index], attribute)
                  : success();
}

LogicalResult
NLQDialect::verifyRegionResultAttribute(Operation *op, unsigned, unsigned index,
                                        NamedAttribute attribute) {
  auto function = dyn_cast<FunctionOpInterface>(op);
  return function ? verifyFunctionAttribute(
                        op, function.getResultTypes()[index], attribute)
                  : success();
}

void NLQDialect::initialize() {
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "nlq/Dialect/NLQ/IR/NLQOps.cpp.inc"
      >();
}
