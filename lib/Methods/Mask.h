//===- Mask.h - Rows with elements that take no part ------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Masks for all methods of a function whose rows are shares: made of the kernel
// without a mask, so that no method knows of them.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_METHODS_MASK_H
#define NLQ_LIB_METHODS_MASK_H

#include "nlq/Methods/Method.h"

namespace nlq::methods {

/// `built` with the inputs that Problem::hasMask and Problem::isCausal name,
/// behind those it has. On what takes part, its results are those of a row of
/// nothing else; the others are 0 as the result's type has it. Fails, as
/// `bound` does, if the kernel without a mask may overflow.
llvm::Expected<MethodKernel> maskRows(MethodKernel built,
                                      const Problem &problem);

} // namespace nlq::methods

#endif // NLQ_LIB_METHODS_MASK_H
