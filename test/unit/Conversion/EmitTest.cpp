//===- EmitTest.cpp - Emitted code equals evaluate ----------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Random kernels of every node kind, built by no method, are compiled through
// the whole lowering and run beside `evaluate` on random and adversarial rows.
//
//===----------------------------------------------------------------------===//

#include "CompiledKernels.h"
#include "Kernel/RandomGraph.h"
#include "gtest/gtest.h"

using namespace nlq;

namespace {

constexpr unsigned kKernelsPerBatch = 16;

class EmitTest : public ::testing::Test {
protected:
  EmitTest() { loadDialects(context); }

  /// Tries `count` kernels drawn with `options`, on rows of every pattern, with
  /// 4, 8 and 16 elements a vector and every target in turn.
  void run(uint64_t firstSeed, unsigned count,
           const kernel::RandomGraphOptions &options) {
    uint64_t seed = firstSeed;
    for (unsigned batch = 0; batch < count / kKernelsPerBatch; ++batch) {
      KernelBatch kernels;
      for (; kernels.size() < kKernelsPerBatch; ++seed) {
        kernel::RandomKernel random = kernel::randomKernel(seed, options);
        std::vector<KernelRow> rows;
        for (unsigned row = 0; row < kernel::kNumInputPatterns; ++row)
          rows.push_back(kernel::randomInputs(random.kernel, random.rowLength,
                                              kernel::InputPattern(row),
                                              seed + row));
        kernels.add("seed " + std::to_string(seed), random.kernel,
                    random.rowLength, rows);
      }
      kernels.expectCompiledEqual(context, /*lanes=*/int64_t(4) << (batch % 3),
                                  targets[batch % targets.size()]);
      if (HasFatalFailure())
        return;
      // The portable form of every fourth batch.
      if (batch % 4 == 0)
        kernels.expectPortableEqual(context);
      if (HasFatalFailure())
        return;
    }
  }

  mlir::MLIRContext context;
  const std::vector<Target> targets = getTestTargets();
};

} // namespace

/// What corrected methods use: elements of at most 32 bits.
TEST_F(EmitTest, NarrowElements) {
  kernel::RandomGraphOptions options;
  options.maxElementBits = 32;
  options.numNodes = 30;
  run(/*firstSeed=*/1, /*count=*/480, options);
}

/// What reference forms may need: elements of up to 62 bits.
TEST_F(EmitTest, WideElements) {
  kernel::RandomGraphOptions options;
  options.numNodes = 25;
  run(/*firstSeed=*/100001, /*count=*/240, options);
}

/// Rows that do not fill a vector.
TEST_F(EmitTest, ShortRows) {
  kernel::RandomGraphOptions options;
  options.maxRowLength = 5;
  options.numNodes = 20;
  run(/*firstSeed=*/200001, /*count=*/96, options);
}
