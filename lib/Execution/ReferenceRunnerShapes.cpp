//===- ReferenceRunnerShapes.cpp - Rules that move elements ---------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ReferenceRunnerPlan.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include <cstring>

using namespace mlir;
using namespace nlq;
using namespace nlq::reference;

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

/// Writes integers and floats of any number into an array, cut to its width.
static void storeElement(Array &array, int64_t index, const APInt &bits) {
  unsigned width = getByteWidth(array.kind);
  uint64_t value = bits.sextOrTrunc(64).getZExtValue();
  std::memcpy(array.bytes.data() + index * width, &value, width);
}

llvm::Expected<Array> nlq::getConstantArray(Attribute value) {
  auto unsupported = [&]() {
    std::string text;
    llvm::raw_string_ostream(text) << "a constant of type ";
    if (auto typed = dyn_cast<TypedAttr>(value))
      llvm::raw_string_ostream(text) << typed.getType();
    return llvm::createStringError(
        text + " can't be read; dense and dense_resource tensors and scalars "
               "of f32, i8, i16, i32 and i64 with their data can");
  };
  auto typed = dyn_cast<TypedAttr>(value);
  if (!typed)
    return unsupported();
  Type element = getElementTypeOrSelf(typed.getType());
  SmallVector<int64_t> shape;
  if (auto tensor = dyn_cast<ShapedType>(typed.getType())) {
    if (!tensor.hasStaticShape())
      return unsupported();
    shape.assign(tensor.getShape().begin(), tensor.getShape().end());
  }
  std::optional<ElementKind> kind;
  if (element.isF32())
    kind = ElementKind::F32;
  for (ElementKind candidate :
       {ElementKind::I8, ElementKind::I16, ElementKind::I32, ElementKind::I64})
    if (element.isSignlessInteger(8 * getByteWidth(candidate)))
      kind = candidate;
  if (!kind)
    return unsupported();
  Array array(*kind, shape);
  if (auto scalar = dyn_cast<IntegerAttr>(value)) {
    storeElement(array, 0, scalar.getValue());
  } else if (auto scalar = dyn_cast<FloatAttr>(value)) {
    storeElement(array, 0, scalar.getValue().bitcastToAPInt());
  } else if (auto dense = dyn_cast<DenseIntElementsAttr>(value)) {
    for (auto [index, entry] : llvm::enumerate(dense.getValues<APInt>()))
      storeElement(array, index, entry);
  } else if (auto dense = dyn_cast<DenseFPElementsAttr>(value)) {
    for (auto [index, entry] : llvm::enumerate(dense.getValues<APFloat>()))
      storeElement(array, index, entry.bitcastToAPInt());
  } else if (auto resource = dyn_cast<DenseResourceElementsAttr>(value)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob || blob->getData().size() != array.bytes.size())
      return unsupported();
    llvm::copy(blob->getData(), array.bytes.begin());
  } else {
    return unsupported();
  }
  return array;
}

static llvm::Expected<Action> constantRule(Operation *op, Planner &planner) {
  llvm::Expected<Array> array =
      getConstantArray(cast<arith::ConstantOp>(op).getValue());
  if (!array)
    return makeError(op, llvm::toString(array.takeError()));
  if (llvm::Error error =
          planner.defineConstant(op->getResult(0), std::move(*array)))
    return error;
  return Action();
}

//===----------------------------------------------------------------------===//
// Strided copies
//===----------------------------------------------------------------------===//

namespace {
/// A box of elements in one or two arrays, row-major.
struct Box {
  SmallVector<int64_t> extents;
  SmallVector<int64_t> fromStrides, toStrides;
  int64_t fromOffset = 0, toOffset = 0;
};
} // namespace

static SmallVector<int64_t> getStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (int64_t dim = int64_t(shape.size()) - 2; dim >= 0; --dim)
    strides[dim] = strides[dim + 1] * shape[dim + 1];
  return strides;
}

template <typename T>
static void copyBox(const Box &box, const T *from, T *to, size_t dim,
                    int64_t fromAt, int64_t toAt) {
  if (dim == box.extents.size()) {
    to[toAt] = from[fromAt];
    return;
  }
  int64_t extent = box.extents[dim];
  int64_t fromStride = box.fromStrides[dim], toStride = box.toStrides[dim];
  if (dim + 1 == box.extents.size()) {
    const T *source = from + fromAt;
    T *target = to + toAt;
    if (fromStride == 1 && toStride == 1)
      std::memcpy(target, source, extent * sizeof(T));
    else
      for (int64_t i = 0; i < extent; ++i)
        target[i * toStride] = source[i * fromStride];
    return;
  }
  for (int64_t i = 0; i < extent; ++i)
    copyBox(box, from, to, dim + 1, fromAt + i * fromStride,
            toAt + i * toStride);
}

