//===- Published.h - The published arithmetic -------------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The published arithmetic again, independent of the kernels: statement by
// statement as the PyTorch code has it, on integers carried in floating point
// (double instead of float32). Each takes a row q of the type with real =
// s * q and returns the integers of the method's own grid.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_TEST_UNIT_METHODS_PUBLISHED_H
#define NLQ_TEST_UNIT_METHODS_PUBLISHED_H

#include "Support.h"

namespace nlq::methods::test::published {

Row ibertSoftmax(const Row &q, double s, int outBits);
Row ivitSoftmax(const Row &q, double s, int outBits);
/// Exponents; 2^bits for a probability of 0.
Row fqvitSoftmax(const Row &q, double s, int bits);

Row ibertGelu(const Row &q, const Reals &s);
Row ivitGelu(const Row &q, double s, int outBits);

Row ibertLayerNorm(const Row &q, const Reals &gamma, const Reals &beta,
                   int shift);
Row ivitLayerNorm(const Row &q, const Reals &gamma, const Reals &beta);
/// Before the result's zero point and clamp. `q` has no zero point.
Row fqvitLayerNorm(const Row &q, const Reals &scales, const Reals &gamma,
                   const Reals &beta, double outScale);

/// Not published: corrected softmaxes in integers, with the products and
/// quotients of an independent derivation, on the grid 1 / (2^outBits - 1).
Row recipePolynomialSoftmax(const Row &q, double s, int outBits);
Row recipeShiftSoftmax(const Row &q, double s, int outBits);

} // namespace nlq::methods::test::published

#endif // NLQ_TEST_UNIT_METHODS_PUBLISHED_H
