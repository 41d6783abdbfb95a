//===- RandomGraphTest.cpp - Evaluate within bound ------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Holds evaluate, bound and the rewrites to each other on kernels that no
// method built.

#include "Kernel/RandomGraph.h"
#include "nlq/Kernel/Bound.h"
#include "nlq/Kernel/ByteSums.h"
#include "nlq/Kernel/Evaluate.h"
#include "nlq/Kernel/Rewrites.h"
#include "nlq/Kernel/Tabulate.h"
#include "llvm/Support/Error.h"
#include "gtest/gtest.h"
#include <map>

using namespace nlq::kernel;

static RandomKernel draw(uint64_t seed) {
  RandomGraphOptions options;
  options.rowInputs = true;
  return randomKernel(seed, options);
}

static std::vector<llvm::ArrayRef<int64_t>>
refs(const std::vector<std::vector<int64_t>> &inputs) {
  return {inputs.begin(), inputs.end()};
}

namespace {
class RandomGraphs : public testing::TestWithParam<uint64_t> {
protected:
  static constexpr uint64_t kGraphsPerShard = 2500;
  uint64_t first() const { return GetParam() * kGraphsPerShard; }
};
} // namespace

/// The kernel by every rewrite that changes it.
static std::vector<Kernel> rewrite(const Kernel &kernel, const Bounds &bounds) {
  std::vector<Kernel> all = {simplify(kernel), sumBytesOfLookups(kernel),
                             sumBiasedSquares(kernel),
                             multiplyForShifts(kernel), selectIndices(kernel)};
  if (std::optional<Kernel> tabulated = tabulate(kernel))
    all.push_back(*tabulated);
  for (NodeId id = 0; id < kernel.graph.result; ++id) {
    Interval range = bounds.intervals[id];
    if (kernel.graph.nodes[id].rate == Rate::Element &&
        range.hi <= range.lo + 255) {
      all.push_back(tabulateFunctionsOf(kernel, id));
      break;
    }
  }
  llvm::erase_if(
      all, [&](const Kernel &other) { return other.graph == kernel.graph; });
  return all;
}

/// That elements of a row of the same index have the same result, the last
/// entry standing for all beyond it.
static void expectFunction(llvm::ArrayRef<int64_t> index,
                           llvm::ArrayRef<int64_t> results,
                           const RowFunction &function, int64_t least) {
  std::map<int64_t, int64_t> table;
  for (auto [i, result] : llvm::zip(index, results)) {
    int64_t entry = std::min(i - least, function.entries - 1);
    EXPECT_EQ(table.try_emplace(entry, result).first->second, result) << entry;
  }
}

