//===- RandomInputs.cpp - Random rows for tests ---------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernel/RandomGraph.h"
#include <algorithm>

using namespace nlq::kernel;

uint64_t Random::next() {
  uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

int64_t Random::in(int64_t lo, int64_t hi) {
  uint64_t count = uint64_t(hi) - uint64_t(lo) + 1;
  return int64_t(uint64_t(lo) + (count == 0 ? next() : next() % count));
}

std::vector<std::vector<int64_t>>
nlq::kernel::randomInputs(const Kernel &kernel, int64_t rowLength,
                          InputPattern pattern, uint64_t seed) {
  Random random(seed);
  std::vector<std::vector<int64_t>> inputs;
  for (const Input &input : kernel.graph.inputs) {
    if (input.rate == Rate::Column)
      continue;
    Interval range = input.range;
    int64_t length = input.rate == Rate::Element ? rowLength : 1;
    int64_t constant = random.in(range), special = random.in(0, length - 1);
    std::vector<int64_t> &row = inputs.emplace_back();
    for (int64_t i = 0; i < length; ++i) {
      int64_t edges[] = {range.lo, range.hi,
                         std::clamp(random.in(-2, 2), range.lo, range.hi)};
      switch (pattern) {
      case InputPattern::Uniform:
        row.push_back(random.in(range));
        break;
      case InputPattern::Edges:
        row.push_back(edges[random.in(0, 2)]);
        break;
      case InputPattern::Low:
        row.push_back(range.lo);
        break;
      case InputPattern::High:
        row.push_back(range.hi);
        break;
      case InputPattern::Constant:
        row.push_back(constant);
        break;
      case InputPattern::OneHot:
        row.push_back(i == special ? range.hi : range.lo);
        break;
      case InputPattern::OneCold:
        row.push_back(i == special ? range.lo : range.hi);
        break;
      case InputPattern::Alternate:
        row.push_back(i % 2 == 0 ? range.lo : range.hi);
        break;
      case InputPattern::Near:
        row.push_back(
            std::clamp(constant + random.in(-1, 1), range.lo, range.hi));
        break;
      }
    }
  }
  return inputs;
}
