//===- ReferenceRunner.h - Running a quantized model exactly --*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The meaning of a quantized module, without generating code: integer kernels
// through kernel::Evaluator, linear operations as plain integer loops. Compiled
// code is held to it bit for bit, and candidates are measured with it.
//
// It takes modules before and after `nlq-to-integer`:
//  - non-linear operations on quantized tensors with a method: the kernel that
//    the method builds;
//  - without a method: the exact function. The operand is dequantized (first
//    brought to the grid of the type attribute `exact_in`, if there is one:
//    rounded half to even and clamped), the function computed in double, the
//    result rounded half to even and clamped to the result type;
//  - `nlq.requantize`, `nlq.lookup`, `nlq.kernel`;
//  - `quant.qcast`: clamp(roundeven(x / scale) + zero point) in f32, NaN to the
//    zero point; `quant.dcast`: (q - zero point) * scale in f32; `quant.scast`;
//  - `linalg.matmul`, `linalg.batch_matmul` (row-major maps, signed), `fill`,
//    `broadcast`, `transpose`; `arith.addi`, `muli`, `subi`, `constant`;
//    `tensor.collapse_shape`, `expand_shape`, `extract_slice`, `insert_slice`,
//    `concat`, `empty` (zeros); `func.return`.
// Integer arithmetic wraps at the width of the result's elements. All tensors
// have static shapes and elements of f32, i8, i16, i32, i64 or a quantized type
// stored in one of these.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_EXECUTION_REFERENCERUNNER_H
#define NLQ_EXECUTION_REFERENCERUNNER_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Value.h"
#include "nlq/Dialect/NLQ/IR/NLQOps.h"
#include "nlq/Execution/ModelRunner.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <memory>

namespace nlq {

namespace reference {
class Frame;
struct Plan;
} // namespace reference

/// Methods to use in place of those that operations carry: an operation in the
/// map has the method it is mapped to, or is exact where that is null.
using MethodMap = llvm::DenseMap<mlir::Operation *, MethodAttrInterface>;

/// The array of a constant tensor or scalar, a quantized type as its storage.
/// Fails on types that arrays do not have and on attributes without data.
llvm::Expected<Array> getConstantArray(mlir::Attribute value);

/// A list of operations, prepared once: values, kernels, constants. The
/// operations must outlive it, unchanged.
class ReferenceProgram {
public:
  ~ReferenceProgram();

  /// `operations` in an order in which operands come before their users.
  /// Values they take from outside must be in `inputs` or be constants. Fails
  /// on operations and types that have no rule, naming operation and location.
  static llvm::Expected<std::unique_ptr<ReferenceProgram>>
  create(llvm::ArrayRef<mlir::Operation *> operations, mlir::ValueRange inputs,
         mlir::ValueRange outputs, const MethodMap *methods = nullptr);

  /// The outputs for arrays of the types of the inputs; quantized types as
  /// their storage. Any number of threads may run one program at a time.
  llvm::Expected<std::vector<Array>> run(llvm::ArrayRef<Array> inputs) const;

  using Observer = llvm::function_ref<void(mlir::Value, const Array &)>;
  /// The same, showing the values `taps` of the program as soon as they are
  /// known, in the order in which they are computed.
  llvm::Expected<std::vector<Array>> run(llvm::ArrayRef<Array> inputs,
                                         mlir::ValueRange taps,
                                         Observer observer) const;

private:
  friend class ReferenceRun;
  explicit ReferenceProgram(std::unique_ptr<reference::Plan> plan);

  std::unique_ptr<reference::Plan> plan;
};

/// A run that stops between two operations, and may be copied there to go on in
/// more than one way. Copies share the arrays that are known.
class ReferenceRun {
public:
  /// Nothing has been run yet. The program and the inputs must outlive the run
  /// and its copies. Fails if the inputs do not have the types of the program.
  static llvm::Expected<ReferenceRun> start(const ReferenceProgram &program,
                                            llvm::ArrayRef<Array> inputs);
  ReferenceRun(const ReferenceRun &other);
  ReferenceRun(ReferenceRun &&other);
  ~ReferenceRun();

  /// Runs all operations before `op`, which is one of those still to be run.
  void runBefore(mlir::Operation *op);
  /// Makes `result`, of its type, the result of the next operation, which is
  /// not run.
  void skip(Array result);
  /// The array of a value that is known and that an operation still to be run
  /// reads.
  Array get(mlir::Value value) const;
  /// Runs what is left; the outputs.
  std::vector<Array> finish();

private:
  friend class ReferenceProgram;
  explicit ReferenceRun(const reference::Plan &plan);
  void runStep(llvm::function_ref<void(mlir::Value)> show);

  const reference::Plan *plan;
  std::unique_ptr<reference::Frame> frame;
  /// Index of the next step.
  size_t next = 0;
};

/// Runs `func @main` of a quantized module.
class ReferenceRunner : public ModelRunner {
public:
  /// The module must outlive the runner, unchanged. Fails as
  /// ReferenceProgram::create, and if `main` is missing or is more than one
  /// block.
  static llvm::Expected<std::unique_ptr<ReferenceRunner>>
  create(mlir::ModuleOp module, const MethodMap *methods = nullptr);

  llvm::Expected<std::vector<Array>>
  run(llvm::ArrayRef<Array> arguments) override;

  /// The function as a program.
  const ReferenceProgram &getProgram() const { return *program; }

  /// Shows the values `taps` of `main` on the way.
  llvm::Expected<std::vector<Array>> run(llvm::ArrayRef<Array> arguments,
                                         mlir::ValueRange taps,
                                         ReferenceProgram::Observer observer);

private:
  explicit ReferenceRunner(std::unique_ptr<ReferenceProgram> program)
      : program(std::move(program)) {}

  std::unique_ptr<ReferenceProgram> program;
};

} // namespace nlq

#endif // NLQ_EXECUTION_REFERENCERUNNER_H
