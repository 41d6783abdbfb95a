//===- QuantizeLinear.cpp - Matrix products -----------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Quantizer.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "nlq/Quantization/QuantizeTypes.h"
#include <cmath>

using namespace mlir;
using namespace nlq;

static constexpr int64_t kLargestInt32 = (int64_t(1) << 31) - 1;

/// Weights and bias as integers, with what they prove of the accumulator.
namespace {
struct IntegerWeights {
  SmallVector<int64_t> weights;
  SmallVector<int64_t> bias;
  /// One per output channel: operand scale * weight scale.
  SmallVector<double> scales;
  /// The accumulator's largest magnitude.
  int64_t limit = 0;
};
} // namespace

/// The scale of output channel `n`: its largest weight becomes the largest
/// integer. A channel of weights that are nearly 0 beside its bias gets a scale
/// at which the bias takes half of 32 bits.
static double getWeightScale(ArrayRef<double> column, double bias,
                             double operandScale, unsigned bits,
                             double largestWeight) {
  double absMax = 0;
  for (double weight : column)
    absMax = std::max(absMax, std::fabs(weight));
  double leastForBias = std::fabs(bias) / operandScale / (1 << 30);
  return std::max(getSymmetricScale(absMax == 0 ? largestWeight : absMax, bits),
                  leastForBias);
}

/// `weights` is [depth, columns] with `bias` one per column or empty; operands
/// are `operandScale` times integers of at most `operandLimit`.
static IntegerWeights quantizeWeights(ArrayRef<double> weights,
                                      ArrayRef<double> bias, int64_t columns,
                                      double operandScale, int64_t operandLimit,
                                      unsigned bits) {
  int64_t depth = weights.size() / columns;
  IntegerWeights result;
  result.weights.resize(weights.size());
  double largestWeight = 0;
  for (double weight : weights)
    largestWeight = std::max(largestWeight, std::fabs(weight));

  const int64_t limit = getSymmetricLimit(bits);
  SmallVector<double> column(depth);
  for (int64_t n = 0; n < columns; ++n) {
    for (int64_t k = 0; k < depth; ++k)
      column[k] = weights[k * columns + n];
    double columnBias = bias.empty() ? 0 : bias[n];
    double scale =
        getWeightScale(column, columnBias, operandScale, bits, largestWeight);
    int64_t sum = 0;
    for (int64_t k = 0; k < depth; ++k) {
      int64_t integer =
          std::clamp(int64_t(std::nearbyint(column[k] / scale)), -limit, limit);
      result.weights[k * columns + n] = integer;
      sum += std::abs(integer);
    }
    result.scales.push_back(roundScale(operandScale * scale));
    int64_t integerBias =
        int64_t(std::nearbyint(columnBias / result.scales.back()));
    if (!bias.empty())
      result.bias.push_back(integerBias);
    result.limit =
        std::max(result.limit, sum * operandLimit + std::abs(integerBias));
  }
  // A range of nothing is no type.
  result.limit = std::max(result.limit, int64_t(1));
  return result;
}

/// The bias that a matrix product starts from: a constant along the columns;
/// empty for zeros.
static FailureOr<std::vector<double>> getBias(Quantizer &quantizer,
                                              Operation *op, Value init) {
  if (auto fill = init.getDefiningOp<linalg::FillOp>()) {
    if (matchPattern(fill.getInputs()[0], m_AnyZeroFloat()))
      return std::vector<double>();
  } else if (auto broadcast = init.getDefiningOp<linalg::BroadcastOp>()) {
    if (broadcast.getDimensions() == ArrayRef<int64_t>{0})
      return quantizer.getConstant(broadcast.getInput(), op);
  } else if (matchPattern(init, m_AnyZeroFloat())) {
    return std::vector<double>();
  }
  return op->emitOpError("cannot be quantized: its accumulator must start from "
                         "zeros or from a bias broadcast along dimension 0");
}

/// The accumulator must be proved not to overflow.
static LogicalResult checkLimit(Operation *op, int64_t limit) {
  if (limit <= kLargestInt32)
    return success();
  return op->emitOpError("cannot be quantized: its accumulator may reach ")
         << limit << ", which overflows 32 bits";
}

static Value createZeros(OpBuilder &builder, Location loc,
                         RankedTensorType type) {
  Value zero = arith::ConstantOp::create(
      builder, loc, builder.getZeroAttr(type.getElementType()));
  Value empty = tensor::EmptyOp::create(builder, loc, type.getShape(),
                                        type.getElementType());
  return linalg::FillOp::create(builder, loc, zero, empty).getResult(0);
}

