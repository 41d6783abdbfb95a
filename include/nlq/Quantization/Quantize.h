//===- Quantize.h - From a float module to a quantized one ----*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_QUANTIZATION_QUANTIZE_H
#define NLQ_QUANTIZATION_QUANTIZE_H

#include "mlir/IR/BuiltinOps.h"
#include "nlq/Quantization/Profile.h"
#include <string>

namespace nlq {

struct QuantizeOptions {
  /// Bits of activations and of weights, 4 to 8 each.
  int64_t actBits = 8;
  int64_t weightBits = 8;
  /// Bits of the residual stream, 8 to 16.
  int64_t residualBits = 16;
  /// Comma-separated groups of methods that may be assigned
  /// (QuantizeCandidates.h).
  std::string candidates = "seed";
};

/// Quantizes the function `main` as the pass `nlq-quantize` documents. Fails
/// after an error on the operation or on the module, which then is not usable.
llvm::LogicalResult quantizeModule(mlir::ModuleOp module,
                                   const Profile &profile,
                                   const QuantizeOptions &options);

} // namespace nlq

#endif // NLQ_QUANTIZATION_QUANTIZE_H
