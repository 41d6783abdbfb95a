//===- AssignCandidates.h - Choosing among candidates by name ---*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_QUANTIZATION_ASSIGNCANDIDATES_H
#define NLQ_QUANTIZATION_ASSIGNCANDIDATES_H

#include "nlq/Dialect/NLQ/IR/NLQOps.h"
#include "nlq/Methods/Method.h"
#include <optional>
#include <string>
#include <vector>

namespace nlq {

/// Which candidates may be chosen: those that meet every condition that is set.
struct CandidateFilter {
  /// Names of the registry; empty allows all.
  std::vector<std::string> methods;
  std::optional<methods::Form> form;
  /// Widths that the registry declares for the method in this set: those of the
  /// mixed method's paper, of the method's own paper, or others.
  std::optional<methods::Profile> set;
  /// Width that the operand is narrowed to; 0 is none: the operand as it is.
  std::optional<unsigned> inBits;
  std::optional<unsigned> outBits;

  /// True if `candidate` may be chosen for `function`.
  bool allows(MethodAttrInterface candidate, llvm::StringRef function) const;
  /// "methods = a,b, form = reference", or "no filter".
  std::string str() const;

  /// Makes a filter of options' words; empty ones set nothing. `form` is
  /// `reference` or `corrected`, `set` is `seed`, `standalone`,
  /// `extra` or `other`,
  /// negative widths set nothing. Fails, naming the word and those allowed, on
  /// others and on methods that the registry does not have.
  static llvm::Expected<CandidateFilter> parse(llvm::StringRef methods,
                                               llvm::StringRef form,
                                               llvm::StringRef set,
                                               int64_t inBits, int64_t outBits);
};

/// Width of a candidate's `in`: the bits that the range of its integers needs;
/// 0 where it takes the operand as it is.
unsigned getInBits(MethodAttrInterface candidate);

/// True if the registry has widths of the method in a set.
bool hasSet(const methods::Method &method, methods::Profile set);

/// The method that stands for `method` at `function`: itself, or its fallback
/// where it lacks the function. Empty if there is neither.
llvm::StringRef getMethodFor(const methods::Method &method,
                             llvm::StringRef function);

/// The first candidate of `op` that a network of `method` has there and
/// `filter` allows (its list of methods does not matter).
std::optional<size_t> findUniform(NonlinearOpInterface op,
                                  llvm::StringRef method,
                                  CandidateFilter filter);

/// How messages call a candidate: its attribute with `in` as its width, e.g.
/// `#nlq.ibert<form = corrected, in = i8, out_bits = 16>`.
std::string describe(MethodAttrInterface candidate);

} // namespace nlq

#endif // NLQ_QUANTIZATION_ASSIGNCANDIDATES_H
