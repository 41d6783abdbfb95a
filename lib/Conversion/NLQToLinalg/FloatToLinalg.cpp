//===- FloatToLinalg.cpp - Exact functions on floats to linalg ----------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "nlq/Conversion/Passes.h"
#include "nlq/Conversion/RowsLast.h"
#include "nlq/Dialect/NLQ/IR/NLQOps.h"
#include "llvm/Support/MathExtras.h"

namespace nlq {
#define GEN_PASS_DEF_CONVERTFLOATNLQTOLINALG
#include "nlq/Conversion/Passes.h.inc"
} // namespace nlq

using namespace mlir;
using namespace nlq;

namespace {

/// Row-wise float code over one tensor shape: element-wise maps whose operands
/// are elements, row values or column values, and reductions of rows.
class RowBuilder {
public:
  RowBuilder(OpBuilder &builder, Location loc, Value like)
      : builder(loc, builder), type(cast<RankedTensorType>(like.getType())) {
    sizes = tensor::getMixedSizes(this->builder, loc, like);
  }

  using Body = function_ref<Value(ImplicitLocOpBuilder &, ValueRange)>;

  /// body(elements of the operands), for every element. An operand of lower
  /// rank is a value per row or, of rank 1 with `columns` set, per column.
  Value map(ValueRange operands, Body body, int64_t columnOperands = 0);
  /// The scores of `op`, with -infinity where an element takes no part.
  Value maskScores(SoftmaxOp op);
  /// The fold of body(element, accumulated) over each row.
  Value reduce(Value operand, TypedAttr neutral, Body body);

private:
  Value mapWith(ValueRange operands, SmallVector<AffineMap> maps, Body body);

  ImplicitLocOpBuilder builder;
  RankedTensorType type;
  SmallVector<OpFoldResult> sizes;
};

} // namespace

/// All dimensions but the last one; also where there is no other.
static AffineMap getRowMap(AffineMap identity) {
  return AffineMap::get(identity.getNumDims(), 0,
                        identity.getResults().drop_back(),
                        identity.getContext());
}

Value RowBuilder::map(ValueRange operands, Body body, int64_t columnOperands) {
  int64_t rank = type.getRank();
  AffineMap identity = builder.getMultiDimIdentityMap(rank);
  SmallVector<AffineMap> maps;
  for (auto [index, operand] : llvm::enumerate(operands)) {
    bool isColumn = int64_t(index) >= int64_t(operands.size()) - columnOperands;
    int64_t operandRank = cast<RankedTensorType>(operand.getType()).getRank();
    if (isColumn)
      maps.push_back(
          AffineMap::get(rank, 0, builder.getAffineDimExpr(rank - 1)));
    else
      maps.push_back(operandRank == rank ? identity : getRowMap(identity));
  }
  return mapWith(operands, std::move(maps), body);
}

/// body(elements of the operands) for every element, operands by `maps`.
Value RowBuilder::mapWith(ValueRange operands, SmallVector<AffineMap> maps,
                          Body body) {
  int64_t rank = type.getRank();
  maps.push_back(builder.getMultiDimIdentityMap(rank));
  Value init = tensor::EmptyOp::create(builder, sizes, type.getElementType());
  auto op = linalg::GenericOp::create(
      builder, type, operands, init, maps,
      SmallVector<utils::IteratorType>(rank, utils::IteratorType::parallel),
      [&](OpBuilder &nested, Location loc, ValueRange arguments) {
        ImplicitLocOpBuilder inner(loc, nested);
        linalg::YieldOp::create(inner, body(inner, arguments.drop_back()));
      });
  return op.getResult(0);
}

/// The elements of a mask, whose dimensions are the last of `rank`; an extent
/// of 1 stands for all in front of the row.
static AffineMap getMaskMap(Builder &builder, RankedTensorType mask,
                            int64_t rank) {
  SmallVector<AffineExpr> results;
  for (int64_t dim = 0; dim < mask.getRank(); ++dim) {
    bool isShared = mask.getDimSize(dim) == 1 && dim + 1 < mask.getRank();
    results.push_back(
        isShared ? builder.getAffineConstantExpr(0)
                 : builder.getAffineDimExpr(rank - mask.getRank() + dim));
  }
  return AffineMap::get(rank, 0, results, builder.getContext());
}

