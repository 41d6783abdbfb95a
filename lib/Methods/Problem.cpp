//===- Problem.cpp - An operation as plain numbers ------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Methods/Problem.h"
#include "Steps.h"
#include "nlq/Methods/Functions.h"
#include <cmath>

using namespace nlq;
using namespace nlq::methods;

llvm::Error nlq::methods::validate(llvm::StringRef name, const Quantized &type,
                                   int64_t columns) {
  auto wrong = [&](const llvm::Twine &what) {
    return refuse("the type '" + name + "' has " + what);
  };
  if (type.bits < 1 || type.bits > 32)
    return wrong(llvm::Twine(type.bits) + " bits, and 1 to 32 are allowed");
  if (type.scales.size() != 1 && int64_t(type.scales.size()) != columns)
    return wrong(llvm::Twine(type.scales.size()) + " scales for rows of " +
                 llvm::Twine(columns));
  if (type.zeroPoints.size() != type.scales.size())
    return wrong(llvm::Twine(type.zeroPoints.size()) + " zero points and " +
                 llvm::Twine(type.scales.size()) + " scales");
  for (double scale : type.scales)
    if (!std::isfinite(scale) || scale <= 0)
      return wrong("the scale " + text(scale) +
                   ", and positive finite ones are allowed");
  for (int64_t zeroPoint : type.zeroPoints)
    if (zeroPoint < INT32_MIN || zeroPoint > INT32_MAX)
      return wrong("the zero point " + llvm::Twine(zeroPoint) +
                   ", and 32 bits are allowed");
  kernel::Interval storage = kernel::storageRange(type.bits, type.isSigned);
  if (type.range.lo > type.range.hi || !storage.contains(type.range))
    return wrong("values in [" + llvm::Twine(type.range.lo) + ", " +
                 llvm::Twine(type.range.hi) + "] and a storage for [" +
                 llvm::Twine(storage.lo) + ", " + llvm::Twine(storage.hi) +
                 "]");
  return llvm::Error::success();
}

/// The kernels shift by one zero point for all columns.
static llvm::Error requireOneZeroPoint(llvm::StringRef name,
                                       const Quantized &type) {
  for (int64_t zeroPoint : type.zeroPoints)
    if (zeroPoint != type.zeroPoints[0])
      return refuse("the type '" + name + "' has the zero points " +
                    llvm::Twine(type.zeroPoints[0]) + " and " +
                    llvm::Twine(zeroPoint) +
                    ", and one for all columns is "
                    "needed");
  return llvm::Error::success();
}

static llvm::Error validateParameter(llvm::StringRef name,
                                     llvm::ArrayRef<double> values,
                                     int64_t columns) {
  if (int64_t(values.size()) != columns)
    return refuse(name + " has " + llvm::Twine(values.size()) +
                  " values for rows of " + llvm::Twine(columns));
  for (double value : values)
    if (!std::isfinite(value))
      return refuse(name + " holds a value that is not finite");
  return llvm::Error::success();
}

llvm::Error nlq::methods::validate(llvm::StringRef function,
                                   const Problem &problem) {
  int64_t columns = problem.maxRowLength;
  if (columns < 1 || columns > INT32_MAX)
    return refuse("rows of " + llvm::Twine(columns) +
                  " elements, and 1 to 2^31 - 1 are allowed");
  if (problem.outBits < 1 || problem.outBits > 16)
    return refuse("out_bits is " + llvm::Twine(problem.outBits) +
                  ", and 1 to 16 are allowed");
  int64_t last = 0;
  for (int64_t cut : problem.cuts) {
    if (cut <= last || cut > 63)
      return refuse("the cut " + llvm::Twine(cut) + " follows " +
                    llvm::Twine(last) +
                    ", and growing ones of 1 to 63 are allowed");
    last = cut;
  }
  if (llvm::Error error = validate("operand", problem.operand, columns))
    return error;
  if (llvm::Error error = validate("in", problem.narrowed, columns))
    return error;
  if (llvm::Error error = validate("result", problem.result, columns))
    return error;
  if (problem.narrowed != problem.operand)
    if (llvm::Error error = requireOneZeroPoint("in", problem.narrowed))
      return error;
  if (llvm::Error error = requireOneZeroPoint("result", problem.result))
    return error;
  const Function *entry = lookupFunction(function);
  if ((problem.hasMask || problem.isCausal) && entry &&
      entry->kind != FunctionKind::Probabilities)
    return refuse("rows with a mask are for probabilities only");
  if (!entry || !entry->isNormalization())
    return llvm::Error::success();
  if (llvm::Error error = validateParameter("gamma", problem.gamma, columns))
    return error;
  if (entry->hasBeta)
    if (llvm::Error error = validateParameter("beta", problem.beta, columns))
      return error;
  if (!std::isfinite(problem.epsilon) || problem.epsilon < 0)
    return refuse("epsilon is " + text(problem.epsilon) +
                  ", and finite values of at least 0 are allowed");
  return llvm::Error::success();
}
