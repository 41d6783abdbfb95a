//===- Team.h - Copies by the threads of OpenMP -----------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_TOOLS_NLQBENCH_TEAM_H
#define NLQ_TOOLS_NLQBENCH_TEAM_H

#include "llvm/Support/Error.h"
#include <cstddef>

namespace nlq::bench {

/// The threads on which kernels handle their rows in parallel.
class Team {
public:
  /// Loads the runtime of OpenMP, which libraries leave to the program. Fails
  /// where there is none.
  static llvm::Expected<Team> load();

  /// A memcpy of which each thread does an equal part.
  void copy(char *to, const char *from, size_t bytes) const;

private:
  /// LLVM's runtime, under the names that GCC gives to its own.
  void (*parallel)(void (*body)(void *), void *data, unsigned numThreads,
                   unsigned flags) = nullptr;
  int (*getThread)() = nullptr;
  int (*getNumThreads)() = nullptr;
};

} // namespace nlq::bench

#endif // NLQ_TOOLS_NLQBENCH_TEAM_H
