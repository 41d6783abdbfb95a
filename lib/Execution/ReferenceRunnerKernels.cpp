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

namespace {
/// Where the rows of an operand lie that may be shared by rows of the result.
struct RowPlaces {
  /// In rows, per dimension of the result in front of the row: 0 where all
  /// share one.
  SmallVector<int64_t, 4> strides;
  SmallVector<int64_t, 4> extents;

  /// `shape` is in front of the row; its dimensions are the last of `rows`, and
  /// an extent of 1 stands for all.
  RowPlaces(ArrayRef<int64_t> shape, ArrayRef<int64_t> rows)
      : strides(rows.size(), 0), extents(rows) {
    int64_t stride = 1;
    for (size_t back = 1; back <= shape.size(); ++back) {
      int64_t extent = shape[shape.size() - back];
      if (extent != 1)
        strides[rows.size() - back] = stride;
      stride *= extent;
    }
  }

  int64_t at(int64_t row) const {
    int64_t place = 0;
    for (size_t dim = extents.size(); dim-- > 0; row /= extents[dim])
      place += row % extents[dim] * strides[dim];
    return place;
  }
};

/// An input of a kernel other than a column: a place with its rows, or, where
/// there is none, how many keys a query sees.
struct RowInput {
  const kernel::Input *input;
  std::optional<Place> place;
  RowPlaces rows;
};
} // namespace

/// See NonlinearOpInterface::isCausal.
static int64_t countVisible(const Place &out, int64_t row) {
  int64_t keys = out.shape.back();
  int64_t queries = out.shape[out.shape.size() - 2];
  return std::clamp<int64_t>(row % queries + 1 + keys - queries, 0, keys);
}

/// Applies a kernel to all rows. `operands` are its inputs other than columns;
/// a row input beyond them counts the keys that a query sees.
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
  SmallVector<RowInput> inputs;
  ArrayRef<int64_t> rowDims(out->shape);
  if (!rowDims.empty())
    rowDims = rowDims.drop_back();
  auto prepared = std::make_shared<const PreparedKernel>(
      PreparedKernel{std::move(kernel), std::move(*bounds)});
  size_t next = 0;
  for (const kernel::Input &input : prepared->kernel.graph.inputs) {
    if (input.rate == kernel::Rate::Column)
      continue;
    if (next == operands.size() && input.rate == kernel::Rate::Row &&
        !rowDims.empty()) {
      inputs.push_back({&input, std::nullopt, RowPlaces({}, rowDims)});
      continue;
    }
    if (next == operands.size() ||
        8 * getByteWidth(operands[next].kind) != input.bits)
      return makeError(op, "its operands do not fit the inputs of its kernel");
    const Place &place = operands[next++];
    ArrayRef<int64_t> shape(place.shape);
    if (input.rate == kernel::Rate::Element && !shape.empty())
      shape = shape.drop_back();
    inputs.push_back({&input, place, RowPlaces(shape, rowDims)});
  }
  return Action([prepared, inputs, out = *out, rowLength](Frame &frame) {
    char *target = frame.write<char>(out);
    kernel::Evaluator evaluator(prepared->kernel, rowLength, &prepared->bounds);
    std::vector<std::vector<int64_t>> rows;
    SmallVector<ArrayRef<int64_t>> views;
    for (const RowInput &each : inputs) {
      bool isElement = each.input->rate == kernel::Rate::Element;
      rows.emplace_back(isElement ? rowLength : 1);
    }
    llvm::append_range(views, rows);
    std::vector<int64_t> result(rowLength);
    int64_t numRows = rowLength == 0 ? 0 : out.getNumElements() / rowLength;
    for (int64_t row = 0; row < numRows; ++row) {
      for (auto [each, values] : llvm::zip(inputs, rows)) {
        int64_t length = values.size();
        if (each.place)
          loadRow(frame, *each.place, each.input->isSigned,
                  each.rows.at(row) * length, length, values.data());
        else
          values.front() = countVisible(out, row);
      }
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

/// The kernel of an operation that reads its operand, and a mask unless null.
static llvm::Expected<Action> makeOperandKernel(Operation *op, Planner &planner,
                                                kernel::Kernel kernel,
                                                Value mask = Value()) {
  SmallVector<Place> operands;
  for (Value value : {op->getOperand(0), mask}) {
    if (!value)
      continue;
    llvm::Expected<Place> place = planner.lookup(value);
    if (!place)
      return place.takeError();
    operands.push_back(*place);
  }
  return makeKernelAction(op, planner, std::move(kernel), operands);
}

static llvm::Expected<Action> fixedKernelRule(Operation *op, Planner &planner) {
  llvm::Expected<kernel::Kernel> kernel =
      cast<FixedKernelOpInterface>(op).buildKernel();
  if (!kernel)
    return makeError(op, llvm::toString(kernel.takeError()));
  return makeOperandKernel(op, planner, std::move(*kernel));
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
  std::optional<Place> mask;
  if (Value value = op.getMaskTensor()) {
    llvm::Expected<Place> place = planner.lookup(value);
    if (!place)
      return place.takeError();
    mask = *place;
  }
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
  return Action([function, problem = std::move(*problem), narrowed, mask,
                 from = *from, to = *to](Frame &frame) {
    char *target = frame.write<char>(to);
    int64_t length = getRowLength(to);
    ArrayRef<int64_t> rowDims = ArrayRef(to.shape).drop_back();
    RowPlaces maskRows(mask ? ArrayRef(mask->shape).drop_back()
                            : ArrayRef<int64_t>(),
                       rowDims);
    std::vector<int64_t> takesPart(length);
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
      int64_t row = at / length;
      if (mask) {
        loadRow(frame, *mask, true, maskRows.at(row) * length, length,
                takesPart.data());
        for (auto [real, part] : llvm::zip(reals, takesPart))
          real = part ? real : -HUGE_VAL;
      }
      if (problem.isCausal)
        std::fill(reals.begin() + countVisible(to, row), reals.end(),
                  -HUGE_VAL);
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
  return makeOperandKernel(op, planner, std::move(*kernel),
                           nonlinear.getMaskTensor());
}

void reference::addKernelRules(Rules &rules) {
  rules["nlq.kernel"] = kernelRule;
  rules["nlq.lookup"] = fixedKernelRule;
  rules["nlq.requantize"] = fixedKernelRule;
  for (const methods::Function &function : methods::allFunctions())
    rules[("nlq." + function.name).str()] = nonlinearRule;
}
