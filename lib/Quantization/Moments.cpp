//===- Moments.cpp - How channels move together -------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Quantization/Moments.h"
#include <Eigen/Core>
#include <cassert>

using namespace nlq;

Moments::Moments(size_t numChannels, std::vector<double> sums)
    : numChannels(numChannels), sums(std::move(sums)) {
  assert(this->sums.size() == numChannels * (numChannels + 1) / 2);
}

void Moments::add(llvm::ArrayRef<float> rows, size_t channels) {
  if (empty()) {
    numChannels = channels;
    sums.assign(channels * (channels + 1) / 2, 0);
  }
  assert(channels == numChannels && rows.size() % channels == 0);
  using Matrix = Eigen::MatrixXf;
  // Row by row in memory is column by column of the transposed.
  Matrix columns =
      Eigen::Map<const Matrix>(rows.data(), Eigen::Index(channels),
                               Eigen::Index(rows.size() / channels));
  Eigen::VectorXd mean =
      columns.cast<double>().rowwise().mean().cast<float>().cast<double>();
  Eigen::VectorXd rest =
      (columns.cast<double>().colwise() - mean).rowwise().sum();
  columns.colwise() -= mean.cast<float>();
  Matrix products = Matrix::Zero(columns.rows(), columns.rows());
  products.selfadjointView<Eigen::Upper>().rankUpdate(columns);

  // x x' = (x - m) (x - m)' + (x - m) m' + m (x - m)' + m m'.
  double count = double(columns.cols());
  double *sum = sums.data();
  for (Eigen::Index i = 0; i < columns.rows(); ++i)
    for (Eigen::Index j = 0; j <= i; ++j)
      *sum++ += double(products(j, i)) + rest[i] * mean[j] + mean[i] * rest[j] +
                count * mean[i] * mean[j];
}

void Moments::merge(const Moments &other) {
  if (empty()) {
    *this = other;
    return;
  }
  assert(other.empty() || other.size() == size());
  for (size_t index = 0; index < other.sums.size(); ++index)
    sums[index] += other.sums[index];
}
