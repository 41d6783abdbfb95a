//===- NLQOps.cpp - Operations of the nlq dialect -----------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Dialect/NLQ/IR/NLQOps.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "nlq/Methods/Functions.h"
#include "nlq/Methods/Lookup.h"
#include "nlq/Methods/Requantize.h"

using namespace mlir;
using namespace nlq;

//===----------------------------------------------------------------------===//
// Spelling of enums
//===----------------------------------------------------------------------===//

/// Parses the keyword of an enum; `symbolize` is tablegen's.
template <typename AttrT, typename EnumT>
static ParseResult
parseEnumKeyword(OpAsmParser &parser, AttrT &attr,
                 std::optional<EnumT> (*symbolize)(StringRef), StringRef what) {
  SMLoc loc = parser.getCurrentLocation();
  StringRef keyword;
  if (parser.parseKeyword(&keyword))
    return failure();
  std::optional<EnumT> value = symbolize(keyword);
  if (!value)
    return parser.emitError(loc)
           << "unknown " << what << " '" << keyword << "'";
  attr = AttrT::get(parser.getContext(), *value);
  return success();
}

static ParseResult parseGeluApproximation(OpAsmParser &parser,
                                          GeluApproximationAttr &attr) {
  return parseEnumKeyword(parser, attr, symbolizeGeluApproximation,
                          "GELU approximation");
}
static void printGeluApproximation(OpAsmPrinter &printer, Operation *,
                                   GeluApproximationAttr attr) {
  printer << stringifyGeluApproximation(attr.getValue());
}
static ParseResult parseRounding(OpAsmParser &parser, RoundingModeAttr &attr) {
  return parseEnumKeyword(parser, attr, symbolizeRoundingMode, "rounding mode");
}
static void printRounding(OpAsmPrinter &printer, Operation *,
                          RoundingModeAttr attr) {
  printer << stringifyRoundingMode(attr.getValue());
}

#include "nlq/Dialect/NLQ/IR/NLQOpInterfaces.cpp.inc"

#define GET_OP_CLASSES
#include "nlq/Dialect/NLQ/IR/NLQOps.cpp.inc"

//===----------------------------------------------------------------------===//
// Helpers
//===----------------------------------------------------------------------===//

bool nlq::detail::isQuantizedTensor(Type type) {
  auto shaped = dyn_cast<ShapedType>(type);
  return shaped && isa<quant::QuantizedType>(shaped.getElementType());
}

FailureOr<std::vector<double>> nlq::getConstantFloats(Value value) {
  std::vector<double> values;
  Attribute attr;
  if (!matchPattern(value, m_Constant(&attr)))
    return failure();
  if (auto dense = dyn_cast<DenseFPElementsAttr>(attr)) {
    for (const APFloat &element : dense)
      values.push_back(element.convertToDouble());
    return values;
  }
  if (auto resource = dyn_cast<DenseF32ResourceElementsAttr>(attr)) {
    std::optional<ArrayRef<float>> data = resource.tryGetAsArrayRef();
    if (!data)
      return failure();
    values.assign(data->begin(), data->end());
    return values;
  }
  return failure();
}

/// Types are quantized per tensor, or per channel of the last dimension.
static LogicalResult verifyQuantized(Operation *op, Type type, StringRef what) {
  auto shaped = cast<ShapedType>(type);
  Type element = shaped.getElementType();
  if (isa<quant::UniformQuantizedType>(element))
    return success();
  auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(element);
  if (!perAxis)
    return op->emitOpError() << what
                             << " must be quantized per tensor or per channel "
                                "of the last dimension, found "
                             << element;
  if (perAxis.getQuantizedDimension() != shaped.getRank() - 1)
    return op->emitOpError()
           << what << " is quantized along dimension "
           << perAxis.getQuantizedDimension() << "; only the last dimension, "
           << shaped.getRank() - 1 << ", is allowed";
  if (!shaped.isDynamicDim(shaped.getRank() - 1) &&
      int64_t(perAxis.getScales().size()) != shaped.getShape().back())
    return op->emitOpError()
           << what << " has " << perAxis.getScales().size()
           << " scales for a last dimension of " << shaped.getShape().back();
  return success();
}

static LogicalResult verifySameShape(Operation *op, Type operand, Type result) {
  if (cast<ShapedType>(operand).getShape() !=
      cast<ShapedType>(result).getShape())
    return op->emitOpError()
           << "result type " << result
           << " must have the shape of the operand, " << operand;
  return success();
}

