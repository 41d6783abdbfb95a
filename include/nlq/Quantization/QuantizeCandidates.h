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

/// The groups of a comma-separated list of `seed` (the mixed method's paper),
/// `standalone` (each method's own paper), `extra` (what this project offers
/// besides) and `all` (the three). The order of the list does not matter.
/// Fails, naming the group, if it is unknown, or if the list is empty.
llvm::Expected<llvm::SmallVector<methods::Profile, 3>>
parseCandidateGroups(llvm::StringRef list);

/// The candidates of a quantized operation: for each method of the registry, in
/// its order, the widths that belong to `groups`, each once. `input` is the
/// profile of the operand's float value; the kept arrays in it serve to choose
/// power-of-two factors, which are 2^3 everywhere if there are none. A
/// candidate whose kernel is not legal here is left out; fails with an error on
/// the operation, with the reasons, if none is left.
llvm::FailureOr<mlir::ArrayAttr>
getCandidates(NonlinearOpInterface op, const ValueProfile &input,
              unsigned actBits, llvm::ArrayRef<methods::Profile> groups);

/// The type `candidate` narrows its operand to, a tensor of `rank` dimensions
/// whose last one has `columns` entries; null if it takes it as it is.
mlir::Type getNarrowedType(mlir::MLIRContext *context,
                           const methods::Candidate &candidate,
                           const ValueProfile &input, unsigned actBits,
                           int64_t rank, int64_t columns);

} // namespace nlq

#endif // NLQ_QUANTIZATION_QUANTIZECANDIDATES_H
