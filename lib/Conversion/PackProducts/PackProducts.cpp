//===- PackProducts.cpp - Integer matrix products to nlq.product --------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PackedConstants.h"
#include "mlir/IR/Matchers.h"
#include "nlq/Conversion/Passes.h"
#include "nlq/Dialect/NLQ/IR/NLQOps.h"

namespace nlq {
#define GEN_PASS_DEF_NLQPACKPRODUCTS
#include "nlq/Conversion/Passes.h.inc"
} // namespace nlq

using namespace mlir;
using namespace nlq;

/// True for `linalg.matmul` and `linalg.batch_matmul` that nlq.product can
/// take: plain (no maps of their own, not of unsigned integers), on tensors of
/// static shapes, of i8 or i16 into i32.
static bool isSupported(linalg::LinalgOp op) {
  bool plain = false;
  if (auto matmul = dyn_cast<linalg::MatmulOp>(op.getOperation()))
    plain = !matmul.hasUserDefinedMaps() &&
            matmul.getCast() == linalg::TypeFn::cast_signed;
  else if (auto batched = dyn_cast<linalg::BatchMatmulOp>(op.getOperation()))
    plain = !batched.hasUserDefinedMaps() &&
            batched.getCast() == linalg::TypeFn::cast_signed;
  if (!plain || !op.hasPureTensorSemantics())
    return false;
  auto fits = [](Value value, ArrayRef<unsigned> widths) {
    auto type = cast<RankedTensorType>(value.getType());
    return type.hasStaticShape() && llvm::any_of(widths, [&](unsigned width) {
             return type.getElementType().isSignlessInteger(width);
           });
  };
  return fits(op.getDpsInputs()[0], {8, 16}) &&
         fits(op.getDpsInputs()[1], {8, 16}) && fits(op.getDpsInits()[0], {32});
}

namespace {
/// What a product starts from, if it is the same for all rows and known: zeros,
/// or a constant for every column.
struct KnownInit {
  /// Null for zeros.
  ElementsAttr bias;
};
} // namespace

static std::optional<KnownInit> getKnownInit(Value init) {
  auto fill = init.getDefiningOp<linalg::FillOp>();
  if (matchPattern(init, m_Zero()) ||
      (fill && matchPattern(fill.getInputs()[0], m_Zero())))
    return KnownInit();
  KnownInit known;
  auto broadcast = init.getDefiningOp<linalg::BroadcastOp>();
  if (broadcast && cast<ShapedType>(init.getType()).getRank() == 2 &&
      broadcast.getDimensions() == ArrayRef<int64_t>{0} &&
      matchPattern(broadcast.getInput(), m_Constant(&known.bias)))
    return known;
  return std::nullopt;
}

/// The value whose last two dimensions `value` has swapped, if it was made by a
/// transpose that takes a row's elements apart: with the rest of the
/// transpose, which moves rows as a whole. Null if there is no such transpose.
static Value getTransposed(OpBuilder &builder, Value value) {
  auto collapse = value.getDefiningOp<tensor::CollapseShapeOp>();
  auto transpose = (collapse ? collapse.getSrc() : value)
                       .getDefiningOp<linalg::TransposeOp>();
  if (!transpose)
    return {};
  SmallVector<int64_t> permutation(transpose.getPermutation());
  int64_t rank = permutation.size();
  if (rank < 2 || permutation[rank - 2] != rank - 1)
    return {};
  if (collapse)
    for (const ReassociationIndices &dims :
         ArrayRef(collapse.getReassociationIndices()).take_back(2))
      if (dims.size() != 1)
        return {};
  std::swap(permutation[rank - 2], permutation[rank - 1]);
  Location loc = transpose.getLoc();
  Value result = transpose.getInput();
  if (!llvm::equal(permutation, llvm::seq<int64_t>(0, rank))) {
    auto source = cast<RankedTensorType>(result.getType());
    SmallVector<int64_t> shape;
    for (int64_t dim : permutation)
      shape.push_back(source.getDimSize(dim));
    Value empty =
        tensor::EmptyOp::create(builder, loc, shape, source.getElementType());
    result =
        linalg::TransposeOp::create(builder, loc, result, empty, permutation)
            ->getResult(0);
  }
  if (collapse)
    result = tensor::CollapseShapeOp::create(
        builder, loc, result, collapse.getReassociationIndices());
  return result;
}

/// Replaces `op` by nlq.product.
static void convert(linalg::LinalgOp op, const VectorFeatures &features) {
  ImplicitLocOpBuilder builder(op.getLoc(), op);
  Value lhs = op.getDpsInputs()[0], rhs = op.getDpsInputs()[1];
  Value init = op.getDpsInits()[0];
  auto type = cast<RankedTensorType>(init.getType());
  auto product = [&](Value right, Value start, bool transposed,
                     bool shifted) -> Value {
    Value empty = tensor::EmptyOp::create(builder, type.getShape(),
                                          type.getElementType());
    return ProductOp::create(builder, type, lhs, right, start, empty,
                             transposed, shifted)
        .getResult();
  };

  std::optional<KnownInit> known = getKnownInit(init);
  ProductTile tile = getProductTile(
      getElementTypeOrSelf(lhs).getIntOrFloatBitWidth(),
      getElementTypeOrSelf(rhs).getIntOrFloatBitWidth(), features);
  std::optional<PackedConstants> packed;
  ElementsAttr weights;
  if (type.getRank() == 2 && matchPattern(rhs, m_Constant(&weights)))
    packed = packConstants(weights, known ? known->bias : ElementsAttr(), tile);
  Value result;
  bool addsInit = !known || (!packed && known->bias);
  if (packed) {
    result = product(arith::ConstantOp::create(builder, packed->weights),
                     arith::ConstantOp::create(builder, packed->start),
                     /*transposed=*/false, tile.isLeftUnsigned);
  } else {
    Value transposed = getTransposed(builder, rhs);
    result = product(transposed ? transposed : rhs, Value(), bool(transposed),
                     /*shifted=*/false);
  }
  if (addsInit) {
    Value empty = tensor::EmptyOp::create(builder, type.getShape(),
                                          type.getElementType());
    result = linalg::AddOp::create(builder, ValueRange{result, init}, empty)
                 .getResult(0);
  }
  op->getResult(0).replaceAllUsesWith(result);
  op->erase();
}

namespace {
struct NLQPackProductsPass
    : nlq::impl::NLQPackProductsBase<NLQPackProductsPass> {
  using NLQPackProductsBase::NLQPackProductsBase;

  void runOnOperation() override {
    llvm::Expected<VectorFeatures> vectorFeatures =
        VectorFeatures::parse(ArrayRef<std::string>(*features));
    if (!vectorFeatures) {
      getOperation().emitError(llvm::toString(vectorFeatures.takeError()));
      return signalPassFailure();
    }
    SmallVector<linalg::LinalgOp> products;
    getOperation().walk([&](linalg::LinalgOp op) {
      if (isSupported(op))
        products.push_back(op);
    });
    for (linalg::LinalgOp op : products)
      convert(op, *vectorFeatures);
  }
};
} // namespace
