//===- QuantizeCandidates.h - Methods that may be assigned ----*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A slot's candidates are method attributes that leave nothing open: method,
// form, the type the operand is narrowed to, the width of the method's grid.
// The widths come from the registry of methods, the ranges from the profile.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_QUANTIZATION_QUANTIZECANDIDATES_H
#define NLQ_QUANTIZATION_QUANTIZECANDIDATES_H

#include "nlq/Dialect/NLQ/IR/NLQOps.h"
#include "nlq/Quantization/Profile.h"

namespace nlq {

/// Every candidate of the registry is in one group.
enum class CandidateGroup {
  /// Reference forms at the widths of the mixed method's paper.
  Seed,
  /// Reference forms at the widths of each method's own paper.
  Standalone,
  /// What this project offers besides: corrected forms, tables, other widths.
  Extra,
  /// Methods to compare with, in all forms.
  Other,
};

CandidateGroup getGroup(const methods::Implementation &implementation,
                        const methods::Candidate &candidate);

/// The groups of a comma-separated list of `seed`, `standalone`, `extra`,
/// `other` and `all`, which is the four of them. The order of the list does not
/// matter. Fails, naming what was found, if a name is unknown or empty.
llvm::Expected<llvm::SmallVector<CandidateGroup, 4>>
parseCandidateGroups(llvm::StringRef list);

/// The candidates of a quantized operation: for each method of the registry, in
/// its order, the widths that belong to `groups`, each once. `input` is the
/// profile of the operand's float value; the kept arrays in it serve to choose
/// power-of-two factors, which are 2^3 everywhere if there are none. A
/// candidate whose kernel is not legal here is left out; fails with an error on
/// the operation, with the reasons, if none is left.
llvm::FailureOr<mlir::ArrayAttr>
getCandidates(NonlinearOpInterface op, const ValueProfile &input,
              unsigned actBits, llvm::ArrayRef<CandidateGroup> groups);

/// The type `candidate` narrows its operand to, a tensor of `rank` dimensions
/// whose last one has `columns` entries; null if it takes it as it is.
mlir::Type getNarrowedType(mlir::MLIRContext *context,
                           const methods::Candidate &candidate,
                           const ValueProfile &input, unsigned actBits,
                           int64_t rank, int64_t columns);

} // namespace nlq

#endif // NLQ_QUANTIZATION_QUANTIZECANDIDATES_H
