//===- Buffers.h - Memory of arguments and results --------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_TOOLS_NLQBENCH_BUFFERS_H
#define NLQ_TOOLS_NLQBENCH_BUFFERS_H

#include <cstddef>
#include <cstdint>

namespace nlq::bench {

/// Zeroed memory in large pages where there are any. It begins `offset` bytes
/// after the start of a page: a result whose address is an argument's modulo
/// 4096 makes loads wait for stores.
class Buffer {
public:
  Buffer(size_t bytes, size_t offset);
  ~Buffer();
  Buffer(const Buffer &) = delete;
  Buffer(Buffer &&other) noexcept;

  char *data() const { return begin; }

private:
  char *memory = nullptr;
  char *begin = nullptr;
};

/// Offset of results: not that of arguments, 0, and a multiple of 64.
constexpr size_t kResultOffset = 3136;

} // namespace nlq::bench

#endif // NLQ_TOOLS_NLQBENCH_BUFFERS_H
