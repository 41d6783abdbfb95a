//===- EmitSweepTest.cpp - Compiled random methods equal evaluate ---------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The random legal kernels that evaluate is held to bound on (test/unit/
// Methods/SweepTest.cpp), compiled: every candidate of the registry, for
// every kind of target and in turn for vector lengths. The long run has more
// than a thousand of them, and tries the portable form too.
//
//===----------------------------------------------------------------------===//

#include "CompiledKernels.h"
#include "Methods/DrawnKernels.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <set>

using namespace nlq;
using namespace nlq::methods;
using namespace nlq::methods::test;

namespace {

constexpr uint64_t kLongestRow = 70;
/// Kernels of all candidates in the long run; per candidate and target in the
/// short run; at most so many are compiled at once.
constexpr uint64_t kAllKernels = 1100, kKernels = 1, kPerBatch = 6;

uint64_t kernelsPerTarget() {
  if (!sweepsAreLong())
    return kKernels;
  return kAllKernels / (allSubjects().size() * getTestTargets().size()) + 1;
}

/// What the kernels of all tests of this process had in them.
struct Coverage {
  std::set<std::string> subjects;
  std::set<unsigned> lanes;
  uint64_t kernels = 0;
};
Coverage &coverage() {
  static Coverage instance;
  return instance;
}

class EmitSweep : public testing::TestWithParam<Subject> {
protected:
  /// Adds the next legal kernel.
  void add(KernelBatch &batch, uint64_t &seed) {
    std::optional<DrawnKernel> drawn =
        drawKernel(GetParam(), kLongestRow, seed);
    ASSERT_TRUE(drawn.has_value()) << "before seed " << seed;
    std::vector<KernelRow> rows;
    for (unsigned row = 0; row < kernel::kNumInputPatterns; ++row)
      rows.push_back(randomInputs(drawn->kernel, drawn->rowLength,
                                  kernel::InputPattern(row), seed));
    batch.add(GetParam().name() + " before seed " + std::to_string(seed),
              drawn->kernel, drawn->rowLength, rows);
    const kernel::Graph &graph = drawn->kernel.graph;
    for (kernel::NodeId id = 0; id < graph.nodes.size(); ++id)
      if (graph.nodes[id].rate == kernel::Rate::Element)
        coverage().lanes.insert(drawn->bounds.lane(id));
    ++coverage().kernels;
  }
};

TEST_P(EmitSweep, CompiledEqualsEvaluate) {
  mlir::MLIRContext context;
  loadDialects(context);
  // Other kernels than those of the other candidates, and than evaluate's.
  uint64_t seed = uint64_t(1) << 32;
  unsigned batches = 0;
  const std::vector<Target> targets = getTestTargets();
  for (const Target &target : targets)
    for (uint64_t left = kernelsPerTarget(); left > 0;) {
      KernelBatch batch;
      for (uint64_t i = std::min(left, kPerBatch); i > 0; --i, --left) {
        add(batch, seed);
        if (HasFatalFailure())
          return;
      }
      batch.expectCompiledEqual(context, int64_t(4) << (batches++ % 3), target);
      if (HasFatalFailure())
        return;
      if (sweepsAreLong() && &target == &targets.front())
        batch.expectPortableEqual(context);
      if (HasFatalFailure())
        return;
    }
  coverage().subjects.insert(GetParam().name());
}

INSTANTIATE_TEST_SUITE_P(Registry, EmitSweep, testing::ValuesIn(allSubjects()),
                         [](const testing::TestParamInfo<Subject> &info) {
                           return info.param.name();
                         });

/// Runs last, over what the others have drawn.
class EmitSweepCoverage : public testing::Environment {
  void TearDown() override {
    if (coverage().subjects.size() < allSubjects().size())
      return; // some were not run
    for (unsigned lane : {8u, 16u, 32u, 64u})
      EXPECT_TRUE(coverage().lanes.count(lane)) << "no lanes of " << lane;
    EXPECT_GE(coverage().kernels, sweepsAreLong() ? kAllKernels : 80u);
  }
};
testing::Environment *const kCoverage =
    testing::AddGlobalTestEnvironment(new EmitSweepCoverage);

} // namespace