Value RowBuilder::maskScores(SoftmaxOp op) {
  int64_t rank = type.getRank();
  SmallVector<Value> operands = {op.getInput()};
  SmallVector<AffineMap> maps = {builder.getMultiDimIdentityMap(rank)};
  if (Value mask = op.getMask()) {
    operands.push_back(mask);
    maps.push_back(
        getMaskMap(builder, cast<RankedTensorType>(mask.getType()), rank));
  }
  Value queries, keys;
  if (op.getCausal()) {
    queries = getValueOrCreateConstantIndexOp(builder, builder.getLoc(),
                                              sizes[rank - 2]);
    keys = getValueOrCreateConstantIndexOp(builder, builder.getLoc(),
                                           sizes[rank - 1]);
  }
  auto never = builder.getFloatAttr(
      type.getElementType(),
      APFloat::getInf(
          cast<FloatType>(type.getElementType()).getFloatSemantics(), true));
  return mapWith(
      operands, maps, [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        Value score = x[0];
        Value infinity = arith::ConstantOp::create(b, never);
        if (x.size() > 1 && isa<FloatType>(x[1].getType())) {
          score = arith::AddFOp::create(b, score, x[1]);
        } else if (x.size() > 1) {
          Value zero =
              arith::ConstantOp::create(b, b.getZeroAttr(x[1].getType()));
          Value takesPart =
              arith::CmpIOp::create(b, arith::CmpIPredicate::ne, x[1], zero);
          score = arith::SelectOp::create(b, takesPart, score, infinity);
        }
        if (!op.getCausal())
          return score;
        // key <= query + (keys - queries), without a negative difference.
        Value seen = arith::AddIOp::create(
            b, linalg::IndexOp::create(b, rank - 2), keys);
        Value asked = arith::AddIOp::create(
            b, linalg::IndexOp::create(b, rank - 1), queries);
        Value takesPart =
            arith::CmpIOp::create(b, arith::CmpIPredicate::ule, asked, seen);
        return arith::SelectOp::create(b, takesPart, score, infinity);
      });
}

Value RowBuilder::reduce(Value operand, TypedAttr neutral, Body body) {
  int64_t rank = type.getRank();
  AffineMap identity = builder.getMultiDimIdentityMap(rank);
  Value init = tensor::EmptyOp::create(builder, ArrayRef(sizes).drop_back(),
                                       type.getElementType());
  Value start = arith::ConstantOp::create(builder, neutral);
  init = linalg::FillOp::create(builder, start, init).getResult(0);
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  iterators.back() = utils::IteratorType::reduction;
  auto op = linalg::GenericOp::create(
      builder, init.getType(), operand, init,
      ArrayRef<AffineMap>{identity, getRowMap(identity)}, iterators,
      [&](OpBuilder &nested, Location loc, ValueRange arguments) {
        ImplicitLocOpBuilder inner(loc, nested);
        linalg::YieldOp::create(inner, body(inner, arguments));
      });
  return op.getResult(0);
}

static Value constantLike(ImplicitLocOpBuilder &b, double value, Value like) {
  return arith::ConstantOp::create(b, b.getFloatAttr(like.getType(), value));
}

/// `value` in the float type of `like`.
static Value castLike(ImplicitLocOpBuilder &b, Value value, Value like) {
  Type type = like.getType();
  if (value.getType() == type)
    return value;
  unsigned from = value.getType().getIntOrFloatBitWidth();
  unsigned to = type.getIntOrFloatBitWidth();
  if (from < to)
    return arith::ExtFOp::create(b, type, value);
  // f16 and bf16 are of one width; f32 holds both.
  if (from == to)
    value = arith::ExtFOp::create(b, b.getF32Type(), value);
  return arith::TruncFOp::create(b, type, value);
}

/// A sum in any order, so that it vectorizes.
static Value addAnyOrder(ImplicitLocOpBuilder &b, ValueRange x) {
  return arith::AddFOp::create(b, x[0], x[1], arith::FastMathFlags::reassoc);
}

static TypedAttr floatAttr(RankedTensorType type, double value) {
  return FloatAttr::get(type.getElementType(), value);
}

