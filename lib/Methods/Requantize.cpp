//===- Requantize.cpp - Requantization as a kernel ----------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Methods/Requantize.h"
#include "nlq/Kernel/Bound.h"
#include "nlq/Kernel/Builder.h"
#include "nlq/Kernel/Requantize.h"

using namespace nlq;
using namespace nlq::methods;

llvm::Expected<kernel::Kernel>
nlq::methods::buildRequantize(const Quantized &in, const Quantized &out,
                              int64_t columns, kernel::Rounding rounding) {
  for (int64_t zeroPoint : out.zeroPoints)
    if (zeroPoint != out.zeroPoints.front())
      return llvm::createStringError(
          "the result has zero points that differ from channel to channel; "
          "one zero point is allowed");
  size_t channels = std::max(in.scales.size(), out.scales.size());
  std::vector<double> ratios(channels);
  for (size_t c = 0; c < channels; ++c)
    ratios[c] = in.scales[in.scales.size() == 1 ? 0 : c] /
                out.scales[out.scales.size() == 1 ? 0 : c];
  kernel::Builder builder(columns);
  kernel::Value x = builder.element("x", in.bits, in.range, in.isSigned);
  kernel::Value y =
      kernel::requantize(x, ratios, in.zeroPoints, out.zeroPoints.front(),
                         out.range, rounding);
  kernel::Kernel kernel = builder.finish(y, out.bits);
  if (llvm::Expected<kernel::Bounds> bounds = kernel::bound(kernel.graph);
      !bounds)
    return bounds.takeError();
  return kernel;
}
