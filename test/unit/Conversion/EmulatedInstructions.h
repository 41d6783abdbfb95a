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

/// Replaces the AVX-512 VNNI instructions vpdpbusd and vpdpwssd of a lowered
/// module by plain operations with the meaning that Intel's Software
/// Developer's Manual, volume 2, gives them, so that code for such a machine
/// can be run on any. Returns how many there were.
unsigned emulateVnni(mlir::ModuleOp module);

/// The same for vpermi2b (AVX-512 VBMI) and vpshufb (AVX-512 BW) of 64 bytes.
unsigned emulatePermutations(mlir::ModuleOp module);

} // namespace nlq

#endif // NLQ_TEST_UNIT_CONVERSION_EMULATEDINSTRUCTIONS_H
