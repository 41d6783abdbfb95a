//===- MeasureSlots.h - Slots and what surrounds them -----------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_QUANTIZATION_MEASURESLOTS_H
#define NLQ_LIB_QUANTIZATION_MEASURESLOTS_H

#include "Grid.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "nlq/Dialect/NLQ/IR/NLQOps.h"
#include "nlq/Execution/ReferenceRunner.h"
#include "nlq/Quantization/FloatSamples.h"

namespace nlq {

/// A value of the quantized function that stands for a float value.
struct QuantizedValue {
  mlir::Value value;
  /// How its integers are read; of no meaning for a value in float.
  Grid type;
  /// The index of the float value in samples; none until it is found.
  std::optional<size_t> reference;
};

/// The real numbers of an array of integers, or of an array of floats; and back
/// from floats, half to even and clamped.
std::vector<double> dequantizeArray(const Grid &type, const Array &array);
Array quantizeArray(const Grid &type, const Array &values);

/// A quantized non-linear operation with the matrix products that read it.
struct MeasuredSlot {
  NonlinearOpInterface op;
  std::string name;
  QuantizedValue operand;
  QuantizedValue result;
  /// What says which elements take part, and the operations that make it from
  /// the arguments of the function, in order; null where it is constant.
  mlir::Value mask;
  std::vector<mlir::Operation *> maskPath;
  /// Accumulators of the products.
  std::vector<QuantizedValue> consumers;
  /// Operands of the products that do not depend on the slot.
  std::vector<QuantizedValue> others;
  /// What leads from the result and the others to the accumulators, in order.
  std::vector<mlir::Operation *> path;
};

/// The quantized non-linear operations of a function, with their surroundings;
/// float values are not looked up yet. Fails after an error on an operation
/// that has no name or no candidates.
llvm::FailureOr<std::vector<MeasuredSlot>>
collectSlots(mlir::func::FuncOp main);

/// Arrays of one sample by value.
using SampleValues = llvm::DenseMap<mlir::Value, Array>;

/// Finds the float values that all slots and the function's `results` stand for
/// among those of `sample`, of which the model with exact functions makes
/// `exact`. Products of which a value is not found are left out; fails after an
/// error on an operation whose own operand or result is not found.
llvm::LogicalResult findReferences(std::vector<MeasuredSlot> &slots,
                                   std::vector<QuantizedValue> &results,
                                   const FloatSamples &samples,
                                   llvm::ArrayRef<Array> sample,
                                   const SampleValues &exact);

} // namespace nlq

#endif // NLQ_LIB_QUANTIZATION_MEASURESLOTS_H
