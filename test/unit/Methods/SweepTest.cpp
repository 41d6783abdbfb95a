//===- SweepTest.cpp - Every method within its bounds ---------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Random legal kernels of every candidate of the registry on adversarial rows:
// a value outside of what `bound` has proved would be a silent overflow. The
// long run has more than a million kernels, nine rows each.

#include "Methods/DrawnKernels.h"
#include "nlq/Kernel/Evaluate.h"
#include "gtest/gtest.h"
#include <algorithm>

using namespace nlq;
using namespace nlq::methods;
using namespace nlq::methods::test;
using namespace nlq::kernel;

namespace {

/// Kernels of all candidates in the long run; for each in the short run; and
/// their longest rows.
constexpr uint64_t kAllKernels = 1'050'000, kKernels = 60;
constexpr int64_t kLongestRow = 48;

class MethodSweep : public testing::TestWithParam<Subject> {
protected:
  static std::vector<llvm::ArrayRef<int64_t>>
  refs(const std::vector<std::vector<int64_t>> &inputs) {
    return {inputs.begin(), inputs.end()};
  }

  /// Calls `f(drawn, seed)` for so many legal kernels.
  template <typename F> void forKernels(uint64_t count, F f) {
    uint64_t seed = 0;
    for (uint64_t i = 0; i < count; ++i) {
      auto drawn = drawKernel(GetParam(), kLongestRow, seed);
      ASSERT_TRUE(drawn.has_value())
          << "1000 problems in a row are refused before seed " << seed;
      f(*drawn, seed);
      if (HasFatalFailure())
        return;
    }
    RecordProperty("drawn", std::to_string(seed));
    RecordProperty("legal", std::to_string(count));
  }
};

TEST_P(MethodSweep, EvaluateStaysWithinBound) {
  uint64_t rows = 0;
  uint64_t count =
      sweepsAreLong() ? kAllKernels / allSubjects().size() : kKernels;
  forKernels(count, [&](const DrawnKernel &drawn, uint64_t seed) {
    Evaluator checked(drawn.kernel, drawn.rowLength);
    Evaluator fast(drawn.kernel, drawn.rowLength, &drawn.bounds);
    std::vector<int64_t> expected(drawn.rowLength), out(drawn.rowLength);
    for (unsigned pattern = 0; pattern < kNumInputPatterns; ++pattern, ++rows) {
      auto inputs = randomInputs(drawn.kernel, drawn.rowLength,
                                 InputPattern(pattern), seed);
      llvm::Error error =
          checked.runChecked(refs(inputs), 0, expected, drawn.bounds);
      ASSERT_FALSE(bool(error))
          << "before seed " << seed << ", pattern " << pattern << ": "
          << llvm::toString(std::move(error)) << '\n'
          << drawn.kernel.graph.str();
      fast.run(refs(inputs), 0, out);
      ASSERT_EQ(out, expected) << "before seed " << seed << '\n'
                               << drawn.kernel.graph.str();
      for (int64_t value : out)
        ASSERT_TRUE(drawn.problem.result.range.contains(value))
            << "before seed " << seed << ": " << value;
    }
  });
  RecordProperty("rows", std::to_string(rows));
}

/// The check above can fail: an interval that ends one below a node's largest
/// value is noticed in every kernel, at any node.
TEST_P(MethodSweep, NarrowedIntervalIsCaught) {
  forKernels(10, [&](const DrawnKernel &drawn, uint64_t seed) {
    Evaluator evaluator(drawn.kernel, drawn.rowLength);
    std::vector<int64_t> out(drawn.rowLength);
    Random random(seed);
    auto inputs =
        randomInputs(drawn.kernel, drawn.rowLength, InputPattern::Edges, seed);
    llvm::cantFail(evaluator.runChecked(refs(inputs), 0, out, drawn.bounds));
    NodeId victim = NodeId(random.in(0, drawn.kernel.graph.nodes.size() - 1));
    auto values = evaluator.values(victim);
    int64_t largest = *std::max_element(values.begin(), values.end());
    Bounds falsified = drawn.bounds;
    falsified.intervals[victim].hi = largest - 1;
    llvm::Error error = evaluator.runChecked(refs(inputs), 0, out, falsified);
    ASSERT_TRUE(bool(error)) << "before seed " << seed;
    std::string message = llvm::toString(std::move(error));
    EXPECT_NE(message.find("node " + std::to_string(victim) + " "),
              std::string::npos)
        << message;
  });
}

/// A kernel that declares shorter rows than it is run on: its sums overflow
/// what was proved.
TEST_P(MethodSweep, SumsOfLongerRowsAreCaught) {
  unsigned sums = 0, caught = 0;
  forKernels(20, [&](const DrawnKernel &drawn, uint64_t seed) {
    if (drawn.rowLength < 16)
      return;
    // A sum proved for a quarter of the row.
    Graph graph = drawn.kernel.graph;
    graph.maxRowLength = drawn.rowLength / 4;
    llvm::Expected<Bounds> proved = bound(graph);
    if (!proved) {
      // The lemma of a method does not hold for so short a row.
      llvm::consumeError(proved.takeError());
      return;
    }
    Evaluator evaluator(drawn.kernel, drawn.rowLength);
    std::vector<int64_t> out(drawn.rowLength);
    for (NodeId id = 0; id < graph.nodes.size(); ++id) {
      const Node &node = graph.nodes[id];
      if (node.opcode != Opcode::ReduceSum)
        continue;
      Interval term = drawn.bounds.intervals[node.operands[0]];
      if (term.lo < 0 || term.hi == 0)
        continue;
      ++sums;
      for (unsigned pattern = 0; pattern < kNumInputPatterns; ++pattern) {
        auto inputs = randomInputs(drawn.kernel, drawn.rowLength,
                                   InputPattern(pattern), seed);
        llvm::cantFail(
            evaluator.runChecked(refs(inputs), 0, out, drawn.bounds));
        bool overflows =
            !proved->intervals[id].contains(evaluator.values(id)[0]);
        llvm::Error error = evaluator.runChecked(refs(inputs), 0, out, *proved);
        if (overflows) {
          ASSERT_TRUE(bool(error));
          ++caught;
        }
        llvm::consumeError(std::move(error));
      }
    }
  });
  if (sums > 0)
    EXPECT_GT(caught, 0u);
}

INSTANTIATE_TEST_SUITE_P(Registry, MethodSweep,
                         testing::ValuesIn(allSubjects()),
                         [](const testing::TestParamInfo<Subject> &info) {
                           return info.param.name();
                         });

} // namespace
