//===- Functions.cpp - The exact functions --------------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Methods/Functions.h"
#include <algorithm>
#include <cassert>
#include <cmath>

using namespace nlq::methods;

static void softmax(llvm::ArrayRef<double> in, const Problem &,
                    llvm::MutableArrayRef<double> out) {
  double largest = *std::max_element(in.begin(), in.end());
  if (largest == -HUGE_VAL) {
    std::fill(out.begin(), out.end(), 0.0);
    return;
  }
  double sum = 0;
  for (size_t i = 0; i < in.size(); ++i)
    sum += out[i] = std::exp(in[i] - largest);
  for (double &value : out)
    value /= sum;
}

static double gelu(double x, const Problem &problem) {
  const double sqrt2OverPi = 0.79788456080286535588;
  const double sqrtHalf = 0.70710678118654752440;
  if (problem.gelu == GeluKind::Erf)
    // 1 + erf(u) = erfc(-u), without its cancellation.
    return x / 2 * std::erfc(-x * sqrtHalf);
  return x / 2 * (1 + std::tanh(sqrt2OverPi * (x + 0.044715 * x * x * x)));
}

/// Where exp(-x) overflows, the quotients are 0 and -0, as they must be.
static double sigmoid(double x, const Problem &) {
  return 1 / (1 + std::exp(-x));
}
static double silu(double x, const Problem &) { return x / (1 + std::exp(-x)); }
static double tanh(double x, const Problem &) { return std::tanh(x); }
static double exp(double x, const Problem &) { return std::exp(x); }

/// A row of an element-wise function.
template <double (*element)(double, const Problem &)>
static void apply(llvm::ArrayRef<double> in, const Problem &problem,
                  llvm::MutableArrayRef<double> out) {
  for (size_t i = 0; i < in.size(); ++i)
    out[i] = element(in[i], problem);
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

static void rmsNorm(llvm::ArrayRef<double> in, const Problem &problem,
                    llvm::MutableArrayRef<double> out) {
  double squares = 0;
  for (double x : in)
    squares += x * x;
  double root = std::sqrt(squares / double(in.size()) + problem.epsilon);
  for (size_t i = 0; i < in.size(); ++i)
    out[i] = root > 0 ? in[i] / root * problem.gamma[i] : 0;
}

static const Function kFunctions[] = {
    {"softmax", FunctionKind::Probabilities, softmax},
    {"gelu", FunctionKind::Elementwise, apply<gelu>, Symmetry::Ramp},
    {"silu", FunctionKind::Elementwise, apply<silu>, Symmetry::Ramp},
    {"sigmoid", FunctionKind::Elementwise, apply<sigmoid>, Symmetry::Point},
    {"tanh", FunctionKind::Elementwise, apply<tanh>, Symmetry::Point},
    {"exp", FunctionKind::Elementwise, apply<exp>, Symmetry::None},
    {"layer_norm", FunctionKind::Normalization, layerNorm, Symmetry::None,
     /*hasBeta=*/true},
    {"rms_norm", FunctionKind::Normalization, rmsNorm},
};

llvm::ArrayRef<Function> nlq::methods::allFunctions() { return kFunctions; }

const Function *nlq::methods::lookupFunction(llvm::StringRef name) {
  for (const Function &function : kFunctions)
    if (function.name == name)
      return &function;
  return nullptr;
}

const Function &nlq::methods::getFunction(llvm::StringRef name) {
  const Function *function = lookupFunction(name);
  assert(function && "an operation without a function");
  return *function;
}
