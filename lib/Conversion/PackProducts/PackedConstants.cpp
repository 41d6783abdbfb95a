//===- PackedConstants.cpp - Weights packed at compile time -------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PackedConstants.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace nlq;

template <typename T>
static PackedConstants pack(DenseIntElementsAttr weights,
                            DenseIntElementsAttr bias,
                            const ProductTile &tile) {
  auto type = cast<RankedTensorType>(weights.getType());
  const int64_t depth = type.getDimSize(0), columns = type.getDimSize(1);
  const int64_t lanes = tile.getColumns(), group = tile.group;
  const int64_t blocks = llvm::divideCeil(columns, lanes);
  const int64_t groups = llvm::divideCeil(depth, group);
  auto elements = weights.getValues<T>();
  auto first = bias.getValues<int32_t>();
  std::vector<T> packed(blocks * groups * lanes * group);
  std::vector<int32_t> start(blocks * lanes);
  for (int64_t n = 0; n < columns; ++n) {
    int64_t sum = 0;
    T *column = packed.data() + n / lanes * (groups * lanes * group) +
                n % lanes * group;
    for (int64_t k = 0; k < depth; ++k) {
      T weight = elements[k * columns + n];
      column[k / group * (lanes * group) + k % group] = weight;
      sum += weight;
    }
    int64_t value = first[n] - (group == 4 ? 128 * sum : 0);
    start[n] = int32_t(uint32_t(value));
  }
  auto packedType = RankedTensorType::get({blocks, groups, lanes, group},
                                          type.getElementType());
  auto startType = RankedTensorType::get(blocks * lanes, bias.getElementType());
  return {DenseElementsAttr::get(packedType, ArrayRef<T>(packed)),
          DenseElementsAttr::get(startType, ArrayRef<int32_t>(start))};
}

PackedConstants nlq::packConstants(DenseIntElementsAttr weights,
                                   DenseIntElementsAttr bias,
                                   const ProductTile &tile) {
  return weights.getElementType().isInteger(8)
             ? pack<int8_t>(weights, bias, tile)
             : pack<int16_t>(weights, bias, tile);
}
