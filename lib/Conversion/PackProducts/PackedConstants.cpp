//===- PackedConstants.cpp - Weights packed at compile time -------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PackedConstants.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/Support/MathExtras.h"
#include <cstring>

using namespace mlir;
using namespace nlq;

/// The elements of a constant of T.
template <typename T>
static std::optional<std::vector<T>> readElements(ElementsAttr attr) {
  if (auto dense = dyn_cast<DenseIntElementsAttr>(attr)) {
    auto values = dense.getValues<T>();
    return std::vector<T>(values.begin(), values.end());
  }
  auto resource = dyn_cast<DenseResourceElementsAttr>(attr);
  AsmResourceBlob *blob =
      resource ? resource.getRawHandle().getBlob() : nullptr;
  if (!blob || blob->getData().size() != attr.getNumElements() * sizeof(T))
    return std::nullopt;
  std::vector<T> values(attr.getNumElements());
  std::memcpy(values.data(), blob->getData().data(), blob->getData().size());
  return values;
}

template <typename T>
static std::optional<PackedConstants>
pack(ElementsAttr weights, ElementsAttr bias, const ProductTile &tile) {
  ShapedType type = weights.getShapedType();
  const int64_t depth = type.getDimSize(0), columns = type.getDimSize(1);
  const int64_t lanes = tile.getColumns(), group = tile.group;
  const int64_t blocks = llvm::divideCeil(columns, lanes);
  const int64_t groups = llvm::divideCeil(depth, group);
  auto elements = readElements<T>(weights);
  auto first =
      bias ? readElements<int32_t>(bias) : std::vector<int32_t>(columns);
  if (!elements || !first)
    return std::nullopt;
  std::vector<T> packed(blocks * groups * lanes * group);
  std::vector<int32_t> start(blocks * lanes);
  for (int64_t n = 0; n < columns; ++n) {
    int64_t sum = 0;
    T *column = packed.data() + n / lanes * (groups * lanes * group) +
                n % lanes * group;
    for (int64_t k = 0; k < depth; ++k) {
      T weight = (*elements)[k * columns + n];
      column[k / group * (lanes * group) + k % group] = weight;
      sum += weight;
    }
    int64_t value = (*first)[n] - (tile.isLeftUnsigned ? 128 * sum : 0);
    start[n] = int32_t(uint32_t(value));
  }
  auto packedType = RankedTensorType::get({blocks, groups, lanes, group},
                                          type.getElementType());
  auto startType = RankedTensorType::get(
      blocks * lanes, IntegerType::get(type.getContext(), 32));
  return PackedConstants{
      DenseElementsAttr::get(packedType, ArrayRef<T>(packed)),
      DenseElementsAttr::get(startType, ArrayRef<int32_t>(start))};
}

std::optional<PackedConstants> nlq::packConstants(ElementsAttr weights,
                                                  ElementsAttr bias,
                                                  const ProductTile &tile) {
  return weights.getElementType().isInteger(8)
             ? pack<int8_t>(weights, bias, tile)
             : pack<int16_t>(weights, bias, tile);
}
