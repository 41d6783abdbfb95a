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

/// A lookup of x + 128, tried on every index. Some more columns than these, for
/// a last chunk that overlaps.
static void addLookup(KernelBatch &kernels, const std::string &name,
                      const Table &entries) {
  const int64_t columns = 256 + 7, size = int64_t(entries.size());
  Builder builder(columns);
  Value x = builder.element("x", 8, {-128, size - 129});
  Value y = builder.lookup(entries, x + 128);
  KernelRow row(1);
  for (int64_t column = 0; column < columns; ++column)
    row[0].push_back(column % size - 128);
  kernels.add(name, builder.finish(y, 32), columns, {row});
}

/// Kernels of one lookup each.
static KernelBatch makeLookups(llvm::ArrayRef<int64_t> sizes,
                               llvm::ArrayRef<Entries> entries) {
  std::mt19937 random(9);
  KernelBatch kernels;
  for (int64_t size : sizes)
    for (auto [lo, hi] : entries) {
      Table table{lo, hi};
      while (int64_t(table.size()) < size)
        table.push_back(lo + int64_t(random() % uint64_t(hi - lo + 1)));
      addLookup(kernels,
                std::to_string(size) + " entries up to " + std::to_string(hi),
                table);
    }
  return kernels;
}

TEST(LookupTest, EveryIndexOfEverySize) {
  mlir::MLIRContext context;
  loadDialects(context);
  KernelBatch kernels =
      makeLookups({17, 64, 65, 100, 128, 129, 256},
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
  features.avx2 = features.avx512bw = true;
  EXPECT_GT(kernels.expectEmulatedEqual(context, features), 0u);
  features.avx512vbmi = true;
  EXPECT_GT(kernels.expectEmulatedEqual(context, features), 0u);
}

/// 256 entries for numbers from -128 to 127, of which those from 0 on are a
/// function of the number and of the entry of its negative.
template <typename F>
static Table makeFolded(F other, int64_t middle, int64_t center) {
  std::mt19937 random(5);
  Table table(256);
  auto at = [&](int64_t q) -> int64_t & { return table[(q + center) & 255]; };
  for (int64_t q = 1; q < 128; ++q) {
    at(-q) = int64_t(random() % 256) - 128;
    if (q == 1) // Not saturated, which no such function is here.
      at(-q) = 40;
    at(q) = other(q, at(-q));
  }
  at(0) = middle;
  at(-128) = at(-127);
  return table;
}

/// Tables that follow from their halves, and the same with one entry that does
/// not.
static KernelBatch makeFoldedLookups(bool isExact) {
  auto even = [](int64_t, int64_t entry) { return entry; };
  auto sum = [](int64_t q, int64_t entry) {
    return int64_t(int8_t(uint8_t(entry + q)));
  };
  auto difference = [](int64_t, int64_t entry) {
    return std::clamp<int64_t>(7 - entry, -128, 127);
  };
  KernelBatch kernels;
  for (int64_t center : {0, 128}) {
    std::vector<Table> tables = {makeFolded(even, 90, center),
                                 makeFolded(sum, -5, center),
                                 makeFolded(difference, 3, center)};
    // Unsigned bytes, less 128.
    tables.push_back(tables.back());
    for (int64_t &entry : tables.back())
      entry += 128;
    for (auto [index, table] : llvm::enumerate(tables)) {
      if (!isExact) {
        int64_t &entry = table[(center + 100) & 255];
        entry = entry == 0 ? 1 : 0;
      }
      addLookup(kernels,
                std::to_string(index) + " around " + std::to_string(center),
                table);
    }
  }
  return kernels;
}

TEST(LookupTest, TablesThatFollowFromTheirHalves) {
  mlir::MLIRContext context;
  loadDialects(context);
  VectorFeatures features;
  features.avx512bw = true;
  unsigned lookups[2];
  for (bool isExact : {false, true}) {
    KernelBatch kernels = makeFoldedLookups(isExact);
    for (const Target &target : getTestTargets())
      for (int64_t lanes : {0, 16})
        kernels.expectCompiledEqual(context, lanes, target);
    lookups[isExact] = kernels.expectEmulatedEqual(context, features);
  }
  EXPECT_EQ(2 * lookups[true], lookups[false]);
}
