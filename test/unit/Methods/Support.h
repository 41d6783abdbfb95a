//===- Support.h - Rows and outcomes ----------------------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Rows to try methods on, and what a kernel makes of them.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_TEST_UNIT_METHODS_SUPPORT_H
#define NLQ_TEST_UNIT_METHODS_SUPPORT_H

#include "nlq/Methods/Functions.h"
#include "nlq/Methods/Registry.h"
#include <random>

namespace nlq::methods::test {

using Row = std::vector<int64_t>;
using Rows = std::vector<Row>;
using Reals = std::vector<double>;

/// A type with one scale and zero point 0; values -(2^(bits-1) - 1) to
/// 2^(bits-1) - 1 in storage of 8, 16 or 32 bits.
Quantized symmetric(unsigned bits, double scale);

/// `count` rows of `length` values of N(mean, sigma) in the type, as quantized
/// by rounding and clamping.
Rows gaussianRows(const Quantized &type, size_t count, int64_t length,
                  double sigma, double mean, unsigned seed);

/// Constant rows at both ends, 0 and 1 (where in range), one-hot rows, rows of
/// both extremes, a row that is 0 and 1 by turns.
Rows adversarialRows(const Quantized &type, int64_t length);

/// softmax without parameters.
Problem softmaxProblem(const Quantized &in, int64_t length, unsigned outBits,
                       Form form);

/// What a kernel makes of rows: the values on the method's own grid, what they
/// stand for, and the results.
struct Outcome {
  Rows grid;
  std::vector<Reals> own;
  Rows result;
};

/// Builds the kernel and runs it in the checked mode on all rows. Fails the
/// test if it is refused, a value leaves its bounds, or an assumption is wrong.
Outcome run(llvm::StringRef method, llvm::StringRef function,
            const Problem &problem, const Rows &rows);

/// The exact function on the reals that `rows` stand for in the type.
std::vector<Reals> exact(llvm::StringRef function, const Problem &problem,
                         const Quantized &type, const Rows &rows);

/// 10 log10(sum exact^2 / sum (exact - approximate)^2).
double sqnr(const std::vector<Reals> &exact,
            const std::vector<Reals> &approximate);

/// The reals that the results stand for.
std::vector<Reals> dequantize(const Quantized &type, const Rows &rows);

/// Why the method refuses; empty if it does not.
std::string reason(llvm::StringRef method, llvm::StringRef function,
                   const Problem &problem);

} // namespace nlq::methods::test

#endif // NLQ_TEST_UNIT_METHODS_SUPPORT_H
