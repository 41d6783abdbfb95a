//===- ReferenceRunnerLinear.cpp - Rules of integer linear operations -----===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ReferenceRunnerPlan.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace nlq;
using namespace nlq::reference;

//===----------------------------------------------------------------------===//
// Matrix products
//===----------------------------------------------------------------------===//

namespace {
/// c[m, n] += a[m, k] * b[k, n], `batch` times over.
struct ProductShape {
  int64_t batch = 1, rows = 0, columns = 0, depth = 0;
};
} // namespace

/// The elements of an operand in the width that the loops work on.
template <typename T>
static std::vector<T> widen(const Place &place, const Frame &frame) {
  return dispatchInteger(place.kind, [&](auto element) {
    const auto *values = frame.read<decltype(element)>(place);
    return std::vector<T>(values, values + place.getNumElements());
  });
}

/// The columns of b[k, n] as rows: products become dot products, whose sums
/// stay in registers and which every target has an instruction for. Squares of
/// both keep to the cache.
static std::vector<int16_t> transpose(const int16_t *b, int64_t depth,
                                      int64_t columns) {
  constexpr int64_t side = 32;
  std::vector<int16_t> rows(depth * columns);
  for (int64_t kk = 0; kk < depth; kk += side)
    for (int64_t nn = 0; nn < columns; nn += side)
      for (int64_t n = nn, end = std::min(nn + side, columns); n < end; ++n)
        for (int64_t k = kk, last = std::min(kk + side, depth); k < last; ++k)
          rows[n * depth + k] = b[k * columns + n];
  return rows;
}

/// Products of 16 bits summed modulo 2^32; `b` has a row for each column. Four
/// columns at a time share what is loaded of a. (The width is said because
/// instructions that multiply 16 bits and add pairs take twice the elements
/// that their sums have lanes, of which the vectorizer knows nothing.)
static void multiplyNarrow(const ProductShape &shape, const int16_t *a,
                           const int16_t *b, uint32_t *c) {
  auto product = [](int16_t x, int16_t y) {
    return uint32_t(int32_t(x) * int32_t(y));
  };
  int64_t depth = shape.depth, columns = shape.columns;
  int64_t n = 0;
  for (; n + 4 <= columns; n += 4) {
    const int16_t *y0 = b + n * depth, *y1 = y0 + depth;
    const int16_t *y2 = y1 + depth, *y3 = y2 + depth;
    for (int64_t row = 0; row < shape.rows; ++row) {
      const int16_t *x = a + row * depth;
      uint32_t sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
#pragma clang loop vectorize_width(16) interleave_count(1)
      for (int64_t k = 0; k < depth; ++k) {
        sum0 += product(x[k], y0[k]);
        sum1 += product(x[k], y1[k]);
        sum2 += product(x[k], y2[k]);
        sum3 += product(x[k], y3[k]);
      }
      uint32_t *out = c + row * columns + n;
      out[0] += sum0;
      out[1] += sum1;
      out[2] += sum2;
      out[3] += sum3;
    }
  }
  for (; n < columns; ++n)
    for (int64_t row = 0; row < shape.rows; ++row) {
      const int16_t *x = a + row * depth, *y = b + n * depth;
      uint32_t sum = 0;
      for (int64_t k = 0; k < depth; ++k)
        sum += product(x[k], y[k]);
      c[row * columns + n] += sum;
    }
}

/// Any widths, modulo 2^64.
template <typename C>
static void multiplyWide(const ProductShape &shape, const int64_t *a,
                         const int64_t *b, C *c) {
  for (int64_t row = 0; row < shape.rows; ++row)
    for (int64_t k = 0; k < shape.depth; ++k) {
      uint64_t x = uint64_t(a[row * shape.depth + k]);
      for (int64_t j = 0; j < shape.columns; ++j) {
        C &sum = c[row * shape.columns + j];
        sum = C(uint64_t(sum) + x * uint64_t(b[k * shape.columns + j]));
      }
    }
}

static bool isNarrow(const Place &place) {
  return place.kind == ElementKind::I8 || place.kind == ElementKind::I16;
}

