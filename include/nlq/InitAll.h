//===- InitAll.h - Everything nlq registers -------------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_INITALL_H
#define NLQ_INITALL_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace nlq {

/// The nlq dialect, the upstream dialects it lowers through, and the external
/// interface models its passes need.
void registerAllDialects(mlir::DialectRegistry &registry);

/// All passes and named pipelines of nlq.
void registerAllPasses();

} // namespace nlq

#endif // NLQ_INITALL_H
