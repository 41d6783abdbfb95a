//===- Report.cpp - What was measured, as text and as JSON ----------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Report.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include <set>

using namespace mlir;
using namespace nlq;
using namespace nlq::bench;

/// Widths in bits of the elements of vectors.
static std::vector<int64_t> getLanes(const Kernel &kernel) {
  std::set<int64_t> widths;
  for (const auto &[type, count] : kernel.vectors) {
    int64_t width = 0;
    if (!StringRef(type).rsplit("xi").second.getAsInteger(10, width))
      widths.insert(width);
  }
  return {widths.begin(), widths.end()};
}

static std::string getShape(ArrayRef<int64_t> shape) {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::interleave(shape, os, "x");
  return text;
}

void nlq::bench::printText(llvm::raw_ostream &os, const Context &context,
                           ArrayRef<Measurement> measurements) {
  std::vector<std::string> names = context.features.getNames();
  os << "target " << context.targetName << ": " << context.target.cpu << ", "
     << (names.empty() ? "portable" : llvm::join(names, ", ")) << "\n";
  if (!context.isRun)
    os << "not run: this machine has not the instructions of the target\n";
  os << llvm::format("%-24s %-16s %8s %8s %8s %9s %7s %9s %9s\n", "function",
                     "result", "ns/elem", "(least)", "memcpy", "x memcpy",
                     "instr", "lanes", "compile");
  for (const Measurement &entry : measurements) {
    const Kernel &kernel = *entry.kernel;
    std::string shape =
        getShape(entry.shapes[kernel.signature.arguments.size()]);
    os << llvm::format("%-24s %-16s", kernel.name.c_str(), shape.c_str());
    double n = double(entry.elements);
    if (context.isRun)
      os << llvm::format(" %8.4f %8.4f %8.4f %9.2f", entry.call.median / n,
                         entry.call.least / n, entry.copy.median / n,
                         entry.call.median / entry.copy.median);
    else
      os << llvm::format(" %8s %8s %8s %9s", "-", "-", "-", "-");
    if (entry.instructionsBy.empty())
      os << llvm::format(" %7s", "-");
    else
      os << llvm::format(" %7.3f", entry.instructions / n);
    std::string lanes;
    llvm::raw_string_ostream lanesOs(lanes);
    llvm::interleave(getLanes(kernel), lanesOs, ",");
    os << llvm::format(" %9s %6.0f ms\n", lanes.c_str(),
                       kernel.compileSeconds * 1e3);
  }
}

static llvm::json::Value orNull(bool exists, double value) {
  return exists ? llvm::json::Value(value) : llvm::json::Value(nullptr);
}

llvm::json::Value nlq::bench::toJson(const Context &context,
                                     ArrayRef<Measurement> measurements) {
  llvm::json::Array results;
  for (const Measurement &entry : measurements) {
    const Kernel &kernel = *entry.kernel;
    auto shapes = [&](size_t begin, size_t end) {
      llvm::json::Array list;
      for (size_t i = begin; i < end; ++i)
        list.push_back(llvm::json::Array(entry.shapes[i]));
      return list;
    };
    llvm::json::Object vectors;
    for (const auto &[type, count] : kernel.vectors)
      vectors[type] = count;
    size_t numArguments = kernel.signature.arguments.size();
    double n = double(entry.elements);
    bool isCounted = !entry.instructionsBy.empty();
    results.push_back(llvm::json::Object{
        {"function", kernel.name},
        {"arguments", shapes(0, numArguments)},
        {"results", shapes(numArguments, entry.shapes.size())},
        {"elements", entry.elements},
        {"bytes", entry.bytes},
        {"compile_ms", kernel.compileSeconds * 1e3},
        {"object_bytes", int64_t(kernel.objectBytes)},
        {"vectors", std::move(vectors)},
        {"lanes", llvm::json::Array(getLanes(kernel))},
        {"ns_per_element", orNull(context.isRun, entry.call.median / n)},
        {"ns_per_element_least", orNull(context.isRun, entry.call.least / n)},
        {"memcpy_ns_per_element", orNull(context.isRun, entry.copy.median / n)},
        {"memcpy_ratio",
         orNull(context.isRun, entry.call.median / entry.copy.median)},
        {"instructions_per_element", orNull(isCounted, entry.instructions / n)},
        {"instructions_by", isCounted ? llvm::json::Value(entry.instructionsBy)
                                      : llvm::json::Value(nullptr)}});
  }
  return llvm::json::Object{
      {"format", "nlq-bench"},
      {"version", 1},
      {"target", context.targetName},
      {"processor", context.target.cpu},
      {"features", llvm::json::Array(context.features.getNames())},
      {"run", context.isRun},
      {"threads", context.threads == Threads::OpenMP ? "openmp" : "none"},
      {"results", std::move(results)}};
}
