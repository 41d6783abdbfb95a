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
#include "nlq/Quantization/Profile.h"

namespace nlq {

/// A value of the quantized function that stands for a float value.
struct QuantizedValue {
  mlir::Value value;
  /// How its integers are read.
  Grid type;
  /// The float value; null until it is found.
  const ValueProfile *reference = nullptr;
  /// Its name in the profile.
  std::string name;
};

/// The real numbers of an array of integers; and back, half to even and
/// clamped.
std::vector<double> dequantizeArray(const Grid &type, const Array &array);
Array quantizeArray(const Grid &type, const Array &values);

/// A quantized non-linear operation with the matrix products that read it.
struct MeasuredSlot {
  NonlinearOpInterface op;
  std::string name;
  QuantizedValue operand;
  QuantizedValue result;
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

/// Finds the float values of all slots in the profile. `exact` is what the
/// model with exact functions makes of the profile's first sample. Products of
/// which a value is not found are left out; fails after an error on an
/// operation whose own operand or result is not found.
llvm::LogicalResult findReferences(std::vector<MeasuredSlot> &slots,
                                   const Profile &profile,
                                   const SampleValues &exact);

} // namespace nlq

#endif // NLQ_LIB_QUANTIZATION_MEASURESLOTS_H
