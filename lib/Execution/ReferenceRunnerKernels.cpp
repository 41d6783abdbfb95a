//===- ReferenceRunnerKernels.cpp - Rules of kernels and functions --------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ReferenceRunnerPlan.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "nlq/Kernel/Evaluate.h"
#include "nlq/Methods/Functions.h"
#include <cmath>

using namespace mlir;
using namespace nlq;
using namespace nlq::reference;

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

/// `size` elements from `from` of an array as 64-bit integers.
static void loadRow(const Frame &frame, const Place &place, bool isSigned,
                    int64_t from, int64_t size, int64_t *out) {
  dispatchInteger(place.kind, [&](auto element) {
    using T = decltype(element);
    const T *values = frame.read<T>(place) + from;
    if (isSigned)
      std::copy_n(values, size, out);
    else
      std::copy_n(reinterpret_cast<const std::make_unsigned_t<T> *>(values),
                  size, out);
  });
}

template <typename From>
static void storeRow(const Place &place, char *target, int64_t at, int64_t size,
                     const From *values) {
  dispatchInteger(place.kind, [&](auto element) {
    using T = decltype(element);
    T *out = reinterpret_cast<T *>(target) + at;
    for (int64_t i = 0; i < size; ++i)
      out[i] = T(values[i]);
  });
}