LogicalResult nlq::detail::verifyNonlinear(Operation *operation) {
  auto op = cast<NonlinearOpInterface>(operation);
  Type operand = op.getOperandTensor().getType();
  Type result = op.getResultTensor().getType();
  // (C1)
  if (failed(verifySameShape(op, operand, result)))
    return failure();
  auto shape = cast<ShapedType>(operand).getShape();
  uint64_t row = op.getRowDimension(); // its op verifies that there is one
  if (std::optional<uint64_t> longest = op.getMaxRowLength();
      longest && row < shape.size() && !ShapedType::isDynamic(shape[row]) &&
      uint64_t(shape[row]) > *longest)
    return op->emitOpError()
           << "has rows of " << shape[row]
           << " elements and a max_row_length of " << *longest;
  // (C2)
  bool quantized = nlq::detail::isQuantizedTensor(operand);
  if (quantized != nlq::detail::isQuantizedTensor(result))
    return op->emitOpError()
           << "operand and result must both be float or both be quantized, "
              "found "
           << operand << " and " << result;
  if (!quantized && operand != result)
    return op->emitOpError() << "float operand and result must have one type, "
                                "found "
                             << operand << " and " << result;
  // (C3)
  if (!quantized && (op.getMethodAttr() || op.getCandidatesAttr()))
    return op->emitOpError("a float operation has no method and no candidates");
  if (!quantized)
    return success();
  if (failed(verifyQuantized(op, operand, "operand")) ||
      failed(verifyQuantized(op, result, "result")))
    return failure();
  return success();
}

/// Rows of any length there can be.
static constexpr int64_t kAnyLength = INT32_MAX;

/// The longest row that a kernel must be made for.
static FailureOr<int64_t> getLongestRow(NonlinearOpInterface op) {
  auto type = cast<ShapedType>(op.getOperandTensor().getType());
  int64_t columns = type.getShape().back();
  bool isDynamic = ShapedType::isDynamic(columns);
  const methods::Function &function = methods::getFunction(op.getFunction());
  if (isDynamic && function.isNormalization())
    return op->emitOpError("has rows of dynamic length, and gamma has an entry "
                           "for each of their elements; a static last "
                           "dimension is needed to build a kernel");
  for (Value value : {op.getOperandTensor(), op.getResultTensor()}) {
    if (!isa<quant::UniformQuantizedPerAxisType>(
            getElementTypeOrSelf(value.getType())))
      continue;
    if (!isDynamic)
      return columns;
    return op->emitOpError()
           << "has rows of dynamic length with a scale for each of their "
              "elements, "
           << value.getType()
           << "; a static last dimension is needed to build a kernel";
  }
  // What is declared makes the same kernel for rows of every length.
  if (std::optional<uint64_t> longest = op.getMaxRowLength())
    return int64_t(*longest);
  if (!isDynamic)
    return columns;
  if (!function.isElementwise())
    return op->emitOpError("has rows of dynamic length; max_row_length must "
                           "say how long they may be to build a kernel");
  return kAnyLength;
}

FailureOr<methods::Problem>
nlq::detail::getProblem(Operation *op, MethodAttrInterface method) {
  auto nonlinear = cast<NonlinearOpInterface>(op);
  auto operand = cast<ShapedType>(nonlinear.getOperandTensor().getType());
  auto result = cast<ShapedType>(nonlinear.getResultTensor().getType());
  FailureOr<int64_t> longest = getLongestRow(nonlinear);
  if (failed(longest))
    return failure();
  methods::Problem problem;
  problem.operand =
      toQuantized(cast<quant::QuantizedType>(operand.getElementType()));
  problem.result =
      toQuantized(cast<quant::QuantizedType>(result.getElementType()));
  problem.narrowed =
      method && method.getIn()
          ? toQuantized(cast<quant::QuantizedType>(method.getIn()))
          : problem.operand;
  problem.maxRowLength = *longest;
  if (method) {
    problem.outBits = method.getOutBits();
    if (DenseI64ArrayAttr cuts = method.getCuts())
      problem.cuts.assign(cuts.asArrayRef().begin(), cuts.asArrayRef().end());
    problem.form = method.getForm() == MethodForm::Reference
                       ? methods::Form::Reference
                       : methods::Form::Corrected;
  }
  if (failed(nonlinear.getParameters(problem)))
    return failure();
  return problem;
}

