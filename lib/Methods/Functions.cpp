//===- Functions.cpp - The exact functions --------------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Methods/Functions.h"
#include <algorithm>
#include <cmath>

using namespace nlq::methods;

static void softmax(llvm::ArrayRef<double> in, const Problem &,
                    llvm::MutableArrayRef<double> out) {
  double largest = *std::max_element(in.begin(), in.end());
  double sum = 0;
  for (size_t i = 0; i < in.size(); ++i)
    sum += out[i] = std::exp(in[i] - largest);
  for (double &value : out)
    value /= sum;
}

static void gelu(llvm::ArrayRef<double> in, const Problem &problem,
                 llvm::MutableArrayRef<double> out) {
  const double sqrt2OverPi = 0.79788456080286535588;
  const double sqrtHalf = 0.70710678118654752440;
  for (size_t i = 0; i < in.size(); ++i) {
    double x = in[i];
    if (problem.gelu == GeluKind::Erf)
      // 1 + erf(u) = erfc(-u), without its cancellation.
      out[i] = x / 2 * std::erfc(-x * sqrtHalf);
    else
      out[i] =
          x / 2 * (1 + std::tanh(sqrt2OverPi * (x + 0.044715 * x * x * x)));
  }
}

static void layerNorm(llvm::ArrayRef<double> in, const Problem &problem,
                      llvm::MutableArrayRef<double> out) {
  double mean = 0, variance = 0;
  for (double x : in)
    mean += x;
  mean /= double(in.size());
  for (double x : in)
    variance += (x - mean) * (x - mean);
  variance /= double(in.size());
  double root = std::sqrt(variance + problem.epsilon);
  for (size_t i = 0; i < in.size(); ++i) {
    double standardised = root > 0 ? (in[i] - mean) / root : 0;
    out[i] = standardised * problem.gamma[i] + problem.beta[i];
  }
}

static const Function kFunctions[] = {
    {"softmax", softmax}, {"gelu", gelu}, {"layer_norm", layerNorm}};

llvm::ArrayRef<Function> nlq::methods::allFunctions() { return kFunctions; }

const Function *nlq::methods::lookupFunction(llvm::StringRef name) {
  for (const Function &function : kFunctions)
    if (function.name == name)
      return &function;
  return nullptr;
}
