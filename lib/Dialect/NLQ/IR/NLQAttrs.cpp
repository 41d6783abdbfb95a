//===- NLQAttrs.cpp - Attributes of the nlq dialect ---------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Dialect/NLQ/IR/NLQAttrs.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/Builders.h"
#include "nlq/Methods/Registry.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace nlq;

#include "nlq/Dialect/NLQ/IR/NLQEnums.cpp.inc"

#include "nlq/Dialect/NLQ/IR/NLQAttrInterfaces.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "nlq/Dialect/NLQ/IR/NLQAttrs.cpp.inc"

void NLQDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "nlq/Dialect/NLQ/IR/NLQAttrs.cpp.inc"
      >();
}

kernel::Rounding nlq::toKernelRounding(RoundingMode mode) {
  switch (mode) {
  case RoundingMode::Floor:
    return kernel::Rounding::Floor;
  case RoundingMode::TowardZero:
    return kernel::Rounding::TowardZero;
  case RoundingMode::HalfUp:
    return kernel::Rounding::HalfUp;
  case RoundingMode::HalfEven:
    return kernel::Rounding::HalfEven;
  case RoundingMode::HalfAway:
    return kernel::Rounding::HalfAway;
  }
  llvm_unreachable("covered switch");
}

methods::Quantized nlq::toQuantized(quant::QuantizedType type) {
  methods::Quantized result;
  result.bits = type.getStorageTypeIntegralWidth();
  result.isSigned = type.isSigned();
  result.range = {type.getStorageTypeMin(), type.getStorageTypeMax()};
  if (auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(type)) {
    ArrayRef<double> scales = perAxis.getScales();
    ArrayRef<int64_t> zeroPoints = perAxis.getZeroPoints();
    result.scales.assign(scales.begin(), scales.end());
    result.zeroPoints.assign(zeroPoints.begin(), zeroPoints.end());
  } else {
    auto perTensor = cast<quant::UniformQuantizedType>(type);
    result.scales = {perTensor.getScale()};
    result.zeroPoints = {perTensor.getZeroPoint()};
  }
  return result;
}

llvm::Expected<kernel::Kernel>
nlq::detail::buildKernel(StringRef method, StringRef function,
                         const methods::Problem &problem) {
  const methods::Method *entry = methods::lookup(method);
  if (!entry)
    return llvm::createStringError("no method '" + method +
                                   "' in the registry");
  return methods::build(*entry, function, problem);
}

LogicalResult
nlq::detail::verifyMethod(function_ref<InFlightDiagnostic()> emitError, Type in,
                          unsigned outBits) {
  if (in &&
      !isa<quant::UniformQuantizedType, quant::UniformQuantizedPerAxisType>(in))
    return emitError() << "'in' must be a !quant.uniform type per tensor or "
                          "per axis, found "
                       << in;
  if (outBits < 1 || outBits > 16)
    return emitError() << "'out_bits' must be 1 to 16, found " << outBits;
  return success();
}
