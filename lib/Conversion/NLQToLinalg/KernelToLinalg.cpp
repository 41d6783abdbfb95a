//===- KernelToLinalg.cpp - nlq.kernel on tensors to linalg -------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel becomes linalg.generic operations, one after another:
//
//   rows        scalars of a row, from those before and from reductions
//   elements    elements that several of the others ask for
//   reductions  over the last dimension
//   result      the elements that are stored
//
// Each stage computes in its body what it needs from the tensors of the stages
// before it. How they are tiled, fused and vectorized is left to others.
//
//===----------------------------------------------------------------------===//

#include "ScalarEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "nlq/Conversion/Passes.h"
#include "nlq/Dialect/NLQ/IR/NLQOps.h"
#include "llvm/ADT/SetVector.h"

namespace nlq {
#define GEN_PASS_DEF_CONVERTNLQTOLINALG
#include "nlq/Conversion/Passes.h.inc"
} // namespace nlq

using namespace mlir;
using namespace nlq;
using namespace nlq::kernel;

static bool isOfRow(const Node &node) { return node.rate == Rate::Row; }

//===----------------------------------------------------------------------===//
// Stages
//===----------------------------------------------------------------------===//

namespace {
/// What can be computed after as many rounds of reductions.
struct Stage {
  SmallVector<NodeId> rows;
  SmallVector<NodeId> elements;
  SmallVector<NodeId> reductions;
};
} // namespace

/// Elements that take more operations than this are computed once.
static constexpr unsigned kRecomputeLimit = 3;

static std::vector<Stage> makeStages(const Graph &graph) {
  size_t count = graph.nodes.size();
  // Rounds of reductions before a node, and the operations that make an element
  // of it.
  std::vector<unsigned> levels(count, 0), cost(count, 0);
  for (auto [id, node] : llvm::enumerate(graph.nodes)) {
    for (NodeId operand : node.operands) {
      levels[id] = std::max(levels[id], levels[operand]);
      cost[id] += cost[operand];
    }
    if (isReduction(node))
      ++levels[id];
    cost[id] = variesInRow(node) ? cost[id] + 1 : 0;
  }
  // Which stages ask for a node; the last one asks for the result. Of what
  // several ask for, that is shared which one needs for itself, or which is
  // read by elements that fewer ask for.
  std::vector<llvm::SmallSetVector<unsigned, 4>> askedBy(count);
  std::vector<bool> isShared(count, false), isReadInRows(count, false);
  askedBy[graph.result].insert(levels[graph.result]);
  isShared[graph.result] = true;
  for (NodeId id = count; id-- > 0;) {
    const Node &node = graph.nodes[id];
    if (askedBy[id].empty())
      continue;
    for (NodeId operand : node.operands)
      if (isReduction(node)) {
        askedBy[operand].insert(levels[operand]);
        isShared[operand] = true;
      } else {
        askedBy[operand].insert(askedBy[id].begin(), askedBy[id].end());
      }
  }
  for (auto [id, node] : llvm::enumerate(graph.nodes))
    for (NodeId operand : node.operands) {
      if (askedBy[operand].size() > askedBy[id].size())
        isShared[operand] = true;
      if (!askedBy[id].empty() && variesInRow(node))
        isReadInRows[operand] = true;
    }
  std::vector<Stage> stages(levels[graph.result] + 1);
  for (auto [id, node] : llvm::enumerate(graph.nodes)) {
    if (askedBy[id].empty())
      continue;
    if (isReduction(node))
      stages[levels[id] - 1].reductions.push_back(id);
    else if (isOfRow(node) && node.opcode != Opcode::Input &&
             (isReadInRows[id] || id == graph.result))
      stages[levels[id]].rows.push_back(id);
    else if (node.rate == Rate::Element && isShared[id] &&
             askedBy[id].size() > 1 && cost[id] > kRecomputeLimit)
      stages[levels[id]].elements.push_back(id);
  }
  return stages;
}

//===----------------------------------------------------------------------===//
// Lowering
//===----------------------------------------------------------------------===//

namespace {

/// Lowers one kernel.
class KernelToLinalg {
public:
  KernelToLinalg(RewriterBase &rewriter, KernelOp op, const Graph &graph,
                 const Bounds &bounds)
      : builder(op.getLoc(), rewriter), op(op), graph(graph), bounds(bounds),
        rank(op.getOutputType().getRank()) {}