static llvm::Expected<Action> makeProduct(Operation *op, Planner &planner,
                                          ProductShape shape) {
  SmallVector<Place> operands;
  for (Value operand : op->getOperands()) {
    llvm::Expected<Place> place = planner.lookup(operand);
    if (!place)
      return place.takeError();
    if (place->kind == ElementKind::F32)
      return makeError(op, "only integers can be run, found f32");
    operands.push_back(*place);
  }
  llvm::Expected<Place> out = planner.define(op->getResult(0));
  if (!out)
    return out.takeError();
  return Action([shape, a = operands[0], b = operands[1], init = operands[2],
                 c = *out](Frame &frame) {
    int64_t aSize = shape.rows * shape.depth;
    int64_t bSize = shape.depth * shape.columns;
    int64_t cSize = shape.rows * shape.columns;
    dispatchInteger(c.kind, [&](auto element) {
      using C = decltype(element);
      const C *start = frame.read<C>(init);
      C *sums = frame.write<C>(c);
      std::copy_n(start, shape.batch * cSize, sums);
      if constexpr (std::is_same_v<C, int32_t>)
        if (isNarrow(a) && isNarrow(b)) {
          std::vector<int16_t> x = widen<int16_t>(a, frame);
          std::vector<int16_t> y = widen<int16_t>(b, frame);
          for (int64_t i = 0; i < shape.batch; ++i)
            multiplyNarrow(
                shape, x.data() + i * aSize,
                transpose(y.data() + i * bSize, shape.depth, shape.columns)
                    .data(),
                reinterpret_cast<uint32_t *>(sums) + i * cSize);
          return;
        }
      std::vector<int64_t> x = widen<int64_t>(a, frame);
      std::vector<int64_t> y = widen<int64_t>(b, frame);
      for (int64_t i = 0; i < shape.batch; ++i)
        multiplyWide(shape, x.data() + i * aSize, y.data() + i * bSize,
                     sums + i * cSize);
    });
  });
}

template <typename OpTy>
static llvm::Expected<Action> productRule(Operation *op, Planner &planner) {
  auto product = cast<OpTy>(op);
  if (op->getNumResults() != 1)
    return makeError(op, "only tensors can be run");
  if (product.hasUserDefinedMaps())
    return makeError(op, "only row-major operands can be run, found indexing "
                         "maps of its own");
  if (product.getCast() != linalg::TypeFn::cast_signed)
    return makeError(op,
                     "only signed operands can be run, found cast_unsigned");
  ArrayRef<int64_t> a =
      cast<ShapedType>(op->getOperand(0).getType()).getShape();
  ArrayRef<int64_t> b =
      cast<ShapedType>(op->getOperand(1).getType()).getShape();
  ProductShape shape;
  if (a.size() == 3)
    shape.batch = a.front();
  shape.rows = a[a.size() - 2];
  shape.depth = a.back();
  shape.columns = b.back();
  return makeProduct(op, planner, shape);
}

//===----------------------------------------------------------------------===//
// Element by element
//===----------------------------------------------------------------------===//

/// Combine(a, b), wrapping.
template <typename Combine>
static llvm::Expected<Action> binaryRule(Operation *op, Planner &planner) {
  llvm::Expected<Place> a = planner.lookup(op->getOperand(0));
  if (!a)
    return a.takeError();
  llvm::Expected<Place> b = planner.lookup(op->getOperand(1));
  if (!b)
    return b.takeError();
  llvm::Expected<Place> out = planner.define(op->getResult(0));
  if (!out)
    return out.takeError();
  return Action([a = *a, b = *b, out = *out](Frame &frame) {
    dispatchInteger(out.kind, [&](auto element) {
      using T = decltype(element);
      const T *x = frame.read<T>(a), *y = frame.read<T>(b);
      T *result = frame.write<T>(out);
      for (int64_t i = 0, size = out.getNumElements(); i < size; ++i)
        result[i] = T(Combine()(uint64_t(x[i]), uint64_t(y[i])));
    });
  });
}

void reference::addLinearRules(Rules &rules) {
  rules["arith.addi"] = binaryRule<std::plus<uint64_t>>;
  rules["arith.muli"] = binaryRule<std::multiplies<uint64_t>>;
  rules["arith.subi"] = binaryRule<std::minus<uint64_t>>;
  rules["linalg.batch_matmul"] = productRule<linalg::BatchMatmulOp>;
  rules["linalg.matmul"] = productRule<linalg::MatmulOp>;
}
