//===- RowLowering.cpp - nlq.kernel to loops of vector code -------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"
#include "RowSchedule.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "nlq/Conversion/NLQToVector.h"
#include "nlq/Dialect/NLQ/IR/NLQOps.h"
#include "nlq/Target/Dot.h"

using namespace mlir;
using namespace nlq;
using namespace nlq::kernel;

/// Lanes of 16 bits that fill a vector of the target.
static int64_t getWordLanes(const VectorFeatures &features) {
  return features.avx512bw ? 32 : 16;
}

/// Lanes of 16 bits that fill a vector of the target, or of 8 where these are
/// what is looked up, or what AVX2 packs words to.
static int64_t getNaturalLanes(const Graph &graph, const KernelEmitter &emitter,
                               const VectorFeatures &features) {
  bool packsBytes =
      features.avx2 && !features.avx512bw && graph.resultBits == 8;
  bool looksUpBytes = llvm::any_of(graph.nodes, [&](const Node &node) {
    return emitter.looksUpBytes(node);
  });
  return getWordLanes(features) * (looksUpBytes || packsBytes ? 2 : 1);
}

namespace {

/// Lowers one kernel.
class RowLowering {
public:
  RowLowering(RewriterBase &rewriter, KernelOp op, const Graph &graph,
              const Bounds &bounds, int64_t maxLanes,
              const VectorFeatures &features)
      : builder(op.getLoc(), rewriter), op(op), graph(graph), bounds(bounds),
        features(features), schedule(makeSchedule(graph)), tables(makeTables()),
        emitter(builder, graph, bounds, tables, features),
        maxLanes(maxLanes ? maxLanes
                          : getNaturalLanes(graph, emitter, features)),
        block(chooseBlock()) {}

  void run();

private:
  SmallVector<Value> makeTables();
  int64_t chooseBlock() const;
  bool isReadInRows(NodeId id) const;
  void allocateScratch();
  void lowerRow(ValueRange position);
  void lowerBlock(ValueRange outer, Value begin);
  SmallVector<Value> placeIn(Value input, ValueRange position);
  KernelEmitter::Scope startRow(ValueRange position);
  void lowerPhase(unsigned phase, ValueRange position,
                  KernelEmitter::Scope &row);
  SmallVector<Value> emitChunk(unsigned phase, Value column, int64_t lanes,
                               Value firstNew, ValueRange accumulators,
                               ValueRange position, KernelEmitter::Scope &row);
  SmallVector<Value> startAccumulators(const Phase &phase, int64_t lanes);
  SmallVector<Value> foldAccumulators(const Phase &phase, ValueRange values);
  Value emitInput(const Input &input, Value memref, Value column,
                  ValueRange position, int64_t lanes, unsigned width);
  unsigned accumulatorWidth(NodeId reduction) const;
  int64_t getSumGroup(NodeId reduction, int64_t lanes) const;
  bool isProductOfWords(NodeId id) const;
  bool isByte(NodeId id) const;
  Value addGroups(NodeId reduction, int64_t group, Value accumulator,
                  Value firstNew, KernelEmitter::Chunk &chunk,
                  KernelEmitter::Scope &row);
  Value zeroOldLanes(Value value, Value firstNew);
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(builder, value);
  }
  Value combine(const Node &reduction, Value a, Value b) {
    if (reduction.opcode == Opcode::ReduceMax)
      return arith::MaxSIOp::create(builder, a, b);
    return arith::AddIOp::create(builder, a, b);
  }

  ImplicitLocOpBuilder builder;
  KernelOp op;
  const Graph &graph;
  const Bounds &bounds;
  const VectorFeatures &features;
  Schedule schedule;
  SmallVector<Value> tables;
  KernelEmitter emitter;
  int64_t maxLanes;
  /// Rows that go through each phase together.
  int64_t block;
  /// Element nodes of a block by row and column, row nodes by row. A chunk that
  /// ends with the row lies behind the full ones.
  llvm::DenseMap<NodeId, Value> scratch;
  /// Nodes that lie there with their quarters swapped, in chunks of so many
  /// lanes.
  llvm::DenseSet<std::pair<NodeId, int64_t>> swapped;
  /// The current row's place in its block.
  Value slot;
  /// Extents of the output, and the linear index of the row if it is asked for.
  SmallVector<Value> extents;
};

} // namespace

