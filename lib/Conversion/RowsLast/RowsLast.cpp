//===- RowsLast.cpp - Rows along the last dimension -----------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Conversion/RowsLast.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "nlq/Conversion/Passes.h"
#include "nlq/Dialect/NLQ/IR/NLQOps.h"

namespace nlq {
#define GEN_PASS_DEF_NLQROWSLAST
#include "nlq/Conversion/Passes.h.inc"
} // namespace nlq

using namespace mlir;
using namespace nlq;

/// The name of `loc` with "/rows" behind it: values are called by locations,
/// and an operation's own name is that of its result.
static Location getRowsLoc(Location loc) {
  auto named = dyn_cast<NameLoc>(loc);
  if (!named)
    return loc;
  return NameLoc::get(
      StringAttr::get(loc.getContext(), named.getName().getValue() + "/rows"),
      named.getChildLoc());
}

/// `value` with dimensions `a` and `b` exchanged, which is its own inverse.
static Value exchange(OpBuilder &builder, Location loc, Value value, int64_t a,
                      int64_t b) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> permutation =
      llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
  std::swap(permutation[a], permutation[b]);
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(builder, loc, value);
  std::swap(sizes[a], sizes[b]);
  Value init =
      tensor::EmptyOp::create(builder, loc, sizes, type.getElementType());
  return linalg::TransposeOp::create(builder, loc, value, init, permutation)
      ->getResult(0);
}

/// Groups of dimensions: those of a tensor of `rank` with the last `count` in
/// one.
static SmallVector<ReassociationIndices> getGroups(int64_t rank,
                                                   int64_t count) {
  SmallVector<ReassociationIndices> groups;
  for (int64_t dim = 0; dim <= rank - count; ++dim)
    groups.push_back({dim});
  for (int64_t dim = rank - count + 1; dim < rank; ++dim)
    groups.back().push_back(dim);
  return groups;
}

/// `value` with its last `count` dimensions in one; a constant stays one.
static Value collapse(OpBuilder &builder, Location loc, Value value,
                      int64_t count) {
  auto type = cast<RankedTensorType>(value.getType());
  int64_t size = 1;
  for (int64_t extent : type.getShape().take_back(count))
    size *= extent;
  SmallVector<int64_t> shape(type.getShape().drop_back(count));
  shape.push_back(size);
  RankedTensorType collapsed = type.clone(shape);
  if (auto constant = value.getDefiningOp<arith::ConstantOp>()) {
    TypedAttr attr;
    if (auto dense = dyn_cast<DenseElementsAttr>(constant.getValue()))
      attr = dense.reshape(collapsed);
    if (auto dense = dyn_cast<DenseResourceElementsAttr>(constant.getValue()))
      attr = DenseResourceElementsAttr::get(collapsed, dense.getRawHandle());
    if (attr)
      return arith::ConstantOp::create(builder, constant.getLoc(), attr);
  }
  return tensor::CollapseShapeOp::create(builder, loc, collapsed, value,
                                         getGroups(type.getRank(), count));
}

namespace {

struct MoveSoftmaxAxis : OpRewritePattern<SoftmaxOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(SoftmaxOp op,
                                PatternRewriter &rewriter) const override {
    int64_t row = op.getRowDimension();
    int64_t last = cast<ShapedType>(op.getInput().getType()).getRank() - 1;
    if (row == last)
      return rewriter.notifyMatchFailure(op, "is over the last dimension");
    Location loc = getRowsLoc(op.getLoc());
    Value input = exchange(rewriter, loc, op.getInput(), row, last);
    Value mask = op.getMask();
    if (mask) {
      // Its dimensions are the last of the operand's, the row among them.
      int64_t rank = cast<ShapedType>(mask.getType()).getRank();
      mask = exchange(rewriter, loc, mask, row - (last + 1 - rank), rank - 1);
    }
    Value shares = SoftmaxOp::create(
        rewriter, op.getLoc(), input.getType(), input, mask, op.getCausal(),
        /*axis=*/IntegerAttr(), /*method=*/MethodAttrInterface(),
        /*candidates=*/ArrayAttr(), op.getMaxRowLengthAttr());
    shares.getDefiningOp()->setDiscardableAttrs(
        op->getDiscardableAttrDictionary());
    rewriter.replaceOp(op, exchange(rewriter, loc, shares, row, last));
    return success();
  }
};

/// gamma, and beta where there is one, are the operands behind the first.
template <typename OpT> struct CollapseNormalization : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpT op,
                                PatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getInput().getType());
    auto gamma = cast<RankedTensorType>(op.getGamma().getType());
    int64_t count = gamma.getRank();
    if (count == 1 ||
        llvm::any_of(type.getShape().take_back(count), ShapedType::isDynamic) ||
        !gamma.hasStaticShape())
      return rewriter.notifyMatchFailure(op, "has one dimension, or dynamic "
                                             "ones");
    Location loc = getRowsLoc(op.getLoc());
    Value input = collapse(rewriter, loc, op.getInput(), count);
    SmallVector<Value> operands = {input};
    for (Value parameter : llvm::drop_begin(op->getOperands()))
      operands.push_back(collapse(rewriter, loc, parameter, count));
    Operation *rows = rewriter.create(
        op.getLoc(), op->getName().getIdentifier(), operands, input.getType(),
        op->getDiscardableAttrDictionary().getValue());
    cast<OpT>(rows).setEpsilonAttr(op.getEpsilonAttr());
    rewriter.replaceOpWithNewOp<tensor::ExpandShapeOp>(
        op, type, rows->getResult(0), getGroups(type.getRank(), count),
        tensor::getMixedSizes(rewriter, loc, op.getInput()));
    return success();
  }
};

struct NLQRowsLastPass : nlq::impl::NLQRowsLastBase<NLQRowsLastPass> {
  void runOnOperation() override {
    if (failed(moveRowsLast(getOperation())))
      signalPassFailure();
  }
};

} // namespace

void nlq::populateRowsLastPatterns(RewritePatternSet &patterns) {
  patterns.add<MoveSoftmaxAxis, CollapseNormalization<LayerNormOp>,
               CollapseNormalization<RmsNormOp>>(patterns.getContext());
}

LogicalResult nlq::moveRowsLast(Operation *op) {
  RewritePatternSet patterns(op->getContext());
  populateRowsLastPatterns(patterns);
  // Nothing else is to change: values keep their names.
  GreedyRewriteConfig config;
  config.enableFolding(false);
  config.enableConstantCSE(false);
  config.setRegionSimplificationLevel(GreedySimplifyRegionLevel::Disabled);
  return applyPatternsGreedily(op, std::move(patterns), config);
}
