//===- QuantizeActivationProducts.cpp - Products of two activations -----===//
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
#include "nlq/Quantization/QuantizeTypes.h"
#include <cmath>

using namespace mlir;
using namespace nlq;

/// The magnitude of each channel of the last dimension of what `value` was made
/// of; empty if the profile does not know them.
static SmallVector<double> getSourceMagnitudes(Quantizer &quantizer,
                                               Value value) {
  Value source = quantizer.getSource(value);
  const ValueProfile *known = quantizer.lookupProfile(source);
  SmallVector<double> magnitudes;
  if (!known)
    return magnitudes;
  const ChannelProfile &channels = known->channels;
  for (size_t channel = 0; channel < channels.size(); ++channel)
    magnitudes.push_back(std::max(-double(channels.min[channel]),
                                  double(channels.max[channel])));
  return magnitudes;
}

/// A grid of scales along the last dimension of what `value` was made of, moved
/// to `value`.
static Grid moveChannels(Quantizer &quantizer, Value value,
                         ArrayRef<double> scales) {
  auto source = cast<RankedTensorType>(quantizer.getSource(value).getType());
  Grid grid;
  grid.shape.assign(source.getRank(), 1);
  grid.shape.back() = source.getShape().back();
  grid.scales.assign(scales.begin(), scales.end());
  return quantizer.getMovedGrid(value, grid);
}

/// True if the channels of what `value` was made of can have scales of their
/// own: it has them along the last dimension, and integers of its own that are
/// requantized.
static bool takesChannels(Quantizer &quantizer, Value value,
                          ArrayRef<double> magnitudes) {
  if (magnitudes.empty() || *llvm::max_element(magnitudes) == 0)
    return false;
  FailureOr<Quantizer::Form> form =
      quantizer.getRaw(quantizer.getSource(value));
  return succeeded(form) && form->grid.bits == 32;
}

/// i8 of `bits` bits, symmetric, with a scale per channel.
static quant::QuantizedType getChannelType(Value value, unsigned bits,
                                           ArrayRef<double> scales) {
  SmallVector<int64_t> zeroPoints(scales.size(), 0);
  int64_t limit = getSymmetricLimit(bits);
  MLIRContext *context = value.getContext();
  return quant::UniformQuantizedPerAxisType::get(
      quant::QuantizationFlags::Signed, IntegerType::get(context, 8),
      Float32Type::get(context), scales, zeroPoints,
      int32_t(cast<RankedTensorType>(value.getType()).getRank() - 1), -limit,
      limit);
}

namespace {
/// The two factors of a product sum_k lhs[m, k] rhs[k, n], and the grid of its
/// result.
struct Factors {
  Quantizer::Form lhs, rhs;
  Grid product;
};
} // namespace

/// The right factor with a scale per column, which goes into the scales of the
/// result's columns.
static FailureOr<Quantizer::Form> getColumnForm(Quantizer &quantizer,
                                                Value value) {
  const QuantizeOptions &options = quantizer.options;
  Value source = quantizer.getSource(value);
  int64_t rank = cast<RankedTensorType>(value.getType()).getRank();
  SmallVector<double> magnitudes = getSourceMagnitudes(quantizer, value);
  if (options.valueExponent > 0 &&
      takesChannels(quantizer, value, magnitudes)) {
    std::vector<double> factors = getChannelFactors(
        *quantizer.lookupProfile(source), options.valueExponent);
    if (moveChannels(quantizer, value, factors).isConstantAlong(rank - 2)) {
      return quantizer.getMovedAs(
          value,
          getActivationType(source.getContext(), unsigned(options.actBits),
                            *quantizer.lookupProfile(source), factors,
                            /*isAsymmetric=*/false,
                            cast<RankedTensorType>(source.getType()).getRank(),
                            options.range));
    }
  }
  auto type = quantizer.getSymmetricOperandType(value);
  if (failed(type))
    return failure();
  FailureOr<Value> storage = quantizer.getAs(value, *type);
  if (failed(storage))
    return failure();
  return Quantizer::Form{*storage, Grid::get(*type, rank)};
}