  /// The tensor of the results.
  Value run();

private:
  /// The iteration space of an operation: rows, or elements.
  enum class Space { Rows, Elements };

  void makeTables();
  AffineMap getMap(Space space, Rate rate);
  AffineMap getSharedMap(AffineMap map, Value tensor);
  Value makeTensor(Rate rate, unsigned width);
  SmallVector<NodeId> findLeaves(ArrayRef<NodeId> roots) const;
  void placeIndices(Space space, ScalarEmitter::Scope &scope);
  void emitMap(Space space, ArrayRef<NodeId> nodes, Value destination = {});
  void emitReductions(ArrayRef<NodeId> nodes);
  SmallVector<Value> emitGeneric(
      Space space, ArrayRef<NodeId> roots, ValueRange destinations,
      AffineMap destinationMap, utils::IteratorType last,
      function_ref<SmallVector<Value>(ScalarEmitter &, ValueRange, ValueRange)>
          finish);

  ImplicitLocOpBuilder builder;
  KernelOp op;
  const Graph &graph;
  const Bounds &bounds;
  int64_t rank;
  SmallVector<OpFoldResult> extents;
  SmallVector<Value> tables;
  /// Nodes that lie in tensors: inputs, and what the stages so far have made.
  llvm::DenseMap<NodeId, Value> tensors;
};

} // namespace

/// Constants of the narrowest width that holds the entries.
void KernelToLinalg::makeTables() {
  for (const Table &table : graph.tables) {
    auto [lo, hi] = std::minmax_element(table.begin(), table.end());
    unsigned bits = signedBits({*lo, *hi});
    unsigned width = bits <= 8 ? 8 : bits <= 16 ? 16 : bits <= 32 ? 32 : 64;
    SmallVector<APInt> entries;
    for (int64_t entry : table)
      entries.push_back(APInt(64, entry, true).sextOrTrunc(width));
    auto type = RankedTensorType::get({int64_t(table.size())},
                                      builder.getIntegerType(width));
    tables.push_back(arith::ConstantOp::create(
        builder, DenseIntElementsAttr::get(type, entries)));
  }
}

/// Where a node of `rate` lies in its tensor, by the dimensions of `space`.
AffineMap KernelToLinalg::getMap(Space space, Rate rate) {
  AffineMap identity = builder.getMultiDimIdentityMap(rank);
  ArrayRef<AffineExpr> dims = identity.getResults();
  int64_t numDims = space == Space::Rows ? rank - 1 : rank;
  if (rate == Rate::Row)
    dims = dims.drop_back();
  else if (rate == Rate::Column)
    dims = dims.take_back();
  return AffineMap::get(numDims, 0, dims, builder.getContext());
}

/// `map`, the place of `tensor`'s elements, with the only one along dimensions
/// of rows that share it.
AffineMap KernelToLinalg::getSharedMap(AffineMap map, Value tensor) {
  SmallVector<AffineExpr> results(map.getResults());
  auto type = cast<RankedTensorType>(tensor.getType());
  for (auto [result, extent] : llvm::zip(results, type.getShape())) {
    int64_t dim = cast<AffineDimExpr>(result).getPosition();
    if (extent == 1 && dim + 1 < rank &&
        op.getOutputType().getDimSize(dim) != 1)
      result = builder.getAffineConstantExpr(0);
  }
  return AffineMap::get(map.getNumDims(), 0, results, builder.getContext());
}

/// A new tensor of a value of `rate` per row, or per element.
Value KernelToLinalg::makeTensor(Rate rate, unsigned width) {
  ArrayRef<OpFoldResult> sizes = extents;
  if (rate == Rate::Row)
    sizes = sizes.drop_back();
  return tensor::EmptyOp::create(builder, sizes, builder.getIntegerType(width));
}

/// The nodes in tensors from which `roots` are computed, in order.
SmallVector<NodeId> KernelToLinalg::findLeaves(ArrayRef<NodeId> roots) const {
  llvm::SetVector<NodeId> seen(roots.begin(), roots.end());
  SmallVector<NodeId> leaves;
  for (size_t i = 0; i < seen.size(); ++i) {
    NodeId id = seen[i];
    if (tensors.contains(id))
      leaves.push_back(id);
    else
      seen.insert(graph.nodes[id].operands.begin(),
                  graph.nodes[id].operands.end());
  }
  llvm::sort(leaves);
  return leaves;
}