/// Constant globals, one per table; equal tables of a module share one.
SmallVector<Value> RowLowering::makeTables() {
  auto module = op->getParentOfType<ModuleOp>();
  SmallVector<Value> values;
  for (const Table &table : graph.tables) {
    auto [lo, hi] = std::minmax_element(table.begin(), table.end());
    unsigned width = *lo >= INT32_MIN && *hi <= INT32_MAX
                         ? 32
                         : 64; // gathers exist for both
    auto type = RankedTensorType::get({int64_t(table.size())},
                                      builder.getIntegerType(width));
    SmallVector<APInt> entries;
    for (int64_t entry : table)
      entries.push_back(APInt(64, entry, true).sextOrTrunc(width));
    auto data = DenseIntElementsAttr::get(type, entries);
    memref::GlobalOp global;
    for (auto other : module.getOps<memref::GlobalOp>())
      if (other.getInitialValue() == data && other.getConstant())
        global = other;
    auto memrefType = MemRefType::get(type.getShape(), type.getElementType());
    if (!global) {
      SymbolTable symbols(module);
      OpBuilder detached(op.getContext());
      global = memref::GlobalOp::create(
          detached, op.getLoc(), "__nlq_table",
          detached.getStringAttr("private"), memrefType, data,
          /*constant=*/true, /*alignment=*/detached.getI64IntegerAttr(64));
      symbols.insert(global, module.getBody()->begin());
    }
    values.push_back(
        memref::GetGlobalOp::create(builder, memrefType, global.getSymName()));
  }
  return values;
}

/// The reductions of a row end in a chain of scalar operations (a root, a
/// division) that the next phase waits for. With several rows in a phase their
/// chains overlap; as many as stay in a small cache with their scratch.
int64_t RowLowering::chooseBlock() const {
  constexpr int64_t kMostRows = 16, kMostBytes = 16 * 1024;
  ShapedType type = KernelOp(op).getOutputType();
  if (schedule.phases.size() == 1 || type.getRank() < 2)
    return 1;
  int64_t bits = 0;
  for (const Phase &phase : schedule.phases)
    for (NodeId id : phase.spills)
      bits += emitter.getWidth(id);
  for (const Input &input : graph.inputs)
    if (input.rate == Rate::Element)
      bits += input.bits;
  int64_t most =
      kMostBytes * 8 / std::max<int64_t>(bits, 1) / graph.maxRowLength;
  return std::clamp<int64_t>(most, 1, kMostRows);
}

/// Whether chunks read a node that is the same in the whole row.
bool RowLowering::isReadInRows(NodeId id) const {
  if (variesInRow(graph.nodes[id]) ||
      graph.nodes[id].opcode == Opcode::Constant)
    return false;
  if (id == graph.result)
    return true;
  return llvm::any_of(graph.nodes, [&](const Node &user) {
    return (variesInRow(user) || isReduction(user)) &&
           llvm::is_contained(user.operands, id);
  });
}

/// Bytes of scratch that a stack has room for.
static constexpr int64_t kMostStackBytes = 256 * 1024;

/// Buffers for a block, once per call of the function, or of the body of a
/// parallel loop: no block needs those of another. For very long rows they are
/// allocated and freed.
void RowLowering::allocateScratch() {
  OpBuilder::InsertionGuard guard(builder);
  int64_t bytes = 0, pitch = llvm::alignTo(graph.maxRowLength, maxLanes);
  for (const Phase &phase : schedule.phases)
    for (NodeId id : phase.spills)
      bytes += block * pitch * emitter.getWidth(id) / 8;
  bool onStack = bytes <= kMostStackBytes;
  Operation *inside = op;
  Operation *scope = op->getParentOp();
  while (!scope->hasTrait<OpTrait::HasParallelRegion>() &&
         !scope->hasTrait<OpTrait::IsIsolatedFromAbove>()) {
    inside = scope;
    scope = scope->getParentOp();
  }
  if (onStack)
    builder.setInsertionPointToStart(&inside->getParentRegion()->front());
  auto allocate = [&](NodeId id, ArrayRef<int64_t> shape, unsigned width) {
    auto type = MemRefType::get(shape, builder.getIntegerType(width));
    IntegerAttr alignment = builder.getI64IntegerAttr(64);
    if (onStack) {
      scratch[id] = memref::AllocaOp::create(builder, type, alignment);
      return;
    }
    scratch[id] = memref::AllocOp::create(builder, type, alignment);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointAfter(op);
    memref::DeallocOp::create(builder, scratch[id]);
  };
  for (const Phase &phase : schedule.phases)
    for (NodeId id : phase.spills)
      allocate(id, {block, pitch}, emitter.getWidth(id));
  if (block > 1)
    for (auto [id, node] : llvm::enumerate(graph.nodes))
      if (node.rate == Rate::Row && (isReduction(node) || isReadInRows(id)))
        allocate(id, {block}, 64);
}

