//===- Quantizer.h - The state of a quantization --------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each float value of the function has a raw form: the integers that its
// producer makes, and the quantized type that says what they mean. Consumers
// ask for a value in the type they want; the first to ask for a type makes the
// requantization, the next ones share it. Operations that only move elements
// have no form of their own until somebody asks: the elements are moved in the
// narrower of the two types.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_QUANTIZATION_QUANTIZER_H
#define NLQ_LIB_QUANTIZATION_QUANTIZER_H

#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/Builders.h"
#include "nlq/Quantization/Quantize.h"
#include "nlq/Quantization/ValueNames.h"

namespace nlq {

class Quantizer {
public:
  Quantizer(mlir::func::FuncOp func, const Profile &profile,
            const QuantizeOptions &options);

  /// Quantizes the whole function.
  llvm::LogicalResult run();

  /// Integers and their meaning.
  struct Form {
    mlir::Value storage;
    mlir::quant::QuantizedType type;
  };

  /// The form that the producer of `value` makes. Elements that were moved lose
  /// per-channel scales where the channels do not stay the last dimension; they
  /// then have the natural type.
  llvm::FailureOr<Form> getRaw(mlir::Value value);
  void setRaw(mlir::Value value, mlir::Value storage,
              mlir::quant::QuantizedType type);

  /// The integers of `value` in a type with one scale.
  llvm::FailureOr<mlir::Value> getAs(mlir::Value value,
                                     mlir::quant::UniformQuantizedType type);

  /// The type that `value` has best: an activation's where it feeds matrix
  /// products only, else the residual stream's.
  llvm::FailureOr<mlir::quant::UniformQuantizedType>
  getNaturalType(mlir::Value value);
  /// The type that a matrix product reads `value` in: that of probabilities or
  /// of an activation where its producer has made it so, else the activation's
  /// of its own range.
  llvm::FailureOr<mlir::quant::UniformQuantizedType>
  getOperandType(mlir::Value value);

  /// The largest magnitude of `value` in the profile, or of a constant. Fails
  /// with an error if the profile does not know the value.
  llvm::FailureOr<double> getAbsMax(mlir::Value value);
  llvm::FailureOr<const ValueProfile *> getProfile(mlir::Value value);
  llvm::StringRef getName(mlir::Value value) { return names[value]; }
  /// True for what is computed from constants only.
  bool isConstant(mlir::Value value) { return !names.contains(value); }
  /// The elements of a constant, or an error on its user.
  llvm::FailureOr<std::vector<double>> getConstant(mlir::Value value,
                                                   mlir::Operation *user);

  /// Between signless integers and quantized tensors.
  mlir::Value toQuantized(mlir::Location loc, const Form &form);
  mlir::Value toStorage(mlir::Location loc, mlir::Value quantized);
  /// `form` in another type, as a quantized tensor or as its integers.
  mlir::Value requantizeTensor(mlir::Location loc, const Form &form,
                               mlir::quant::UniformQuantizedType type);
  mlir::Value requantize(mlir::Location loc, const Form &form,
                         mlir::quant::UniformQuantizedType type);
  /// A constant tensor of integers of at most 32 bits, outside of the text if
  /// it is large.
  mlir::Value createConstant(mlir::Location loc, llvm::StringRef name,
                             mlir::RankedTensorType type,
                             llvm::ArrayRef<int64_t> values);

  const QuantizeOptions &options;
  /// Stands before the float operation that is being quantized.
  mlir::OpBuilder builder;

private:
  llvm::LogicalResult quantizeArguments();
  /// True if the elements of `value`, which is a shape operation's, are moved
  /// after they are requantized to `type`: it is the narrower type, or their
  /// channels would get lost.
  bool movesBetterIn(mlir::Value value, mlir::quant::UniformQuantizedType type);
  llvm::FailureOr<mlir::Value>
  quantizeConstant(mlir::Value value, mlir::quant::UniformQuantizedType type);
  void eraseFloatOps();

  mlir::func::FuncOp func;
  const Profile &profile;
  llvm::MapVector<mlir::Value, std::string> names;
  llvm::SmallVector<mlir::Operation *> floatOps;
  llvm::DenseMap<mlir::Value, Form> raw;
  llvm::DenseMap<std::pair<mlir::Value, mlir::Type>, mlir::Value> forms;
};

//===----------------------------------------------------------------------===//
// Operations that only move elements (QuantizeShapes.cpp)
//===----------------------------------------------------------------------===//

/// True for tensor.collapse_shape, expand_shape, extract_slice and
/// linalg.transpose. Their first operand holds the elements.
bool isShapeOp(mlir::Operation *op);

/// What `op` does to its elements, done to the integers `storage`.
mlir::Value moveElements(mlir::OpBuilder &builder, mlir::Operation *op,
                         mlir::Value storage);

/// The type of the integers of type `type` after `op`; null where their
/// channels do not stay the last dimension.
mlir::quant::QuantizedType moveType(mlir::Operation *op,
                                    mlir::quant::QuantizedType type);

//===----------------------------------------------------------------------===//
// One function for each kind of operation
//===----------------------------------------------------------------------===//

llvm::LogicalResult quantizeMatmul(Quantizer &quantizer, mlir::Operation *op);
llvm::LogicalResult quantizeBatchMatmul(Quantizer &quantizer,
                                        mlir::Operation *op);
llvm::LogicalResult quantizeSum(Quantizer &quantizer, mlir::Operation *op);
llvm::LogicalResult quantizeScaling(Quantizer &quantizer, mlir::Operation *op);
llvm::LogicalResult quantizeConcat(Quantizer &quantizer, mlir::Operation *op);
llvm::LogicalResult quantizeNonlinear(Quantizer &quantizer,
                                      mlir::Operation *op);
llvm::LogicalResult quantizeReturn(Quantizer &quantizer, mlir::Operation *op);

} // namespace nlq

#endif // NLQ_LIB_QUANTIZATION_QUANTIZER_H