/// Both factors with scales along the reduction whose product is the same for
/// all of it: a large channel of one side takes precision from the other's.
/// Nothing if there is no such pair.
static FailureOr<std::optional<Factors>>
getBalancedForms(Quantizer &quantizer, Value lhs, Value rhs) {
  const QuantizeOptions &options = quantizer.options;
  SmallVector<double> left = getSourceMagnitudes(quantizer, lhs);
  SmallVector<double> right = getSourceMagnitudes(quantizer, rhs);
  if (options.queryKeyExponent == 0 ||
      quantizer.getSource(lhs) == quantizer.getSource(rhs) ||
      left.size() != right.size() || !takesChannels(quantizer, lhs, left) ||
      !takesChannels(quantizer, rhs, right))
    return std::optional<Factors>();
  // Channel numbers must meet along the reduction.
  SmallVector<double> numbers;
  for (size_t channel = 0; channel < left.size(); ++channel)
    numbers.push_back(double(channel + 1));
  auto lhsType = cast<RankedTensorType>(lhs.getType());
  int64_t rank = lhsType.getRank();
  SmallVector<double> ones(numbers.size(), 1);
  Grid leftNumbers = moveChannels(quantizer, lhs, numbers);
  Grid rightNumbers = moveChannels(quantizer, rhs, numbers);
  if (!leftNumbers.isConstantAlong(rank - 2) ||
      !rightNumbers.isConstantAlong(rank - 1))
    return std::optional<Factors>();
  double leftFactor = moveChannels(quantizer, lhs, ones).scales[0];
  double rightFactor = moveChannels(quantizer, rhs, ones).scales[0];
  SmallVector<int64_t> leftIndex(rank, 0), rightIndex(rank, 0);
  int64_t batches = rank == 3 ? lhsType.getDimSize(0) : 1;
  for (int64_t b = 0; b < batches; ++b)
    for (int64_t k = 0; k < lhsType.getShape().back(); ++k) {
      if (rank == 3)
        leftIndex[0] = rightIndex[0] = b;
      leftIndex[rank - 1] = rightIndex[rank - 2] = k;
      double difference = leftNumbers.getScale(leftIndex) / leftFactor -
                          rightNumbers.getScale(rightIndex) / rightFactor;
      if (std::fabs(difference) > 0.5)
        return std::optional<Factors>();
    }

  // Channel c of the left has |l_c| / g_c, of the right |r_c| g_c, with g_c =
  // (|l_c| / |r_c|)^exponent.
  SmallVector<double> balance;
  double leftLargest = 0, rightLargest = 0;
  for (auto [l, r] : llvm::zip_equal(left, right)) {
    double ratio = l > 0 && r > 0 ? l / r : 1;
    double g = std::pow(ratio, options.queryKeyExponent);
    balance.push_back(g);
    leftLargest = std::max(leftLargest, l / g);
    rightLargest = std::max(rightLargest, r * g);
  }
  unsigned bits = unsigned(options.actBits);
  double leftScale = getSymmetricScale(leftLargest, bits);
  double rightScale = getSymmetricScale(rightLargest, bits);
  SmallVector<double> leftScales, rightScales;
  for (double g : balance) {
    leftScales.push_back(roundScale(leftScale * g));
    rightScales.push_back(roundScale(rightScale / g));
  }
  auto leftForm = quantizer.getMovedAs(
      lhs, getChannelType(quantizer.getSource(lhs), bits, leftScales));
  auto rightForm = quantizer.getMovedAs(
      rhs, getChannelType(quantizer.getSource(rhs), bits, rightScales));
  if (failed(leftForm) || failed(rightForm))
    return failure();
  Factors factors{*leftForm, *rightForm, Grid()};
  factors.product.shape.assign(rank, 1);
  factors.product.scales = {
      roundScale(leftScale * leftFactor * rightScale * rightFactor)};
  return std::optional(std::move(factors));
}

/// Each factor with scales of its own, the left one with a single one.
static FailureOr<Factors> getFactors(Quantizer &quantizer, Value lhs,
                                     Value rhs) {
  FailureOr<std::optional<Factors>> balanced =
      getBalancedForms(quantizer, lhs, rhs);
  if (failed(balanced))
    return failure();
  if (*balanced)
    return std::move(**balanced);
  auto type = quantizer.getSymmetricOperandType(lhs);
  if (failed(type))
    return failure();
  FailureOr<Value> storage = quantizer.getAs(lhs, *type);
  FailureOr<Quantizer::Form> right = getColumnForm(quantizer, rhs);
  if (failed(storage) || failed(right))
    return failure();
  int64_t rank = cast<RankedTensorType>(lhs.getType()).getRank();
  Factors factors{{*storage, Grid::get(*type, rank)}, *right, right->grid};
  for (double &scale : factors.product.scales)
    scale = roundScale(scale * type->getScale());
  return factors;
}

