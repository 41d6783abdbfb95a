//===- RowLowering.cpp - nlq.kernel to loops of vector code -------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"
#include "RowReductions.h"
#include "RowSchedule.h"
#include "RowTable.h"
#include "SuitTarget.h"
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

using namespace mlir;
using namespace nlq;
using namespace nlq::kernel;

/// Lanes of 16 bits that fill a vector of the target.
static int64_t getWordLanes(const VectorFeatures &features) {
  return features.avx512bw ? 32 : 16;
}

/// Lanes of 16 bits that fill a vector of the target, or of 8 where bytes are
/// looked up, multiplied, or packed for the result.
static int64_t getNaturalLanes(const Graph &graph, const KernelEmitter &emitter,
                               const RowReductions &reductions,
                               const VectorFeatures &features) {
  bool packsBytes = features.avx2 && graph.resultBits == 8;
  bool areBytes = llvm::any_of(graph.nodes, [&](const Node &node) {
    return emitter.looksUpBytes(node) ||
           (features.avx512bw && isReduction(node) &&
            reductions.takesBytes(&node - graph.nodes.data()));
  });
  return getWordLanes(features) * (areBytes || packsBytes ? 2 : 1);
}

namespace {

/// Lowers one kernel.
class RowLowering {
public:
  RowLowering(RewriterBase &rewriter, KernelOp op, ValueRange operands,
              const Graph &graph, const Bounds &bounds,
              std::optional<RowFunction> function, int64_t maxLanes,
              const VectorFeatures &features)
      : builder(op.getLoc(), rewriter), op(op), inputs(operands.drop_back()),
        output(operands.back()), graph(graph), bounds(bounds),
        function(function), features(features),
        schedule(
            makeSchedule(graph, function ? function->index : graph.result)),
        tables(makeTables()), emitter(builder, graph, bounds, tables, features),
        reductions(builder, graph, bounds, emitter, features),
        maxLanes(maxLanes
                     ? maxLanes
                     : getNaturalLanes(graph, emitter, reductions, features)),
        block(chooseBlock()) {}

  void run();

private:
  SmallVector<Value> makeTables();
  int64_t chooseBlock() const;
  bool isReadInRows(NodeId id) const;
  unsigned getRepeatedWidth(NodeId id) const;
  void allocateScratch();
  void lowerRow(ValueRange position);
  void lowerBlock(ValueRange outer, Value begin);
  bool takesBytes(unsigned phase) const;
  bool masksShortRows() const;
  SmallVector<Value> placeIn(Value input, ValueRange position);
  KernelEmitter::Scope startRow(ValueRange position);
  void lowerPhase(unsigned phase, ValueRange position,
                  KernelEmitter::Scope &row);
  SmallVector<Value> emitChunk(unsigned phase, Value column, int64_t lanes,
                               const CountedLanes &counted,
                               ValueRange accumulators, ValueRange position,
                               KernelEmitter::Scope &row);
  Value emitInput(const Input &input, Value memref, Value column,
                  ValueRange position, int64_t lanes, unsigned width,
                  const CountedLanes &counted);
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(builder, value);
  }

