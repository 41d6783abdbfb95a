//===- NLQAttrs.h - Attributes of the nlq dialect -------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_DIALECT_NLQ_IR_NLQATTRS_H
#define NLQ_DIALECT_NLQ_IR_NLQATTRS_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/DialectImplementation.h"
#include "nlq/Dialect/NLQ/IR/NLQDialect.h"
#include "nlq/Kernel/Graph.h"
#include "nlq/Methods/Method.h"
#include "nlq/Methods/Problem.h"

namespace nlq::kernel {
/// Graphs are attribute parameters, so they hash.
llvm::hash_code hash_value(const Graph &graph);
} // namespace nlq::kernel

#include "nlq/Dialect/NLQ/IR/NLQEnums.h.inc"

#include "nlq/Dialect/NLQ/IR/NLQAttrInterfaces.h.inc"

#define GET_ATTRDEF_CLASSES
#include "nlq/Dialect/NLQ/IR/NLQAttrs.h.inc"

namespace nlq {

/// The rounding of kernels that an operation's attribute spells.
kernel::Rounding toKernelRounding(RoundingMode mode);

/// A quantized element type (per tensor or per axis) as plain numbers.
methods::Quantized toQuantized(mlir::quant::QuantizedType type);

namespace detail {
/// Builds the kernel of a registered method, or says why it can't.
llvm::Expected<kernel::Kernel> buildKernel(llvm::StringRef method,
                                           llvm::StringRef function,
                                           const methods::Problem &problem);

/// Checks the parameters of a method attribute: `in` null or a `!quant.uniform`
/// type per tensor or per axis, `outBits` 1 to 16.
llvm::LogicalResult
verifyMethod(llvm::function_ref<mlir::InFlightDiagnostic()> emitError,
             mlir::Type in, unsigned outBits);
} // namespace detail
} // namespace nlq

#endif // NLQ_DIALECT_NLQ_IR_NLQATTRS_H
