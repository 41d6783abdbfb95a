//===- Report.h - What was measured, as text and as JSON --------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_TOOLS_NLQBENCH_REPORT_H
#define NLQ_TOOLS_NLQBENCH_REPORT_H

#include "Measure.h"
#include "llvm/Support/JSON.h"

namespace nlq::bench {

/// What the measurements have in common.
struct Context {
  /// As the command line has it.
  std::string targetName;
  Target target;
  VectorFeatures features;
  /// False where code for the target can't run on this machine.
  bool isRun = true;
  Threads threads = Threads::None;
};

/// A table for people.
void printText(llvm::raw_ostream &os, const Context &context,
               llvm::ArrayRef<Measurement> measurements);

/// The format `nlq-bench`, version 1: "target", "processor", "features", "run",
/// "threads" (none or openmp) and "results", one per function and size, in
/// order: "function", "arguments" and "results" (shapes), "elements" (of the
/// first result), "bytes" (read and written), "compile_ms" (CPU time from the
/// function to its object file), "object_bytes", "vectors" (operations in the
/// code handed to LLVM, by vector type), "lanes" (the widths in bits of their
/// elements), and where it ran "ns_per_element" and "ns_per_element_least"
/// (median and least over the samples, CPU time, or with threads wall time),
/// "memcpy_ns_per_element" (of a copy that reads and writes as many bytes, in
/// the same run and by as many threads), "memcpy_ratio",
/// "instructions_per_element" and "instructions_by" (perf or callgrind); these
/// are null where there are none.
llvm::json::Value toJson(const Context &context,
                         llvm::ArrayRef<Measurement> measurements);

} // namespace nlq::bench

#endif // NLQ_TOOLS_NLQBENCH_REPORT_H