llvm::Expected<kernel::Kernel>
nlq::detail::buildKernel(Operation *op, MethodAttrInterface method) {
  FailureOr<methods::Problem> problem = getProblem(op, method);
  if (failed(problem))
    return llvm::createStringError("the operation is not known in full, see "
                                   "the error above");
  llvm::Expected<kernel::Kernel> kernel = method.buildKernel(
      cast<NonlinearOpInterface>(op).getFunction(), *problem);
  // Some methods look at whole rows for a function of one element.
  if (kernel && problem->maxRowLength == kAnyLength &&
      kernel::needsWholeRows(kernel->graph))
    return llvm::createStringError(
        "it looks at whole rows, which have a dynamic length; max_row_length "
        "must say how long they may be");
  return kernel;
}

//===----------------------------------------------------------------------===//
// Non-linear operations
//===----------------------------------------------------------------------===//

/// Whether a tensor of `shape` stands for one of `wanted` whose last dimensions
/// it has, an extent of 1 standing for all but in dimension `row`, which it
/// has.
static bool standsFor(ArrayRef<int64_t> shape, ArrayRef<int64_t> wanted,
                      int64_t row) {
  if (shape.size() > wanted.size())
    return false;
  int64_t missing = wanted.size() - shape.size();
  if (row < missing)
    return false;
  for (auto [dim, found] : llvm::enumerate(shape)) {
    bool isShared = found == 1 && int64_t(dim) + missing != row;
    if (!isShared &&
        failed(verifyCompatibleShape(found, wanted[int64_t(dim) + missing])))
      return false;
  }
  return true;
}

LogicalResult SoftmaxOp::verify() {
  auto type = cast<ShapedType>(getInput().getType());
  // (C7)
  int64_t row = getRowDimension();
  if (row < 0 || row >= type.getRank())
    return emitOpError() << "axis " << row
                         << " is no dimension of the operand, " << type;
  if (isQuantized() && row != type.getRank() - 1)
    return emitOpError() << "axis of a quantized operand must be the last, "
                         << type.getRank() - 1 << ", found " << row;
  if (getMask()) {
    // (C4)
    auto mask = cast<ShapedType>(getMask().getType());
    if (!standsFor(mask.getShape(), type.getShape(), row))
      return emitOpError() << "mask of type " << mask
                           << " does not fit the operand, " << type
                           << ": its dimensions must be the last of the "
                              "operand's, or 1 but for the row";
    // (C5)
    if (isa<FloatType>(mask.getElementType()) &&
        mask.getElementType() != type.getElementType())
      return emitOpError() << "a mask that is added must have elements of "
                           << type.getElementType() << ", found " << mask
                           << (isQuantized() ? "; quantized operations take "
                                               "masks of i1 and i8"
                                             : "");
  }
  // (C6)
  if (getCausal() && (type.getRank() < 2 || row != type.getRank() - 1))
    return emitOpError() << "a causal operand needs two last dimensions, "
                            "queries and keys, with rows of keys; found "
                         << type << " with rows along dimension " << row;
  return success();
}

LogicalResult SoftmaxOp::getParameters(methods::Problem &problem) {
  auto type = cast<ShapedType>(getInput().getType());
  if (getCausal() &&
      llvm::any_of(type.getShape().take_back(2), ShapedType::isDynamic))
    return emitOpError() << "is causal in " << type
                         << "; static numbers of queries and keys are needed "
                            "to build a kernel";
  problem.hasMask = bool(getMask());
  problem.isCausal = getCausal();
  return success();
}

LogicalResult GeluOp::getParameters(methods::Problem &problem) {
  problem.gelu = getApproximation() == GeluApproximation::Erf
                     ? methods::GeluKind::Erf
                     : methods::GeluKind::Tanh;
  return success();
}

/// The constraints (C4) and (C5) of normalizations.
template <typename OpT>
static LogicalResult
verifyNormalization(OpT op, ArrayRef<std::pair<StringRef, Value>> parameters) {
  // (C4)
  auto type = cast<ShapedType>(op.getInput().getType());
  size_t rank = cast<ShapedType>(parameters[0].second.getType()).getRank();
  for (auto [name, value] : parameters) {
    auto found = cast<ShapedType>(value.getType());
    if (op.isQuantized() && found.getRank() != 1)
      return op.emitOpError() << name << " of a quantized operation must have "
                              << "one dimension, found " << found;
    if (size_t(found.getRank()) != rank ||
        size_t(found.getRank()) > type.getShape().size() ||
        failed(verifyCompatibleShape(found.getShape(),
                                     type.getShape().take_back(rank))))
      return op.emitOpError() << name << " has the type " << found
                              << ", which are not the last dimensions of the "
                                 "operand, "
                              << type;
  }
  // (C5)
  double epsilon = op.getEpsilon().convertToDouble();
  if (!(epsilon >= 0))
    return op.emitOpError()
           << "epsilon must not be negative, found " << epsilon;
  return success();
}

