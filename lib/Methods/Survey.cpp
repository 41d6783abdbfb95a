//===- Survey.cpp - Where methods are legal, and how good -----------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Methods/Survey.h"
#include "Steps.h"
#include "nlq/Kernel/Cost.h"
#include "nlq/Kernel/Evaluate.h"
#include "nlq/Methods/Functions.h"
#include <algorithm>
#include <cmath>

using namespace nlq;
using namespace nlq::methods;

using Rows = std::vector<std::vector<int64_t>>;
using Reals = std::vector<std::vector<double>>;

static constexpr int64_t kLongestRow = int64_t(1) << 20;
/// Their kernels hold constants per column.
static constexpr int64_t kLongestNormalization = int64_t(1) << 14;

/// 2^(bits-1) - 1.
static int64_t largestOf(unsigned bits) {
  return (int64_t(1) << (bits - 1)) - 1;
}

static Quantized symmetric(unsigned bits, double scale) {
  Quantized type;
  type.bits = bits <= 8 ? 8 : bits <= 16 ? 16 : 32;
  type.scales = {scale};
  type.range = {-largestOf(bits), largestOf(bits)};
  return type;
}

/// As wide in reals as the operand, on which the factors of columns are 1.
static Quantized asymmetric(unsigned bits, double reach, size_t columns) {
  Quantized type;
  type.bits = bits <= 8 ? 8 : bits <= 16 ? 16 : 32;
  type.isSigned = false;
  type.range = kernel::storageRange(bits, false);
  type.scales.assign(columns, 2 * reach / double(type.range.hi));
  type.zeroPoints.assign(columns, (type.range.hi + 1) / 2);
  return type;
}

static llvm::Error validate(const SurveyQuery &query) {
  if (!lookupFunction(query.function))
    return refuse("there is no function '" + query.function + "'");
  if (query.bits < 2 || query.bits > 32)
    return refuse("operands of " + llvm::Twine(query.bits) +
                  " bits, and 2 to 32 are allowed");
  if (!std::isfinite(query.scale) || query.scale <= 0)
    return refuse("the scale " + text(query.scale) +
                  ", and positive finite ones are allowed");
  if (query.rowLength < 1 || query.rowLength > kLongestRow)
    return refuse("rows of " + llvm::Twine(query.rowLength) +
                  " elements, and 1 to 2^20 are allowed");
  if (query.resultBits < 2 || query.resultBits > 16)
    return refuse("results of " + llvm::Twine(query.resultBits) +
                  " bits, and 2 to 16 are allowed");
  return llvm::Error::success();
}

static bool isNormalization(const SurveyQuery &query) {
  return lookupFunction(query.function)->isNormalization();
}

static void setParameters(const SurveyQuery &query, Problem &problem) {
  if (!isNormalization(query))
    return;
  problem.gamma.assign(query.rowLength, 1.0);
  problem.beta.assign(query.rowLength, 0.0);
  problem.epsilon = 1e-6;
}

Problem nlq::methods::surveyProblem(const SurveyQuery &query,
                                    const Implementation &implementation,
                                    const Candidate &candidate,
                                    double largest) {
  Problem problem;
  problem.operand = symmetric(query.bits, query.scale);
  double reach = query.scale * double(largestOf(query.bits));
  // An accumulator is no activation: those have 8 bits.
  unsigned bits = candidate.inBits   ? candidate.inBits
                  : query.bits <= 16 ? query.bits
                                     : 8;
  switch (candidate.narrowing) {
  case Narrowing::None:
    problem.narrowed = problem.operand;
    break;
  case Narrowing::Symmetric:
    problem.narrowed = symmetric(bits, reach / double(largestOf(bits)));
    break;
  case Narrowing::Asymmetric:
    problem.narrowed = asymmetric(bits, reach, 1);
    break;
  case Narrowing::PowerOfTwoFactors:
    problem.narrowed = asymmetric(bits, reach, query.rowLength);
    break;
  }
  double step = largest / double(largestOf(query.resultBits));
  if (lookupFunction(query.function)->kind == FunctionKind::Probabilities)
    step = std::ldexp(1.0, 1 - int(query.resultBits));
  problem.result = symmetric(query.resultBits, step);
  problem.maxRowLength = query.rowLength;
  problem.outBits = candidate.outBits;
  problem.form = implementation.form;
  setParameters(query, problem);
  return problem;
}