  ImplicitLocOpBuilder builder;
  KernelOp op;
  /// Its operands, or what they are seen as.
  SmallVector<Value> inputs;
  Value output;
  const Graph &graph;
  const Bounds &bounds;
  /// Results are looked up in a table of the row, if there is such a function.
  std::optional<RowFunction> function;
  /// That table.
  SmallVector<Value> table;
  const VectorFeatures &features;
  Schedule schedule;
  SmallVector<Value> tables;
  KernelEmitter emitter;
  RowReductions reductions;
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
  constexpr int64_t kMostRows = 64, kMostBytes = 16 * 1024;
  auto type = cast<ShapedType>(output.getType());
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
  int64_t rows = type.getDimSize(type.getRank() - 2);
  if (!ShapedType::isDynamic(rows))
    most = std::min(most, rows);
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

/// Bits of a row's value that scratch holds as often as they fit 32 bits; 0 if
/// it holds the value. x86 loads 32 bits to all lanes without an operation, and
/// fewer with one. LLVM must see that a shift's amount is one for all lanes.
unsigned RowLowering::getRepeatedWidth(NodeId id) const {
  auto isAmount = [&](const Node &node) {
    return (node.opcode == Opcode::ShiftLeft ||
            node.opcode == Opcode::ShiftRight ||
            node.opcode == Opcode::MulShift) &&
           node.operands.back() == id;
  };
  if (!features.avx2 || emitter.getWidth(id) > 16 ||
      llvm::any_of(graph.nodes, isAmount))
    return 0;
  bool isByte = storageRange(8).contains(bounds.intervals[id]);
  if (isReduction(graph.nodes[id]))
    return isByte && function ? 8 : 0;
  return 16;
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
        allocate(id, {block}, std::max(emitter.getWidth(id), 32u));
}

void RowLowering::run() {
  allocateScratch();
  int64_t rank = cast<ShapedType>(output.getType()).getRank();
  for (int64_t dim = 0; dim < rank; ++dim)
    extents.push_back(memref::DimOp::create(builder, output, dim).getResult());
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

/// Whether a phase is done in lanes of bytes. What waits in scratch lies there
/// in chunks of the same lanes for all phases.
bool RowLowering::takesBytes(unsigned phase) const {
  bool isLast = phase + 1 == schedule.phases.size();
  return (isLast ? function.has_value() : true) && schedule.spilledIn.empty() &&
         llvm::all_of(schedule.phases[phase].reductions,
                      [&](NodeId id) { return reductions.takesBytes(id); });
}

/// Whether rows that fill no chunk are passed over as a part of one: by loads
/// and stores of some lanes, for which AVX-512 has instructions. No other lane
/// is in a column that there is.
bool RowLowering::masksShortRows() const {
  return features.avx512bw && maxLanes <= INT8_MAX &&
         llvm::none_of(graph.nodes, [](const Node &node) {
           return node.opcode == Opcode::ColumnIndex;
         });
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
      Value memref = inputs[node.imm];
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
/// needs first, of all.
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
  auto load = [&](NodeId id, KernelEmitter::Scope &row) {
    Value value = memref::LoadOp::create(builder, scratch.lookup(id), slot);
    if (unsigned width = getRepeatedWidth(id)) {
      row.repeated[{id, width}] = value;
      value = emitter.resize(value, width);
    }
    row[id] = emitter.resize(value, 64);
  };
  auto store = [&](NodeId id, Value value) {
    Value memref = scratch.lookup(id);
    Type element = getElementTypeOrSelf(memref);
    value = emitter.resize(value, element.getIntOrFloatBitWidth());
    if (unsigned width = getRepeatedWidth(id)) {
      auto constant = [&](int64_t value) {
        return arith::ConstantOp::create(
            builder, builder.getIntegerAttr(element, value));
      };
      value = arith::AndIOp::create(builder, value,
                                    constant((int64_t(1) << width) - 1));
      value = arith::MulIOp::create(
          builder, value, constant(width == 8 ? 0x01010101 : 0x00010001));
    }
    memref::StoreOp::create(builder, value, memref, slot);
  };
  // Row values that a phase is the first to need.
  auto getNew = [&](unsigned phase) {
    SmallVector<NodeId> made;
    for (auto [id, node] : llvm::enumerate(graph.nodes))
      if (node.rate == Rate::Row && !isReduction(node) && isReadInRows(id) &&
          schedule.levels[id] == phase)
        made.push_back(id);
    return made;
  };
  auto passOver = [&](unsigned phase, ValueRange position,
                      KernelEmitter::Scope &row) {
    for (auto [id, node] : llvm::enumerate(graph.nodes)) {
      if (!isReadInRows(id) || schedule.levels[id] > phase || row.contains(id))
        continue;
      if (node.rate == Rate::Row)
        load(id, row);
      else
        emitter.emitRow(id, row);
    }
    lowerPhase(phase, position, row);
    for (NodeId id : schedule.phases[phase].reductions)
      store(id, row.lookup(id));
  };
  const unsigned numPhases = schedule.phases.size();
  constexpr int64_t kFewChunks = 8;
  for (unsigned phase = 0; phase < numPhases;) {
    if (SmallVector<NodeId> made = getNew(phase); !made.empty())
      forRows([&](ValueRange, KernelEmitter::Scope &row) {
        for (auto [id, node] : llvm::enumerate(graph.nodes))
          if (isReduction(node) && schedule.levels[id] <= phase)
            load(id, row);
        for (NodeId id : made)
          store(id, emitter.emitRow(id, row));
      });
    // Phases of a long row between which nothing is made follow each other, so
    // that one waits for memory while the other computes. Those of a short row
    // wait for the first one's reductions.
    forRows([&](ValueRange position, KernelEmitter::Scope &row) {
      do
        passOver(phase++, position, row);
      while (graph.maxRowLength >= kFewChunks * maxLanes && phase < numPhases &&
             getNew(phase).empty());
    });
  }
}

Value RowLowering::emitInput(const Input &input, Value memref, Value column,
                             ValueRange position, int64_t lanes, unsigned width,
                             const CountedLanes &counted) {
  auto type = VectorType::get({lanes}, builder.getIntegerType(input.bits));
  SmallVector<Value> indices;
  if (input.rate == Rate::Element)
    indices = placeIn(memref, position);
  indices.push_back(column);
  Value value;
  if (counted.kind == CountedLanes::Kind::Below) {
    // Lanes beyond the row hold its first element: what is known of elements,
    // such as that none exceeds the row's maximum, holds for them, too. A row
    // of no elements has no results.
    int64_t other = std::clamp<int64_t>(0, input.range.lo, input.range.hi);
    Value others = arith::ConstantOp::create(
        builder, SplatElementsAttr::get(
                     type, APInt(64, other, true).sextOrTrunc(input.bits)));
    Value mask = counted.emitMask(builder, lanes, 8);
    value = vector::MaskedLoadOp::create(builder, type, memref, indices, mask,
                                         others);
    Value first = vector::ExtractOp::create(builder, value, 0);
    value = arith::SelectOp::create(
        builder, mask, value,
        vector::BroadcastOp::create(builder, type, first));
  } else {
    value = vector::LoadOp::create(builder, type, memref, indices);
  }
  if (input.isSigned)
    return emitter.resize(value, width);
  return input.bits == width ? value : emitter.extendUnsigned(value, width);
}

/// One chunk of `lanes` columns of a phase.
SmallVector<Value>
RowLowering::emitChunk(unsigned phaseIndex, Value column, int64_t lanes,
                       const CountedLanes &counted, ValueRange accumulators,
                       ValueRange position, KernelEmitter::Scope &row) {
  const Phase &phase = schedule.phases[phaseIndex];
  KernelEmitter::Chunk chunk;
  chunk.lanes = lanes;
  // Where the chunk lies in scratch.
  Value place = column;
  if (counted.kind == CountedLanes::Kind::From)
    place = builder.createOrFold<arith::AddIOp>(column, counted.lane);
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
          emitInput(graph.inputs[node.imm], inputs[node.imm], column, position,
                    lanes, emitter.getWidth(id), counted);
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
  for (auto [id, accumulator] : llvm::zip(phase.reductions, accumulators))
    next.push_back(reductions.add(id, accumulator, counted, chunk, row));
  for (NodeId id : phase.spills) {
    vector::StoreOp::create(builder, emitter.emitUnordered(id, chunk, row),
                            scratch.lookup(id), ValueRange({slot, place}));
    if (chunk.swapped.contains(id))
      swapped.insert({id, lanes});
  }
  if (phaseIndex + 1 == schedule.phases.size()) {
    SmallVector<Value> indices(position);
    indices.push_back(column);
    Value result = function ? lookUpInRow(*function, table, bounds, emitter,
                                          builder, chunk, row)
                            : emitter.emitResized(graph.result,
                                                  graph.resultBits, chunk, row);
    if (counted.kind == CountedLanes::Kind::Below)
      vector::MaskedStoreOp::create(builder, output, indices,
                                    counted.emitMask(builder, lanes, 8),
                                    result);
    else
      vector::StoreOp::create(builder, result, output, indices);
  }
  return next;
}

void RowLowering::lowerPhase(unsigned phaseIndex, ValueRange position,
                             KernelEmitter::Scope &row) {
  const Phase &phase = schedule.phases[phaseIndex];
  SmallVector<Value> results(phase.reductions.size());
  auto finish = [&](ValueRange accumulators) {
    results = reductions.finish(phase.reductions, accumulators);
  };
  auto loopOver = [&](Value begin, Value end, int64_t lanes,
                      SmallVector<Value> accumulators) {
    auto loop =
        scf::ForOp::create(builder, begin, end, index(lanes), accumulators);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> next =
        emitChunk(phaseIndex, loop.getInductionVar(), lanes, CountedLanes(),
                  loop.getRegionIterArgs(), position, row);
    // Without iteration arguments the loop came with its terminator.
    if (!next.empty())
      scf::YieldOp::create(builder, next);
    return SmallVector<Value>(loop.getResults());
  };

  if (function && phaseIndex + 1 == schedule.phases.size())
    table = makeRowTable(*function, graph, bounds, emitter, builder, row);
  int64_t columns = cast<ShapedType>(output.getType()).getShape().back();
  if (!ShapedType::isDynamic(columns)) {
    // Full chunks, then one that ends with the row and overlaps them. Where
    // these are of two vectors of words, one if it suffices.
    int64_t lanes = maxLanes;
    while (lanes > columns)
      lanes /= 2;
    int64_t full = columns / lanes * lanes;
    SmallVector<Value> accumulators =
        loopOver(index(0), index(full), lanes,
                 reductions.start(phase.reductions, lanes));
    if (full != columns) {
      while (!takesBytes(phaseIndex) && lanes > getWordLanes(features) &&
             lanes <= kMostGroupedLanes && columns - full <= lanes / 2) {
        lanes /= 2;
        accumulators = reductions.fold(phase.reductions, accumulators);
      }
      accumulators =
          emitChunk(phaseIndex, index(columns - lanes), lanes,
                    {CountedLanes::Kind::From, index(full - (columns - lanes))},
                    accumulators, position, row);
    }
    finish(accumulators);
  } else {
    // Full chunks up to the last one, which ends with the row and overlaps
    // them. Rows that fill no chunk are passed over by single columns, or as a
    // part of one.
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
      SmallVector<Value> accumulators =
          loopOver(index(0), full, maxLanes,
                   reductions.start(phase.reductions, maxLanes));
      finish(emitChunk(phaseIndex, last, maxLanes,
                       {CountedLanes::Kind::From,
                        arith::SubIOp::create(builder, full, last)},
                       accumulators, position, row));
    });
    branch(choice.elseBlock(), [&] {
      if (masksShortRows())
        return finish(emitChunk(
            phaseIndex, index(0), maxLanes, {CountedLanes::Kind::Below, extent},
            reductions.start(phase.reductions, maxLanes), position, row));
      finish(
          loopOver(index(0), extent, 1, reductions.start(phase.reductions, 1)));
    });
    llvm::copy(choice.getResults(), results.begin());
  }
  for (auto [id, value] : llvm::zip(phase.reductions, results))
    row[id] = value;
}