/// Copies elements as bit patterns: floats and integers of one width alike.
static void copyBox(const Box &box, const Place &from, const Place &to,
                    Frame &frame, char *target) {
  if (llvm::is_contained(box.extents, 0))
    return;
  ElementKind kind = to.kind == ElementKind::F32 ? ElementKind::I32 : to.kind;
  dispatchInteger(kind, [&](auto element) {
    using T = decltype(element);
    copyBox<T>(box, frame.read<T>(from), reinterpret_cast<T *>(target), 0,
               box.fromOffset, box.toOffset);
  });
}

/// One strided copy from an operand into a new result.
static llvm::Expected<Action> makeCopy(Operation *op, Planner &planner,
                                       Value operand, Box box) {
  llvm::Expected<Place> from = planner.lookup(operand);
  if (!from)
    return from.takeError();
  llvm::Expected<Place> to = planner.define(op->getResult(0));
  if (!to)
    return to.takeError();
  return Action([box = std::move(box), from = *from, to = *to](Frame &frame) {
    copyBox(box, from, to, frame, frame.write<char>(to));
  });
}

static ArrayRef<int64_t> getShape(Value value) {
  return cast<ShapedType>(value.getType()).getShape();
}

static llvm::Expected<Action> fillRule(Operation *op, Planner &planner) {
  auto fill = cast<linalg::FillOp>(op);
  if (op->getNumResults() != 1)
    return makeError(op, "only tensors can be run");
  // The scalar is an array of one element, read again and again.
  Box box;
  box.extents.assign(getShape(op->getResult(0)).begin(),
                     getShape(op->getResult(0)).end());
  box.fromStrides.assign(box.extents.size(), 0);
  box.toStrides = getStrides(box.extents);
  Value scalar = fill.getInputs()[0];
  if (scalar.getType() != getElementTypeOrSelf(op->getResult(0).getType()))
    return makeError(op, "fills with a scalar of another type");
  return makeCopy(op, planner, scalar, std::move(box));
}

/// The box that covers a whole tensor of `shape`; where it is copied from is
/// left to be said.
static Box makeWholeBox(ArrayRef<int64_t> shape) {
  Box box;
  box.extents.assign(shape.begin(), shape.end());
  box.toStrides = getStrides(shape);
  return box;
}

static llvm::Expected<Action> broadcastRule(Operation *op, Planner &planner) {
  auto broadcast = cast<linalg::BroadcastOp>(op);
  if (op->getNumResults() != 1)
    return makeError(op, "only tensors can be run");
  ArrayRef<int64_t> shape = getShape(op->getResult(0));
  Box box = makeWholeBox(shape);
  SmallVector<int64_t> strides = getStrides(getShape(broadcast.getInput()));
  size_t next = 0;
  for (int64_t dim = 0; dim < int64_t(shape.size()); ++dim)
    box.fromStrides.push_back(llvm::is_contained(broadcast.getDimensions(), dim)
                                  ? 0
                                  : strides[next++]);
  return makeCopy(op, planner, broadcast.getInput(), std::move(box));
}

static llvm::Expected<Action> transposeRule(Operation *op, Planner &planner) {
  auto transpose = cast<linalg::TransposeOp>(op);
  if (op->getNumResults() != 1)
    return makeError(op, "only tensors can be run");
  Box box = makeWholeBox(getShape(op->getResult(0)));
  SmallVector<int64_t> strides = getStrides(getShape(transpose.getInput()));
  for (int64_t dim : transpose.getPermutation())
    box.fromStrides.push_back(strides[dim]);
  return makeCopy(op, planner, transpose.getInput(), std::move(box));
}

/// The box that a slice's static offsets, sizes and strides cut out of `whole`:
/// offset and strides in elements of `whole`. None where the slice is dynamic.
template <typename SliceOp>
static std::optional<std::pair<int64_t, SmallVector<int64_t>>>
getSlice(SliceOp op, ArrayRef<int64_t> whole, ArrayRef<int64_t> &sizes) {
  if (llvm::any_of(op.getStaticOffsets(), ShapedType::isDynamic) ||
      llvm::any_of(op.getStaticStrides(), ShapedType::isDynamic) ||
      llvm::any_of(op.getStaticSizes(), ShapedType::isDynamic))
    return std::nullopt;
  sizes = op.getStaticSizes();
  SmallVector<int64_t> strides = getStrides(whole);
  int64_t offset = 0;
  for (auto [stride, from, step] :
       llvm::zip(strides, op.getStaticOffsets(), op.getStaticStrides())) {
    offset += from * stride;
    stride *= step;
  }
  return std::make_pair(offset, strides);
}

