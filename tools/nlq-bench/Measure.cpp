//===- Measure.cpp - Times of compiled functions --------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Measure.h"
#include "Buffers.h"
#include "Instructions.h"
#include "Team.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include <algorithm>
#include <benchmark/benchmark.h>
#include <cmath>
#include <cstring>
#include <dlfcn.h>
#include <memory>
#include <optional>
#include <random>

using namespace mlir;
using namespace nlq;
using namespace nlq::bench;

static int64_t countElements(ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  return count;
}

std::vector<Measurement> nlq::bench::describeSizes(ArrayRef<Size> sizes) {
  std::vector<Measurement> measurements;
  for (const Size &size : sizes) {
    Measurement &entry = measurements.emplace_back();
    entry.kernel = size.kernel;
    const Signature &signature = size.kernel->signature;
    for (const ArrayType &type : llvm::concat<const ArrayType>(
             signature.arguments, signature.results)) {
      auto &shape = entry.shapes.emplace_back(type.shape);
      if (!shape.empty() && ShapedType::isDynamic(shape.back()))
        shape.back() = size.columns;
      llvm::replace(shape, ShapedType::kDynamic, size.rows);
      entry.bytes += countElements(shape) * getByteWidth(type.kind);
    }
    entry.elements = countElements(entry.shapes[signature.arguments.size()]);
  }
  return measurements;
}

namespace {

/// A loaded function with its arrays.
struct Run {
  Call call;
  std::vector<Buffer> arrays;
  /// `extents`: the integers that follow the arrays, strides included.
  std::vector<int64_t> arrayBytes, extents;
  /// A memcpy of half of the bytes reads and writes as many as the function.
  std::vector<Buffer> copied;
  size_t copiedBytes = 0;

  /// By the threads of `team`, if there is one.
  void copy(const std::optional<Team> &team) const {
    if (team)
      team->copy(copied[1].data(), copied[0].data(), copiedBytes);
    else
      std::memcpy(copied[1].data(), copied[0].data(), copiedBytes);
  }
};

/// Gathers the samples of each benchmark instead of printing them.
class Collector : public benchmark::BenchmarkReporter {
public:
  explicit Collector(bool isWallTime) : isWallTime(isWallTime) {}

  bool ReportContext(const Context &) override { return true; }
  void ReportRuns(const std::vector<Run> &runs) override {
    for (const Run &run : runs)
      if (run.run_type == Run::RT_Iteration && run.iterations > 0)
        samples[run.run_name.function_name].push_back(
            1e9 *
            (isWallTime ? run.real_accumulated_time
                        : run.cpu_accumulated_time) /
            double(run.iterations));
  }

  Time getTime(const std::string &name) {
    std::vector<double> &values = samples[name];
    llvm::sort(values);
    return values.empty() ? Time() : Time{values[values.size() / 2], values[0]};
  }

private:
  const bool isWallTime;
  std::map<std::string, std::vector<double>> samples;
};

} // namespace

/// Normally distributed around the middle of the range, a few at its ends.
template <typename T>
static void fill(char *data, int64_t count, std::pair<int64_t, int64_t> range) {
  std::mt19937 engine(1);
  std::normal_distribution<double> normal(
      (double(range.first) + double(range.second)) / 2,
      (double(range.second) - double(range.first)) / 6);
  for (int64_t i = 0; i < count; ++i) {
    double value = std::clamp(std::nearbyint(normal(engine)),
                              double(range.first), double(range.second));
    reinterpret_cast<T *>(data)[i] = T(value);
  }
}

static void fill(char *data, ElementKind kind, int64_t count,
                 std::pair<int64_t, int64_t> range) {
  switch (kind) {
  case ElementKind::I8:
    return fill<int8_t>(data, count, range);
  case ElementKind::I16:
    return fill<int16_t>(data, count, range);
  case ElementKind::I32:
    return fill<int32_t>(data, count, range);
  case ElementKind::I64:
    return fill<int64_t>(data, count, range);
  case ElementKind::F32:
    break;
  }
  llvm_unreachable("kernels take integers");
}

