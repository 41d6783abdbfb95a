//===- QuantizeTypes.h - The quantized types of a model -------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Unless said otherwise they are symmetric: q stands for q * scale, and their
// zero points are 0.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_QUANTIZATION_QUANTIZETYPES_H
#define NLQ_QUANTIZATION_QUANTIZETYPES_H

#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/BuiltinTypes.h"

namespace nlq {

/// `scale`, which is positive, in six significant decimal digits: what MLIR
/// prints in short, so that the text of a module stays readable.
double roundScale(double scale);

/// 2^(bits-1) - 1, the largest integer of a symmetric type of `bits` bits.
int64_t getSymmetricLimit(unsigned bits);

/// The scale at which `absMax` becomes the largest integer of `bits` bits; 1
/// for an `absMax` of 0.
double getSymmetricScale(double absMax, unsigned bits);

/// Integers of -limit to limit in a storage of `storageBits` bits.
mlir::quant::UniformQuantizedType getSymmetricType(mlir::MLIRContext *context,
                                                   unsigned storageBits,
                                                   int64_t limit, double scale);

/// 4 to 8 bits in i8, -limit to limit.
mlir::quant::UniformQuantizedType
getActivationType(mlir::MLIRContext *context, unsigned bits, double absMax);

/// 8 to 16 bits in i16: all of it at 16 bits, else -limit to limit.
mlir::quant::UniformQuantizedType getResidualType(mlir::MLIRContext *context,
                                                  unsigned bits, double absMax);

/// Of 16 bits: i16 at 2^-15. Of 8 bits: i8 at 2^-8 with the zero point -128.
/// Probabilities saturate just below 1.
mlir::quant::UniformQuantizedType getProbabilityType(mlir::MLIRContext *context,
                                                     unsigned bits);

/// i32 of -limit to limit with 9 bits of room above 16 bits: operands of sums,
/// which must not overflow when added, and results of the function.
mlir::quant::UniformQuantizedType getWideType(mlir::MLIRContext *context,
                                              double scale);

/// i32 of -limit to limit with one scale per entry of the last of `rank`
/// dimensions.
mlir::quant::UniformQuantizedPerAxisType
getPerChannelType(mlir::MLIRContext *context, int64_t limit,
                  llvm::ArrayRef<double> scales, int64_t rank);

/// The largest magnitude of the type's integers.
int64_t getLargestMagnitude(mlir::quant::QuantizedType type);

/// `type` with its scales multiplied by a positive `factor`.
mlir::quant::QuantizedType scaleType(mlir::quant::QuantizedType type,
                                     double factor);

/// `tensor` with another element type.
mlir::RankedTensorType withElementType(mlir::Type tensor,
                                       mlir::Type elementType);

} // namespace nlq

#endif // NLQ_QUANTIZATION_QUANTIZETYPES_H
