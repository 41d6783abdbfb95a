//===- RowTable.cpp - Results looked up in tables of rows -----------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RowTable.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "nlq/Target/ByteLookup.h"
#include "nlq/Target/BytePack.h"

using namespace mlir;
using namespace nlq;
using namespace nlq::kernel;

/// Tells the chunk of the entries from `begin` on what a node is for each.
static void setValues(NodeId id, int64_t begin, KernelEmitter &emitter,
                      ImplicitLocOpBuilder &builder,
                      KernelEmitter::Chunk &chunk,
                      llvm::function_ref<int64_t(int64_t entry)> valueOf) {
  for (unsigned width : {8u, 16u, emitter.getWidth(id)}) {
    // In the order that the pack takes them in.
    SmallVector<APInt> values;
    for (int64_t lane = 0; lane < chunk.lanes; ++lane)
      values.push_back(APInt(64, valueOf(begin + getPackedLane(lane)),
                             /*isSigned=*/true)
                           .sextOrTrunc(width));
    auto type = VectorType::get({chunk.lanes}, builder.getIntegerType(width));
    chunk.values[id] = arith::ConstantOp::create(
        builder, DenseElementsAttr::get(type, values));
    chunk.lowBits[{id, width}] = chunk.values[id];
  }
}

SmallVector<Value> nlq::makeRowTable(const RowFunction &function,
                                     const Graph &graph, const Bounds &bounds,
                                     KernelEmitter &emitter,
                                     ImplicitLocOpBuilder &builder,
                                     KernelEmitter::Scope &row) {
  SmallVector<Value> results;
  const Interval domain = bounds.intervals[function.index];
  for (int64_t begin = 0; begin < function.entries; begin += kPackedLanes) {
    KernelEmitter::Chunk chunk;
    chunk.lanes = kPackedLanes;
    setValues(
        function.index, begin, emitter, builder, chunk,
        [&](int64_t entry) { return std::min(domain.lo + entry, domain.hi); });
    for (NodeId id = function.index + 1; id <= graph.result; ++id)
      if (variesInRow(graph.nodes[id]))
        if (auto values = tabulateNode(graph, bounds, function.index, id))
          setValues(id, begin, emitter, builder, chunk, [&](int64_t entry) {
            return (*values)[std::min<int64_t>(entry, values->size() - 1)];
          });
    results.push_back(emitter.emitPacked(graph.result, chunk, row));
  }
  return results;
}

Value nlq::lookUpInRow(const RowFunction &function, ArrayRef<Value> table,
                       const Bounds &bounds, KernelEmitter &emitter,
                       ImplicitLocOpBuilder &builder,
                       KernelEmitter::Chunk &chunk, KernelEmitter::Scope &row) {
  Value index = emitter.emitLowBits(function.index, 8, chunk, row);
  auto splat = [&](int64_t value) -> Value {
    return arith::ConstantOp::create(
        builder,
        SplatElementsAttr::get(cast<VectorType>(index.getType()),
                               APInt(64, value, /*isSigned=*/true).trunc(8)));
  };
  Interval domain = bounds.intervals[function.index];
  if (domain.lo != 0)
    index = arith::SubIOp::create(builder, index, splat(domain.lo));
  if (domain.hi - domain.lo >= function.entries)
    index = arith::MinUIOp::create(builder, index, splat(function.entries - 1));
  return emitBytePermute(builder, table, index);
}
