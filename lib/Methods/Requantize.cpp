//===- Requantize.cpp - A change of quantized type ------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Methods/Requantize.h"
#include "Steps.h"
#include "nlq/Kernel/Bound.h"

using namespace nlq;
using namespace nlq::methods;

llvm::Expected<kernel::Kernel>
nlq::methods::buildRequantize(const Quantized &in, const Quantized &out,
                              int64_t columns, kernel::Rounding rounding) {
  if (columns < 1)
    return refuse("rows of " + llvm::Twine(columns) + " elements");
  if (llvm::Error error = validate("operand", in, columns))
    return std::move(error);
  if (llvm::Error error = validate("result", out, columns))
    return std::move(error);
  for (int64_t zeroPoint : out.zeroPoints)
    if (zeroPoint != out.zeroPoints[0])
      return refuse("the result has the zero points " +
                    llvm::Twine(out.zeroPoints[0]) + " and " +
                    llvm::Twine(zeroPoint) +
                    ", and one for all columns is needed");
  kernel::Builder builder(columns);
  kernel::Value x = builder.element("x", in.bits, in.range, in.isSigned);
  kernel::Value y =
      kernel::requantize(x, ratiosOfScales(in.scales, out.scales),
                         in.zeroPoints, out.zeroPoints[0], out.range, rounding);
  kernel::Kernel kernel = builder.finish(y, out.bits);
  if (llvm::Expected<kernel::Bounds> bounds = kernel::bound(kernel.graph))
    return kernel;
  else
    return bounds.takeError();
}
