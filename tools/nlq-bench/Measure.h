//===- Measure.h - Times of compiled functions ------------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_TOOLS_NLQBENCH_MEASURE_H
#define NLQ_TOOLS_NLQBENCH_MEASURE_H

#include "Call.h"
#include "Kernels.h"

namespace nlq::bench {

struct MeasureOptions {
  /// CPU seconds of a sample.
  double sampleSeconds = 0.01;
  /// Samples of each function, which take turns in random order.
  unsigned samples = 15;
  /// With threads, which take part in copies too, times are those of the wall,
  /// and instructions are not counted.
  Threads threads = Threads::None;
};

/// Nanoseconds over the samples.
struct Time {
  double median = 0, least = 0;
};

/// A function on arrays of one size.
struct Measurement {
  const Kernel *kernel = nullptr;
  /// Elements of the first result.
  int64_t elements = 0;
  /// Bytes that are read and written: arguments and results.
  int64_t bytes = 0;
  /// Shapes with all extents, of arguments and then of results.
  std::vector<llvm::SmallVector<int64_t, 4>> shapes;
  /// Of one call, and of a memcpy that reads and writes as many bytes.
  Time call, copy;
  /// Instructions of one call, where `instructionsBy` (perf or callgrind)
  /// counted them.
  double instructions = 0;
  std::string instructionsBy;
};

/// A function and the extents that its dynamic ones have: the length of rows,
/// where the last extent is dynamic, and all others.
struct Size {
  const Kernel *kernel;
  int64_t rows, columns;
};

/// Shapes, elements and bytes of each, without times.
std::vector<Measurement> describeSizes(llvm::ArrayRef<Size> sizes);

/// Loads the libraries and measures every size beside its memcpy, in one run
/// of Google Benchmark. Arguments hold normally distributed integers of a fixed
/// seed. Fails where a library can't be loaded, or the runtime of the threads.
llvm::Error measure(llvm::ArrayRef<Size> sizes, const MeasureOptions &options,
                    std::vector<Measurement> &measurements);

} // namespace nlq::bench

#endif // NLQ_TOOLS_NLQBENCH_MEASURE_H
