//===- Instructions.h - Counting instructions of a call ---------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_TOOLS_NLQBENCH_INSTRUCTIONS_H
#define NLQ_TOOLS_NLQBENCH_INSTRUCTIONS_H

#include "Call.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <optional>

namespace nlq::bench {

/// Instructions of one call, counted by the processor (perf_event_open). None
/// where the system does not let a program ask.
std::optional<double> countByPerf(const Call &call);

/// The same, counted by valgrind's callgrind in a process of its own, which
/// runs `caller` (nlq-bench-call) on the function `name` of `library`. `bytes`
/// are the sizes of its arrays, the first `numArguments` of which are
/// arguments; `extents` follow these. None where there is no valgrind or it
/// fails: it does not know AVX-512.
std::optional<double> countByCallgrind(llvm::StringRef caller,
                                       llvm::StringRef library,
                                       llvm::StringRef name,
                                       llvm::ArrayRef<int64_t> bytes,
                                       llvm::ArrayRef<int64_t> extents);

} // namespace nlq::bench

#endif // NLQ_TOOLS_NLQBENCH_INSTRUCTIONS_H
