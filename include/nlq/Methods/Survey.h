//===- Survey.h - Where methods are legal, and how good -*- C++ -*---------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// All methods of one function side by side at one operand type and row length:
// which are legal, on which lanes, how far from the exact function, and at what
// cost.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_METHODS_SURVEY_H
#define NLQ_METHODS_SURVEY_H

#include "nlq/Methods/Registry.h"

namespace nlq::methods {

/// What is asked. The operand is symmetric: real = scale * q, q in
/// -(2^(bits-1) - 1) to 2^(bits-1) - 1, the zero point 0.
struct SurveyQuery {
  std::string function;
  /// 2 to 32.
  unsigned bits = 8;
  /// Positive and finite.
  double scale = 0.05;
  /// 1 to 2^20.
  int64_t rowLength = 197;
  /// 2 to 16, of the result: shares of a row in steps of 2^-(resultBits - 1),
  /// other functions symmetric and as wide as the exact results of the sample.
  unsigned resultBits = 8;
};

/// How far results are from the exact function on the sample.
struct SurveyErrors {
  /// In steps of the result's scale.
  double worst = 0;
  double rms = 0;
  /// 10 log10(sum exact^2 / sum error^2), in dB; infinite without an error.
  double sqnr = 0;
};

/// One candidate of one implementation.
struct SurveyEntry {
  const Method *method;
  const Implementation *implementation;
  const Candidate *candidate;
  /// Why it is not legal, one sentence; empty if it is, and the rest holds.
  std::string reason;
  /// Widest lanes, in bits, of nodes per element and per row.
  unsigned elementLane = 0;
  unsigned rowLane = 0;
  /// As describeWidths says it.
  std::string widths;
  SurveyErrors errors;
  /// kernel::cost with its default machine: instructions per element on vectors
  /// of 64 bytes.
  double cost = 0;
  int64_t tableBytes = 0;
};

/// What `candidate` is asked in a survey: `in` is the operand, or of the
/// candidate's width and as wide in reals; gamma is 1, beta 0, epsilon 1e-6.
/// `largest` is the largest absolute value of exact results.
Problem surveyProblem(const SurveyQuery &query,
                      const Implementation &implementation,
                      const Candidate &candidate, double largest);

/// The sample: rows of the operand, 2^14 elements or one row, whichever is
/// more. Each element is the sum of 12 uniform numbers less 6, which is close
/// to normal with a standard deviation of 1 and computed without rounding,
/// times (2^(bits-1) - 1) / 4.2, rounded and clamped to the range.
std::vector<std::vector<int64_t>> surveySample(const SurveyQuery &query);

/// All candidates of the registry for the function, in its order. Fails if
/// there is no such function or a number is out of its range.
llvm::Expected<std::vector<SurveyEntry>> survey(const SurveyQuery &query);

/// Where a candidate is legal.
struct SurveyLimits {
  /// Of the scales 2^-24, 2^-23 ... 2^6 at the query's other numbers; 0 if it
  /// is legal at none.
  double finestScale = 0;
  double coarsestScale = 0;
  /// The longest rows at the query's scale, at most 2^20, or 2^14 of
  /// normalizations; 0 if there are none.
  int64_t longestRow = 0;
};
SurveyLimits surveyLimits(const SurveyQuery &query, const SurveyEntry &entry);

} // namespace nlq::methods

#endif // NLQ_METHODS_SURVEY_H
