//===- ParallelRows.cpp - Rows of nlq.kernel in parallel ----------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "nlq/Conversion/Passes.h"
#include "nlq/Dialect/NLQ/IR/NLQOps.h"
#include "llvm/Support/MathExtras.h"

namespace nlq {
#define GEN_PASS_DEF_NLQPARALLELROWS
#include "nlq/Conversion/Passes.h.inc"
} // namespace nlq

using namespace mlir;
using namespace nlq;

/// Rows that a kernel handles together at most; parts hold a multiple of them.
static constexpr int64_t kBlock = 8;

/// The rows of a part that has `elements` elements or a few more.
static int64_t getRowsOfPart(KernelOp op, int64_t elements) {
  int64_t columns = op.getOutputType().getShape().back();
  if (ShapedType::isDynamic(columns))
    columns = op.getGraph().getGraph().maxRowLength;
  return llvm::alignTo(llvm::divideCeil(elements, columns), kBlock);
}

/// Whether rows can be handled in any order, and are more than one part.
static bool isWorthIt(KernelOp op, int64_t rowsOfPart) {
  ShapedType type = op.getOutputType();
  if (!op.hasPureBufferSemantics() || type.getRank() < 2 ||
      op.getLoopIteratorTypes().front() != utils::IteratorType::parallel)
    return false;
  ArrayRef<int64_t> rows = type.getShape().drop_back();
  return ShapedType::isDynamicShape(rows) ||
         ShapedType::getNumElements(rows) > rowsOfPart;
}

/// Puts parts of `rowsOfPart` rows of the last dimension before the row, and of
/// one in those in front of it, into a parallel loop.
static LogicalResult splitRows(KernelOp op, int64_t rowsOfPart) {
  ImplicitLocOpBuilder builder(op.getLoc(), op);
  SmallVector<Range> domain = op.getIterationDomain(builder);
  size_t numLoops = domain.size() - 1;
  auto toValue = [&](OpFoldResult value) {
    return getValueOrCreateConstantIndexOp(builder, builder.getLoc(), value);
  };
  SmallVector<int64_t> parts(numLoops, 1);
  parts.back() = rowsOfPart;
  SmallVector<Value> begins, ends, steps;
  for (auto [range, part] : llvm::zip(domain, parts)) {
    begins.push_back(toValue(range.offset));
    ends.push_back(toValue(range.size));
    steps.push_back(arith::ConstantIndexOp::create(builder, part));
  }
  auto loop = scf::ParallelOp::create(builder, begins, ends, steps);
  builder.setInsertionPointToStart(loop.getBody());
  SmallVector<OpFoldResult> offsets, sizes;
  for (Value begin : loop.getInductionVars()) {
    offsets.push_back(begin);
    sizes.push_back(builder.getIndexAttr(1));
  }
  Value rest = arith::SubIOp::create(builder, ends.back(),
                                     loop.getInductionVars().back());
  sizes.back() =
      arith::MinUIOp::create(builder, rest, steps.back()).getResult();
  offsets.push_back(domain.back().offset);
  sizes.push_back(domain.back().size);
  if (failed(op.getTiledImplementation(builder, offsets, sizes)))
    return failure();
  op.erase();
  return success();
}

namespace {
struct NLQParallelRowsPass
    : nlq::impl::NLQParallelRowsBase<NLQParallelRowsPass> {
  using NLQParallelRowsBase::NLQParallelRowsBase;

  void runOnOperation() override {
    if (elements < 1) {
      getOperation().emitError("elements must be positive, found ")
          << int64_t(elements);
      return signalPassFailure();
    }
    SmallVector<KernelOp> kernels;
    getOperation().walk([&](KernelOp op) { kernels.push_back(op); });
    for (KernelOp op : kernels) {
      int64_t rowsOfPart = getRowsOfPart(op, elements);
      if (isWorthIt(op, rowsOfPart) && failed(splitRows(op, rowsOfPart)))
        return signalPassFailure();
    }
  }
};
} // namespace