void RowLowering::run() {
  allocateScratch();
  int64_t rank = op.getOutputType().getRank();
  for (int64_t dim = 0; dim < rank; ++dim)
    extents.push_back(
        memref::DimOp::create(builder, op.getOutput(), dim).getResult());
  Value zero = index(0), one = index(1);
  SmallVector<Value> position;
  OpBuilder::InsertionGuard guard(builder);
  for (int64_t dim = 0; dim + 1 < rank; ++dim) {
    bool overBlocks = block > 1 && dim + 2 == rank;
    auto loop = scf::ForOp::create(builder, zero, extents[dim],
                                   overBlocks ? index(block) : one);
    position.push_back(loop.getInductionVar());
    builder.setInsertionPointToStart(loop.getBody());
  }
  if (block > 1)
    return lowerBlock(ArrayRef<Value>(position).drop_back(), position.back());
  slot = zero;
  lowerRow(position);
}

/// Where an input of a row at `position` lies in front of its columns: an
/// extent of 1 is one for all rows.
SmallVector<Value> RowLowering::placeIn(Value input, ValueRange position) {
  auto type = cast<MemRefType>(input.getType());
  SmallVector<Value> place(position);
  for (auto [dim, coordinate] : llvm::enumerate(place))
    if (type.getDimSize(dim) == 1)
      coordinate = index(0);
  return place;
}

/// What a row is given: its inputs, its number and its length.
KernelEmitter::Scope RowLowering::startRow(ValueRange position) {
  KernelEmitter::Scope row;
  Type i64 = builder.getI64Type();
  for (auto [id, node] : llvm::enumerate(graph.nodes)) {
    if (node.opcode == Opcode::RowIndex) {
      Value linear = index(0);
      for (auto [coordinate, extent] : llvm::zip(position, extents))
        linear = arith::AddIOp::create(
            builder, arith::MulIOp::create(builder, linear, extent),
            coordinate);
      row[id] = arith::IndexCastOp::create(builder, i64, linear);
    } else if (node.opcode == Opcode::RowLength) {
      row[id] = arith::IndexCastOp::create(builder, i64, extents.back());
    } else if (node.opcode == Opcode::Input &&
               graph.inputs[node.imm].rate == Rate::Row) {
      Value memref = op.getInputs()[node.imm];
      Value value =
          memref::LoadOp::create(builder, memref, placeIn(memref, position));
      row[id] = graph.inputs[node.imm].isSigned
                    ? emitter.resize(value, 64)
                    : emitter.extendUnsigned(value, 64);
    }
  }
  return row;
}

/// One row, phase after phase.
void RowLowering::lowerRow(ValueRange position) {
  KernelEmitter::Scope row = startRow(position);
  for (unsigned phase = 0; phase < schedule.phases.size(); ++phase) {
    // Row values this phase reads are computed before its loops, where they
    // dominate all of them.
    for (auto [id, node] : llvm::enumerate(graph.nodes))
      if (!variesInRow(node) && !isReduction(node) &&
          node.opcode != Opcode::Constant && schedule.levels[id] <= phase)
        emitter.emitRow(id, row);
    lowerPhase(phase, position, row);
  }
}

