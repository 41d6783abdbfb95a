//===- Cases.cpp - Operations with types and shapes to measure ------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Cases.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <cstring>
#include <random>

using namespace llvm;
using namespace nlq::bench;

// Shapes of a ViT-B (197 tokens, 12 heads, 768 and 3072 channels) and of
// attention over 1024 tokens; a batch is 64 images, or 256 where rows are
// short. Scales cover what such layers produce; a probability of 8 bits goes
// from 0 to
// 1. Wide operands are what producers have: scores and a residual of 16 bits,
// accumulators of 32.
static const Case kCases[] = {
    {"softmax", "softmax", 197, 64, 12 * 197, 64 * 12 * 197, "i8:f32, 0.0625",
     "i8:f32, 0.00390625:-128", "", 0},
    {"softmax", "softmax", 1024, 0, 4 * 1024, 0, "i8:f32, 0.0625",
     "i8:f32, 0.00390625:-128", "", 0},
    {"softmax_causal", "softmax", 1024, 0, 4, 0, "i8:f32, 0.0625",
     "i8:f32, 0.00390625:-128", " causal", 0, /*isSquare=*/true},
    {"gelu", "gelu", 3072, 4, 197, 64 * 197, "i8:f32, 0.05", "i8:f32, 0.05",
     " erf", 0},
    {"silu", "silu", 3072, 4, 197, 64 * 197, "i8:f32, 0.05", "i8:f32, 0.05", "",
     0},
    {"sigmoid", "sigmoid", 3072, 4, 197, 64 * 197, "i8:f32, 0.0625",
     "i8:f32, 0.00390625:-128", "", 0},
    {"tanh", "tanh", 3072, 4, 197, 64 * 197, "i8:f32, 0.03125",
     "i8:f32, 0.0078125", "", 0},
    {"exp", "exp", 3072, 4, 197, 64 * 197, "i8:f32, 0.0625:127",
     "i8:f32, 0.00390625:-128", "", 0},
    {"layer_norm", "layer_norm", 768, 16, 197, 256 * 197, "i8:f32, 0.05",
     "i8:f32, 0.04", " {epsilon = 1.0e-06}", 2},
    {"rms_norm", "rms_norm", 768, 16, 197, 256 * 197, "i8:f32, 0.05",
     "i8:f32, 0.04", " {epsilon = 1.0e-06}", 1},
    {"softmax_i16_i8", "softmax", 197, 64, 12 * 197, 64 * 12 * 197,
     "i16:f32, 0.0005", "i8:f32, 0.00390625:-128", "", 0},
    {"softmax_i16_i16", "softmax", 197, 64, 12 * 197, 64 * 12 * 197,
     "i16:f32, 0.0005", "i16:f32, 3.0517578125e-05", "", 0},
    {"gelu_i32_i8", "gelu", 3072, 4, 197, 64 * 197,
     "i32<-100000:100000>:f32, 0.0001", "i8:f32, 0.05",
     " erf {method = #nlq.table<in = !quant.uniform<i8:f32, 0.05>>}", 0},
    {"layer_norm_i16_i8", "layer_norm", 768, 16, 197, 256 * 197,
     "i16:f32, 0.001", "i8:f32, 0.04", " {epsilon = 1.0e-06}", 2},
};

std::string nlq::bench::getFunctionName(const Case &entry) {
  if (entry.longest > 0)
    return formatv("{0}_to_{1}", entry.name, entry.longest);
  return formatv("{0}_{1}", entry.name, entry.columns);
}

std::vector<std::string> nlq::bench::getNames() {
  std::vector<std::string> names;
  for (const Case &entry : kCases)
    if (names.empty() || names.back() != entry.name)
      names.push_back(entry.name);
  return names;
}

Expected<std::vector<Case>> nlq::bench::findCases(StringRef name) {
  std::vector<Case> found;
  for (const Case &entry : kCases)
    if (name == entry.name)
      found.push_back(entry);
  if (found.empty())
    return createStringError("unknown operation '" + name + "'; " +
                             join(getNames(), ", ") +
                             " and .mlir files can be measured");
  return found;
}

/// A constant of f32 to the bit.
static std::string makeConstant(StringRef name, ArrayRef<float> values) {
  StringRef bytes(reinterpret_cast<const char *>(values.data()),
                  values.size() * sizeof(float));
  return formatv("  %{0} = arith.constant dense<\"0x{1}\"> : tensor<{2}xf32>\n",
                 name, toHex(bytes), values.size());
}

std::string nlq::bench::makeFunction(const Case &entry) {
  std::string constants, operands = "%x", types;
  auto tensor = [&](const char *element) -> std::string {
    std::string extent =
        entry.longest > 0 ? "?" : std::to_string(entry.columns);
    return formatv("tensor<?x{0}{1}x!quant.uniform<{2}>>",
                   entry.isSquare ? extent + "x" : "", extent, element);
  };
  types = tensor(entry.operand);
  std::mt19937 engine(7);
  std::normal_distribution<float> normal;
  for (unsigned i = 0; i < entry.numColumns; ++i) {
    std::vector<float> values(entry.columns);
    for (float &value : values)
      value = (i == 0 ? 1.0f : 0.0f) + 0.2f * normal(engine);
    std::string name = i == 0 ? "gamma" : "beta";
    constants += makeConstant(name, values);
    operands += ", %" + name;
    types += formatv(", tensor<{0}xf32>", entry.columns);
  }
  std::string rest = entry.rest;
  if (entry.longest > 0) {
    // Into the operation's other attributes, which stand in braces.
    std::string attribute =
        formatv("max_row_length = {0} : i64", entry.longest);
    size_t brace = rest.find('{');
    if (brace == std::string::npos)
      rest += " {" + attribute + "}";
    else
      rest.insert(brace + 1, attribute + ", ");
  }
  return formatv("func.func @{0}(%x: {1}) -> {2} {{\n"
                 "{3}"
                 "  %y = nlq.{4} {5}{6} : {7} -> {2}\n"
                 "  return %y : {2}\n"
                 "}\n",
                 getFunctionName(entry), tensor(entry.operand),
                 tensor(entry.result), constants, entry.op, operands, rest,
                 types);
}
