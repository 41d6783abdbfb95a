//===- Team.cpp - Copies by the threads of OpenMP -------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Team.h"
#include <cstring>
#include <dlfcn.h>

using namespace nlq::bench;

llvm::Expected<Team> Team::load() {
  Team team;
  void *runtime = dlopen("libomp.so.5", RTLD_NOW | RTLD_GLOBAL);
  auto find = [&](const char *name, auto &function) {
    void *symbol = runtime ? dlsym(runtime, name) : nullptr;
    function = reinterpret_cast<std::decay_t<decltype(function)>>(symbol);
    return symbol != nullptr;
  };
  if (!find("GOMP_parallel", team.parallel) ||
      !find("omp_get_thread_num", team.getThread) ||
      !find("omp_get_num_threads", team.getNumThreads))
    return llvm::createStringError("no runtime of OpenMP: " +
                                   llvm::Twine(dlerror()));
  return team;
}

void Team::copy(char *to, const char *from, size_t bytes) const {
  struct Share {
    const Team *team;
    char *to;
    const char *from;
    size_t bytes;
  } share{this, to, from, bytes};
  auto body = [](void *data) {
    const Share &all = *static_cast<Share *>(data);
    size_t thread = all.team->getThread(), count = all.team->getNumThreads();
    size_t begin = all.bytes * thread / count;
    size_t end = all.bytes * (thread + 1) / count;
    std::memcpy(all.to + begin, all.from + begin, end - begin);
  };
  parallel(body, &share, /*numThreads=*/0, /*flags=*/0);
}