/// What the place of an element is, and the length of its row.
void KernelToLinalg::placeIndices(Space space, ScalarEmitter::Scope &scope) {
  auto extent = [&](int64_t dim) {
    return getValueOrCreateConstantIndexOp(builder, op.getLoc(), extents[dim]);
  };
  for (auto [id, node] : llvm::enumerate(graph.nodes)) {
    Value index;
    if (node.opcode == Opcode::RowIndex) {
      index = arith::ConstantIndexOp::create(builder, 0);
      for (int64_t dim = 0; dim + 1 < rank; ++dim)
        index = arith::AddIOp::create(
            builder, arith::MulIOp::create(builder, index, extent(dim)),
            linalg::IndexOp::create(builder, dim));
    } else if (node.opcode == Opcode::ColumnIndex && space == Space::Elements) {
      index = linalg::IndexOp::create(builder, rank - 1);
    } else if (node.opcode == Opcode::RowLength) {
      index = extent(rank - 1);
    } else {
      continue;
    }
    scope[id] = arith::IndexCastOp::create(
        builder, builder.getIntegerType(bounds.lane(id)), index);
  }
}

/// One linalg.generic that computes `roots` and yields what `finish` makes of
/// them and of the elements of the destinations.
SmallVector<Value> KernelToLinalg::emitGeneric(
    Space space, ArrayRef<NodeId> roots, ValueRange destinations,
    AffineMap destinationMap, utils::IteratorType last,
    function_ref<SmallVector<Value>(ScalarEmitter &, ValueRange, ValueRange)>
        finish) {
  SmallVector<NodeId> leaves = findLeaves(roots);
  SmallVector<Value> operands;
  SmallVector<AffineMap> maps;
  for (NodeId leaf : leaves) {
    Value tensor = tensors.lookup(leaf);
    operands.push_back(tensor);
    Rate rate = graph.nodes[leaf].rate;
    AffineMap map = getMap(space, rate);
    maps.push_back(rate == Rate::Column ? map : getSharedMap(map, tensor));
  }
  // Something must say how long the rows are that a reduction runs over.
  bool isReduction = last == utils::IteratorType::reduction;
  if (isReduction && llvm::none_of(leaves, [&](NodeId leaf) {
        return variesInRow(graph.nodes[leaf]);
      })) {
    operands.push_back(op.getOutput());
    maps.push_back(getMap(space, Rate::Element));
  }
  maps.append(destinations.size(), destinationMap);
  SmallVector<utils::IteratorType> iterators(destinationMap.getNumDims(),
                                             utils::IteratorType::parallel);
  if (isReduction)
    iterators.back() = last;
  auto generic =
      linalg::GenericOp::create(builder, TypeRange(destinations), operands,
                                destinations, maps, iterators);
  SmallVector<Type> types;
  for (Value tensor :
       llvm::concat<Value>(operands, SmallVector<Value>(destinations)))
    types.push_back(getElementTypeOrSelf(tensor.getType()));
  OpBuilder::InsertionGuard guard(builder);
  Block *body =
      builder.createBlock(&generic.getRegion(), {}, types,
                          SmallVector<Location>(types.size(), op.getLoc()));
  ScalarEmitter emitter(builder, graph, bounds, tables);
  ScalarEmitter::Scope scope;
  for (auto [id, argument] : llvm::zip(leaves, body->getArguments())) {
    const Node &node = graph.nodes[id];
    unsigned width = bounds.lane(id);
    bool isUnsigned = node.opcode == Opcode::Input &&
                      !graph.inputs[node.imm].isSigned &&
                      graph.inputs[node.imm].bits < width;
    scope[id] = isUnsigned ? emitter.extendUnsigned(argument, width)
                           : emitter.resize(argument, width);
  }
  placeIndices(space, scope);
  SmallVector<Value> values;
  for (NodeId root : roots)
    values.push_back(emitter.emit(root, scope));
  linalg::YieldOp::create(
      builder, finish(emitter, values,
                      body->getArguments().take_back(destinations.size())));
  return SmallVector<Value>(generic.getResults());
}

