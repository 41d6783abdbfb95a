//===- Buffers.cpp - Memory of arguments and results ----------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Buffers.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/MathExtras.h"
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>
#include <utility>

using namespace nlq::bench;

Buffer::Buffer(size_t bytes, size_t offset) {
  constexpr size_t kLargePage = 2 << 20;
  size_t total = llvm::alignTo(bytes + offset, kLargePage);
  memory = static_cast<char *>(std::aligned_alloc(kLargePage, total));
  if (!memory)
    llvm::report_bad_alloc_error("no memory for the arrays to measure with");
  madvise(memory, total, MADV_HUGEPAGE);
  std::memset(memory, 0, total);
  begin = memory + offset;
}

Buffer::~Buffer() { std::free(memory); }

Buffer::Buffer(Buffer &&other) noexcept
    : memory(std::exchange(other.memory, nullptr)),
      begin(std::exchange(other.begin, nullptr)) {}
