//===- QuantizeLinear.h - What all matrix products need -------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_QUANTIZATION_QUANTIZELINEAR_H
#define NLQ_LIB_QUANTIZATION_QUANTIZELINEAR_H

#include "Quantizer.h"

namespace nlq {

/// The bias that a matrix product starts from: a constant along the columns;
/// empty for zeros. Fails with an error on `op` where it starts from anything
/// else.
llvm::FailureOr<std::vector<double>>
getBias(Quantizer &quantizer, mlir::Operation *op, mlir::Value init);

/// The accumulator must be proved not to overflow 32 bits.
llvm::LogicalResult checkLimit(mlir::Operation *op, int64_t limit);

mlir::Value createZeros(mlir::OpBuilder &builder, mlir::Location loc,
                        mlir::RankedTensorType type);

/// quantizeMatmul of a product whose right factor is no constant.
llvm::LogicalResult quantizeActivationMatmul(Quantizer &quantizer,
                                             mlir::Operation *op);

} // namespace nlq

#endif // NLQ_LIB_QUANTIZATION_QUANTIZELINEAR_H
