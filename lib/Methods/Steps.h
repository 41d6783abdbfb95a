//===- Steps.h - First and last steps of kernels ----------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the kernels of all methods begin and end with: the operand narrowed to
// the type the method starts from, and the method's own grid requantized to the
// result's type.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_METHODS_STEPS_H
#define NLQ_LIB_METHODS_STEPS_H

#include "nlq/Kernel/Builder.h"
#include "nlq/Kernel/Requantize.h"
#include "nlq/Methods/Method.h"
#include "llvm/ADT/Twine.h"

namespace nlq::methods {

/// The error that refuses a problem with `reason`, one sentence.
llvm::Error refuse(const llvm::Twine &reason);

/// A real number for messages, to six digits.
std::string text(double value);

/// in / out, per column if either is.
std::vector<double> ratiosOfScales(llvm::ArrayRef<double> in,
                                   llvm::ArrayRef<double> out);

/// How the first and the last step round: half to even as torch.round does in
/// the published code, half up (the cheapest) in corrected forms.
kernel::Rounding stepRounding(Form form);

/// First step: the operand in the type `problem.narrowed`, zero point included.
/// Rounded once; in corrected forms accumulators become 8 bits by products of
/// words, which is off by less than 2^-4 steps beside the rounding.
kernel::Value narrowOperand(kernel::Builder &builder, const Problem &problem);

/// The same with the zero point subtracted: real = scale * value.
kernel::Value narrowAndCentre(kernel::Builder &builder, const Problem &problem);

/// Last step: `grid`, with real = scale * grid, in the type `problem.result`,
/// rounded once and saturated. One scale, or one per column; any sign.
/// `grid` is the own grid: a node that has no name yet gets that of OwnGrid.
MethodKernel storeResult(kernel::Builder &builder, kernel::Value grid,
                         std::vector<double> scales, const Problem &problem);

/// The same for 2^-grid, and 0 where grid is `zero`.
MethodKernel storeLog2Result(kernel::Builder &builder, kernel::Value grid,
                             int64_t zero, const Problem &problem);

/// Fails unless `problem.narrowed` has one scale for all columns; `why` ends
/// the sentence.
llvm::Error requireOneScale(const Problem &problem, llvm::StringRef why);

} // namespace nlq::methods

#endif // NLQ_LIB_METHODS_STEPS_H
