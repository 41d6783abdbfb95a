//===- QuantizeMask.cpp - Masks of softmax --------------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A mask that is added to scores has two levels: 0, and so far below that
// nothing is left of an exponential. As integers it says what takes part, one
// byte each; other masks are refused. One that is no constant is read in a type
// of two levels.
//
//===----------------------------------------------------------------------===//

#include "Quantizer.h"
#include "mlir/IR/Matchers.h"
#include "nlq/Dialect/NLQ/IR/NLQOps.h"
#include "nlq/Quantization/QuantizeTypes.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace nlq;

/// Where a mask's upper level is at 0, the lower one is at most here: e^-64 is
/// below 2^-92. Swin's masks are at -100 (Liu et al., ICCV 2021, the published
/// code), those of BERT at -10000.
static constexpr double kLeftOut = -64;

quant::UniformQuantizedType nlq::getMaskType(MLIRContext *context) {
  // Rounding tells the levels apart halfway, at kLeftOut.
  return quant::UniformQuantizedType::get(
      quant::QuantizationFlags::Signed, IntegerType::get(context, 8),
      Float32Type::get(context), /*scale=*/-2 * kLeftOut, /*zeroPoint=*/1,
      /*storageTypeMin=*/0, /*storageTypeMax=*/1);
}

bool nlq::isAddedMask(OpOperand &use) {
  auto op = dyn_cast<NonlinearOpInterface>(use.getOwner());
  return op && use.getOperandNumber() != 0 && use.get() == op.getMaskTensor() &&
         isa<FloatType>(getElementTypeOrSelf(use.get().getType()));
}

static InFlightDiagnostic refuse(Operation *op) {
  return op->emitOpError("cannot be quantized: its mask ");
}

/// Names a value that is on neither level.
static LogicalResult refuseValue(Operation *op, StringRef where, double value) {
  std::string text;
  llvm::raw_string_ostream(text)
      << where << ' ' << llvm::format("%g", value)
      << "; only 0 and values of at most " << llvm::format("%g", kLeftOut)
      << " can be told from integers";
  return refuse(op) << text;
}

/// The mask as bytes, of a constant.
static FailureOr<Value> quantizeConstantMask(Quantizer &quantizer,
                                             Operation *op, Value mask) {
  auto type = cast<RankedTensorType>(mask.getType());
  auto bytes = type.clone(quantizer.builder.getI8Type());
  SmallVector<int64_t> takesPart;
  if (isa<FloatType>(type.getElementType())) {
    FailureOr<std::vector<double>> values = getConstantFloats(mask);
    if (failed(values))
      return refuse(op) << "of type " << type
                        << " must be a constant with its data present";
    for (double value : *values) {
      if (value != 0 && !(value <= kLeftOut))
        return refuseValue(op, "holds", value);
      takesPart.push_back(value == 0);
    }
    return quantizer.createConstant(op->getLoc(), "mask", bytes, takesPart);
  }
  if (type.getElementType().isInteger(8))
    return mask;
  DenseIntElementsAttr bits;
  if (!matchPattern(mask, m_Constant(&bits)))
    return refuse(op) << "of type " << type
                      << " must be a constant with its data present";
  for (const APInt &bit : bits)
    takesPart.push_back(bit.getZExtValue());
  return quantizer.createConstant(op->getLoc(), "mask", bytes, takesPart);
}

/// Fails if the samples have seen values between the two levels.
static LogicalResult checkLevels(Quantizer &quantizer, Operation *op,
                                 Value mask) {
  auto profile = quantizer.getProfile(mask);
  if (failed(profile))
    return failure();
  double between = 0;
  if ((*profile)->max > 0)
    between = (*profile)->max;
  const Histogram &histogram = (*profile)->histogram;
  for (int bin = 0; bin < Histogram::kNumBins; ++bin)
    if (histogram.getBins()[bin] > 0 && histogram.getEdge(bin) < 0 &&
        histogram.getEdge(bin + 1) > kLeftOut)
      between = std::max<double>((*profile)->min, histogram.getEdge(bin));
  if (between != 0)
    return refuseValue(op, "has had values in the samples about", between);
  return success();
}

FailureOr<Value> nlq::quantizeMask(Quantizer &quantizer, Operation *op,
                                   Value mask) {
  if (quantizer.isConstant(mask))
    return quantizeConstantMask(quantizer, op, mask);
  if (!isa<FloatType>(getElementTypeOrSelf(mask.getType())))
    return mask;
  if (failed(checkLevels(quantizer, op, mask)))
    return failure();
  return quantizer.getAs(mask, getMaskType(op->getContext()));
}
