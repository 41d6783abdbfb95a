//===- QuantizeTypes.cpp - The quantized types of a model ---------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Quantization/QuantizeTypes.h"
#include "mlir/IR/Builders.h"
#include <cstdio>
#include <cstdlib>

using namespace mlir;
using namespace nlq;

double nlq::roundScale(double scale) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.5e", scale);
  return std::strtod(text, nullptr);
}

int64_t nlq::getSymmetricLimit(unsigned bits) {
  return (int64_t(1) << (bits - 1)) - 1;
}

double nlq::getSymmetricScale(double absMax, unsigned bits) {
  // A value that was never seen to differ from 0 has no grid of its own. Scales
  // of f32 must be normal numbers; products of two must be so as well.
  constexpr double least = 1e-15;
  if (absMax == 0)
    return 1;
  return roundScale(std::max(absMax / getSymmetricLimit(bits), least));
}

quant::UniformQuantizedType nlq::getSymmetricType(MLIRContext *context,
                                                  unsigned storageBits,
                                                  int64_t limit, double scale) {
  return quant::UniformQuantizedType::get(
      quant::QuantizationFlags::Signed, IntegerType::get(context, storageBits),
      Float32Type::get(context), scale, /*zeroPoint=*/0, -limit, limit);
}

quant::UniformQuantizedType
nlq::getActivationType(MLIRContext *context, unsigned bits, double absMax) {
  return getSymmetricType(context, 8, getSymmetricLimit(bits),
                          getSymmetricScale(absMax, bits));
}

/// All of i16 at `scale`.
static quant::UniformQuantizedType getWhole16BitType(MLIRContext *context,
                                                     double scale) {
  return quant::UniformQuantizedType::get(
      quant::QuantizationFlags::Signed, IntegerType::get(context, 16),
      Float32Type::get(context), scale, /*zeroPoint=*/0, -32768, 32767);
}

quant::UniformQuantizedType nlq::getResidualType(MLIRContext *context,
                                                 unsigned bits, double absMax) {
  double scale = getSymmetricScale(absMax, bits);
  if (bits == 16)
    return getWhole16BitType(context, scale);
  return getSymmetricType(context, 16, getSymmetricLimit(bits), scale);
}

quant::UniformQuantizedType nlq::getProbabilityType(MLIRContext *context,
                                                    unsigned bits) {
  if (bits == 16)
    return getWhole16BitType(context, 1.0 / 32768);
  return quant::UniformQuantizedType::get(
      quant::QuantizationFlags::Signed, IntegerType::get(context, 8),
      Float32Type::get(context), 1.0 / 256, /*zeroPoint=*/-128, -128, 127);
}

quant::UniformQuantizedType nlq::getWideType(MLIRContext *context,
                                             double scale) {
  return getSymmetricType(context, 32, (int64_t(1) << 24) - 1, scale);
}

quant::UniformQuantizedPerAxisType
nlq::getPerChannelType(MLIRContext *context, int64_t limit,
                       ArrayRef<double> scales, int64_t rank) {
  SmallVector<int64_t> zeroPoints(scales.size(), 0);
  return quant::UniformQuantizedPerAxisType::get(
      quant::QuantizationFlags::Signed, IntegerType::get(context, 32),
      Float32Type::get(context), scales, zeroPoints, int32_t(rank - 1), -limit,
      limit);
}

int64_t nlq::getLargestMagnitude(quant::QuantizedType type) {
  return std::max(-type.getStorageTypeMin(), type.getStorageTypeMax());
}

quant::QuantizedType nlq::scaleType(quant::QuantizedType type, double factor) {
  if (auto perTensor = dyn_cast<quant::UniformQuantizedType>(type))
    return quant::UniformQuantizedType::get(
        type.getFlags(), type.getStorageType(), type.getExpressedType(),
        roundScale(perTensor.getScale() * factor), perTensor.getZeroPoint(),
        type.getStorageTypeMin(), type.getStorageTypeMax());
  auto perAxis = cast<quant::UniformQuantizedPerAxisType>(type);
  SmallVector<double> scales;
  for (double scale : perAxis.getScales())
    scales.push_back(roundScale(scale * factor));
  return quant::UniformQuantizedPerAxisType::get(
      type.getFlags(), type.getStorageType(), type.getExpressedType(), scales,
      perAxis.getZeroPoints(), perAxis.getQuantizedDimension(),
      type.getStorageTypeMin(), type.getStorageTypeMax());
}

RankedTensorType nlq::withElementType(Type tensor, Type elementType) {
  return RankedTensorType::get(cast<RankedTensorType>(tensor).getShape(),
                               elementType);
}
