//===- Quantize.cpp - From a float module to a quantized one ------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Quantization/Quantize.h"
#include "Quantizer.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "nlq/Conversion/RowsLast.h"
#include "nlq/Dialect/NLQ/IR/NLQOps.h"
#include "nlq/Quantization/Passes.h"
#include "nlq/Quantization/QuantizeCandidates.h"
#include "nlq/Quantization/QuantizeTypes.h"

using namespace mlir;
using namespace nlq;

namespace {
/// How operations of one name are quantized.
struct Rule {
  llvm::StringLiteral opName;
  LogicalResult (*quantize)(Quantizer &, Operation *);
};
} // namespace

/// Operations without a rule of their own: those that only move elements, and
/// the non-linear ones, by their interface.
static constexpr Rule kRules[] = {
    {llvm::StringLiteral("arith.addf"), quantizeSum},
    {llvm::StringLiteral("arith.mulf"), quantizeElementwiseProduct},
    {llvm::StringLiteral("arith.subf"), quantizeSum},
    {llvm::StringLiteral("func.return"), quantizeReturn},
    {llvm::StringLiteral("linalg.batch_matmul"), quantizeBatchMatmul},
    {llvm::StringLiteral("linalg.matmul"), quantizeMatmul},
    {llvm::StringLiteral("tensor.concat"), quantizeConcat},
};

/// How `op` is quantized; null where it has no integer form. Moves have none of
/// their own: they are made where somebody asks for them.
static LogicalResult (*findRule(Operation *op))(Quantizer &, Operation *) {
  if (getMovedOperand(op))
    return [](Quantizer &, Operation *) { return success(); };
  if (isa<NonlinearOpInterface>(op))
    return quantizeNonlinear;
  for (const Rule &rule : kRules)
    if (op->getName().getStringRef() == rule.opName)
      return rule.quantize;
  return nullptr;
}

LogicalResult Quantizer::quantizeArguments() {
  builder.setInsertionPointToStart(&func.getBody().front());
  for (BlockArgument argument : func.getArguments()) {
    auto tensor = dyn_cast<RankedTensorType>(argument.getType());
    if (!tensor || !tensor.getElementType().isF32() || !tensor.hasStaticShape())
      return func.emitError("argument ")
             << argument.getArgNumber()
             << " of 'main' must be a static f32 tensor, found "
             << argument.getType();
    auto type = getNaturalType(argument);
    if (failed(type))
      return failure();
    Value quantized = quant::QuantizeCastOp::create(
        builder, argument.getLoc(), withElementType(tensor, *type), argument);
    setRaw(argument, toStorage(argument.getLoc(), quantized), *type);
  }
  return success();
}

void Quantizer::eraseFloatOps() {
  // The constants that non-linear operations read stay.
  for (Operation *op : llvm::reverse(floatOps))
    if (!op->hasTrait<OpTrait::IsTerminator>() && op->use_empty())
      op->erase();
}

LogicalResult Quantizer::run() {
  // Constants are quantized for the types their users want.
  SmallVector<Operation *> changing;
  for (Operation *op : floatOps)
    if (op->getNumResults() == 0 ||
        !llvm::all_of(op->getResults(),
                      [&](Value result) { return isConstant(result); }))
      changing.push_back(op);
  // All that must stay float are named at once.
  bool isRefused = false;
  for (Operation *op : changing)
    if (!findRule(op)) {
      op->emitOpError("cannot be quantized: it has no integer form");
      isRefused = true;
    }
  if (isRefused || failed(quantizeArguments()))
    return failure();
  for (Operation *op : changing) {
    builder.setInsertionPoint(op);
    if (failed(findRule(op)(*this, op)))
      return failure();
  }
  eraseFloatOps();
  return success();
}

/// One sentence for an option out of its range.
template <typename T>
static LogicalResult checkRange(ModuleOp module, StringRef option, T value,
                                T least, T largest) {
  if (value >= least && value <= largest)
    return success();
  return module.emitError(option)
         << " must be " << least << " to " << largest << ", found " << value;
}

