//===- LowerBoundaryCasts.cpp - quant.qcast and quant.dcast to linalg ---===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "nlq/Conversion/Passes.h"

namespace nlq {
#define GEN_PASS_DEF_NLQLOWERBOUNDARYCASTS
#include "nlq/Conversion/Passes.h.inc"
} // namespace nlq

using namespace mlir;
using namespace nlq;

namespace {

/// Scales and zero points of a tensor's type, as operands of an element-wise
/// linalg.generic: tensors along the channel axis, or nothing if per tensor.
struct Parameters {
  SmallVector<Value> operands;
  SmallVector<AffineMap> maps;
};

/// Lowers the casts of one function; quantized tensors become storage tensors.
class CastLowering {
public:
  explicit CastLowering(OpBuilder &builder, Location loc)
      : builder(loc, builder) {}

  Value quantize(Value input, RankedTensorType type);
  Value dequantize(Value storage, RankedTensorType quantizedType,
                   RankedTensorType type);

private:
  Value constantFloat(double value) {
    return arith::ConstantOp::create(builder, builder.getF32FloatAttr(value));
  }
  Value convertClamped(Value rounded, quant::QuantizedType type);
  Parameters makeParameters(RankedTensorType type);
  /// Scale and zero point of an element, from the block arguments of the
  /// parameters or as constants.
  std::pair<Value, Value> getParameters(quant::QuantizedType type,
                                        ValueRange arguments);
  Value elementwise(Value input, RankedTensorType resultType,
                    RankedTensorType quantizedType,
                    function_ref<Value(Value, Value, Value)> body);

  ImplicitLocOpBuilder builder;
};

} // namespace

Parameters CastLowering::makeParameters(RankedTensorType type) {
  Parameters result;
  auto perAxis =
      dyn_cast<quant::UniformQuantizedPerAxisType>(type.getElementType());
  if (!perAxis)
    return result;
  SmallVector<float> scales(perAxis.getScales().begin(),
                            perAxis.getScales().end());
  SmallVector<float> zeroPoints(perAxis.getZeroPoints().begin(),
                                perAxis.getZeroPoints().end());
  auto map =
      AffineMap::get(type.getRank(), 0,
                     builder.getAffineDimExpr(perAxis.getQuantizedDimension()));
  for (ArrayRef<float> values : {ArrayRef(scales), ArrayRef(zeroPoints)}) {
    auto parameterType =
        RankedTensorType::get({int64_t(values.size())}, builder.getF32Type());
    result.operands.push_back(arith::ConstantOp::create(
        builder, DenseElementsAttr::get(parameterType, values)));
    result.maps.push_back(map);
  }
  return result;
}

std::pair<Value, Value> CastLowering::getParameters(quant::QuantizedType type,
                                                    ValueRange arguments) {
  if (!arguments.empty())
    return {arguments[0], arguments[1]};
  auto uniform = cast<quant::UniformQuantizedType>(type);
  return {constantFloat(uniform.getScale()),
          constantFloat(uniform.getZeroPoint())};
}

Value CastLowering::elementwise(Value input, RankedTensorType resultType,
                                RankedTensorType quantizedType,
                                function_ref<Value(Value, Value, Value)> body) {
  int64_t rank = resultType.getRank();
  Parameters parameters = makeParameters(quantizedType);
  SmallVector<Value> inputs = {input};
  llvm::append_range(inputs, parameters.operands);
  AffineMap identity = builder.getMultiDimIdentityMap(rank);
  SmallVector<AffineMap> maps = {identity};
  llvm::append_range(maps, parameters.maps);
  maps.push_back(identity);
  SmallVector<OpFoldResult> sizes =
      tensor::getMixedSizes(builder, builder.getLoc(), input);
  Value init =
      tensor::EmptyOp::create(builder, sizes, resultType.getElementType());
  auto element = cast<quant::QuantizedType>(quantizedType.getElementType());
  auto op = linalg::GenericOp::create(
      builder, resultType, inputs, init, maps,
      SmallVector<utils::IteratorType>(rank, utils::IteratorType::parallel),
      [&](OpBuilder &nested, Location, ValueRange arguments) {
        OpBuilder::InsertionGuard guard(builder);
        builder.setInsertionPoint(nested.getInsertionBlock(),
                                  nested.getInsertionPoint());
        auto [scale, zeroPoint] =
            getParameters(element, arguments.drop_front().drop_back());
        Value result = body(arguments.front(), scale, zeroPoint);
        linalg::YieldOp::create(builder, result);
      });
  return op.getResult(0);
}

/// The float next to `bound` that is not beyond it: 2^31 - 1 is no f32, and the
/// nearest one does not fit in 32 bits.
static float floatWithin(int64_t bound, bool isUpper) {
  APFloat value(APFloat::IEEEsingle());
  value.convertFromAPInt(APInt(64, bound, /*isSigned=*/true), /*IsSigned=*/true,
                         isUpper ? APFloat::rmTowardNegative
                                 : APFloat::rmTowardPositive);
  return value.convertToFloat();
}