/// The rows from `begin` on: each phase of all, after the row values that it
/// reads of all.
void RowLowering::lowerBlock(ValueRange outer, Value begin) {
  Value end = arith::MinUIOp::create(
      builder, arith::AddIOp::create(builder, begin, index(block)),
      extents[extents.size() - 2]);
  auto forRows = [&](auto body) {
    auto loop = scf::ForOp::create(builder, begin, end, index(1));
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    slot = arith::SubIOp::create(builder, loop.getInductionVar(), begin);
    SmallVector<Value> position(outer);
    position.push_back(loop.getInductionVar());
    KernelEmitter::Scope row = startRow(position);
    body(position, row);
  };
  auto load = [&](NodeId id) -> Value {
    return memref::LoadOp::create(builder, scratch.lookup(id), slot);
  };
  auto store = [&](NodeId id, Value value) {
    memref::StoreOp::create(builder, value, scratch.lookup(id), slot);
  };
  for (unsigned phase = 0; phase < schedule.phases.size(); ++phase) {
    // Row values that are new in this phase.
    SmallVector<NodeId> read, made;
    for (auto [id, node] : llvm::enumerate(graph.nodes)) {
      if (!isReadInRows(id) || schedule.levels[id] > phase)
        continue;
      read.push_back(id);
      if (node.rate == Rate::Row && !isReduction(node) &&
          schedule.levels[id] == phase)
        made.push_back(id);
    }
    if (!made.empty())
      forRows([&](ValueRange position, KernelEmitter::Scope &row) {
        for (auto [id, node] : llvm::enumerate(graph.nodes))
          if (isReduction(node) && schedule.levels[id] <= phase)
            row[id] = load(id);
        for (NodeId id : made)
          store(id, emitter.emitRow(id, row));
      });
    forRows([&](ValueRange position, KernelEmitter::Scope &row) {
      for (NodeId id : read) {
        if (graph.nodes[id].rate == Rate::Row)
          row[id] = load(id);
        else
          emitter.emitRow(id, row);
      }
      lowerPhase(phase, position, row);
      for (NodeId id : schedule.phases[phase].reductions)
        store(id, row.lookup(id));
    });
  }
}

unsigned RowLowering::accumulatorWidth(NodeId reduction) const {
  const Node &node = graph.nodes[reduction];
  if (node.opcode == Opcode::ReduceMax)
    return emitter.getWidth(node.operands[0]);
  // Every partial sum lies in the interval of all sums and zero.
  Interval range = bounds.intervals[reduction];
  Interval term = bounds.intervals[node.operands[0]];
  range.lo = std::min<int64_t>({range.lo, term.lo, 0});
  range.hi = std::max<int64_t>({range.hi, term.hi, 0});
  return std::max(emitter.getWidth(range), emitter.getWidth(node.operands[0]));
}

/// How many neighbouring terms a sum takes at a time, into so many times fewer
/// accumulators: 4 bytes or products of bytes, 2 terms of 16 bits or products
/// of such factors, or 1.
int64_t RowLowering::getSumGroup(NodeId reduction, int64_t lanes) const {
  if (lanes < 8 || graph.nodes[reduction].opcode != Opcode::ReduceSum ||
      accumulatorWidth(reduction) < 32)
    return 1;
  NodeId id = graph.nodes[reduction].operands[0];
  const Node &term = graph.nodes[id];
  if (!variesInRow(term))
    return 1;
  // As many lanes as a signed byte counts (zeroOldLanes).
  if (hasSignedQuadDot(features) && lanes % 16 == 0 && lanes <= 128 &&
      (isByte(id) ||
       (term.opcode == Opcode::Mul &&
        llvm::all_of(term.operands, [&](NodeId f) { return isByte(f); }))))
    return 4;
  bool arePairs = hasPairDot(features) &&
                  (emitter.getWidth(id) == 16 || isProductOfWords(id));
  return arePairs ? 2 : 1;
}

bool RowLowering::isByte(NodeId id) const {
  Interval range = bounds.intervals[id];
  return range.lo >= INT8_MIN && range.hi <= INT8_MAX;
}

/// Whether pairs of the node's factors can be multiplied and added in 32 bits.
bool RowLowering::isProductOfWords(NodeId id) const {
  const Node &term = graph.nodes[id];
  Interval range = bounds.intervals[id];
  return term.opcode == Opcode::Mul &&
         emitter.getWidth(term.operands[0]) == 16 &&
         emitter.getWidth(term.operands[1]) == 16 &&
         range.lo >= INT32_MIN / 2 && range.hi <= INT32_MAX / 2;
}

