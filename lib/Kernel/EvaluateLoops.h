//===- EvaluateLoops.h - Loops of the fast mode -----------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One loop per opcode, rounding and kind of operand (a value per element or one
// for the row), on the meanings of Semantics.h. Arithmetic is on unsigned
// numbers where it may wrap on inputs outside of their ranges.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_KERNEL_EVALUATELOOPS_H
#define NLQ_LIB_KERNEL_EVALUATELOOPS_H

#include "nlq/Kernel/Semantics.h"

namespace nlq::kernel {

/// The values of an operand; one value unless `perElement`.
struct Operand {
  const int64_t *data;
  bool perElement;
};

/// Whether every product of the two fits in 64 bits.
bool productFits(Interval a, Interval b);

/// BitLength, Sqrt.
void unaryLoop(Opcode opcode, Operand a, int64_t *out, size_t size);

/// Add to Compare except MulShift.
void binaryLoop(const Node &node, Operand a, Operand b, int64_t *out,
                size_t size);

/// `narrow`: productFits holds.
void mulShiftLoop(Rounding rounding, bool narrow, Operand a, Operand b,
                  Operand shift, int64_t *out, size_t size);

void selectLoop(Operand condition, Operand a, Operand b, int64_t *out,
                size_t size);

void lookupLoop(const Table &table, Operand index, int64_t *out, size_t size);

} // namespace nlq::kernel

#endif // NLQ_LIB_KERNEL_EVALUATELOOPS_H
