//===- ProductTile.cpp - How matrix products are cut for a target -------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Target/ProductTile.h"

using namespace nlq;

ProductTile nlq::getProductTile(unsigned lhsBits, unsigned rhsBits,
                                const VectorFeatures &features) {
  bool areBytes = lhsBits == 8 && rhsBits == 8;
  if (features.avx512vnni && areBytes)
    return {/*rows=*/6, /*lanes=*/16, /*vectors=*/4, /*group=*/4,
            /*isLeftUnsigned=*/true};
  if (features.avx512bw || features.avx512vnni)
    return {/*rows=*/6, /*lanes=*/16, /*vectors=*/4, /*group=*/2};
  if (features.avx2)
    return {/*rows=*/6, /*lanes=*/8, /*vectors=*/2, /*group=*/2};
  if (features.dotprod && areBytes)
    return {/*rows=*/6, /*lanes=*/4, /*vectors=*/4, /*group=*/4};
  return {/*rows=*/4, /*lanes=*/4, /*vectors=*/2, /*group=*/2};
}
