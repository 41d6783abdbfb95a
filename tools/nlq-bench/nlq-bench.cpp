//===- nlq-bench.cpp - Times of kernels, compiled for a target ------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Cases.h"
#include "Diagnostics.h"
#include "Measure.h"
#include "Report.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "nlq/InitAll.h"
#include "nlq/Quantization/AssignPasses.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"

using namespace mlir;
using namespace nlq;
using namespace nlq::bench;
namespace cl = llvm::cl;

static cl::OptionCategory category("Options of nlq-bench");
static cl::list<std::string>
    inputs(cl::Positional, cl::cat(category),
           cl::desc("<operations and .mlir files; all operations if none>"));
static cl::opt<std::string>
    targetName("target", cl::cat(category), cl::init("native"),
               cl::desc("native, aarch64, or a processor of LLVM. Code "
                        "that this machine can't run is compiled only"));
static cl::opt<std::string>
    method("method", cl::cat(category), cl::init("table"),
           cl::desc("the method of operations that have none, as the pass "
                    "nlq-set-method takes it (default: table)"));
static cl::list<std::string>
    sizeNames("sizes", cl::cat(category), cl::CommaSeparated,
              cl::desc("sizes of the operations' cases: tile, image, batch "
                       "(default: image)"));
static cl::opt<int64_t>
    rows("rows", cl::cat(category), cl::init(0),
         cl::desc("every dynamic extent but the length of rows, instead of the "
                  "cases' sizes (default in files: 197)"));
static cl::list<int64_t>
    columns("columns", cl::cat(category), cl::CommaSeparated,
            cl::desc("lengths of rows of the operations, instead of the cases' "
                     "own, and of dynamic ones in files (default there: 197)"));
static cl::opt<int64_t> longest(
    "longest", cl::cat(category), cl::init(0),
    cl::desc("compile each operation once, for rows of any length up to "
             "this, and measure that with the lengths"));
static cl::opt<bool>
    openmp("openmp", cl::cat(category),
           cl::desc("let OpenMP handle the rows of kernels in parallel, on "
                    "OMP_NUM_THREADS threads, and copy on as many; times are "
                    "then those of the wall"));
static cl::opt<double>
    sampleSeconds("min-time", cl::cat(category), cl::init(0.01),
                  cl::desc("CPU seconds of a sample (default: 0.01)"));
static cl::opt<unsigned>
    samples("samples", cl::cat(category), cl::init(15),
            cl::desc("samples of each function (default: 15)"));
static cl::opt<std::string>
    jsonPath("json", cl::cat(category), cl::value_desc("file"),
             cl::desc("write the results as JSON too, - for the terminal and "
                      "no text"));
static cl::opt<std::string>
    savePath("save-module", cl::cat(category), cl::value_desc("file"),
             cl::desc("write the functions of the operations as a module and "
                      "measure nothing"));

namespace {

/// Removes a folder in the end.
struct TemporaryFolder {
  SmallString<64> path;

  llvm::Error create() {
    if (std::error_code error =
            llvm::sys::fs::createUniqueDirectory("nlq-bench", path))
      return llvm::createStringError(error, "no place for temporary files");
    return llvm::Error::success();
  }
  ~TemporaryFolder() {
    if (!path.empty())
      llvm::sys::fs::remove_directories(path);
  }
};

/// Dynamic extents to measure a function with.
struct Extents {
  std::vector<int64_t> rows, columns;
};

/// What the inputs ask for: a module, and how to measure each of its functions.
struct Plan {
  OwningOpRef<ModuleOp> module;
  llvm::StringMap<Extents> extents;
};

} // namespace

static llvm::Expected<std::vector<int64_t>> getExtents(const Case &entry) {
  if (rows > 0)
    return std::vector<int64_t>{rows};
  std::vector<int64_t> found;
  std::vector<std::string> names(sizeNames.begin(), sizeNames.end());
  if (names.empty())
    names = {"image"};
  for (StringRef name : names) {
    if (name != "tile" && name != "image" && name != "batch")
      return llvm::createStringError("unknown size '" + name +
                                     "'; tile, image and batch are known");
    int64_t extent = name == "tile"    ? entry.tile
                     : name == "image" ? entry.image
                                       : entry.batch;
    if (extent > 0)
      found.push_back(extent);
  }
  return found;
}

/// The cases of a name, with other columns where these are asked for.
static llvm::Expected<std::vector<Case>> getCases(StringRef name) {
  llvm::Expected<std::vector<Case>> cases = findCases(name);
  if (!cases)
    return cases;
  std::vector<Case> found = *cases;
  if (!columns.empty())
    found.assign(columns.size(), cases->front());
  for (auto [entry, count] : llvm::zip(found, columns))
    entry.columns = count;
  for (Case &entry : found) {
    entry.longest = longest;
    if (longest > 0 && entry.numColumns > 0)
      return llvm::createStringError(
          "'" + name +
          "' has constants for each column, so that its rows have "
          "one length");
  }
  return found;
}

/// Adds the functions of the text or file to the module of the plan.
static llvm::Error addModule(Plan &plan, OwningOpRef<ModuleOp> module) {
  for (Operation &op : llvm::make_early_inc_range(*module->getBody())) {
    auto symbol = dyn_cast<SymbolOpInterface>(op);
    if (symbol && plan.module->lookupSymbol(symbol.getNameAttr()))
      return llvm::createStringError("there are two functions '" +
                                     symbol.getName() + "'");
    op.remove();
    plan.module->push_back(&op);
  }
  return llvm::Error::success();
}

