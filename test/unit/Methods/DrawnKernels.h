//===- DrawnKernels.h - Random legal uses of methods ------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Draws problems over all that the registry has: every method, function, form
// and candidate, at scales, zero points, ranges, row lengths and parameters far
// beyond those of models. A method or function that is new to the registry is
// drawn without a word here. Deterministic, and independent of any test
// framework.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_TEST_UNIT_METHODS_DRAWNKERNELS_H
#define NLQ_TEST_UNIT_METHODS_DRAWNKERNELS_H

#include "Kernel/RandomGraph.h"
#include "nlq/Kernel/Bound.h"
#include "nlq/Methods/Registry.h"
#include <optional>

namespace nlq::methods::test {

/// What problems are drawn for.
struct Subject {
  const Method *method;
  const Implementation *implementation;
  const Candidate *candidate;

  /// Of letters, digits and underscores; different for each.
  std::string name() const;
};

/// One for each candidate of the registry.
std::vector<Subject> allSubjects();

/// A legal use of a method.
struct DrawnKernel {
  Problem problem;
  kernel::Kernel kernel;
  kernel::Bounds bounds;
  /// A length to run it on: that of its columns if the problem has any, else
  /// any up to the declared longest.
  int64_t rowLength;
};

/// The problem of a seed, legal or not. Rows of up to 2^20 are declared where
/// no parameter is per column, else of up to `longestRow`.
Problem drawProblem(const Subject &subject, int64_t longestRow, uint64_t seed);

/// The first problem from `seed` on that the method accepts, which moves `seed`
/// behind it. Nothing if 1000 in a row are refused. Runs are of up to
/// `longestRow`.
std::optional<DrawnKernel> drawKernel(const Subject &subject,
                                      int64_t longestRow, uint64_t &seed);

/// Whether the environment variable NLQ_LONG_SWEEPS is set: `make test-full`
/// draws more kernels than `make test` has time for.
bool sweepsAreLong();

} // namespace nlq::methods::test

#endif // NLQ_TEST_UNIT_METHODS_DRAWNKERNELS_H
