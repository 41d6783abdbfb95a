//===- NLQOps.h - Operations of the nlq dialect ---------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_DIALECT_NLQ_IR_NLQOPS_H
#define NLQ_DIALECT_NLQ_IR_NLQOPS_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/TilingInterface.h"
#include "nlq/Dialect/NLQ/IR/NLQAttrs.h"

namespace nlq::detail {
/// True for tensors of `!quant.uniform` elements.
bool isQuantizedTensor(mlir::Type type);

/// What NonlinearOpInterface::getProblem and buildKernel do.
llvm::FailureOr<methods::Problem> getProblem(mlir::Operation *op,
                                             MethodAttrInterface method);
llvm::Expected<kernel::Kernel> buildKernel(mlir::Operation *op,
                                           MethodAttrInterface method);
/// The constraints (C1) to (C3) of all non-linear operations.
llvm::LogicalResult verifyNonlinear(mlir::Operation *op);
} // namespace nlq::detail

#include "nlq/Dialect/NLQ/IR/NLQOpInterfaces.h.inc"

#define GET_OP_CLASSES
#include "nlq/Dialect/NLQ/IR/NLQOps.h.inc"

namespace nlq {

/// The values of a constant float tensor, or failure if `value` is none.
llvm::FailureOr<std::vector<double>> getConstantFloats(mlir::Value value);

} // namespace nlq

#endif // NLQ_DIALECT_NLQ_IR_NLQOPS_H