static LogicalResult checkWord(ModuleOp module, StringRef option, int64_t bits,
                               ArrayRef<int64_t> allowed) {
  if (llvm::is_contained(allowed, bits))
    return success();
  auto diag = module.emitError(option) << " must be ";
  llvm::interleave(allowed, diag, " or ");
  return diag << ", found " << bits;
}

static LogicalResult checkOptions(ModuleOp module,
                                  const QuantizeOptions &options) {
  using Int = int64_t;
  if (failed(checkRange<Int>(module, "act-bits", options.actBits, 4, 8)) ||
      failed(
          checkRange<Int>(module, "weight-bits", options.weightBits, 4, 8)) ||
      failed(checkRange<Int>(module, "residual-bits", options.residualBits, 8,
                             16)) ||
      failed(checkRange<Int>(module, "argument-bits", options.argumentBits, 4,
                             8)) ||
      failed(checkWord(module, "probability-bits", options.probabilityBits,
                       {8, 16})) ||
      failed(checkWord(module, "operand-bits", options.operandBits,
                       {8, 16, 32})) ||
      failed(checkRange(module, "percentile", options.range.percentile, 50.0,
                        100.0)))
    return failure();
  std::pair<StringRef, double> exponents[] = {
      {"norm-exponent", options.normExponent},
      {"gelu-exponent", options.geluExponent},
      {"attention-exponent", options.attentionExponent},
      {"value-exponent", options.valueExponent},
      {"query-key-exponent", options.queryKeyExponent}};
  for (auto [name, exponent] : exponents)
    if (failed(checkRange(module, name, exponent, 0.0, 1.0)))
      return failure();
  if (llvm::Error error = parseCandidateGroups(options.candidates).takeError())
    return module.emitError(llvm::toString(std::move(error)));
  return success();
}

LogicalResult nlq::quantizeModule(ModuleOp module, const Profile &profile,
                                  const QuantizeOptions &options) {
  if (failed(checkOptions(module, options)))
    return failure();
  func::FuncOp func = lookupMain(module);
  if (!func || failed(moveRowsLast(func)))
    return failure();
  return Quantizer(func, profile, options).run();
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace nlq {
#define GEN_PASS_DEF_NLQQUANTIZE
#include "nlq/Quantization/Passes.h.inc"
} // namespace nlq

namespace {
struct NLQQuantizePass : nlq::impl::NLQQuantizeBase<NLQQuantizePass> {
  using NLQQuantizeBase::NLQQuantizeBase;

  void runOnOperation() override {
    QuantizeOptions options;
    options.actBits = actBits;
    options.weightBits = weightBits;
    options.residualBits = residualBits;
    options.argumentBits = argumentBits;
    options.probabilityBits = probabilityBits;
    options.operandBits = operandBits;
    options.asymmetric = asymmetric;
    options.normExponent = normExponent;
    options.geluExponent = geluExponent;
    options.attentionExponent = attentionExponent;
    options.valueExponent = valueExponent;
    options.queryKeyExponent = queryKeyExponent;
    options.range.percentile = percentile;
    options.biasCorrection = biasCorrection;
    options.candidates = candidates;
    llvm::Expected<RangeChoice> choice = parseRangeChoice(ranges);
    if (!choice) {
      getOperation().emitError(llvm::toString(choice.takeError()));
      return signalPassFailure();
    }
    options.range.choice = *choice;
    llvm::Expected<WeightScale> scale = parseWeightScale(weightScales);
    if (!scale) {
      getOperation().emitError(llvm::toString(scale.takeError()));
      return signalPassFailure();
    }
    options.weightScale = *scale;
    llvm::Expected<WeightRounding> rounding =
        parseWeightRounding(weightRounding);
    if (!rounding) {
      getOperation().emitError(llvm::toString(rounding.takeError()));
      return signalPassFailure();
    }
    options.weightRounding = *rounding;
    llvm::Expected<Profile> loaded = Profile::load(profile);
    if (!loaded) {
      getOperation().emitError(llvm::toString(loaded.takeError()));
      return signalPassFailure();
    }
    if (failed(quantizeModule(getOperation(), *loaded, options)))
      signalPassFailure();
  }
};
} // namespace
