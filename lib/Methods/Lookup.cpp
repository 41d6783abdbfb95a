//===- Lookup.cpp - A table of integers -----------------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Methods/Lookup.h"
#include "Steps.h"
#include "nlq/Kernel/Bound.h"

using namespace nlq;
using namespace nlq::methods;

llvm::Expected<kernel::Kernel>
nlq::methods::buildLookup(const Quantized &in, const Quantized &out,
                          llvm::ArrayRef<int32_t> table, int64_t columns) {
  if (llvm::Error error = validate("operand", in, columns))
    return std::move(error);
  if (llvm::Error error = validate("result", out, columns))
    return std::move(error);
  int64_t values = in.range.hi - in.range.lo + 1;
  if (int64_t(table.size()) != values)
    return refuse("the table has " + llvm::Twine(table.size()) +
                  " entries for an operand of " + llvm::Twine(values) +
                  " values");
  for (int32_t entry : table)
    if (!out.range.contains(entry))
      return refuse("the entry " + llvm::Twine(entry) +
                    " is no value of the result, which has [" +
                    llvm::Twine(out.range.lo) + ", " +
                    llvm::Twine(out.range.hi) + "]");
  kernel::Builder builder(columns);
  kernel::Value x = builder.element("x", in.bits, in.range, in.isSigned);
  kernel::Value y = builder.lookup(kernel::Table(table.begin(), table.end()),
                                   x - in.range.lo);
  kernel::Kernel kernel = builder.finish(y, out.bits);
  if (llvm::Expected<kernel::Bounds> bounds = kernel::bound(kernel.graph))
    return kernel;
  else
    return bounds.takeError();
}
