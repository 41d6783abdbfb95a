//===- BufferizableOpInterfaceImpl.h - Bufferization of nlq ops -*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_DIALECT_NLQ_IR_BUFFERIZABLEOPINTERFACEIMPL_H
#define NLQ_DIALECT_NLQ_IR_BUFFERIZABLEOPINTERFACEIMPL_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace nlq {

/// `nlq.kernel` bufferizes as any operation in destination style.
void registerBufferizableOpInterfaceExternalModels(
    mlir::DialectRegistry &registry);

} // namespace nlq

#endif // NLQ_DIALECT_NLQ_IR_BUFFERIZABLEOPINTERFACEIMPL_H
