//===- RowTableTest.cpp - Results looked up in tables of their rows -------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compiled kernels whose results are functions of one byte in each row, of so
// many elements that targets with byte permutations look them up, and the sums
// of bytes that go with them.
//
//===----------------------------------------------------------------------===//

#include "CompiledKernels.h"
#include "Methods/DrawnKernels.h"
#include "nlq/Kernel/Bound.h"
#include "nlq/Kernel/Builder.h"
#include "nlq/Kernel/Tabulate.h"
#include "gtest/gtest.h"
#include <random>

using namespace nlq;
using namespace nlq::kernel;

/// Rows of bytes: any, few that differ, ends of the range, one far above.
static std::vector<KernelRow> drawRows(int64_t columns, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<KernelRow> rows;
  for (int64_t spread : {256, 256, 100, 20, 3, 1}) {
    int64_t least = int64_t(random() % uint64_t(257 - spread)) - 128;
    rows.emplace_back(1);
    for (int64_t i = 0; i < columns; ++i)
      rows.back()[0].push_back(least + int64_t(random() % uint64_t(spread)));
  }
  rows.push_back(rows.front());
  for (int64_t &x : rows.back()[0])
    x = x < 0 ? -128 : 127;
  rows.push_back({std::vector<int64_t>(columns, -128)});
  rows.back()[0][columns / 2] = 127;
  return rows;
}

/// Softmax by `exponential` of the distance from the maximum, in steps of
/// 1/256.
static Kernel makeSoftmax(double scale, int64_t one, int64_t columns,
                          bool isMasked = false) {
  Builder b(columns);
  Value x = b.element("x", 8, {-128, 127});
  Value mask;
  if (isMasked) {
    mask = b.element("mask", 8, {-128, 127});
    x = b.select(mask, x, b.constant(-128));
  }
  Value d = b.reduceMax(x) - x;
  Table powers;
  for (int i = 0; i < 256; ++i)
    powers.push_back(std::llround(double(one) * std::exp(-scale * i)));
  Value e = b.lookup(std::move(powers), d);
  if (isMasked)
    e = b.select(mask, e, b.constant(0));
  Value sum = b.max(b.reduceSum(e), one); // of the largest element, if any
  Value factor = b.div(int64_t(1) << 31, sum);
  Value share = b.mulShift(e, factor, 23, Rounding::HalfUp);
  return b.finish(b.min(share, 255) - 128, 8);
}

/// A function of the byte itself and a sum, all of whose 256 entries differ, or
/// of a byte that counts from elsewhere, in steps of `scale` of a row.
static Kernel makeQuadratic(int64_t columns, bool isHalved) {
  Builder b(columns);
  Value x = b.element("x", 8, {-128, 127});
  if (isHalved)
    x = b.shiftRight(x, 1) + 70;
  Value sum = b.reduceSum(x);
  Value y = x * x * 3 - x * 7 + 11;
  y = b.mulShift(y, b.max(b.min(sum, 1000), -1000), 18, Rounding::HalfAway);
  return b.finish(b.clamp(y, {-128, 127}), 8);
}

/// Softmax of what takes so many operations to make that it waits in scratch.
static Kernel makeNarrowed(int64_t columns) {
  Builder b(columns);
  Value x = b.element("x", 8, {-128, 127});
  Value y = b.mulShift(x * 37 + 11, 14000, 19, Rounding::HalfEven) - x;
  Value d = b.reduceMax(b.clamp(y, {-128, 127})) - b.clamp(y, {-128, 127});
  Value e = b.shiftRight(b.constant(32767), b.shiftRight(d, 4));
  Value sum = b.max(b.reduceSum(e), 1);
  Value share =
      b.mulShift(e, b.div(int64_t(1) << 31, sum), 23, Rounding::HalfUp);
  return b.finish(b.min(share, 255) - 128, 8);
}

/// A function of elements, some of which no row has: there the table of 300
/// entries would be asked for others.
static Kernel makeBeyond(int64_t columns) {
  Builder b(columns);
  Value x = b.element("x", 8, {-128, 127});
  Value d = b.reduceMax(x) - x;
  Table wide;
  for (int64_t i = 0; i < 300; ++i)
    wide.push_back(i * i * 1000);
  Value y = b.lookup(std::move(wide), d) + b.reduceSum(x) * x * 3;
  return b.finish(b.clamp(b.shiftRight(y, 12), {-128, 127}), 8);
}

static KernelBatch makeKernels() {
  KernelBatch batch;
  auto add = [&](const std::string &name, const Kernel &kernel,
                 int64_t columns) {
    Graph selected = selectIndices(kernel).graph;
    EXPECT_TRUE(findRowFunction(selected, llvm::cantFail(bound(selected))))
        << name;
    std::vector<KernelRow> rows = drawRows(columns, columns);
    // Masks that leave all, none, and any elements.
    for (size_t i = 0; kernel.graph.inputs.size() > 1 && i < rows.size(); ++i) {
      rows[i].push_back(rows[(i + 1) % rows.size()][0]);
      if (i < 2)
        rows[i][1].assign(columns, int64_t(i));
      for (int64_t &mask : rows[i][1])
        mask &= 3;
    }
    batch.add(name + " of " + std::to_string(columns), kernel, columns, rows);
  };
  // Whole vectors, and last ones of all but one and of one element.
  for (int64_t columns : {256, 319, 321})
    for (double scale : {0.25, 0.0625, 0.015625})
      for (int64_t one : {255, 32767, 65535, 5000000})
        add("softmax by " + std::to_string(scale) + " and " +
                std::to_string(one),
            makeSoftmax(scale, one, columns), columns);
  for (int64_t columns : {256, 321})
    add("masked softmax", makeSoftmax(0.0625, 32767, columns, true), columns);
  for (int64_t columns : {80, 197, 321})
    batch.add("softmax of a narrowed operand", makeNarrowed(columns), columns,
              drawRows(columns, columns));
  batch.add("beyond", makeBeyond(300), 300, drawRows(300, 1));
  for (bool isHalved : {false, true})
    add("a quadratic", makeQuadratic(1000, isHalved), 1000);
  return batch;
}

TEST(RowTable, CompiledIsEvaluated) {
  mlir::MLIRContext context;
  loadDialects(context);
  KernelBatch batch = makeKernels();
  for (const Target &target : getTestTargets())
    batch.expectCompiledEqual(context, /*lanes=*/0, target);
}

/// As emitted for processors with byte permutations, with and without dot
/// products.
TEST(RowTable, EmulatedIsEvaluated) {
  mlir::MLIRContext context;
  loadDialects(context);
  KernelBatch batch = makeKernels();
  VectorFeatures features;
  features.avx2 = features.avx512bw = features.avx512vbmi = true;
  for (bool hasDots : {false, true}) {
    features.avx512vnni = hasDots;
    EXPECT_GT(batch.expectEmulatedEqual(context, features), 0u);
  }
}
