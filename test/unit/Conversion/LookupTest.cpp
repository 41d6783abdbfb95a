//===- LookupTest.cpp - Lookups in tables of bytes ------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every index of tables of all sizes and widths of entries, as every target
// looks them up.
//
//===----------------------------------------------------------------------===//

#include "CompiledKernels.h"
#include "nlq/Kernel/Builder.h"
#include "gtest/gtest.h"
#include <random>

using namespace nlq;
using namespace nlq::kernel;

/// The least and the largest entry of a table.
using Entries = std::pair<int64_t, int64_t>;

/// Kernels of one lookup each, tried on every index.
static KernelBatch makeLookups(llvm::ArrayRef<int64_t> sizes,
                               llvm::ArrayRef<Entries> entries) {
  std::mt19937 random(9);
  KernelBatch kernels;
  for (int64_t size : sizes)
    for (auto [lo, hi] : entries) {
      // Some more than the indices, for a last chunk that overlaps.
      const int64_t columns = 256 + 7;
      Builder builder(columns);
      Value x = builder.element("x", 8, {-128, size - 129});
      Table table{lo, hi};
      while (int64_t(table.size()) < size)
        table.push_back(lo + int64_t(random() % uint64_t(hi - lo + 1)));
      Value y = builder.lookup(table, x + 128);
      KernelRow row(1);
      for (int64_t column = 0; column < columns; ++column)
        row[0].push_back(column % size - 128);
      kernels.add(std::to_string(size) + " entries up to " + std::to_string(hi),
                  builder.finish(y, 32), columns, {row});
    }
  return kernels;
}

TEST(LookupTest, EveryIndexOfEverySize) {
  mlir::MLIRContext context;
  loadDialects(context);
  KernelBatch kernels =
      makeLookups({17, 100, 256},
                  {{-128, 127}, {0, 255}, {-32768, 32767}, {-100000, 100000}});
  for (const Target &target : getTestTargets())
    for (int64_t lanes : {0, 16})
      kernels.expectCompiledEqual(context, lanes, target);
}

/// As emitted for other processors, whose permutations are emulated.
TEST(LookupTest, OtherMachinesPermutations) {
  mlir::MLIRContext context;
  loadDialects(context);
  KernelBatch kernels = makeLookups({40, 200}, {{-128, 127}});
  VectorFeatures neon;
  neon.neon = true;
  EXPECT_GT(kernels.expectEmulatedEqual(context, neon), 0u);
  VectorFeatures features;
  features.avx512bw = true;
  EXPECT_GT(kernels.expectEmulatedEqual(context, features), 0u);
  features.avx512vbmi = true;
  EXPECT_GT(kernels.expectEmulatedEqual(context, features), 0u);
}