/// `accumulator` plus the groups of one chunk.
Value RowLowering::addGroups(NodeId reduction, int64_t group, Value accumulator,
                             Value firstNew, KernelEmitter::Chunk &chunk,
                             KernelEmitter::Scope &row) {
  NodeId id = graph.nodes[reduction].operands[0];
  const Node &term = graph.nodes[id];
  unsigned width = group == 4 ? 8 : 16;
  auto emit = [&](NodeId node) {
    return emitter.resize(emitter.emitChunk(node, chunk, row), width);
  };
  bool areProducts = group == 4
                         ? !isByte(id)
                         : isProductOfWords(id) && !chunk.values.contains(id);
  Value left, right;
  if (areProducts) {
    left = emit(term.operands[0]);
    right = emit(term.operands[1]);
  } else {
    // A sum has no order unless some of its terms don't count.
    left = firstNew || group == 4 ? emit(id)
                                  : emitter.emitUnordered(id, chunk, row);
    right = arith::ConstantOp::create(
        builder, SplatElementsAttr::get(cast<VectorType>(left.getType()),
                                        APInt(width, 1)));
  }
  left = zeroOldLanes(left, firstNew);
  auto addTo = [&](Value sums) {
    return group == 4 ? emitQuadDot(builder, sums, left,
                                    /*isLeftUnsigned=*/false, right, features)
                      : emitPairDot(builder, sums, left, right, features);
  };
  auto sumsType = VectorType::get({chunk.lanes / group}, builder.getI32Type());
  if (accumulator.getType() == sumsType)
    return addTo(accumulator);
  Value sums =
      addTo(arith::ConstantOp::create(builder, builder.getZeroAttr(sumsType)));
  return arith::AddIOp::create(
      builder, accumulator,
      arith::ExtSIOp::create(builder, accumulator.getType(), sums));
}

/// 0 in lanes below `firstNew` (null: none).
Value RowLowering::zeroOldLanes(Value value, Value firstNew) {
  if (!firstNew)
    return value;
  // Lanes are counted in the value's own type: the comparison is as wide.
  auto type = cast<VectorType>(value.getType());
  Type element = type.getElementType();
  SmallVector<APInt> lanes;
  for (int64_t lane = 0; lane < type.getNumElements(); ++lane)
    lanes.push_back(APInt(element.getIntOrFloatBitWidth(), lane));
  Value first = arith::IndexCastOp::create(builder, element, firstNew);
  Value isNew = arith::CmpIOp::create(
      builder, arith::CmpIPredicate::sge,
      arith::ConstantOp::create(builder,
                                DenseIntElementsAttr::get(type, lanes)),
      vector::BroadcastOp::create(builder, type, first));
  Value zero =
      arith::ConstantOp::create(builder, builder.getZeroAttr(value.getType()));
  return arith::SelectOp::create(builder, isNew, value, zero);
}

/// The neutral elements of a phase's reductions.
SmallVector<Value> RowLowering::startAccumulators(const Phase &phase,
                                                  int64_t lanes) {
  SmallVector<Value> values;
  for (NodeId id : phase.reductions) {
    const Node &node = graph.nodes[id];
    int64_t neutral = node.opcode == Opcode::ReduceMax
                          ? bounds.intervals[node.operands[0]].lo
                          : 0;
    IntegerType element = builder.getIntegerType(accumulatorWidth(id));
    auto type = VectorType::get({lanes / getSumGroup(id, lanes)}, element);
    values.push_back(arith::ConstantOp::create(
        builder,
        SplatElementsAttr::get(
            type, APInt(64, neutral, true).sextOrTrunc(element.getWidth()))));
  }
  return values;
}

/// Accumulators of half the lanes that reduce to the same.
SmallVector<Value> RowLowering::foldAccumulators(const Phase &phase,
                                                 ValueRange values) {
  SmallVector<Value> folded;
  for (auto [id, value] : llvm::zip(phase.reductions, values)) {
    int64_t lanes = cast<VectorType>(value.getType()).getDimSize(0) / 2;
    auto half = [&, value = value](int64_t from) -> Value {
      return vector::ExtractStridedSliceOp::create(
          builder, value, ArrayRef<int64_t>(from), ArrayRef<int64_t>(lanes),
          ArrayRef<int64_t>(1));
    };
    folded.push_back(combine(graph.nodes[id], half(0), half(lanes)));
  }
  return folded;
}