LogicalResult LayerNormOp::verify() {
  return verifyNormalization(*this,
                             {{"gamma", getGamma()}, {"beta", getBeta()}});
}

LogicalResult LayerNormOp::getParameters(methods::Problem &problem) {
  FailureOr<std::vector<double>> gamma = getConstantFloats(getGamma());
  FailureOr<std::vector<double>> beta = getConstantFloats(getBeta());
  if (failed(gamma) || failed(beta))
    return emitOpError("gamma and beta must be constants to build a kernel");
  problem.gamma = std::move(*gamma);
  problem.beta = std::move(*beta);
  problem.epsilon = getEpsilon().convertToDouble();
  return success();
}

LogicalResult RmsNormOp::verify() {
  return verifyNormalization(*this, {{"gamma", getGamma()}});
}

LogicalResult RmsNormOp::getParameters(methods::Problem &problem) {
  FailureOr<std::vector<double>> gamma = getConstantFloats(getGamma());
  if (failed(gamma))
    return emitOpError("gamma must be a constant to build a kernel");
  problem.gamma = std::move(*gamma);
  problem.epsilon = getEpsilon().convertToDouble();
  return success();
}

//===----------------------------------------------------------------------===//
// Requantize
//===----------------------------------------------------------------------===//

LogicalResult RequantizeOp::verify() {
  // (C1), (C2)
  return failure(
      failed(verifySameShape(*this, getInput().getType(), getType())) ||
      failed(verifyQuantized(*this, getInput().getType(), "operand")) ||
      failed(verifyQuantized(*this, getType(), "result")));
}

llvm::Expected<kernel::Kernel> RequantizeOp::buildKernel() {
  auto in =
      toQuantized(cast<quant::QuantizedType>(getElementTypeOrSelf(getInput())));
  auto out =
      toQuantized(cast<quant::QuantizedType>(getElementTypeOrSelf(getType())));
  ArrayRef<int64_t> shape = cast<ShapedType>(getType()).getShape();
  int64_t columns = shape.empty() ? 1 : shape.back();
  if (ShapedType::isDynamic(columns)) {
    if (!in.isPerTensor() || !out.isPerTensor())
      return llvm::createStringError(
          "it has a scale for each element of rows, which have a dynamic "
          "length; a static last dimension is needed");
    // No element depends on the length of its row.
    columns = kAnyLength;
  }
  return methods::buildRequantize(in, out, columns,
                                  toKernelRounding(getRounding()));
}

//===----------------------------------------------------------------------===//
// Lookup
//===----------------------------------------------------------------------===//

LogicalResult LookupOp::verify() {
  // (C1)
  if (failed(verifySameShape(*this, getInput().getType(), getType())))
    return failure();
  // (C2)
  auto in = dyn_cast<quant::UniformQuantizedType>(
      getElementTypeOrSelf(getInput().getType()));
  auto out =
      dyn_cast<quant::UniformQuantizedType>(getElementTypeOrSelf(getType()));
  if (!in || !out)
    return emitOpError() << "operand and result must be quantized per tensor, "
                            "found "
                         << getInput().getType() << " and " << getType();
  // (C3)
  int64_t values = in.getStorageTypeMax() - in.getStorageTypeMin() + 1;
  if (values > 256)
    return emitOpError() << "operand has " << values
                         << " values, and at most 256 are allowed";
  if (int64_t(getTable().size()) != values)
    return emitOpError() << "table has " << getTable().size()
                         << " entries for an operand of " << values
                         << " values";
  // (C4)
  for (int32_t entry : getTable())
    if (entry < out.getStorageTypeMin() || entry > out.getStorageTypeMax())
      return emitOpError() << "table entry " << entry
                           << " is no value of the result, which has "
                           << out.getStorageTypeMin() << " to "
                           << out.getStorageTypeMax();
  return success();
}

llvm::Expected<kernel::Kernel> LookupOp::buildKernel() {
  ArrayRef<int64_t> shape = cast<ShapedType>(getType()).getShape();
  int64_t columns = shape.empty() ? 1 : shape.back();
  return methods::buildLookup(
      toQuantized(cast<quant::QuantizedType>(
          getElementTypeOrSelf(getInput().getType()))),
      toQuantized(cast<quant::QuantizedType>(getElementTypeOrSelf(getType()))),
      getTable(),
      // No element depends on the length of its row.
      ShapedType::isDynamic(columns) ? kAnyLength : columns);
}