namespace {

struct LowerSoftmax : OpRewritePattern<SoftmaxOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(SoftmaxOp op,
                                PatternRewriter &rewriter) const override {
    if (nlq::detail::isQuantizedTensor(op.getInput().getType()))
      return rewriter.notifyMatchFailure(op, "is quantized");
    auto type = cast<RankedTensorType>(op.getInput().getType());
    if (op.getRowDimension() != type.getRank() - 1)
      return rewriter.notifyMatchFailure(op, "is not over the last dimension");
    RowBuilder rows(rewriter, op.getLoc(), op.getInput());
    bool isMasked = op.getMask() || op.getCausal();
    Value scores = isMasked ? rows.maskScores(op) : op.getInput();
    APFloat lowest = APFloat::getLargest(
        cast<FloatType>(type.getElementType()).getFloatSemantics(), true);
    Value max =
        rows.reduce(scores, FloatAttr::get(type.getElementType(), lowest),
                    [](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                      return arith::MaxNumFOp::create(
                          b, x[0], x[1], arith::FastMathFlags::nnan);
                    });
    Value exponentials = rows.map(
        {scores, max}, [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
          Value value =
              math::ExpOp::create(b, arith::SubFOp::create(b, x[0], x[1]));
          if (!isMasked)
            return value;
          // The largest of nothing is finite.
          Value takesPart = arith::CmpFOp::create(
              b, arith::CmpFPredicate::OGE, x[0],
              arith::ConstantOp::create(
                  b, cast<TypedAttr>(
                         FloatAttr::get(type.getElementType(), lowest))));
          return arith::SelectOp::create(b, takesPart, value,
                                         constantLike(b, 0.0, value));
        });
    Value sum = rows.reduce(exponentials, floatAttr(type, 0.0), addAnyOrder);
    rewriter.replaceOp(
        op, rows.map({exponentials, sum},
                     [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                       Value divisor = x[1];
                       if (isMasked) {
                         Value isEmpty = arith::CmpFOp::create(
                             b, arith::CmpFPredicate::OEQ, divisor,
                             constantLike(b, 0.0, divisor));
                         divisor = arith::SelectOp::create(
                             b, isEmpty, constantLike(b, 1.0, divisor),
                             divisor);
                       }
                       return arith::DivFOp::create(b, x[0], divisor);
                     }));
    return success();
  }
};

/// An element-wise function: y = body(op, x).
template <typename OpT> struct LowerElementwise : OpRewritePattern<OpT> {
  using Body = Value (*)(ImplicitLocOpBuilder &, OpT, Value);

  LowerElementwise(MLIRContext *context, Body body)
      : OpRewritePattern<OpT>(context), body(body) {}

  LogicalResult matchAndRewrite(OpT op,
                                PatternRewriter &rewriter) const override {
    if (nlq::detail::isQuantizedTensor(op.getInput().getType()))
      return rewriter.notifyMatchFailure(op, "is quantized");
    RowBuilder rows(rewriter, op.getLoc(), op.getInput());
    rewriter.replaceOp(op, rows.map({op.getInput()},
                                    [&](ImplicitLocOpBuilder &b, ValueRange x) {
                                      return body(b, op, x[0]);
                                    }));
    return success();
  }

  Body body;
};

Value makeGelu(ImplicitLocOpBuilder &b, GeluOp op, Value x) {
  auto number = [&](double value) { return constantLike(b, value, x); };
  auto mul = [&](Value lhs, Value rhs) -> Value {
    return arith::MulFOp::create(b, lhs, rhs);
  };
  Value bell;
  if (op.getApproximation() == GeluApproximation::Erf) {
    bell = math::ErfOp::create(b, mul(x, number(1.0 / llvm::numbers::sqrt2)));
  } else {
    Value cube = mul(mul(x, x), x);
    Value inner = arith::AddFOp::create(b, x, mul(cube, number(0.044715)));
    // sqrt(2 / pi)
    bell = math::TanhOp::create(
        b,
        mul(inner, number(llvm::numbers::sqrt2 * llvm::numbers::inv_sqrtpi)));
  }
  Value weight = arith::AddFOp::create(b, bell, number(1.0));
  return mul(mul(x, number(0.5)), weight);
}

/// numerator / (1 + exp(-x)); far below 0 the divisor is infinite.
Value makeLogistic(ImplicitLocOpBuilder &b, Value numerator, Value x) {
  Value exponential = math::ExpOp::create(b, arith::NegFOp::create(b, x));
  return arith::DivFOp::create(
      b, numerator,
      arith::AddFOp::create(b, exponential, constantLike(b, 1.0, x)));
}

