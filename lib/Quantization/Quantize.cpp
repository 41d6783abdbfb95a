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
    {llvm::StringLiteral("arith.mulf"), quantizeScaling},
    {llvm::StringLiteral("arith.subf"), quantizeSum},
    {llvm::StringLiteral("func.return"), quantizeReturn},
    {llvm::StringLiteral("linalg.batch_matmul"), quantizeBatchMatmul},
    {llvm::StringLiteral("linalg.matmul"), quantizeMatmul},
    {llvm::StringLiteral("tensor.concat"), quantizeConcat},
};

static LogicalResult quantizeOp(Quantizer &quantizer, Operation *op) {
  // Made where somebody asks for it.
  if (isShapeOp(op))
    return success();
  if (isa<NonlinearOpInterface>(op))
    return quantizeNonlinear(quantizer, op);
  for (const Rule &rule : kRules)
    if (op->getName().getStringRef() == rule.opName)
      return rule.quantize(quantizer, op);
  return op->emitOpError("cannot be quantized: it has no integer form");
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
  if (failed(quantizeArguments()))
    return failure();
  for (Operation *op : floatOps) {
    // Constants are quantized for the types their users want.
    if (op->getNumResults() > 0 &&
        llvm::all_of(op->getResults(),
                     [&](Value result) { return isConstant(result); }))
      continue;
    builder.setInsertionPoint(op);
    if (failed(quantizeOp(*this, op)))
      return failure();
  }
  eraseFloatOps();
  return success();
}

/// One sentence for an option out of its range.
static LogicalResult checkBits(ModuleOp module, StringRef option, int64_t bits,
                               int64_t least, int64_t largest) {
  if (bits >= least && bits <= largest)
    return success();
  return module.emitError(option)
         << " must be " << least << " to " << largest << ", found " << bits;
}

LogicalResult nlq::quantizeModule(ModuleOp module, const Profile &profile,
                                  const QuantizeOptions &options) {
  if (failed(checkBits(module, "act-bits", options.actBits, 4, 8)) ||
      failed(checkBits(module, "weight-bits", options.weightBits, 4, 8)) ||
      failed(checkBits(module, "residual-bits", options.residualBits, 8, 16)))
    return failure();
  if (llvm::Error error = parseCandidateGroups(options.candidates).takeError())
    return module.emitError(llvm::toString(std::move(error)));
  func::FuncOp func = lookupMain(module);
  if (!func)
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
    options.candidates = candidates;
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
