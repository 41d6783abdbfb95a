//===- ShareMemory.cpp - Buffers in one allocation ----------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ShareMemory.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "mlir/Pass/Pass.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace nlq;

/// What a cache line and the widest vectors are aligned to.
static constexpr int64_t kAlignment = 64;

namespace {

/// A buffer, by the operations of its block during which it is in use.
struct Buffer {
  memref::AllocOp alloc;
  memref::DeallocOp dealloc;
  int64_t bytes = 0;
  /// Positions in the block of the allocation and of the last use.
  unsigned first = 0, last = 0;
  int64_t offset = 0;

  bool overlaps(const Buffer &other) const {
    return first <= other.last && other.first <= last;
  }
};

} // namespace

/// Adds what uses `value` or a view of it, other than its deallocation. Fails
/// if it may get a name that is not a view.
static LogicalResult findUses(Value value, Block &block, Buffer &buffer,
                              const llvm::DenseMap<Operation *, unsigned> &at) {
  for (Operation *user : value.getUsers()) {
    if (auto dealloc = dyn_cast<memref::DeallocOp>(user)) {
      if (buffer.dealloc || dealloc->getBlock() != &block ||
          value != buffer.alloc.getResult())
        return failure();
      buffer.dealloc = dealloc;
      continue;
    }
    Operation *ancestor = block.findAncestorOpInBlock(*user);
    if (!ancestor || user->hasTrait<OpTrait::IsTerminator>())
      return failure();
    buffer.last = std::max(buffer.last, at.lookup(ancestor));
    for (Value result : user->getResults()) {
      if (!isa<BaseMemRefType>(result.getType()))
        continue;
      if (!isa<ViewLikeOpInterface>(user) ||
          failed(findUses(result, block, buffer, at)))
        return failure();
    }
  }
  return success();
}

static std::vector<Buffer> collectBuffers(Block &block) {
  llvm::DenseMap<Operation *, unsigned> at;
  for (auto [index, op] : llvm::enumerate(block))
    at[&op] = index;
  std::vector<Buffer> buffers;
  for (auto alloc : block.getOps<memref::AllocOp>()) {
    MemRefType type = alloc.getType();
    if (!type.hasStaticShape() || !type.getLayout().isIdentity() ||
        type.getMemorySpace() || !type.getElementType().isIntOrFloat())
      continue;
    Buffer buffer;
    buffer.alloc = alloc;
    buffer.first = buffer.last = at[alloc];
    int64_t bits =
        type.getNumElements() * llvm::alignTo(type.getElementTypeBitWidth(), 8);
    buffer.bytes = llvm::alignTo(bits / 8, kAlignment);
    if (succeeded(findUses(alloc, block, buffer, at)) && buffer.dealloc)
      buffers.push_back(buffer);
  }
  return buffers;
}

/// Gives every buffer the lowest offset at which it meets no other that is in
/// use at the same time, the largest buffers first. Returns the bytes of all.
static int64_t placeBuffers(std::vector<Buffer> &buffers) {
  std::vector<Buffer *> order;
  for (Buffer &buffer : buffers)
    order.push_back(&buffer);
  llvm::sort(order, [](const Buffer *a, const Buffer *b) {
    return std::pair(-a->bytes, a->first) < std::pair(-b->bytes, b->first);
  });
  int64_t total = 0;
  std::vector<Buffer *> placed; // by offset
  for (Buffer *buffer : order) {
    int64_t offset = 0;
    for (const Buffer *other : placed)
      if (buffer->overlaps(*other) && other->offset < offset + buffer->bytes)
        offset = std::max(offset, other->offset + other->bytes);
    buffer->offset = offset;
    total = std::max(total, offset + buffer->bytes);
    auto place =
        llvm::upper_bound(placed, buffer, [](const Buffer *a, const Buffer *b) {
          return a->offset < b->offset;
        });
    placed.insert(place, buffer);
  }
  return total;
}

namespace {
struct ShareMemoryPass
    : PassWrapper<ShareMemoryPass, OperationPass<func::FuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ShareMemoryPass)

  StringRef getArgument() const override { return "nlq-share-memory"; }
  StringRef getName() const override { return "NLQShareMemory"; }
  StringRef getDescription() const override {
    return "Put a function's buffers into one allocation";
  }

  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<arith::ArithDialect, memref::MemRefDialect>();
  }

  void runOnOperation() override {
    if (getOperation().isExternal() || !getOperation().getBody().hasOneBlock())
      return;
    Block &block = getOperation().getBody().front();
    std::vector<Buffer> buffers = collectBuffers(block);
    if (buffers.empty())
      return;
    int64_t bytes = placeBuffers(buffers);
    OpBuilder builder = OpBuilder::atBlockBegin(&block);
    Location loc = getOperation().getLoc();
    Value memory = memref::AllocOp::create(
        builder, loc, MemRefType::get({bytes}, builder.getI8Type()),
        builder.getI64IntegerAttr(kAlignment));
    for (Buffer &buffer : buffers) {
      builder.setInsertionPoint(buffer.alloc);
      Value offset =
          arith::ConstantIndexOp::create(builder, loc, buffer.offset);
      Value view = memref::ViewOp::create(builder, loc, buffer.alloc.getType(),
                                          memory, offset, ValueRange());
      buffer.alloc.replaceAllUsesWith(view);
      buffer.dealloc.erase();
      buffer.alloc.erase();
    }
    builder.setInsertionPoint(block.getTerminator());
    memref::DeallocOp::create(builder, loc, memory);
  }
};
} // namespace

std::unique_ptr<Pass> nlq::createShareMemoryPass() {
  return std::make_unique<ShareMemoryPass>();
}
