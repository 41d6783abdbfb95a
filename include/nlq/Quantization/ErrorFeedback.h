//===- ErrorFeedback.h - Rounding a matrix of weights ---------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Rounding the weights E[k, n] of a product to t_n Q[k, n] changes its results
// by sum_k (q_k - mean q_k) e[k, n] (the mean goes into the bias), where
// e = E - t Q. With the covariance C of the q_k the expected square of this is
// e' C e: where channels move together, the error that one weight leaves can be
// taken back by another.
//
// Weights are rounded one row after the other. With C = R' D R, R lower
// triangular with ones on its diagonal and D diagonal,
//
//   e' C e = sum_k D_k (e_k + sum_{j < k} R[k, j] e_j)^2,
//
// so that Q_k is E_k + sum_{j < k} R[k, j] e_j rounded: what the rows before
// left goes to the rows after (GPTQ, Frantar et al. 2022, arXiv 2210.17323; in
// this form LDLQ, Chee et al. 2023, arXiv 2307.13304, which shows that both
// round alike).
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_QUANTIZATION_ERRORFEEDBACK_H
#define NLQ_QUANTIZATION_ERRORFEEDBACK_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <vector>

namespace nlq {

/// Q, [depth, columns]: `weights` E of that shape at `scales` t, one per
/// column, rounded with error feedback to integers of at most `limit` in
/// magnitude.
///
/// `covariance` is C, [depth, depth], symmetric. Rows of the largest variances
/// come first: they have most others to make up for them. Fails if C is not
/// positive definite.
llvm::Expected<std::vector<int64_t>>
roundWithFeedback(llvm::ArrayRef<double> weights, llvm::ArrayRef<double> scales,
                  llvm::ArrayRef<double> covariance, int64_t limit);

} // namespace nlq

#endif // NLQ_QUANTIZATION_ERRORFEEDBACK_H
