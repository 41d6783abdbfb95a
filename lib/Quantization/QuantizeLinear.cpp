//===- QuantizeLinear.cpp - Products with constant weights --------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "QuantizeLinear.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "nlq/Quantization/QuantizeTypes.h"
#include "nlq/Quantization/QuantizeWeights.h"

using namespace mlir;
using namespace nlq;

static constexpr int64_t kLargestInt32 = (int64_t(1) << 31) - 1;

/// Of what rounding to integers adds: a uniform distribution one wide.
static constexpr double kRoundingVariance = 1.0 / 12;

FailureOr<std::vector<double>> nlq::getBias(Quantizer &quantizer, Operation *op,
                                            Value init) {
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

LogicalResult nlq::checkLimit(Operation *op, int64_t limit) {
  if (limit <= kLargestInt32)
    return success();
  return op->emitOpError("cannot be quantized: its accumulator may reach ")
         << limit << ", which overflows 32 bits";
}

Value nlq::createZeros(OpBuilder &builder, Location loc,
                       RankedTensorType type) {
  Value zero = arith::ConstantOp::create(
      builder, loc, builder.getZeroAttr(type.getElementType()));
  Value empty = tensor::EmptyOp::create(builder, loc, type.getShape(),
                                        type.getElementType());
  return linalg::FillOp::create(builder, loc, zero, empty).getResult(0);
}

//===----------------------------------------------------------------------===//
// Products with constant weights
//===----------------------------------------------------------------------===//

/// The covariance of q over calibration samples. On its diagonal stand besides
/// the variance of the rounding of q itself, and a hundredth of its mean, since
/// few samples show what channels do together less well than they seem to
/// (the dampening of GPTQ, Frantar et al. 2022, arXiv 2210.17323, step 3).
static std::vector<double> getCovariance(const ValueProfile &known, double rows,
                                         ArrayRef<double> scales) {
  const Moments &moments = known.moments;
  ArrayRef<double> sums = known.channels.sums;
  const size_t depth = moments.size();
  std::vector<double> covariance(depth * depth);
  double trace = 0;
  for (size_t i = 0; i < depth; ++i) {
    for (size_t j = 0; j <= i; ++j)
      covariance[i * depth + j] = covariance[j * depth + i] =
          (moments.get(i, j) - sums[i] / rows * sums[j]) / rows /
          (scales[i] * scales[j]);
    trace += covariance[i * depth + i];
  }
  for (size_t i = 0; i < depth; ++i)
    covariance[i * depth + i] +=
        kRoundingVariance + 0.01 * trace / double(depth);
  return covariance;
}

/// What quantizeWeights needs of the activation `value`, read in `type`.
static ActivationChannels getChannels(Quantizer &quantizer, Value value,
                                      quant::QuantizedType type) {
  auto tensor = cast<RankedTensorType>(value.getType());
  Grid grid = Grid::get(type, tensor.getRank());
  int64_t depth = tensor.getShape().back();
  ActivationChannels channels;
  channels.zeroPoint = grid.zeroPoint;
  channels.limit = std::max(std::abs(grid.lo), std::abs(grid.hi));
  channels.scales = grid.isUniform()
                        ? std::vector<double>(depth, grid.scales[0])
                        : grid.scales;
  const ValueProfile *known = quantizer.lookupProfile(value);
  if (!known || known->channels.empty())
    return channels;
  double rows = double(tensor.getNumElements() / depth) *
                double(quantizer.getNumSamples());
  for (int64_t channel = 0; channel < depth; ++channel) {
    double mean = known->channels.sums[channel] / rows;
    double variance = known->channels.squares[channel] / rows - mean * mean;
    double scale = channels.scales[channel];
    // A channel that never changed on the samples may do so elsewhere: rounding
    // it to its scale is the least it does.
    channels.variances.push_back(
        std::max(variance / (scale * scale), kRoundingVariance));
    if (quantizer.options.biasCorrection)
      channels.means.push_back(mean);
  }
  if (quantizer.options.weightRounding == WeightRounding::Feedback &&
      !known->moments.empty())
    channels.covariance = getCovariance(*known, rows, channels.scales);
  return channels;
}

LogicalResult nlq::quantizeMatmul(Quantizer &quantizer, Operation *op) {
  auto matmul = cast<linalg::MatmulOp>(op);
  Value lhs = matmul.getInputs()[0], rhs = matmul.getInputs()[1];
  if (!quantizer.isConstant(rhs))
    return quantizeActivationMatmul(quantizer, op);
  if (matmul.hasUserDefinedMaps())
    return op->emitOpError("cannot be quantized: it has indexing maps of its "
                           "own");

  auto type = quantizer.getOperandType(lhs);
  auto weights = quantizer.getConstant(rhs, op);
  auto bias = getBias(quantizer, op, matmul.getOutputs()[0]);
  if (failed(type) || failed(weights) || failed(bias))
    return failure();
  auto weightType = cast<RankedTensorType>(rhs.getType());
  const QuantizeOptions &options = quantizer.options;
  llvm::Expected<IntegerWeights> rounded =
      quantizeWeights(*weights, *bias, getChannels(quantizer, lhs, *type),
                      unsigned(options.weightBits), options.weightScale,
                      options.weightRounding);
  if (!rounded)
    return op->emitOpError("cannot be quantized: ")
           << llvm::toString(rounded.takeError());
  IntegerWeights &integers = *rounded;
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