/// Both operands are activations: one scale for the whole accumulator.
template <typename ProductOp>
static LogicalResult quantizeProduct(Quantizer &quantizer, ProductOp op) {
  if (op.hasUserDefinedMaps())
    return op->emitOpError("cannot be quantized: it has indexing maps of its "
                           "own");
  auto bias = getBias(quantizer, op, op.getOutputs()[0]);
  if (failed(bias))
    return failure();
  if (!bias->empty())
    return op->emitOpError("cannot be quantized: a product of two activations "
                           "must start from zeros");
  SmallVector<Value, 2> storages;
  double scale = 1;
  auto lhsType = cast<RankedTensorType>(op.getInputs()[0].getType());
  int64_t limit = lhsType.getShape().back();
  for (Value input : op.getInputs()) {
    auto type = quantizer.getOperandType(input);
    if (failed(type))
      return failure();
    FailureOr<Value> storage = quantizer.getAs(input, *type);
    if (failed(storage))
      return failure();
    storages.push_back(*storage);
    scale *= type->getScale();
    // Symmetric types do not reach -2^(bits-1), probabilities are not negative.
    limit *= type->getStorageTypeMax();
  }
  if (failed(checkLimit(op, limit)))
    return failure();

  OpBuilder &builder = quantizer.builder;
  RankedTensorType type =
      withElementType(op.getResult(0).getType(), builder.getI32Type());
  Value zeros = createZeros(builder, op.getLoc(), type);
  Value storage = ProductOp::create(builder, op.getLoc(), TypeRange{type},
                                    storages, ValueRange{zeros})
                      .getResult(0);
  quantizer.setRaw(
      op.getResult(0), storage,
      getSymmetricType(op.getContext(), 32, limit, roundScale(scale)));
  return success();
}

LogicalResult nlq::quantizeBatchMatmul(Quantizer &quantizer, Operation *op) {
  return quantizeProduct(quantizer, cast<linalg::BatchMatmulOp>(op));
}

LogicalResult nlq::quantizeMatmul(Quantizer &quantizer, Operation *op) {
  auto matmul = cast<linalg::MatmulOp>(op);
  Value lhs = matmul.getInputs()[0], rhs = matmul.getInputs()[1];
  if (!quantizer.isConstant(rhs))
    return quantizeProduct(quantizer, matmul);
  if (matmul.hasUserDefinedMaps())
    return op->emitOpError("cannot be quantized: it has indexing maps of its "
                           "own");

  auto type = quantizer.getOperandType(lhs);
  auto weights = quantizer.getConstant(rhs, op);
  auto bias = getBias(quantizer, op, matmul.getOutputs()[0]);
  if (failed(type) || failed(weights) || failed(bias))
    return failure();
  auto weightType = cast<RankedTensorType>(rhs.getType());
  IntegerWeights integers = quantizeWeights(
      *weights, *bias, weightType.getDimSize(1), type->getScale(),
      type->getStorageTypeMax(), unsigned(quantizer.options.weightBits));
  if (failed(checkLimit(op, integers.limit)))
    return failure();
  FailureOr<Value> activation = quantizer.getAs(lhs, *type);
  if (failed(activation))
    return failure();

  OpBuilder &builder = quantizer.builder;
  Location loc = op->getLoc();
  std::string name = quantizer.getName(op->getResult(0)).str();
  Value weight = quantizer.createConstant(
      loc, name + ".weight", withElementType(weightType, builder.getI8Type()),
      integers.weights);
  RankedTensorType resultType =
      withElementType(op->getResult(0).getType(), builder.getI32Type());
  Value init;
  if (integers.bias.empty()) {
    init = createZeros(builder, loc, resultType);
  } else {
    auto biasType =
        RankedTensorType::get({weightType.getDimSize(1)}, builder.getI32Type());
    Value biasValue =
        quantizer.createConstant(loc, name + ".bias", biasType, integers.bias);
    Value empty = tensor::EmptyOp::create(builder, loc, resultType.getShape(),
                                          builder.getI32Type());
    init = linalg::BroadcastOp::create(builder, loc, biasValue, empty,
                                       ArrayRef<int64_t>{0})
               ->getResult(0);
  }
  Value storage = linalg::MatmulOp::create(builder, loc, TypeRange{resultType},
                                           ValueRange{*activation, weight},
                                           ValueRange{init})
                      .getResult(0);
  quantizer.setRaw(op->getResult(0), storage,
                   getPerChannelType(op->getContext(), integers.limit,
                                     integers.scales, resultType.getRank()));
  return success();
}