Value RowLowering::emitInput(const Input &input, Value memref, Value column,
                             ValueRange position, int64_t lanes,
                             unsigned width) {
  auto type = VectorType::get({lanes}, builder.getIntegerType(input.bits));
  SmallVector<Value> indices;
  if (input.rate == Rate::Element)
    indices = placeIn(memref, position);
  indices.push_back(column);
  Value value = vector::LoadOp::create(builder, type, memref, indices);
  if (input.isSigned)
    return emitter.resize(value, width);
  return input.bits == width ? value : emitter.extendUnsigned(value, width);
}

/// One chunk of `lanes` columns of a phase. Lanes below `firstNew` (null: none)
/// were handled by an earlier chunk and don't count in sums.
SmallVector<Value> RowLowering::emitChunk(unsigned phaseIndex, Value column,
                                          int64_t lanes, Value firstNew,
                                          ValueRange accumulators,
                                          ValueRange position,
                                          KernelEmitter::Scope &row) {
  const Phase &phase = schedule.phases[phaseIndex];
  KernelEmitter::Chunk chunk;
  chunk.lanes = lanes;
  // Where the chunk lies in scratch.
  Value place = column;
  if (firstNew)
    place = builder.createOrFold<arith::AddIOp>(column, firstNew);
  for (auto [id, node] : llvm::enumerate(graph.nodes)) {
    auto spilled = schedule.spilledIn.find(id);
    if (spilled != schedule.spilledIn.end() && spilled->second < phaseIndex) {
      auto type = VectorType::get({lanes},
                                  builder.getIntegerType(emitter.getWidth(id)));
      chunk.values[id] = vector::LoadOp::create(
          builder, type, scratch.lookup(id), ValueRange({slot, place}));
      if (swapped.contains({id, lanes}))
        chunk.swapped.insert(id);
    } else if (node.opcode == Opcode::Input && variesInRow(node)) {
      chunk.values[id] =
          emitInput(graph.inputs[node.imm], op.getInputs()[node.imm], column,
                    position, lanes, emitter.getWidth(id));
    } else if (node.opcode == Opcode::ColumnIndex) {
      // In the node's lanes from the start: vectors of indices have 64 bits.
      Type element = builder.getIntegerType(emitter.getWidth(id));
      auto type = VectorType::get({lanes}, element);
      SmallVector<Attribute> steps;
      for (int64_t lane = 0; lane < lanes; ++lane)
        steps.push_back(builder.getIntegerAttr(element, lane));
      Value base = vector::BroadcastOp::create(
          builder, type, arith::IndexCastOp::create(builder, element, column));
      chunk.values[id] = arith::AddIOp::create(
          builder, base,
          arith::ConstantOp::create(builder,
                                    DenseElementsAttr::get(type, steps)));
    }
  }
  SmallVector<Value> next;
  for (auto [id, accumulator] : llvm::zip(phase.reductions, accumulators)) {
    const Node &node = graph.nodes[id];
    if (int64_t group = getSumGroup(id, lanes); group != 1) {
      next.push_back(addGroups(id, group, accumulator, firstNew, chunk, row));
      continue;
    }
    Value value = emitter.emitChunk(node.operands[0], chunk, row);
    value = emitter.resize(value, accumulatorWidth(id));
    if (node.opcode == Opcode::ReduceSum)
      value = zeroOldLanes(value, firstNew);
    next.push_back(combine(node, accumulator, value));
  }
  for (NodeId id : phase.spills) {
    vector::StoreOp::create(builder, emitter.emitUnordered(id, chunk, row),
                            scratch.lookup(id), ValueRange({slot, place}));
    if (chunk.swapped.contains(id))
      swapped.insert({id, lanes});
  }
  if (phaseIndex + 1 == schedule.phases.size()) {
    SmallVector<Value> indices(position);
    indices.push_back(column);
    vector::StoreOp::create(
        builder,
        emitter.emitResized(graph.result, graph.resultBits, chunk, row),
        op.getOutput(), indices);
  }
  return next;
}

