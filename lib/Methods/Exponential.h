//===- Exponential.h - Integer exponentials ---------------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Integer exponentials that softmaxes share: e^(-s*d) for the distance
// d = max - q >= 0 of an element from its row's maximum.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_METHODS_EXPONENTIAL_H
#define NLQ_LIB_METHODS_EXPONENTIAL_H

#include "Steps.h"

namespace nlq::methods {

/// max - q over the row; at least 0, and 0 somewhere in each row.
kernel::Value distanceFromMax(kernel::Value q);

/// I-BERT's second-order polynomial in p in (-ln 2, 0], as its code has it:
///   e^p ~ 0.35815147 p^2 + 0.96963238 p + 1 = a ((p + B) p + C)
inline constexpr double kPolyA = 0.35815147;
inline constexpr double kPolyB = 0.96963238 / 0.35815147;
inline constexpr double kPolyC = 1 / 0.35815147;
/// ln 2, as the published code has it.
inline constexpr double kLn2 = 0.6931;

/// The parts of the published i-exp of I-BERT (arXiv 2101.01321, section 3.4.2,
/// algorithm 2; FQ-ViT uses the same code) before they are put together:
///   e^(-s*d) ~ a s^2 * polynomial / 2^shift
/// d is clamped to shiftLimit * ceil(ln2/s), all constants are floored:
///   polynomial = max(r (r + floor(B/s)) + floor(C/s^2), 0), at most `atZero`
///   shift      = d div ceil(ln2/s), 0 to shiftLimit;  r = -(d mod ceil(ln2/s))
/// Needs floor(C/s^2) >= 1: then e^0 is `atZero` and not 0.
struct PublishedExp {
  kernel::Value polynomial;
  kernel::Value shift;
  /// polynomial at d = 0, where the shift is 0.
  int64_t atZero;
};
/// n in the published code.
inline constexpr int64_t kShiftLimit = 30;
llvm::Expected<PublishedExp> publishedPolynomialExp(kernel::Value d, double s);

/// e^(-s*d), `one` standing for 1.
struct Exponential {
  kernel::Value value;
  int64_t one;
};

/// e^(-s*d) for d in 0 to `last`, which is below 2^15, in 16 bits. The distance
/// u fills `bits`, 14 or 15, where it is 16 octaves; what lies beyond is 0.
/// With z = u >> (bits - 4) and f the rest of u, in octaves,
///   2^-f ~ 1 - f (c1 - f (c2 - ...))    f and all values in 2^-15
///   e    = 2^-f / 2^z
/// where the polynomial, of degree 3 from 14 bits and 4 from 15, meets 2^-f at
/// the degree + 1 extrema of a Chebyshev polynomial, 0 and 1 among them. Its
/// relative error is at most 2e-4 or 1e-5, and that of rounding u to 14 or 15
/// bits 3.4e-4 or 1.7e-4. e^0 is exactly `kTabulatedOne`.
inline constexpr int64_t kTabulatedOne = 32767;
inline constexpr double kTabulatedReach = 16 * 0.693147180559945309;
Exponential tabulatedExp(kernel::Value d, double s, int64_t last, int64_t bits);

/// e^(-s*d) for d in 0 to 255: a table of 16 entries for the upper half of d's
/// bits, one for the lower,
///   F[d >> 4] * G[d mod 16]
/// both in 2^-15, at most 2^15 - 1, and their product rounded to 2^-15. e^0 is
/// `kFactoredOne`.
inline constexpr int64_t kFactoredOne = 32766;
Exponential factoredExp(kernel::Value d, double s);

/// e^(-s*d) for d in 0 to `last`: a table of rnd(one * e^(-s*d)).
Exponential exactExp(kernel::Value d, double s, int64_t last, int64_t one);

/// I-BERT's polynomial, corrected: the distance is first brought to the finest
/// scale s' = s / 2^k at which a row of `rowLength` exponentials still sums up
/// to less than `limit`; constants are rounded, and so is the shift.
///   d' = d * 2^k;  r = -(d' mod rnd(ln2/s'))
///   E  = rnd((r (r + rnd(B/s')) + rnd(C/s'^2)) / 2^(d' div rnd(ln2/s')))
/// Fails if `limit` leaves too few bits for the row length.
llvm::Expected<Exponential> polynomialExp(kernel::Value d, double s,
                                          int64_t rowLength, int64_t limit);

/// Whether shares of a row sum in 16-bit elements, 2^-15 or coarser, are what
/// this result can hold.
bool hasSharesOfWords(const Quantized &result);

/// Last steps of a softmax in its corrected form: each element's rounded share
/// of the row sum, on the grid 1 / (2^outBits - 1), or, where that is no
/// coarser and saves a rounding, directly on the result's grid. Uses that the
/// row sum is at least E(0) = `exponential.one`, because one distance of the
/// row is 0.
MethodKernel storeShares(kernel::Builder &builder,
                         const Exponential &exponential,
                         const Problem &problem);

} // namespace nlq::methods

#endif // NLQ_LIB_METHODS_EXPONENTIAL_H
