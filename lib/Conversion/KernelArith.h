//===- KernelArith.h - Terms of kernels in those of arith -------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_CONVERSION_KERNELARITH_H
#define NLQ_LIB_CONVERSION_KERNELARITH_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "nlq/Kernel/Graph.h"

namespace nlq {

/// The comparison of signed integers.
mlir::arith::CmpIPredicate getPredicate(kernel::Predicate predicate);

} // namespace nlq

#endif // NLQ_LIB_CONVERSION_KERNELARITH_H
