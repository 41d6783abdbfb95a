//===- ErrorFeedback.cpp - Rounding a matrix of weights -----------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Quantization/ErrorFeedback.h"
#include "llvm/ADT/STLExtras.h"
#include <Eigen/Cholesky>
#include <cassert>
#include <cmath>
#include <numeric>

using namespace nlq;
using Eigen::Index;
using Matrix = Eigen::MatrixXd;
using RowMatrix =
    Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Rows in the order of rounding, the last one first: C in this order is L L',
/// and R[k, j] of the head of ErrorFeedback.h is L[j, k] / L[k, k].
static std::vector<Index> orderByVariance(const Eigen::Map<const Matrix> &c) {
  std::vector<Index> order(c.rows());
  std::iota(order.begin(), order.end(), 0);
  // Of equal ones, as they stand: the result must not depend on the library.
  llvm::sort(order, [&](Index a, Index b) {
    return std::pair(c(a, a), a) < std::pair(c(b, b), b);
  });
  return order;
}

llvm::Expected<std::vector<int64_t>>
nlq::roundWithFeedback(llvm::ArrayRef<double> weights,
                       llvm::ArrayRef<double> scales,
                       llvm::ArrayRef<double> covariance, int64_t limit) {
  const Index columns = Index(scales.size());
  const Index depth = Index(weights.size()) / columns;
  assert(Index(covariance.size()) == depth * depth);
  Eigen::Map<const Matrix> c(covariance.data(), depth, depth);
  Eigen::Map<const RowMatrix> e(weights.data(), depth, columns);
  std::vector<Index> order = orderByVariance(c);
  Eigen::LLT<Matrix> cholesky{Matrix(c(order, order))};
  if (cholesky.info() != Eigen::Success)
    return llvm::createStringError(
        "the covariance of its operand is not positive definite");
  const Matrix lower = cholesky.matrixL();

  std::vector<int64_t> integers(weights.size());
  // E - t Q of the rows that are done, in their order.
  RowMatrix errors = RowMatrix::Zero(depth, columns);
  // Rows are done in blocks: what blocks before left comes as one product.
  constexpr Index blockSize = 32;
  RowMatrix carried;
  for (Index end = depth; end > 0; end -= std::min(end, blockSize)) {
    const Index begin = std::max<Index>(end - blockSize, 0);
    const Index size = end - begin, done = depth - end;
    carried.noalias() = lower.block(end, begin, done, size).transpose() *
                        errors.bottomRows(done);
    for (Index k = end - 1; k >= begin; --k) {
      auto wanted = carried.row(k - begin);
      for (Index j = k + 1; j < end; ++j)
        wanted += lower(j, k) * errors.row(j);
      for (Index n = 0; n < columns; ++n) {
        double value = e(order[k], n);
        double rounded =
            std::nearbyint((value + wanted[n] / lower(k, k)) / scales[n]);
        rounded = std::clamp(rounded, -double(limit), double(limit));
        integers[order[k] * columns + n] = int64_t(rounded);
        errors(k, n) = value - scales[n] * rounded;
      }
    }
  }
  return integers;
}