static llvm::Expected<Action> extractSliceRule(Operation *op,
                                               Planner &planner) {
  auto slice = cast<tensor::ExtractSliceOp>(op);
  ArrayRef<int64_t> sizes;
  auto cut = getSlice(slice, getShape(slice.getSource()), sizes);
  if (!cut)
    return makeError(op, "offsets, sizes and strides must be static");
  Box box;
  box.extents.assign(sizes.begin(), sizes.end());
  box.fromOffset = cut->first;
  box.fromStrides = cut->second;
  // Dropped dimensions have one element: the result's order is that of sizes.
  box.toStrides = getStrides(sizes);
  return makeCopy(op, planner, slice.getSource(), std::move(box));
}

/// Copies of operands into parts of one new result.
static llvm::Expected<Action>
makeCopies(Operation *op, Planner &planner,
           ArrayRef<std::pair<Value, Box>> parts) {
  std::vector<std::pair<Place, Box>> copies;
  for (const auto &[operand, box] : parts) {
    llvm::Expected<Place> from = planner.lookup(operand);
    if (!from)
      return from.takeError();
    copies.emplace_back(*from, box);
  }
  llvm::Expected<Place> to = planner.define(op->getResult(0));
  if (!to)
    return to.takeError();
  return Action([copies = std::move(copies), to = *to](Frame &frame) {
    char *target = frame.write<char>(to);
    for (const auto &[from, box] : copies)
      copyBox(box, from, to, frame, target);
  });
}

static llvm::Expected<Action> insertSliceRule(Operation *op, Planner &planner) {
  auto slice = cast<tensor::InsertSliceOp>(op);
  ArrayRef<int64_t> sizes;
  auto cut = getSlice(slice, getShape(slice.getDest()), sizes);
  if (!cut)
    return makeError(op, "offsets, sizes and strides must be static");
  Box all;
  all.extents = llvm::to_vector(getShape(slice.getDest()));
  all.fromStrides = all.toStrides = getStrides(all.extents);
  Box part;
  part.extents = llvm::to_vector(sizes);
  part.fromStrides = getStrides(sizes);
  part.toOffset = cut->first;
  part.toStrides = cut->second;
  return makeCopies(op, planner,
                    {{slice.getDest(), all}, {slice.getSource(), part}});
}

static llvm::Expected<Action> concatRule(Operation *op, Planner &planner) {
  auto concat = cast<tensor::ConcatOp>(op);
  SmallVector<std::pair<Value, Box>> parts;
  SmallVector<int64_t> strides = getStrides(getShape(op->getResult(0)));
  int64_t offset = 0;
  for (Value operand : concat.getInputs()) {
    Box box;
    box.extents = llvm::to_vector(getShape(operand));
    box.fromStrides = getStrides(box.extents);
    box.toStrides = strides;
    box.toOffset = offset * strides[concat.getDim()];
    offset += box.extents[concat.getDim()];
    parts.emplace_back(operand, std::move(box));
  }
  return makeCopies(op, planner, parts);
}

//===----------------------------------------------------------------------===//
// Other shape operations
//===----------------------------------------------------------------------===//

/// The same elements in another shape or under another type.
static llvm::Expected<Action> sameElementsRule(Operation *op,
                                               Planner &planner) {
  if (llvm::Error error = planner.alias(op->getResult(0), op->getOperand(0)))
    return error;
  return Action();
}

static llvm::Expected<Action> emptyRule(Operation *op, Planner &planner) {
  llvm::Expected<Place> to = planner.define(op->getResult(0));
  if (!to)
    return to.takeError();
  return Action([to = *to](Frame &frame) { frame.write<char>(to); });
}

void reference::addShapeRules(Rules &rules) {
  rules["arith.constant"] = constantRule;
  rules["linalg.broadcast"] = broadcastRule;
  rules["linalg.fill"] = fillRule;
  rules["linalg.transpose"] = transposeRule;
  rules["quant.scast"] = sameElementsRule;
  rules["tensor.collapse_shape"] = sameElementsRule;
  rules["tensor.concat"] = concatRule;
  rules["tensor.empty"] = emptyRule;
  rules["tensor.expand_shape"] = sameElementsRule;
  rules["tensor.extract_slice"] = extractSliceRule;
  rules["tensor.insert_slice"] = insertSliceRule;
}
