//===- Quantizer.h - The state of a quantization --------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each float value of the function has a raw form: the integers that its
// producer makes, and the grid that says what they mean. Consumers ask for a
// value in the type they want; the first to ask for a type makes the
// requantization, the next ones share it. Operations that only move elements,
// and multiplications by a positive number, have no form of their own until
// somebody asks: the elements are moved in the narrower of the two types.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_QUANTIZATION_QUANTIZER_H
#define NLQ_LIB_QUANTIZATION_QUANTIZER_H

#include "Grid.h"
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
    Grid grid;
  };

  /// The form that the producer of `value` makes, or that moving makes of it.
  llvm::FailureOr<Form> getRaw(mlir::Value value);
  void setRaw(mlir::Value value, mlir::Value storage, Grid grid);
  void setRaw(mlir::Value value, mlir::Value storage,
              mlir::quant::QuantizedType type);

  /// The integers of `value` in `type`.
  llvm::FailureOr<mlir::Value> getAs(mlir::Value value,
                                     mlir::quant::QuantizedType type);
  /// The integers of `value`, moved from those of getSource(value) in `type`.
  llvm::FailureOr<Form> getMovedAs(mlir::Value value,
                                   mlir::quant::QuantizedType type);

  /// Where the elements of `value` were made: before operations that only move
  /// them, and before multiplications by a positive number.
  mlir::Value getSource(mlir::Value value);
  /// The grid of `value` where that of getSource(value) is `grid`.
  Grid getMovedGrid(mlir::Value value, const Grid &grid);
  /// The bits of an activation, by whether it was an argument.
  unsigned getActBits(mlir::Value value);
  /// The exponent of channel factors of an activation, by what makes it.
  double getExponent(mlir::Value value);

  /// The type that `value` has best: an activation's where it feeds matrix
  /// products only, else the residual stream's.
  llvm::FailureOr<mlir::quant::QuantizedType> getNaturalType(mlir::Value value);
  /// The natural type of a value that gets no scales per channel.
  llvm::FailureOr<mlir::quant::UniformQuantizedType>
  getUniformType(mlir::Value value);
  /// The type that a product with constant weights reads `value` in: that of
  /// its producer where that is an activation's, else its natural one.
  llvm::FailureOr<mlir::quant::QuantizedType> getOperandType(mlir::Value value);
  /// The type that a product of two activations reads `value` in: that of
  /// probabilities where it holds some, else a symmetric one.
  llvm::FailureOr<mlir::quant::UniformQuantizedType>
  getSymmetricOperandType(mlir::Value value);

  /// The largest magnitude of `value` in the profile, or of a constant. Fails
  /// with an error if the profile does not know the value.
  llvm::FailureOr<double> getAbsMax(mlir::Value value);
  llvm::FailureOr<const ValueProfile *> getProfile(mlir::Value value);
  /// The same without an error: null for what the profile does not know.
  const ValueProfile *lookupProfile(mlir::Value value);
  uint64_t getNumSamples() const { return profile.numSamples; }
  llvm::StringRef getName(mlir::Value value) { return names[value]; }
  /// True for what is computed from constants only.
  bool isConstant(mlir::Value value) { return !names.contains(value); }
  /// The elements of a constant, or an error on its user.
  llvm::FailureOr<std::vector<double>> getConstant(mlir::Value value,
                                                   mlir::Operation *user);

  /// Between signless integers and quantized tensors.
  mlir::Value toQuantized(mlir::Location loc, const Form &form);
  mlir::Value toStorage(mlir::Location loc, mlir::Value quantized);
  /// `form` in another type, as a quantized tensor or as its integers. Its
  /// scales must be those of a type.
  mlir::Value requantizeTensor(mlir::Location loc, const Form &form,
                               mlir::quant::QuantizedType type);
  mlir::Value requantize(mlir::Location loc, const Form &form,
                         mlir::quant::QuantizedType type);
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
  llvm::FailureOr<mlir::quant::UniformQuantizedType>
  getSymmetricType(mlir::Value value);
  /// The grid of the raw form of `value`, whose source has one.
  Grid getRawGrid(mlir::Value value);
  /// True if `value` can be made in `type` from the integers of its source.
  bool canRequantize(mlir::Value value, mlir::quant::QuantizedType type);
  /// True if the elements of `value`, which a move makes, are moved after they
  /// are requantized to `type`: it is the narrower type, or their scales are no
  /// type's after the move.
  bool movesBetterIn(mlir::Value value, mlir::quant::QuantizedType type);
  llvm::FailureOr<mlir::Value>
  quantizeConstant(mlir::Value value, mlir::quant::QuantizedType type);
  void eraseFloatOps();

  mlir::func::FuncOp func;
  const Profile &profile;
  llvm::MapVector<mlir::Value, std::string> names;
  llvm::SmallVector<mlir::Operation *> floatOps;
  llvm::DenseMap<mlir::Value, Form> raw;
  llvm::DenseMap<std::pair<mlir::Value, mlir::Type>, mlir::Value> forms;
  /// By the type of the source.
  llvm::DenseMap<std::pair<mlir::Value, mlir::Type>, mlir::Value> moved;
};

//===----------------------------------------------------------------------===//
// Moves: shape operations and multiplications by a number
//===----------------------------------------------------------------------===//

/// The operand whose elements `op` moves; null if it is no move.
mlir::Value getMovedOperand(mlir::Operation *op);

/// The grid of a move's result, the integers of its result, and the type of its
/// operand from that of its result (null where there is none), as the functions
/// of Grid.h for shape operations.
Grid getMovedGrid(mlir::Operation *op, const Grid &grid);
mlir::Value moveStorage(mlir::OpBuilder &builder, mlir::Operation *op,
                        mlir::Value storage);
mlir::quant::QuantizedType unmoveTypeOf(mlir::Operation *op,
                                        mlir::quant::QuantizedType type);

//===----------------------------------------------------------------------===//
// Masks of softmax
//===----------------------------------------------------------------------===//

/// Integers 0 and 1 of a mask that is added: what is left out, and what takes
/// part.
mlir::quant::UniformQuantizedType getMaskType(mlir::MLIRContext *context);

/// True if the use is as a mask that is added to scores.
bool isAddedMask(mlir::OpOperand &use);

/// The mask of the float operation `op` as bytes that are not 0 where an
/// element takes part. An error on `op` if it is added and has other values
/// than 0 and such that nothing is left of their exponentials.
llvm::FailureOr<mlir::Value>
quantizeMask(Quantizer &quantizer, mlir::Operation *op, mlir::Value mask);

//===----------------------------------------------------------------------===//
// One function for each kind of operation
//===----------------------------------------------------------------------===//

llvm::LogicalResult quantizeMatmul(Quantizer &quantizer, mlir::Operation *op);
llvm::LogicalResult quantizeBatchMatmul(Quantizer &quantizer,
                                        mlir::Operation *op);
llvm::LogicalResult quantizeSum(Quantizer &quantizer, mlir::Operation *op);
llvm::LogicalResult quantizeElementwiseProduct(Quantizer &quantizer,
                                               mlir::Operation *op);
llvm::LogicalResult quantizeConcat(Quantizer &quantizer, mlir::Operation *op);
llvm::LogicalResult quantizeNonlinear(Quantizer &quantizer,
                                      mlir::Operation *op);
llvm::LogicalResult quantizeReturn(Quantizer &quantizer, mlir::Operation *op);

} // namespace nlq

#endif // NLQ_LIB_QUANTIZATION_QUANTIZER_H
