//===- Call.h - Calling a function of a library -----------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_TOOLS_NLQBENCH_CALL_H
#define NLQ_TOOLS_NLQBENCH_CALL_H

#include <cstdint>
#include <vector>

namespace nlq::bench {

/// Most parameters that a call may have.
constexpr unsigned kMostParameters = 8;

/// A function and what it is called with. Pointers and int64_t are passed
/// alike on the machines there is code for.
struct Call {
  void *function = nullptr;
  intptr_t parameters[kMostParameters] = {};

  /// Functions take no notice of parameters that they do not have.
  void operator()() const {
    using P = intptr_t;
    auto called = reinterpret_cast<void (*)(P, P, P, P, P, P, P, P)>(function);
    const P *p = parameters;
    called(p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7]);
  }
};

} // namespace nlq::bench

#endif // NLQ_TOOLS_NLQBENCH_CALL_H
