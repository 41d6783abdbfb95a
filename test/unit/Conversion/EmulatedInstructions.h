//===- EmulatedInstructions.h - Instructions for any machine --*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_TEST_UNIT_CONVERSION_EMULATEDINSTRUCTIONS_H
#define NLQ_TEST_UNIT_CONVERSION_EMULATEDINSTRUCTIONS_H

#include "mlir/IR/BuiltinOps.h"

namespace nlq {

/// Replaces the vector instructions of x86 and AArch64 that lowerings call for
/// by plain operations with the meaning that Intel's Software Developer's
/// Manual, volume 2, and Arm's Architecture Reference Manual give them, so that
/// code for any such machine can be run on every one. Returns how many there
/// were.
unsigned emulateInstructions(mlir::ModuleOp module);

} // namespace nlq

#endif // NLQ_TEST_UNIT_CONVERSION_EMULATEDINSTRUCTIONS_H