/// The accumulator that makes up for the left factor's zero point z: -z times
/// the sums of the right factor's columns, for every row.
template <typename ProductOp>
static Value createColumnSums(OpBuilder &builder, Location loc, Value rhs,
                              int64_t factor, RankedTensorType type) {
  auto rhsType = cast<RankedTensorType>(rhs.getType());
  SmallVector<int64_t, 3> shape(type.getShape());
  shape[shape.size() - 2] = 1;
  SmallVector<int64_t, 3> onesShape(shape);
  onesShape.back() = rhsType.getDimSize(rhsType.getRank() - 2);
  // One row of -z as the left factor: a product as any other.
  auto onesType = RankedTensorType::get(onesShape, builder.getI16Type());
  Value ones = arith::ConstantOp::create(
      builder, loc,
      DenseElementsAttr::get(onesType, APInt(16, uint64_t(factor), true)));
  auto sumsType = RankedTensorType::get(shape, type.getElementType());
  Value zeros = createZeros(builder, loc, sumsType);
  Value sums = ProductOp::create(builder, loc, TypeRange{sumsType},
                                 ValueRange{ones, rhs}, ValueRange{zeros})
                   .getResult(0);
  SmallVector<ReassociationIndices> groups = {{0, 1}};
  if (shape.size() == 3)
    groups = {{0}, {1, 2}};
  Value rows = tensor::CollapseShapeOp::create(builder, loc, sums, groups);
  Value empty = tensor::EmptyOp::create(builder, loc, type.getShape(),
                                        type.getElementType());
  return linalg::BroadcastOp::create(builder, loc, rows, empty,
                                     ArrayRef<int64_t>{type.getRank() - 2})
      ->getResult(0);
}

/// Both factors are activations.
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
  Value lhs = op.getInputs()[0], rhs = op.getInputs()[1];
  FailureOr<Factors> factors = getFactors(quantizer, lhs, rhs);
  if (failed(factors))
    return failure();
  const Grid &left = factors->lhs.grid, &right = factors->rhs.grid;
  int64_t depth = cast<RankedTensorType>(lhs.getType()).getShape().back();
  // Symmetric types do not reach -2^(bits-1), probabilities are not negative; a
  // zero point is made up for before the first term.
  int64_t magnitude = left.hi - left.zeroPoint;
  if (left.zeroPoint != 0)
    magnitude += std::max(std::abs(left.lo), std::abs(left.zeroPoint));
  int64_t limit = depth * magnitude * right.hi;
  if (failed(checkLimit(op, limit)))
    return failure();

  OpBuilder &builder = quantizer.builder;
  RankedTensorType type =
      withElementType(op.getResult(0).getType(), builder.getI32Type());
  Value init = left.zeroPoint == 0
                   ? createZeros(builder, op.getLoc(), type)
                   : createColumnSums<ProductOp>(builder, op.getLoc(),
                                                 factors->rhs.storage,
                                                 -left.zeroPoint, type);
  Value storage =
      ProductOp::create(builder, op.getLoc(), TypeRange{type},
                        ValueRange{factors->lhs.storage, factors->rhs.storage},
                        ValueRange{init})
          .getResult(0);
  Grid grid = factors->product;
  grid.bits = 32;
  grid.zeroPoint = 0;
  grid.lo = -limit;
  grid.hi = limit;
  quantizer.setRaw(op.getResult(0), storage, std::move(grid));
  return success();
}

LogicalResult nlq::quantizeBatchMatmul(Quantizer &quantizer, Operation *op) {
  return quantizeProduct(quantizer, cast<linalg::BatchMatmulOp>(op));
}

LogicalResult nlq::quantizeActivationMatmul(Quantizer &quantizer,
                                            Operation *op) {
  return quantizeProduct(quantizer, cast<linalg::MatmulOp>(op));
}