static int64_t getRowLength(const Place &place) {
  return place.shape.empty() ? 1 : place.shape.back();
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

namespace {
/// A kernel and what is proved of it: shared by the copies of an action.
struct PreparedKernel {
  kernel::Kernel kernel;
  kernel::Bounds bounds;
};
} // namespace

/// Applies a kernel to all rows. `operands` are its inputs other than columns.
static llvm::Expected<Action> makeKernelAction(Operation *op, Planner &planner,
                                               kernel::Kernel kernel,
                                               ArrayRef<Place> operands) {
  llvm::Expected<Place> out = planner.define(op->getResult(0));
  if (!out)
    return out.takeError();
  llvm::Expected<kernel::Bounds> bounds = kernel::bound(kernel.graph);
  if (!bounds)
    return makeError(op, "its kernel may overflow: " +
                             llvm::toString(bounds.takeError()));
  int64_t rowLength = getRowLength(*out);
  SmallVector<std::pair<Place, const kernel::Input *>> inputs;
  auto prepared = std::make_shared<const PreparedKernel>(
      PreparedKernel{std::move(kernel), std::move(*bounds)});
  size_t next = 0;
  for (const kernel::Input &input : prepared->kernel.graph.inputs) {
    if (input.rate == kernel::Rate::Column)
      continue;
    if (next == operands.size() ||
        8 * getByteWidth(operands[next].kind) != input.bits)
      return makeError(op, "its operands do not fit the inputs of its kernel");
    inputs.emplace_back(operands[next++], &input);
  }
  return Action([prepared, inputs, out = *out, rowLength](Frame &frame) {
    char *target = frame.write<char>(out);
    kernel::Evaluator evaluator(prepared->kernel, rowLength, &prepared->bounds);
    std::vector<std::vector<int64_t>> rows;
    SmallVector<ArrayRef<int64_t>> views;
    for (const auto &[place, input] : inputs) {
      bool isElement = input->rate == kernel::Rate::Element;
      rows.emplace_back(isElement ? rowLength : 1);
    }
    llvm::append_range(views, rows);
    std::vector<int64_t> result(rowLength);
    int64_t numRows = rowLength == 0 ? 0 : out.getNumElements() / rowLength;
    for (int64_t row = 0; row < numRows; ++row) {
      for (auto [operand, values] : llvm::zip(inputs, rows))
        loadRow(frame, operand.first, operand.second->isSigned,
                row * int64_t(values.size()), values.size(), values.data());
      evaluator.run(views, row, result);
      storeRow(out, target, row * rowLength, rowLength, result.data());
    }
  });
}

static llvm::Expected<Action> kernelRule(Operation *op, Planner &planner) {
  auto kernelOp = cast<KernelOp>(op);
  if (op->getNumResults() != 1)
    return makeError(op, "only tensors can be run");
  kernel::Kernel kernel;
  kernel.graph = kernelOp.getGraph().getGraph();
  SmallVector<Place> operands;
  for (auto [value, input] :
       llvm::zip(kernelOp.getInputs(), kernel.graph.inputs)) {
    llvm::Expected<Place> place = planner.lookup(value);
    if (!place)
      return place.takeError();
    if (input.rate != kernel::Rate::Column) {
      operands.push_back(*place);
      continue;
    }
    const Array *array = planner.getConstant(value);
    if (!array)
      return makeError(op,
                       "column input '" + input.name + "' must be a constant");
    std::vector<int64_t> &column = kernel.columns.emplace_back();
    dispatchInteger(array->kind, [&, isSigned = input.isSigned](auto element) {
      using T = decltype(element);
      for (T value : array->as<T>())
        column.push_back(isSigned ? int64_t(value)
                                  : int64_t(std::make_unsigned_t<T>(value)));
    });
  }
  return makeKernelAction(op, planner, std::move(kernel), operands);
}

static llvm::Expected<Action> makeUnaryKernel(Operation *op, Planner &planner,
                                              kernel::Kernel kernel) {
  llvm::Expected<Place> operand = planner.lookup(op->getOperand(0));
  if (!operand)
    return operand.takeError();
  return makeKernelAction(op, planner, std::move(kernel), *operand);
}

static llvm::Expected<Action> fixedKernelRule(Operation *op, Planner &planner) {
  llvm::Expected<kernel::Kernel> kernel =
      cast<FixedKernelOpInterface>(op).buildKernel();
  if (!kernel)
    return makeError(op, llvm::toString(kernel.takeError()));
  return makeUnaryKernel(op, planner, std::move(*kernel));
}

//===----------------------------------------------------------------------===//
// Exact functions
//===----------------------------------------------------------------------===//

static void dequantizeRow(const methods::Quantized &type, ArrayRef<int64_t> row,
                          MutableArrayRef<double> out) {
  for (auto [column, value] : llvm::enumerate(row))
    out[column] = type.dequantize(value, column);
}

/// Half to even, clamped; what is no number becomes the zero point.
static void quantizeRow(const methods::Quantized &type, ArrayRef<double> row,
                        MutableArrayRef<int64_t> out) {
  for (auto [column, value] : llvm::enumerate(row)) {
    double steps = std::nearbyint(value / type.scale(column));
    if (std::isnan(steps))
      steps = 0;
    steps += double(type.zeroPoint(column));
    // 64-bit bounds round up in double; no such type is exact beyond 2^53.
    steps =
        std::min(std::max(steps, double(type.range.lo)), double(type.range.hi));
    out[column] = steps >= 0x1p63 ? INT64_MAX : int64_t(steps);
  }
}

static llvm::Expected<Action> makeExactAction(NonlinearOpInterface op,
                                              Planner &planner) {
  FailureOr<methods::Problem> problem = op.getProblem(MethodAttrInterface());
  if (failed(problem))
    return makeError(op, "has no static rows or parameters that are not "
                         "constant");
  llvm::Expected<Place> from = planner.lookup(op.getOperandTensor());
  if (!from)
    return from.takeError();
  llvm::Expected<Place> to = planner.define(op->getResult(0));
  if (!to)
    return to.takeError();
  const methods::Function *function = methods::lookupFunction(op.getFunction());
  if (!function)
    return makeError(op, "has no exact function");
  std::optional<methods::Quantized> narrowed;
  if (auto type = op->getAttrOfType<TypeAttr>("exact_in")) {
    auto quantized = dyn_cast<quant::QuantizedType>(type.getValue());
    if (!isa_and_present<quant::UniformQuantizedType,
                         quant::UniformQuantizedPerAxisType>(quantized))
      return makeError(op, "'exact_in' must be a uniform quantized type");
    narrowed = toQuantized(quantized);
  }
  return Action([function, problem = std::move(*problem), narrowed,
                 from = *from, to = *to](Frame &frame) {
    char *target = frame.write<char>(to);
    int64_t length = getRowLength(to);
    std::vector<int64_t> integers(length);
    std::vector<double> reals(length), images(length);
    for (int64_t at = 0, size = to.getNumElements(); at < size; at += length) {
      loadRow(frame, from, problem.operand.isSigned, at, length,
              integers.data());
      dequantizeRow(problem.operand, integers, reals);
      if (narrowed) {
        quantizeRow(*narrowed, reals, integers);
        dequantizeRow(*narrowed, integers, reals);
      }
      function->evaluate(reals, problem, images);
      quantizeRow(problem.result, images, integers);
      storeRow(to, target, at, length, integers.data());
    }
  });
}

static llvm::Expected<Action> nonlinearRule(Operation *op, Planner &planner) {
  auto nonlinear = cast<NonlinearOpInterface>(op);
  if (!nonlinear.isQuantized())
    return makeError(op, "float operations can't be run");
  MethodAttrInterface method = planner.getMethod(nonlinear);
  if (!method)
    return makeExactAction(nonlinear, planner);
  llvm::Expected<kernel::Kernel> kernel = nonlinear.buildKernel(method);
  if (!kernel)
    return makeError(op, "can't be computed by '" + method.getMethodName() +
                             "': " + llvm::toString(kernel.takeError()));
  return makeUnaryKernel(op, planner, std::move(*kernel));
}

void reference::addKernelRules(Rules &rules) {
  rules["nlq.kernel"] = kernelRule;
  rules["nlq.lookup"] = fixedKernelRule;
  rules["nlq.requantize"] = fixedKernelRule;
  for (const methods::Function &function : methods::allFunctions())
    rules[("nlq." + function.name).str()] = nonlinearRule;
}
