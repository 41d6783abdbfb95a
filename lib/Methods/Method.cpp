//===- Method.cpp - Integer methods for functions -------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Methods/Method.h"
#include "Mask.h"
#include "nlq/Kernel/Bound.h"
#include "llvm/ADT/Twine.h"
#include <cmath>

using namespace nlq;
using namespace nlq::methods;

llvm::StringRef nlq::methods::stringify(Form form) {
  return form == Form::Reference ? "reference" : "corrected";
}

double OwnGrid::dequantize(int64_t value, int64_t column) const {
  if (isLog2)
    return value == zero ? 0.0 : std::ldexp(1.0, int(-value));
  return scales[scales.size() == 1 ? 0 : column] * (double(value) - offset);
}

const Implementation *Method::find(llvm::StringRef function, Form form) const {
  for (const Implementation &implementation : implementations)
    if (implementation.function == function && implementation.form == form)
      return &implementation;
  return nullptr;
}

/// The kernel of a valid problem, proved.
static llvm::Expected<MethodKernel>
buildProved(const Implementation &implementation, const Problem &problem) {
  llvm::Expected<MethodKernel> built = implementation.build(problem);
  if (!built)
    return built.takeError();
  if (problem.hasMask || problem.isCausal) {
    built = maskRows(std::move(*built), problem);
    if (!built)
      return built.takeError();
  }
  kernel::BoundOptions options;
  options.maxElementBits = problem.form == Form::Corrected ? 32 : 64;
  llvm::Expected<kernel::Bounds> bounds =
      kernel::bound(built->kernel.graph, options);
  if (!bounds)
    return bounds.takeError();
  return built;
}

/// The problem with rows of `length`, the columns' parameters neutral and their
/// types those of the first: what is illegal about it is the row.
static Problem withRows(Problem problem, int64_t length) {
  for (Quantized *type :
       {&problem.operand, &problem.narrowed, &problem.result}) {
    if (type->isPerTensor())
      continue;
    type->scales.assign(length, type->scales[0]);
    type->zeroPoints.assign(length, type->zeroPoints[0]);
  }
  if (!problem.gamma.empty())
    problem.gamma.assign(length, 1.0);
  if (!problem.beta.empty())
    problem.beta.assign(length, 0.0);
  problem.maxRowLength = length;
  return problem;
}

/// The longest rows at which a problem would be legal that is not; 0 if rows
/// are not what makes it illegal.
static int64_t largestSafeRow(const Implementation &implementation,
                              const Problem &problem) {
  auto isLegal = [&](int64_t length) {
    auto built = buildProved(implementation, withRows(problem, length));
    bool legal = bool(built);
    llvm::consumeError(built.takeError());
    return legal;
  };
  int64_t safe = 1, unsafe = problem.maxRowLength;
  if (unsafe == 1 || isLegal(unsafe) || !isLegal(safe))
    return 0;
  while (unsafe - safe > 1) {
    int64_t middle = safe + (unsafe - safe) / 2;
    (isLegal(middle) ? safe : unsafe) = middle;
  }
  return safe;
}

llvm::Expected<MethodKernel>
nlq::methods::buildWithGrid(const Method &method, llvm::StringRef function,
                            const Problem &problem) {
  auto refuse = [&](const llvm::Twine &reason) {
    return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                   method.name + " " + function + " (" +
                                       stringify(problem.form) +
                                       "): " + reason);
  };
  const Implementation *implementation = method.find(function, problem.form);
  if (!implementation)
    return refuse("the method has no such implementation");
  if (!problem.cuts.empty() && !implementation->chooseCuts)
    return refuse("the method has no segments to cut");
  if (llvm::Error error = validate(function, problem))
    return refuse(llvm::toString(std::move(error)));
  llvm::Expected<MethodKernel> built = buildProved(*implementation, problem);
  if (built)
    return built;
  std::string reason = llvm::toString(built.takeError());
  if (int64_t row = largestSafeRow(*implementation, problem))
    reason +=
        "; the largest safe row is " + std::to_string(row) + " at this scale";
  return refuse(reason);
}

llvm::Expected<kernel::Kernel> nlq::methods::build(const Method &method,
                                                   llvm::StringRef function,
                                                   const Problem &problem) {
  llvm::Expected<MethodKernel> built = buildWithGrid(method, function, problem);
  if (!built)
    return built.takeError();
  return std::move(built->kernel);
}

std::string nlq::methods::describeWidths(const kernel::Kernel &kernel) {
  llvm::Expected<kernel::Bounds> bounds = kernel::bound(kernel.graph);
  if (!bounds) {
    llvm::consumeError(bounds.takeError());
    return "";
  }
  unsigned widest = 32;
  std::string name;
  for (size_t id = 0; id < kernel.graph.nodes.size(); ++id) {
    const kernel::Node &node = kernel.graph.nodes[id];
    unsigned bits = kernel::signedBits(bounds->intervals[id]);
    // The operand of an assumption has the same interval, and a name.
    if (node.rate != kernel::Rate::Element || bits <= widest ||
        node.opcode == kernel::Opcode::Assume)
      continue;
    widest = bits;
    name = node.text.empty()
               ? "a step to '" + kernel::findNamedUser(kernel.graph, id) + "'"
               : "'" + node.text + "'";
  }
  if (name.empty())
    return "";
  return name + " may need " + std::to_string(widest) +
         " bits, so 64-bit lanes replace the published 32-bit ones";
}
