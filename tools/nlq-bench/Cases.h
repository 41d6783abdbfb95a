//===- Cases.h - Operations with types and shapes to measure ----*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_TOOLS_NLQBENCH_CASES_H
#define NLQ_TOOLS_NLQBENCH_CASES_H

#include "llvm/Support/Error.h"
#include <cstdint>
#include <string>
#include <vector>

namespace nlq::bench {

/// One operation on rows of one length, in types that quantized transformers
/// have, and how many rows of it there are: what fits into a first-level cache,
/// in one image or sequence, and in a batch. Zero is none.
struct Case {
  /// What the command line calls it: the operation, and its types where they
  /// are not 8 bits wide.
  const char *name;
  const char *op;
  int64_t columns;
  int64_t tile, image, batch;
  /// Element types: what is in the angle brackets of `!quant.uniform`.
  const char *operand, *result;
  /// What stands between the operands and the types.
  const char *rest;
  /// Operands of rate column, f32 constants with an entry each: gamma, or gamma
  /// and beta.
  unsigned numColumns;
  /// Whether rows come in squares, as scores of queries and keys do; the
  /// numbers above are then those of squares.
  bool isSquare = false;
  /// For rows of any length up to this, instead of `columns`, if it is not 0.
  int64_t longest = 0;
};

/// The function's name: that of the case and its columns, or how many there may
/// be.
std::string getFunctionName(const Case &entry);

/// The cases of a name. Fails with the names that are known.
llvm::Expected<std::vector<Case>> findCases(llvm::StringRef name);

/// The names of all cases, in order.
std::vector<std::string> getNames();

/// A function on any number of rows of a case, as text; a case with `longest`
/// must have no operands of rate column. Gamma is drawn from the
/// normal distribution around 1 with deviation 0.2, beta around 0, by
/// std::mt19937 with the seed 7, so that a caller knows them too.
std::string makeFunction(const Case &entry);

} // namespace nlq::bench

#endif // NLQ_TOOLS_NLQBENCH_CASES_H