/// An integral float, clamped to the storage range of `type`, as an integer.
Value CastLowering::convertClamped(Value rounded, quant::QuantizedType type) {
  IntegerType storage =
      builder.getIntegerType(type.getStorageTypeIntegralWidth());
  int64_t min = type.getStorageTypeMin(), max = type.getStorageTypeMax();
  float low = floatWithin(min, /*isUpper=*/false);
  float high = floatWithin(max, /*isUpper=*/true);
  Value clamped = arith::MinimumFOp::create(
      builder, arith::MaximumFOp::create(builder, rounded, constantFloat(low)),
      constantFloat(high));
  Value result =
      type.isSigned()
          ? arith::FPToSIOp::create(builder, storage, clamped).getResult()
          : arith::FPToUIOp::create(builder, storage, clamped).getResult();
  // What lies beyond a float that is not the bound itself lies beyond the
  // bound.
  auto saturate = [&](arith::CmpFPredicate beyond, float limit, int64_t bound) {
    if (int64_t(limit) == bound)
      return;
    Value isBeyond =
        arith::CmpFOp::create(builder, beyond, rounded, constantFloat(limit));
    APInt bits =
        APInt(64, bound, /*isSigned=*/true).sextOrTrunc(storage.getWidth());
    Value saturated = arith::ConstantOp::create(
        builder, builder.getIntegerAttr(storage, bits));
    result = arith::SelectOp::create(builder, isBeyond, saturated, result);
  };
  saturate(arith::CmpFPredicate::OLT, low, min);
  saturate(arith::CmpFPredicate::OGT, high, max);
  return result;
}

Value CastLowering::quantize(Value input, RankedTensorType type) {
  auto element = cast<quant::QuantizedType>(type.getElementType());
  Type storage = builder.getIntegerType(element.getStorageTypeIntegralWidth());
  return elementwise(
      input, type.clone(storage), type,
      [&](Value x, Value scale, Value zeroPoint) -> Value {
        Value scaled = arith::DivFOp::create(builder, x, scale);
        Value rounded = arith::AddFOp::create(
            builder, math::RoundEvenOp::create(builder, scaled), zeroPoint);
        // A NaN has no place on the grid: it becomes a zero.
        Value ordered =
            arith::CmpFOp::create(builder, arith::CmpFPredicate::ORD, x, x);
        rounded = arith::SelectOp::create(builder, ordered, rounded, zeroPoint);
        return convertClamped(rounded, element);
      });
}

Value CastLowering::dequantize(Value storage, RankedTensorType quantizedType,
                               RankedTensorType type) {
  bool isSigned =
      cast<quant::QuantizedType>(quantizedType.getElementType()).isSigned();
  Type real32 = type.getElementType();
  return elementwise(
      storage, type, quantizedType,
      [&](Value q, Value scale, Value zeroPoint) -> Value {
        Value real =
            isSigned ? arith::SIToFPOp::create(builder, real32, q).getResult()
                     : arith::UIToFPOp::create(builder, real32, q).getResult();
        return arith::MulFOp::create(
            builder, arith::SubFOp::create(builder, real, zeroPoint), scale);
      });
}

namespace {
struct NLQLowerBoundaryCastsPass
    : nlq::impl::NLQLowerBoundaryCastsBase<NLQLowerBoundaryCastsPass> {
  void runOnOperation() override {
    SmallVector<Operation *> casts;
    getOperation().walk([&](Operation *op) {
      if (isa<quant::QuantizeCastOp, quant::DequantizeCastOp>(op))
        casts.push_back(op);
    });
    for (Operation *op : casts)
      if (failed(lower(op)))
        return signalPassFailure();
  }

private:
  /// A qcast must be read through storage casts or by a dcast; a dcast must
  /// read one of these.
  LogicalResult lower(Operation *op) {
    OpBuilder builder(op);
    CastLowering lowering(builder, op->getLoc());
    auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
    auto unsupported = [&]() {
      return op->emitOpError("must be on a ranked f32 tensor, beside the "
                             "quant.scast that gives the storage type");
    };
    if (!type ||
        isa<quant::UniformQuantizedSubChannelType>(getElementTypeOrSelf(type)))
      return unsupported();
    if (auto qcast = dyn_cast<quant::QuantizeCastOp>(op)) {
      if (!getElementTypeOrSelf(qcast.getInput()).isF32())
        return unsupported();
      Value storage = lowering.quantize(qcast.getInput(), type);
      for (Operation *user : llvm::make_early_inc_range(op->getUsers())) {
        if (auto scast = dyn_cast<quant::StorageCastOp>(user)) {
          scast.replaceAllUsesWith(storage);
          scast.erase();
        } else if (isa<quant::DequantizeCastOp>(user)) {
          // Rounded to the type and back; lowered next.
          builder.setInsertionPoint(user);
          user->setOperand(0, quant::StorageCastOp::create(
                                  builder, user->getLoc(), type, storage));
        } else {
          return unsupported();
        }
      }
      op->erase();
      return success();
    }
    auto dcast = cast<quant::DequantizeCastOp>(op);
    auto scast = dcast.getInput().getDefiningOp<quant::StorageCastOp>();
    if (!scast || !type.getElementType().isF32())
      return unsupported();
    auto quantizedType = cast<RankedTensorType>(scast.getType());
    dcast.replaceAllUsesWith(
        lowering.dequantize(scast.getInput(), quantizedType, type));
    dcast.erase();
    if (scast->use_empty())
      scast.erase();
    return success();
  }
};
} // namespace
