//===- Method.h - Integer methods for functions -----------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A method is data: what it implements, at which widths it was published, and
// the functions that build its kernels. Everything else in the project asks
// these tables and names no method.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_METHODS_METHOD_H
#define NLQ_METHODS_METHOD_H

#include "nlq/Methods/Problem.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace nlq::methods {

/// The grid on which a method computes, before the last step.
struct OwnGrid {
  /// Name of the graph's node that holds it.
  std::string node = "grid";
  /// One, or one per column: real = scale * (node - offset). May be negative.
  std::vector<double> scales;
  double offset = 0;
  /// If set, real = 2^-node instead, and 0 where the node equals `zero`.
  bool isLog2 = false;
  int64_t zero = 0;

  /// The real number that a value of the node stands for.
  double dequantize(int64_t value, int64_t column = 0) const;
};

/// A kernel, and where in it the method's own grid is.
struct MethodKernel {
  kernel::Kernel kernel;
  OwnGrid grid;
};

using BuildFn = llvm::Expected<MethodKernel> (*)(const Problem &);

/// How often values of the operand have been seen: counts in bins of equal
/// width from `lowest` on, in reals.
struct Distribution {
  double lowest = 0;
  double width = 0;
  llvm::ArrayRef<uint64_t> counts;
};

/// Chooses Problem::cuts of a valid problem.
using ChooseCutsFn = std::vector<int64_t> (*)(const Problem &,
                                              const Distribution &);

/// What kind of type `in` must be, for whoever chooses its range.
enum class Narrowing {
  /// The operand as it is: an accumulator, the residual.
  None,
  /// One scale, zero point 0.
  Symmetric,
  /// One scale and zero point, unsigned.
  Asymmetric,
  /// Unsigned with one zero point; column c has the scale 2^a_c * s, a_c in 0
  /// to 3 (FQ-ViT, section 3.2).
  PowerOfTwoFactors,
};

/// Whose choice of widths a candidate is.
enum class Profile {
  /// The mixed method's paper (arXiv 2407.18437), for its three methods.
  Seed,
  /// The method's own paper or its deployment.
  Standalone,
  /// Not published: widths that this project offers besides.
  Extra,
  /// Methods to compare with, which are candidates only where they are asked
  /// for by this name.
  Other,
};

/// Widths at which an implementation may be tried.
struct Candidate {
  Profile profile;
  Narrowing narrowing;
  /// Width of `in`; 0 is that of the activations.
  unsigned inBits;
  /// Problem::outBits.
  unsigned outBits;
};

/// One function in one form.
struct Implementation {
  llvm::StringRef function;
  Form form;
  BuildFn build;
  llvm::ArrayRef<Candidate> candidates;
  /// Null if there are no cuts to choose.
  ChooseCutsFn chooseCuts = nullptr;
};

/// For a published function that a method lacks: the method that takes its
/// place where one method is used throughout.
struct Fallback {
  llvm::StringRef function;
  llvm::StringRef method;
};

struct Method {
  /// Key in the registry and mnemonic of the attribute.
  llvm::StringRef name;
  /// As it is called in tables.
  llvm::StringRef title;
  /// One line.
  llvm::StringRef summary;
  llvm::StringRef source;
  llvm::ArrayRef<Implementation> implementations;
  llvm::ArrayRef<Fallback> fallbacks;

  /// Null if the method has none.
  const Implementation *find(llvm::StringRef function, Form form) const;
  /// The method that takes the place of this one: that of `fallbacks`, or the
  /// first of the registry that has the function. Empty if none has.
  llvm::StringRef fallback(llvm::StringRef function) const;
};

/// The kernel of `function` by `method` for `problem`, proved by `bound`: in
/// elements of 32 bits for corrected forms and of 64 for reference forms. Fails
/// with the reason, one sentence, if the method has no such implementation, the
/// problem is malformed, or the method is not legal there; where shorter rows
/// would be legal, with the largest that are.
llvm::Expected<kernel::Kernel>
build(const Method &method, llvm::StringRef function, const Problem &problem);

/// The same with the method's own grid.
llvm::Expected<MethodKernel> buildWithGrid(const Method &method,
                                           llvm::StringRef function,
                                           const Problem &problem);

/// One sentence if elements of the kernel leave the 32 bits that integer-only
/// inference is published for, so that it runs in 64-bit lanes; empty if not.
/// (Row scalars, one per row, have 64 bits in every form.)
/// `kernel` is one that `build` returned.
std::string describeWidths(const kernel::Kernel &kernel);

llvm::StringRef stringify(Form form);

} // namespace nlq::methods

#endif // NLQ_METHODS_METHOD_H