/// A value of each of `nodes` per row or per element, in tensors; the only one
/// in `destination` if there is one.
void KernelToLinalg::emitMap(Space space, ArrayRef<NodeId> nodes,
                             Value destination) {
  if (nodes.empty())
    return;
  Rate rate = space == Space::Rows ? Rate::Row : Rate::Element;
  SmallVector<Value> destinations;
  if (destination)
    destinations.push_back(destination);
  else
    for (NodeId id : nodes)
      destinations.push_back(makeTensor(rate, bounds.lane(id)));
  SmallVector<Value> results = emitGeneric(
      space, nodes, destinations, getMap(space, rate),
      utils::IteratorType::parallel,
      [](ScalarEmitter &emitter, ValueRange values, ValueRange old) {
        SmallVector<Value> next;
        for (auto [value, previous] : llvm::zip(values, old))
          next.push_back(emitter.resize(
              value, previous.getType().getIntOrFloatBitWidth()));
        return next;
      });
  for (auto [id, result] : llvm::zip(nodes, results))
    tensors[id] = result;
}

void KernelToLinalg::emitReductions(ArrayRef<NodeId> nodes) {
  if (nodes.empty())
    return;
  SmallVector<NodeId> terms;
  SmallVector<Value> destinations;
  for (NodeId id : nodes) {
    const Node &node = graph.nodes[id];
    NodeId term = node.operands[0];
    terms.push_back(term);
    // An assumption may narrow the whole and not its parts. A maximum must hold
    // these; a sum may wrap on its way.
    unsigned width = std::max(bounds.lane(id), bounds.lane(term));
    int64_t neutral =
        node.opcode == Opcode::ReduceMax ? bounds.intervals[term].lo : 0;
    Value start = arith::ConstantOp::create(
        builder,
        builder.getIntegerAttr(builder.getIntegerType(width), neutral));
    destinations.push_back(
        linalg::FillOp::create(builder, start, makeTensor(Rate::Row, width))
            .getResult(0));
  }
  SmallVector<Value> results = emitGeneric(
      Space::Elements, terms, destinations, getMap(Space::Elements, Rate::Row),
      utils::IteratorType::reduction,
      [&](ScalarEmitter &emitter, ValueRange values, ValueRange old) {
        SmallVector<Value> next;
        for (auto [id, value, sofar] : llvm::zip(nodes, values, old)) {
          Value term =
              emitter.resize(value, sofar.getType().getIntOrFloatBitWidth());
          if (graph.nodes[id].opcode == Opcode::ReduceMax)
            next.push_back(arith::MaxSIOp::create(builder, sofar, term));
          else
            next.push_back(arith::AddIOp::create(builder, sofar, term));
        }
        return next;
      });
  for (auto [id, result] : llvm::zip(nodes, results))
    tensors[id] = result;
}

Value KernelToLinalg::run() {
  extents = tensor::getMixedSizes(builder, op.getLoc(), op.getOutput());
  makeTables();
  for (auto [id, node] : llvm::enumerate(graph.nodes))
    if (node.opcode == Opcode::Input)
      tensors[id] = op.getInputs()[node.imm];
  for (const Stage &stage : makeStages(graph)) {
    emitMap(Space::Rows, stage.rows);
    emitMap(Space::Elements, stage.elements);
    emitReductions(stage.reductions);
  }
  emitMap(Space::Elements, {graph.result}, op.getOutput());
  return tensors.lookup(graph.result);
}

namespace {
struct ConvertNLQToLinalgPass
    : nlq::impl::ConvertNLQToLinalgBase<ConvertNLQToLinalgPass> {
  void runOnOperation() override {
    SmallVector<KernelOp> kernels;
    getOperation().walk([&](KernelOp op) { kernels.push_back(op); });
    IRRewriter rewriter(&getContext());
    for (KernelOp op : kernels)
      if (failed(lower(rewriter, op)))
        return signalPassFailure();
  }

private:
  static LogicalResult lower(RewriterBase &rewriter, KernelOp op) {
    if (!op.hasPureTensorSemantics())
      return op->emitOpError("must be on tensors to become linalg");
    const Graph &graph = op.getGraph().getGraph();
    llvm::Expected<Bounds> bounds = bound(graph);
    if (!bounds)
      return op->emitOpError("has no safe widths: ")
             << llvm::toString(bounds.takeError());
    rewriter.setInsertionPoint(op);
    rewriter.replaceOp(op, KernelToLinalg(rewriter, op, graph, *bounds).run());
    return success();
  }
};
} // namespace