/// The operands as one row, if elements depend on those in their place alone
/// and all lie one behind the other; else as they are. Short rows cost no more
/// then than long ones.
static SmallVector<Value> joinRows(RewriterBase &rewriter, KernelOp op,
                                   const Graph &graph) {
  SmallVector<Value> operands(op->getOperands());
  auto shape = cast<MemRefType>(operands.back().getType()).getShape();
  bool usesPlaces = llvm::any_of(graph.nodes, [](const Node &node) {
    return node.opcode == Opcode::RowIndex;
  });
  bool areElements = llvm::all_of(graph.inputs, [](const Input &input) {
    return input.rate == Rate::Element;
  });
  if (shape.size() < 2 || needsWholeRows(graph) || usesPlaces || !areElements)
    return operands;
  SmallVector<ReassociationIndices> all = {
      llvm::to_vector(llvm::seq<int64_t>(shape.size()))};
  for (Value operand : operands) {
    auto type = cast<MemRefType>(operand.getType());
    // An extent of 1 is one for all rows.
    for (auto [extent, ofOutput] : llvm::zip(type.getShape(), shape))
      if ((extent == 1) != (ofOutput == 1) || extent == 0)
        return operands;
    if (!memref::CollapseShapeOp::isGuaranteedCollapsible(type, all) ||
        !memref::CollapseShapeOp::computeCollapsedType(type, all)
             .isLastDimUnitStride())
      return operands;
  }
  for (Value &operand : operands)
    operand =
        memref::CollapseShapeOp::create(rewriter, op.getLoc(), operand, all);
  return operands;
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
  auto [graph, function] = suitTarget(op.getGraph().getGraph(), features);
  llvm::Expected<Bounds> bounds = bound(graph);
  if (!bounds)
    return op->emitOpError("has no safe lanes: ")
           << llvm::toString(bounds.takeError());
  rewriter.setInsertionPoint(op);
  RowLowering(rewriter, op, joinRows(rewriter, op, graph), graph, *bounds,
              function, maxLanes, features)
      .run();
  rewriter.eraseOp(op);
  return success();
}