/// Every value of 10,000 kernels lies in its interval, every assumption holds,
/// and the fast mode and the rewrites give what the checked mode gives.
TEST_P(RandomGraphs, EvaluateStaysWithinBound) {
  for (uint64_t seed = first(); seed < first() + kGraphsPerShard; ++seed) {
    RandomKernel drawn = draw(seed);
    const Kernel &kernel = drawn.kernel;
    Bounds bounds = llvm::cantFail(bound(kernel.graph));
    std::vector<Kernel> rewritten = rewrite(kernel, bounds);
    for (const Kernel &other : rewritten) {
      llvm::Expected<Bounds> known = bound(other.graph);
      ASSERT_TRUE(bool(known)) << "seed " << seed << ": "
                               << llvm::toString(known.takeError()) << '\n'
                               << kernel.graph.str() << other.graph.str();
    }
    Evaluator checked(kernel, drawn.rowLength), fast(kernel, drawn.rowLength);
    std::vector<int64_t> expected(drawn.rowLength), out(drawn.rowLength);
    for (unsigned pattern = 0; pattern < kNumInputPatterns; ++pattern) {
      auto inputs = randomInputs(kernel, drawn.rowLength, InputPattern(pattern),
                                 seed + pattern);
      int64_t row = Random(seed + pattern).in(0, pattern == 0 ? 3 : INT32_MAX);
      llvm::Error error =
          checked.runChecked(refs(inputs), row, expected, bounds);
      ASSERT_FALSE(bool(error))
          << "seed " << seed << ": " << llvm::toString(std::move(error)) << '\n'
          << kernel.graph.str();
      fast.run(refs(inputs), row, out);
      ASSERT_EQ(out, expected) << "seed " << seed << '\n' << kernel.graph.str();
      for (NodeId id = 0; id < kernel.graph.nodes.size(); ++id)
        ASSERT_EQ(fast.values(id), checked.values(id))
            << "seed " << seed << ", node " << id << '\n'
            << kernel.graph.str();
      for (const Kernel &other : rewritten) {
        Evaluator(other, drawn.rowLength).run(refs(inputs), row, out);
        ASSERT_EQ(out, expected) << "seed " << seed << '\n'
                                 << kernel.graph.str() << other.graph.str();
      }
      if (std::optional<RowFunction> function =
              findRowFunction(kernel.graph, bounds))
        expectFunction(checked.values(function->index), expected, *function,
                       bounds.intervals[function->index].lo);
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Shards, RandomGraphs, testing::Range<uint64_t>(0, 4));

/// The draw covers what it promises.
TEST(RandomGraph, CoversEverything) {
  unsigned opcodes[kNumOpcodes] = {}, rates[4] = {}, tabulated = 0;
  unsigned functions = 0;
  unsigned roundings[kNumOpcodes][5] = {};
  unsigned columns = 0, unsignedInputs = 0, severalInputs = 0, single = 0;
  for (uint64_t seed = 0; seed < 1500; ++seed) {
    RandomKernel drawn = draw(seed);
    for (const Node &node : drawn.kernel.graph.nodes) {
      ++opcodes[unsigned(node.opcode)];
      ++rates[unsigned(node.rate)];
      ++roundings[unsigned(node.opcode)][unsigned(node.rounding)];
    }
    columns += !drawn.kernel.columns.empty();
    single += drawn.rowLength == 1;
    severalInputs += drawn.kernel.graph.inputs.size() > 1;
    const Graph &graph = drawn.kernel.graph;
    tabulated += tabulate(drawn.kernel).has_value();
    functions +=
        findRowFunction(graph, llvm::cantFail(bound(graph))).has_value();
    for (const Input &input : drawn.kernel.graph.inputs)
      unsignedInputs += !input.isSigned;
  }
  for (unsigned i = 0; i < kNumOpcodes; ++i)
    EXPECT_GE(opcodes[i], 50u) << getInfo(Opcode(i)).mnemonic;
  for (Opcode opcode : {Opcode::MulShift, Opcode::ShiftRight, Opcode::Div})
    for (unsigned rounding = 0; rounding < 5; ++rounding)
      EXPECT_GE(roundings[unsigned(opcode)][rounding], 20u)
          << getInfo(opcode).mnemonic << ' ' << stringify(Rounding(rounding));
  for (unsigned i = 0; i < 4; ++i)
    EXPECT_GE(rates[i], 500u) << stringify(Rate(i));
  for (unsigned count : {columns, unsignedInputs, severalInputs, single})
    EXPECT_GE(count, 100u);
  EXPECT_GE(tabulated, 30u);
  EXPECT_GE(functions, 30u);
}

TEST(RandomGraph, IsDeterministic) {
  for (uint64_t seed : {1, 77, 4096})
    EXPECT_TRUE(draw(seed).kernel.graph == draw(seed).kernel.graph);
}

/// An interval that is too narrow by one is caught: the checked mode can fail.
TEST(RandomGraph, CorruptedIntervalIsCaught) {
  unsigned caught = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    RandomKernel drawn = draw(seed);
    Bounds bounds = llvm::cantFail(bound(drawn.kernel.graph));
    Evaluator evaluator(drawn.kernel, drawn.rowLength);
    std::vector<int64_t> out(drawn.rowLength);
    auto inputs = randomInputs(drawn.kernel, drawn.rowLength,
                               InputPattern::Uniform, seed);
    llvm::cantFail(evaluator.runChecked(refs(inputs), 0, out, bounds));
    NodeId victim = drawn.kernel.graph.result;
    int64_t value = evaluator.values(victim)[0];
    bounds.intervals[victim] = {value + 1, INT64_MAX};
    llvm::Error error = evaluator.runChecked(refs(inputs), 0, out, bounds);
    ASSERT_TRUE(bool(error));
    std::string message = llvm::toString(std::move(error));
    std::string node = "node " + std::to_string(victim) + " ";
    EXPECT_NE(message.find(node), std::string::npos) << message;
    EXPECT_NE(message.find(" is " + std::to_string(value) + " "),
              std::string::npos)
        << message;
    ++caught;
  }
  EXPECT_EQ(caught, 100u);
}