static llvm::Expected<Plan> makePlan(MLIRContext &context) {
  Plan plan;
  plan.module = ModuleOp::create(UnknownLoc::get(&context));
  std::vector<std::string> words(inputs.begin(), inputs.end());
  if (words.empty())
    words = getNames();
  for (StringRef word : words) {
    if (word.ends_with(".mlir") || word.ends_with(".mlirbc")) {
      Diagnostics diagnostics(&context);
      auto module = parseSourceFile<ModuleOp>(word, &context);
      if (!module)
        return diagnostics.takeError();
      if (getEntries(*module).empty())
        return llvm::createStringError("'" + word +
                                       "' has no public function to measure");
      for (func::FuncOp function : getEntries(*module))
        plan.extents[function.getName()] = {
            {rows > 0 ? rows : 197},
            columns.empty()
                ? std::vector<int64_t>{197}
                : std::vector<int64_t>(columns.begin(), columns.end())};
      if (llvm::Error error = addModule(plan, std::move(module)))
        return error;
      continue;
    }
    llvm::Expected<std::vector<Case>> cases = getCases(word);
    if (!cases)
      return cases.takeError();
    for (const Case &entry : *cases) {
      llvm::Expected<std::vector<int64_t>> extents = getExtents(entry);
      if (!extents)
        return extents.takeError();
      if (extents->empty())
        continue;
      // Lengths of rows that one function takes are measured with its first
      // case's numbers of rows.
      auto [plannedExtents, isNew] =
          plan.extents.try_emplace(getFunctionName(entry));
      plannedExtents->second.columns.push_back(entry.columns);
      if (!isNew && longest > 0)
        continue;
      plannedExtents->second.rows = std::move(*extents);
      auto module = parseSourceString<ModuleOp>(makeFunction(entry), &context);
      if (llvm::Error error = addModule(plan, std::move(module)))
        return error;
    }
  }
  return std::move(plan);
}

static llvm::Error writeText(StringRef path,
                             llvm::function_ref<void(llvm::raw_ostream &)> fn) {
  return llvm::writeToOutput(path, [&](llvm::raw_ostream &os) {
    fn(os);
    return llvm::Error::success();
  });
}

static llvm::Error setMethods(ModuleOp module) {
  Diagnostics diagnostics(module.getContext());
  PassManager manager(module.getContext());
  NLQSetMethodOptions options;
  options.method = method;
  manager.addPass(createNLQSetMethod(options));
  if (failed(manager.run(module)))
    return diagnostics.takeError();
  return llvm::Error::success();
}

static llvm::Error run(MLIRContext &context) {
  Context report;
  report.targetName = targetName;
  llvm::Expected<Target> target = parseTarget(targetName);
  if (!target)
    return target.takeError();
  report.target = *target;
  llvm::Expected<VectorFeatures> features = getVectorFeatures(*target);
  if (!features)
    return features.takeError();
  report.features = *features;
  llvm::Expected<bool> runs = runsHere(*target);
  if (!runs)
    return runs.takeError();
  report.isRun = *runs;
  report.threads = openmp ? Threads::OpenMP : Threads::None;

  for (int64_t count : columns)
    if (count <= 0)
      return llvm::createStringError("rows have at least one column, found " +
                                     Twine(count));
  llvm::Expected<Plan> plan = makePlan(context);
  if (!plan)
    return plan.takeError();
  if (!savePath.empty())
    return writeText(savePath,
                     [&](llvm::raw_ostream &os) { plan->module->print(os); });
  if (llvm::Error error = setMethods(*plan->module))
    return error;

  TemporaryFolder folder;
  if (report.isRun)
    if (llvm::Error error = folder.create())
      return error;
  llvm::Expected<std::vector<Kernel>> kernels =
      compileKernels(*plan->module, *target, report.threads, folder.path);
  if (!kernels)
    return kernels.takeError();
  std::vector<Size> sizes;
  for (const Kernel &kernel : *kernels) {
    bool hasDynamicRows = false, hasDynamicColumns = false;
    for (const ArrayType &type : kernel.signature.arguments) {
      ArrayRef<int64_t> shape = type.shape;
      if (shape.empty())
        continue;
      hasDynamicRows |= ShapedType::isDynamicShape(shape.drop_back());
      hasDynamicColumns |= ShapedType::isDynamic(shape.back());
    }
    Extents extents = plan->extents.lookup(
        kernel.name == "nlq_main" ? "main" : StringRef(kernel.name));
    if (!hasDynamicRows)
      extents.rows.resize(1);
    if (!hasDynamicColumns)
      extents.columns.resize(1);
    for (int64_t numRows : extents.rows)
      for (int64_t numColumns : extents.columns)
        sizes.push_back({&kernel, numRows, numColumns});
  }
  std::vector<Measurement> measurements = describeSizes(sizes);
  MeasureOptions options;
  options.sampleSeconds = sampleSeconds;
  options.samples = samples;
  options.threads = report.threads;
  if (report.isRun)
    if (llvm::Error error = measure(sizes, options, measurements))
      return error;
  if (jsonPath != "-")
    printText(llvm::outs(), report, measurements);
  if (jsonPath.empty())
    return llvm::Error::success();
  return writeText(jsonPath, [&](llvm::raw_ostream &os) {
    os << llvm::formatv("{0:2}\n", toJson(report, measurements));
  });
}

int main(int argc, char **argv) {
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(
      argc, argv,
      "Compiles quantized nlq operations, or the functions of .mlir files, for "
      "a target, and measures them beside memcpy.\n");
  DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  nlq::registerAllDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.printOpOnDiagnostic(false);
  if (llvm::Error error = run(context)) {
    llvm::errs() << "error: " << llvm::toString(std::move(error)) << "\n";
    return 1;
  }
  return 0;
}
