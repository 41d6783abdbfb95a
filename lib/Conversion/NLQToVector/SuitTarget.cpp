//===- SuitTarget.cpp - Graphs by what targets can do ---------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SuitTarget.h"
#include "nlq/Kernel/ByteSums.h"
#include "nlq/Kernel/Rewrites.h"
#include "nlq/Target/ByteLookup.h"
#include "nlq/Target/Dot.h"
#include "nlq/Target/Fixed16.h"

using namespace nlq;
using namespace nlq::kernel;

/// The kernel as one lookup, if it is a function of few values and the target
/// looks up its results: bytes, or words where that takes few instructions.
static std::optional<Kernel> lookUpResult(const Kernel &kernel,
                                          const VectorFeatures &features) {
  unsigned widest = features.avx512vbmi ? 16 : hasByteLookup(features) ? 8 : 0;
  return kernel.graph.resultBits <= widest ? tabulate(kernel) : std::nullopt;
}

static std::optional<RowFunction> findFunction(const Kernel &kernel) {
  llvm::Expected<Bounds> bounds = bound(kernel.graph);
  if (bounds)
    return findRowFunction(kernel.graph, *bounds);
  llvm::consumeError(bounds.takeError());
  return std::nullopt;
}

static SuitedGraph rewrite(const Graph &graph, const VectorFeatures &features) {
  // Columns stay the operands that they are.
  Kernel kernel = {graph, {}};
  for (const Input &input : graph.inputs)
    if (input.rate == Rate::Column)
      kernel.columns.emplace_back();
  if (std::optional<Kernel> lookup = lookUpResult(kernel, features))
    return {std::move(lookup->graph), std::nullopt};
  if (hasQuadDot(/*isLeftUnsigned=*/true, features))
    kernel = sumBiasedSquares(kernel);
  if (hasRoundedProduct(features))
    kernel = multiplyForShifts(kernel);
  if (!features.avx512vbmi || graph.resultBits != 8)
    return {std::move(kernel.graph), std::nullopt};
  Kernel selected = selectIndices(kernel);
  std::optional<RowFunction> function = findFunction(selected);
  if (function)
    kernel = std::move(selected);
  else
    function = findFunction(kernel);
  if (function) {
    // What is not asked for element by element can be summed up in bytes.
    kernel = tabulateFunctionsOf(kernel, function->index);
    kernel = sumBytesOfLookups(kernel);
    function = findFunction(kernel);
  }
  return {std::move(kernel.graph), function};
}

SuitedGraph nlq::suitTarget(const Graph &graph,
                            const VectorFeatures &features) {
  SuitedGraph suited = rewrite(graph, features);
  // Inputs are operands. An assumption that went with what it was made for may
  // have served others, too.
  llvm::Expected<Bounds> bounds = bound(suited.graph);
  if (bounds && suited.graph.inputs == graph.inputs)
    return suited;
  if (!bounds)
    llvm::consumeError(bounds.takeError());
  return {graph, std::nullopt};
}