Value makeSilu(ImplicitLocOpBuilder &b, SiluOp, Value x) {
  return makeLogistic(b, x, x);
}
Value makeSigmoid(ImplicitLocOpBuilder &b, SigmoidOp, Value x) {
  return makeLogistic(b, constantLike(b, 1.0, x), x);
}
Value makeTanh(ImplicitLocOpBuilder &b, TanhOp, Value x) {
  return math::TanhOp::create(b, x);
}
Value makeExp(ImplicitLocOpBuilder &b, ExpOp, Value x) {
  return math::ExpOp::create(b, x);
}

/// x / sqrt(mean of squares + epsilon) * gamma (+ beta), x with its mean
/// subtracted where the operation has a beta.
template <typename OpT> struct LowerNormalization : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpT op,
                                PatternRewriter &rewriter) const override {
    constexpr bool hasMean = std::is_same_v<OpT, LayerNormOp>;
    auto type = cast<RankedTensorType>(op.getInput().getType());
    if (nlq::detail::isQuantizedTensor(type) ||
        type.isDynamicDim(type.getRank() - 1))
      return rewriter.notifyMatchFailure(op, "is quantized or dynamic");
    if (cast<ShapedType>(op.getGamma().getType()).getRank() != 1)
      return rewriter.notifyMatchFailure(op, "is over several dimensions");
    double columns = type.getShape().back();
    double epsilon = op.getEpsilon().convertToDouble();
    RowBuilder rows(rewriter, op.getLoc(), op.getInput());
    auto mean = [&](ImplicitLocOpBuilder &b, Value sum) -> Value {
      return arith::DivFOp::create(b, sum, constantLike(b, columns, sum));
    };
    Value x = op.getInput();
    SmallVector<Value> parameters = {op.getGamma()};
    if constexpr (hasMean) {
      Value sum = rows.reduce(x, floatAttr(type, 0.0), addAnyOrder);
      x = rows.map({x, sum},
                   [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                     return arith::SubFOp::create(b, x[0], mean(b, x[1]));
                   });
      parameters.push_back(op.getBeta());
    }
    Value squares =
        rows.map({x}, [](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
          return arith::MulFOp::create(b, x[0], x[0]);
        });
    Value squareSum = rows.reduce(squares, floatAttr(type, 0.0), addAnyOrder);
    SmallVector<Value> operands = {x, squareSum};
    llvm::append_range(operands, parameters);
    rewriter.replaceOp(
        op, rows.map(
                operands,
                [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                  Value deviation = math::SqrtOp::create(
                      b, arith::AddFOp::create(b, mean(b, x[1]),
                                               constantLike(b, epsilon, x[1])));
                  Value normal = arith::DivFOp::create(b, x[0], deviation);
                  Value scaled = arith::MulFOp::create(
                      b, normal, castLike(b, x[2], normal));
                  if (!hasMean)
                    return scaled;
                  return arith::AddFOp::create(b, scaled,
                                               castLike(b, x[3], normal));
                },
                /*columnOperands=*/int64_t(parameters.size())));
    return success();
  }
};

struct ConvertFloatNLQToLinalgPass
    : nlq::impl::ConvertFloatNLQToLinalgBase<ConvertFloatNLQToLinalgPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateRowsLastPatterns(patterns);
    patterns.add<LowerSoftmax, LowerNormalization<LayerNormOp>,
                 LowerNormalization<RmsNormOp>>(&getContext());
    patterns.add<LowerElementwise<GeluOp>>(&getContext(), makeGelu);
    patterns.add<LowerElementwise<SiluOp>>(&getContext(), makeSilu);
    patterns.add<LowerElementwise<SigmoidOp>>(&getContext(), makeSigmoid);
    patterns.add<LowerElementwise<TanhOp>>(&getContext(), makeTanh);
    patterns.add<LowerElementwise<ExpOp>>(&getContext(), makeExp);
    populateMathPolynomialApproximationPatterns(patterns, [](StringRef name) {
      return name == math::ExpOp::getOperationName() ||
             name == math::ErfOp::getOperationName() ||
             name == math::TanhOp::getOperationName();
    });
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
