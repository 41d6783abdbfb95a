//===- RandomGraph.h - Random kernels for tests -----------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Draws well-typed kernels that `bound` accepts, over every opcode, rate and
// rounding, and inputs for them. Deterministic: a seed always gives the same
// kernel, on every machine. Independent of any test framework.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_TEST_UNIT_KERNEL_RANDOMGRAPH_H
#define NLQ_TEST_UNIT_KERNEL_RANDOMGRAPH_H

#include "nlq/Kernel/Graph.h"

namespace nlq::kernel {

/// Reproducible random numbers (SplitMix64).
class Random {
public:
  explicit Random(uint64_t seed) : state(seed) {}
  uint64_t next();
  /// Uniform in [lo, hi].
  int64_t in(int64_t lo, int64_t hi);
  int64_t in(Interval range) { return in(range.lo, range.hi); }
  /// True once in `n` times.
  bool oneIn(int64_t n) { return in(1, n) == 1; }

private:
  uint64_t state;
};

struct RandomGraphOptions {
  /// Nodes that are drawn; those that do not reach the result are dropped.
  unsigned numNodes = 40;
  int64_t maxRowLength = 70;
  /// Widest intervals, in signed bits.
  unsigned maxElementBits = 62;
  unsigned maxRowBits = 62;
  bool columnInputs = true;
  bool rowInputs = false;
  bool unsignedInputs = true;
};

struct RandomKernel {
  Kernel kernel;
  /// A length to run it on; that of the columns if it has any.
  int64_t rowLength;
};

RandomKernel
randomKernel(uint64_t seed,
             const RandomGraphOptions &options = RandomGraphOptions());

/// What a row of inputs looks like.
enum class InputPattern {
  Uniform,   ///< anything in the range
  Edges,     ///< the ends of the range and the values around 0
  Low,       ///< the low end everywhere
  High,      ///< the high end everywhere
  Constant,  ///< one value everywhere
  OneHot,    ///< the high end once, else the low end
  OneCold,   ///< the low end once, else the high end
  Alternate, ///< low and high ends in turn
  Near,      ///< one value and its neighbours: hardly any variance
};
inline constexpr unsigned kNumInputPatterns = unsigned(InputPattern::Near) + 1;

/// One array per input that is not a Column, as Evaluator::run takes them.
std::vector<std::vector<int64_t>> randomInputs(const Kernel &kernel,
                                               int64_t rowLength,
                                               InputPattern pattern,
                                               uint64_t seed);

} // namespace nlq::kernel

#endif // NLQ_TEST_UNIT_KERNEL_RANDOMGRAPH_H