/// SplitMix64.
static uint64_t next(uint64_t &state) {
  uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

Rows nlq::methods::surveySample(const SurveyQuery &query) {
  const int64_t largest = largestOf(query.bits);
  const double deviation = double(largest) / 4.2;
  uint64_t state = 1;
  size_t count = std::max<int64_t>(1, (1 << 14) / query.rowLength);
  Rows rows(count, std::vector<int64_t>(query.rowLength));
  for (std::vector<int64_t> &row : rows)
    for (int64_t &value : row) {
      uint64_t sum = 0;
      for (int i = 0; i < 12; ++i)
        sum += next(state) >> 32;
      double normal = double(sum) * 0x1p-32 - 6;
      value = std::clamp<int64_t>(std::llround(normal * deviation), -largest,
                                  largest);
    }
  return rows;
}

/// Results saturate there at the latest: e^x of wide operands is infinite.
static constexpr double kLargestResult = 0x1p30;

/// The exact results of the sample.
static Reals evaluateExactly(const SurveyQuery &query, const Rows &sample) {
  Problem parameters;
  setParameters(query, parameters);
  Reals results(sample.size(), std::vector<double>(query.rowLength));
  std::vector<double> in(query.rowLength);
  for (size_t r = 0; r < sample.size(); ++r) {
    for (size_t i = 0; i < in.size(); ++i)
      in[i] = query.scale * double(sample[r][i]);
    lookupFunction(query.function)->evaluate(in, parameters, results[r]);
    for (double &result : results[r])
      result = std::min(result, kLargestResult);
  }
  return results;
}

static double largestMagnitude(const Reals &rows) {
  double largest = 0;
  for (const std::vector<double> &row : rows)
    for (double value : row)
      largest = std::max(largest, std::fabs(value));
  return largest > 0 ? largest : 1;
}

static SurveyErrors measure(const kernel::Kernel &kernel,
                            const kernel::Bounds &bounds, const Rows &sample,
                            const Reals &exact, const Quantized &result) {
  SurveyErrors errors;
  const size_t length = sample[0].size();
  kernel::Evaluator evaluator(kernel, int64_t(length), &bounds);
  std::vector<int64_t> out(length);
  double signal = 0, noise = 0, step = result.scales[0];
  for (size_t r = 0; r < sample.size(); ++r) {
    evaluator.run({llvm::ArrayRef<int64_t>(sample[r])}, int64_t(r), out);
    for (size_t i = 0; i < length; ++i) {
      double error = result.dequantize(out[i]) - exact[r][i];
      errors.worst = std::max(errors.worst, std::fabs(error) / step);
      signal += exact[r][i] * exact[r][i];
      noise += error * error;
    }
  }
  errors.rms = std::sqrt(noise / double(sample.size() * length)) / step;
  errors.sqnr = 10 * std::log10(signal / noise);
  return errors;
}

llvm::Expected<std::vector<SurveyEntry>>
nlq::methods::survey(const SurveyQuery &query) {
  if (llvm::Error error = ::validate(query))
    return std::move(error);
  const Rows sample = surveySample(query);
  const Reals exact = evaluateExactly(query, sample);
  const double largest = largestMagnitude(exact);
  std::vector<SurveyEntry> entries;
  for (const Method *method : allMethods())
    for (const Implementation &implementation : method->implementations) {
      if (implementation.function != query.function)
        continue;
      for (const Candidate &candidate : implementation.candidates) {
        SurveyEntry &entry = entries.emplace_back();
        entry.method = method;
        entry.implementation = &implementation;
        entry.candidate = &candidate;
        Problem problem =
            surveyProblem(query, implementation, candidate, largest);
        auto kernel = build(*method, query.function, problem);
        if (!kernel) {
          entry.reason = llvm::toString(kernel.takeError());
          continue;
        }
        const kernel::Graph &graph = kernel->graph;
        kernel::Bounds bounds = llvm::cantFail(kernel::bound(graph));
        for (kernel::NodeId id = 0; id < graph.nodes.size(); ++id) {
          kernel::Rate rate = graph.nodes[id].rate;
          if (rate == kernel::Rate::Element)
            entry.elementLane = std::max(entry.elementLane, bounds.lane(id));
          else if (rate == kernel::Rate::Row)
            entry.rowLane = std::max(entry.rowLane, bounds.lane(id));
        }
        entry.widths = describeWidths(*kernel);
        entry.errors = measure(*kernel, bounds, sample, exact, problem.result);
        entry.cost =
            kernel::cost(graph, bounds, kernel::NodeCosts(), query.rowLength);
        entry.tableBytes = kernel::tableBytes(graph);
      }
    }
  return entries;
}

SurveyLimits nlq::methods::surveyLimits(const SurveyQuery &query,
                                        const SurveyEntry &entry) {
  auto isLegal = [&](double scale, int64_t rowLength) {
    SurveyQuery other = query;
    other.scale = scale;
    other.rowLength = rowLength;
    // As much as an element-wise result or a normalized row can be.
    double reach = scale * double(largestOf(query.bits));
    auto kernel = build(*entry.method, query.function,
                        surveyProblem(other, *entry.implementation,
                                      *entry.candidate, std::min(reach, 8.0)));
    bool legal = bool(kernel);
    llvm::consumeError(kernel.takeError());
    return legal;
  };
  SurveyLimits limits;
  for (int exponent = -24; exponent <= 6; ++exponent) {
    double scale = std::ldexp(1.0, exponent);
    if (!isLegal(scale, query.rowLength))
      continue;
    if (limits.finestScale == 0)
      limits.finestScale = scale;
    limits.coarsestScale = scale;
  }
  if (!isLegal(query.scale, 1))
    return limits;
  const int64_t longest =
      isNormalization(query) ? kLongestNormalization : kLongestRow;
  if (isLegal(query.scale, longest)) {
    limits.longestRow = longest;
    return limits;
  }
  int64_t safe = 1, unsafe = longest;
  while (unsafe - safe > 1) {
    int64_t middle = safe + (unsafe - safe) / 2;
    (isLegal(query.scale, middle) ? safe : unsafe) = middle;
  }
  limits.longestRow = safe;
  return limits;
}
