//===- Support.cpp - Rows and outcomes ------------------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Support.h"
#include "nlq/Kernel/Bound.h"
#include "nlq/Kernel/Evaluate.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <cmath>

using namespace nlq;
using namespace nlq::methods;
using namespace nlq::methods::test;

Quantized nlq::methods::test::symmetric(unsigned bits, double scale) {
  Quantized type;
  type.bits = bits <= 8 ? 8 : bits <= 16 ? 16 : 32;
  type.scales = {scale};
  type.range.hi = (int64_t(1) << (bits - 1)) - 1;
  type.range.lo = -type.range.hi;
  return type;
}

Rows nlq::methods::test::gaussianRows(const Quantized &type, size_t count,
                                      int64_t length, double sigma, double mean,
                                      unsigned seed) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> normal(mean, sigma);
  Rows rows(count, Row(length));
  for (Row &row : rows)
    for (int64_t i = 0; i < length; ++i) {
      double q = std::nearbyint(normal(engine) / type.scale(i)) +
                 double(type.zeroPoint(i));
      row[i] =
          int64_t(std::clamp(q, double(type.range.lo), double(type.range.hi)));
    }
  return rows;
}

Rows nlq::methods::test::adversarialRows(const Quantized &type,
                                         int64_t length) {
  int64_t lo = type.range.lo, hi = type.range.hi;
  Rows rows;
  for (int64_t value : {lo, hi, int64_t(0), int64_t(1)})
    rows.push_back(Row(length, std::clamp(value, lo, hi)));
  for (int64_t hot : {int64_t(0), length / 2, length - 1}) {
    rows.push_back(Row(length, lo));
    rows.back()[hot] = hi;
    rows.push_back(Row(length, hi));
    rows.back()[hot] = lo;
    rows.push_back(Row(length, std::clamp<int64_t>(0, lo, hi)));
    rows.back()[hot] = std::clamp<int64_t>(1, lo, hi);
  }
  Row turns(length), small(length), ramp(length);
  for (int64_t i = 0; i < length; ++i) {
    turns[i] = i % 2 ? lo : hi;
    small[i] = std::clamp(i % 2, lo, hi);
    ramp[i] = lo + (hi - lo) * i / std::max<int64_t>(length - 1, 1);
  }
  rows.insert(rows.end(), {turns, small, ramp});
  return rows;
}

Problem nlq::methods::test::softmaxProblem(const Quantized &in, int64_t length,
                                           unsigned outBits, Form form) {
  Problem problem;
  problem.operand = problem.narrowed = in;
  problem.result = symmetric(16, 0x1p-15);
  problem.maxRowLength = length;
  problem.outBits = outBits;
  problem.form = form;
  return problem;
}

static std::optional<kernel::NodeId> findNode(const kernel::Graph &graph,
                                              llvm::StringRef name) {
  for (kernel::NodeId id = 0; id < graph.nodes.size(); ++id)
    if (graph.nodes[id].text == name)
      return id;
  return std::nullopt;
}

Outcome nlq::methods::test::run(llvm::StringRef method,
                                llvm::StringRef function,
                                const Problem &problem, const Rows &rows) {
  Outcome outcome;
  auto built = buildWithGrid(*lookup(method), function, problem);
  if (!built) {
    ADD_FAILURE() << llvm::toString(built.takeError());
    return outcome;
  }
  const kernel::Graph &graph = built->kernel.graph;
  auto bounds = kernel::bound(graph);
  if (!bounds) {
    ADD_FAILURE() << llvm::toString(bounds.takeError());
    return outcome;
  }
  auto node = findNode(graph, built->grid.node);
  if (!node) {
    ADD_FAILURE() << "no node '" << built->grid.node << "'\n" << graph.str();
    return outcome;
  }
  for (const Row &row : rows) {
    kernel::Evaluator evaluator(built->kernel, row.size());
    Row out(row.size());
    llvm::ArrayRef<int64_t> input = row;
    if (llvm::Error error = evaluator.runChecked({input}, 0, out, *bounds)) {
      ADD_FAILURE() << method.str() << " " << function.str() << ": "
                    << llvm::toString(std::move(error));
      return outcome;
    }
    llvm::ArrayRef<int64_t> grid = evaluator.values(*node);
    outcome.grid.emplace_back(grid.begin(), grid.end());
    Reals own(grid.size());
    for (size_t i = 0; i < grid.size(); ++i)
      own[i] = built->grid.dequantize(grid[i], i);
    outcome.own.push_back(std::move(own));
    outcome.result.push_back(std::move(out));
  }
  return outcome;
}

std::vector<Reals> nlq::methods::test::exact(llvm::StringRef function,
                                             const Problem &problem,
                                             const Quantized &type,
                                             const Rows &rows) {
  std::vector<Reals> result = dequantize(type, rows);
  for (Reals &row : result) {
    Reals in = row;
    lookupFunction(function)->evaluate(in, problem, row);
  }
  return result;
}

double nlq::methods::test::sqnr(const std::vector<Reals> &exact,
                                const std::vector<Reals> &approximate) {
  EXPECT_EQ(exact.size(), approximate.size());
  double signal = 0, noise = 0;
  for (size_t r = 0; r < exact.size(); ++r)
    for (size_t i = 0; i < exact[r].size(); ++i) {
      signal += exact[r][i] * exact[r][i];
      noise += std::pow(exact[r][i] - approximate[r][i], 2);
    }
  return 10 * std::log10(signal / noise);
}

std::vector<Reals> nlq::methods::test::dequantize(const Quantized &type,
                                                  const Rows &rows) {
  std::vector<Reals> result;
  for (const Row &row : rows) {
    result.emplace_back();
    for (size_t i = 0; i < row.size(); ++i)
      result.back().push_back(type.dequantize(row[i], i));
  }
  return result;
}

std::string nlq::methods::test::reason(llvm::StringRef method,
                                       llvm::StringRef function,
                                       const Problem &problem) {
  auto built = build(*lookup(method), function, problem);
  return built ? "" : llvm::toString(built.takeError());
}
