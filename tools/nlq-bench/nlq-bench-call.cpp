//===- nlq-bench-call.cpp - Calls a function of a library once ------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What nlq-bench runs under callgrind: a program that is loaded at once.
//
//   nlq-bench-call LIBRARY FUNCTION ARRAYS BYTES... EXTENT...
//
// calls the function once, on ARRAYS arrays of so many BYTES and the extents.
//
//===----------------------------------------------------------------------===//

#include "Call.h"
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>

int main(int argc, char **argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: nlq-bench-call LIBRARY FUNCTION ARRAYS "
                         "BYTES... EXTENT...\n");
    return 1;
  }
  void *library = dlopen(argv[1], RTLD_NOW);
  nlq::bench::Call call;
  call.function = library ? dlsym(library, argv[2]) : nullptr;
  if (!call.function) {
    std::fprintf(stderr, "error: %s\n", dlerror());
    return 1;
  }
  long arrays = std::atol(argv[3]);
  for (int i = 0; i + 4 < argc && i < int(nlq::bench::kMostParameters); ++i) {
    long value = std::atol(argv[i + 4]);
    // Zeros are as good as other integers: kernels do not branch on them.
    call.parameters[i] =
        i < arrays ? reinterpret_cast<intptr_t>(std::calloc(value, 1)) : value;
  }
  call();
  return 0;
}