static llvm::Expected<Run> makeRun(const Size &size,
                                   const Measurement &measurement) {
  const Kernel &kernel = *size.kernel;
  const Signature &signature = kernel.signature;
  Run run;
  size_t numArguments = signature.arguments.size();
  auto types = llvm::to_vector(
      llvm::concat<const ArrayType>(signature.arguments, signature.results));
  for (size_t index = 0; index < numArguments; ++index)
    for (auto [extent, known, limit] :
         llvm::zip(types[index].shape, measurement.shapes[index],
                   types[index].limits)) {
      if (!ShapedType::isDynamic(extent))
        continue;
      if (limit > 0 && known > limit)
        return llvm::createStringError("'" + kernel.name +
                                       "' takes rows of up to " + Twine(limit) +
                                       " elements, found " + Twine(known));
      run.extents.push_back(known);
    }
  // Rows that may lie apart are dense.
  for (auto [type, shape] : llvm::zip(types, measurement.shapes))
    if (type.isStrided)
      run.extents.push_back(shape.back());
  if (measurement.shapes.size() + run.extents.size() > kMostParameters)
    return llvm::createStringError(
        "'" + kernel.name + "' has " +
        Twine(measurement.shapes.size() + run.extents.size()) +
        " parameters in C, at most " + Twine(kMostParameters) +
        " can be measured");
  void *library = dlopen(kernel.library.c_str(), RTLD_NOW);
  run.call.function = library ? dlsym(library, kernel.name.c_str()) : nullptr;
  if (!run.call.function)
    return llvm::createStringError("'" + kernel.name +
                                   "' can't be loaded: " + dlerror());
  unsigned parameter = 0;
  for (auto [index, shape] : llvm::enumerate(measurement.shapes)) {
    bool isArgument = index < numArguments;
    const ArrayType &type = isArgument
                                ? signature.arguments[index]
                                : signature.results[index - numArguments];
    int64_t count = countElements(shape);
    run.arrayBytes.push_back(count * getByteWidth(type.kind));
    Buffer &array = run.arrays.emplace_back(run.arrayBytes.back(),
                                            isArgument ? 0 : kResultOffset);
    if (isArgument)
      fill(array.data(), type.kind, count, kernel.argumentRanges[index]);
    run.call.parameters[parameter++] = reinterpret_cast<intptr_t>(array.data());
  }
  for (int64_t extent : run.extents)
    run.call.parameters[parameter++] = extent;
  run.copiedBytes = measurement.bytes / 2;
  run.copied.emplace_back(run.copiedBytes, 0);
  run.copied.emplace_back(run.copiedBytes, kResultOffset);
  return std::move(run);
}

/// The program beside this one that calls a function once.
static std::string findCaller() {
  std::string self = llvm::sys::fs::getMainExecutable(
      nullptr, reinterpret_cast<void *>(&findCaller));
  SmallString<128> path(llvm::sys::path::parent_path(self));
  llvm::sys::path::append(path, "nlq-bench-call");
  return path.str().str();
}

static void countInstructions(const Run &run, Measurement &measurement) {
  if (auto count = countByPerf(run.call)) {
    measurement.instructions = *count;
    measurement.instructionsBy = "perf";
  } else if (auto count = countByCallgrind(
                 findCaller(), measurement.kernel->library,
                 measurement.kernel->name, run.arrayBytes, run.extents)) {
    measurement.instructions = *count;
    measurement.instructionsBy = "callgrind";
  }
}

llvm::Error nlq::bench::measure(ArrayRef<Size> sizes,
                                const MeasureOptions &options,
                                std::vector<Measurement> &measurements) {
  bool isParallel = options.threads == Threads::OpenMP;
  std::optional<Team> team;
  if (isParallel) {
    llvm::Expected<Team> loaded = Team::load();
    if (!loaded)
      return loaded.takeError();
    team = *loaded;
  }
  std::vector<Run> runs;
  for (auto [size, measurement] : llvm::zip(sizes, measurements)) {
    llvm::Expected<Run> run = makeRun(size, measurement);
    if (!run)
      return run.takeError();
    runs.push_back(std::move(*run));
  }
  auto add = [&](const std::string &name, auto body) {
    auto *entry = benchmark::RegisterBenchmark(name.c_str(),
                                               [body](benchmark::State &state) {
                                                 for (auto _ : state) {
                                                   body();
                                                   benchmark::ClobberMemory();
                                                 }
                                               });
    if (isParallel)
      entry->UseRealTime();
    else
      entry->MeasureProcessCPUTime();
  };
  for (auto [index, run] : llvm::enumerate(runs)) {
    const Run *entry = &run;
    add("call " + std::to_string(index), [entry] { entry->call(); });
    add("copy " + std::to_string(index), [entry, &team] { entry->copy(team); });
  }
  std::string words[] = {
      "nlq-bench", "--benchmark_enable_random_interleaving=true",
      "--benchmark_min_time=" + std::to_string(options.sampleSeconds),
      "--benchmark_repetitions=" + std::to_string(options.samples)};
  std::vector<char *> arguments;
  for (std::string &word : words)
    arguments.push_back(word.data());
  int count = int(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  Collector collector(isParallel);
  benchmark::RunSpecifiedBenchmarks(&collector);
  for (auto [index, run, measurement] : llvm::enumerate(runs, measurements)) {
    measurement.call = collector.getTime("call " + std::to_string(index));
    measurement.copy = collector.getTime("copy " + std::to_string(index));
    if (!isParallel)
      countInstructions(run, measurement);
  }
  return llvm::Error::success();
}