void RowLowering::lowerPhase(unsigned phaseIndex, ValueRange position,
                             KernelEmitter::Scope &row) {
  const Phase &phase = schedule.phases[phaseIndex];
  SmallVector<Value> results(phase.reductions.size());
  auto finish = [&](ValueRange vectors) {
    for (auto [slot, id, vector] :
         llvm::zip(results, phase.reductions, vectors)) {
      const Node &node = graph.nodes[id];
      Value scalar = vector::ReductionOp::create(
          builder,
          node.opcode == Opcode::ReduceMax ? vector::CombiningKind::MAXSI
                                           : vector::CombiningKind::ADD,
          vector);
      slot = emitter.resize(scalar, 64);
    }
  };
  auto loopOver = [&](Value begin, Value end, int64_t lanes,
                      SmallVector<Value> accumulators) {
    auto loop =
        scf::ForOp::create(builder, begin, end, index(lanes), accumulators);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> next =
        emitChunk(phaseIndex, loop.getInductionVar(), lanes, Value(),
                  loop.getRegionIterArgs(), position, row);
    // Without iteration arguments the loop came with its terminator.
    if (!next.empty())
      scf::YieldOp::create(builder, next);
    return SmallVector<Value>(loop.getResults());
  };

  int64_t columns = op.getOutputType().getShape().back();
  if (!ShapedType::isDynamic(columns)) {
    // Full chunks, then one that ends with the row and overlaps them, of words
    // if these suffice.
    int64_t lanes = maxLanes;
    while (lanes > columns)
      lanes /= 2;
    int64_t full = columns / lanes * lanes;
    SmallVector<Value> accumulators =
        loopOver(index(0), index(full), lanes, startAccumulators(phase, lanes));
    if (full != columns) {
      while (lanes > getWordLanes(features) && columns - full <= lanes / 2) {
        lanes /= 2;
        accumulators = foldAccumulators(phase, accumulators);
      }
      accumulators = emitChunk(phaseIndex, index(columns - lanes), lanes,
                               index(full - (columns - lanes)), accumulators,
                               position, row);
    }
    finish(accumulators);
  } else {
    // Full chunks up to the last one, which ends with the row and overlaps
    // them. Rows that fill no chunk are passed over by single columns.
    Value extent = extents.back();
    Value fills = arith::CmpIOp::create(builder, arith::CmpIPredicate::uge,
                                        extent, index(maxLanes));
    auto choice = scf::IfOp::create(
        builder,
        SmallVector<Type>(phase.reductions.size(), builder.getI64Type()), fills,
        /*withElseRegion=*/true);
    auto branch = [&](Block *block, llvm::function_ref<void()> body) {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(block);
      body();
      if (!results.empty())
        scf::YieldOp::create(builder, results);
    };
    branch(choice.thenBlock(), [&] {
      Value last = arith::SubIOp::create(builder, extent, index(maxLanes));
      // Where the full chunks end that leave something to the last one.
      Value before = arith::SubIOp::create(builder, extent, index(1));
      Value full = arith::SubIOp::create(
          builder, before,
          arith::RemUIOp::create(builder, before, index(maxLanes)));
      SmallVector<Value> accumulators = loopOver(
          index(0), full, maxLanes, startAccumulators(phase, maxLanes));
      finish(emitChunk(phaseIndex, last, maxLanes,
                       arith::SubIOp::create(builder, full, last), accumulators,
                       position, row));
    });
    branch(choice.elseBlock(), [&] {
      finish(loopOver(index(0), extent, 1, startAccumulators(phase, 1)));
    });
    llvm::copy(choice.getResults(), results.begin());
  }
  for (auto [id, value] : llvm::zip(phase.reductions, results))
    row[id] = value;
}

LogicalResult nlq::lowerKernelToVector(RewriterBase &rewriter, KernelOp op,
                                       int64_t maxLanes,
                                       const VectorFeatures &features) {
  if (!op.hasPureBufferSemantics())
    return op->emitOpError("must be on buffers to become vector code");
  for (Value operand : op->getOperands())
    if (!cast<MemRefType>(operand.getType()).isLastDimUnitStride())
      return op->emitOpError() << "has an operand whose rows are not dense: "
                               << operand.getType();
  const Graph &graph = op.getGraph().getGraph();
  llvm::Expected<Bounds> bounds = bound(graph);
  if (!bounds)
    return op->emitOpError("has no safe lanes: ")
           << llvm::toString(bounds.takeError());
  rewriter.setInsertionPoint(op);
  RowLowering(rewriter, op, graph, *bounds, maxLanes, features).run();
  rewriter.eraseOp(op);
  return success();
}
