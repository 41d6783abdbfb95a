//===- ConvertNLQToVector.cpp - The pass convert-nlq-to-vector ----------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/PatternMatch.h"
#include "nlq/Conversion/NLQToVector.h"
#include "nlq/Conversion/Passes.h"
#include "nlq/Dialect/NLQ/IR/NLQOps.h"
#include "llvm/Support/MathExtras.h"

namespace nlq {
#define GEN_PASS_DEF_CONVERTNLQTOVECTOR
#include "nlq/Conversion/Passes.h.inc"
} // namespace nlq

using namespace mlir;
using namespace nlq;

namespace {
struct ConvertNLQToVectorPass
    : nlq::impl::ConvertNLQToVectorBase<ConvertNLQToVectorPass> {
  using ConvertNLQToVectorBase::ConvertNLQToVectorBase;

  void runOnOperation() override {
    llvm::Expected<VectorFeatures> known =
        VectorFeatures::parse(ArrayRef<std::string>(*features));
    if (!known) {
      getOperation().emitError(llvm::toString(known.takeError()));
      return signalPassFailure();
    }
    if (lanes < 0 || (lanes > 0 && !llvm::isPowerOf2_64(lanes))) {
      getOperation().emitError("lanes must be a power of two, found ")
          << int64_t(lanes);
      return signalPassFailure();
    }
    SmallVector<KernelOp> kernels;
    getOperation().walk([&](KernelOp op) { kernels.push_back(op); });
    IRRewriter rewriter(&getContext());
    for (KernelOp op : kernels)
      if (failed(lowerKernelToVector(rewriter, op, lanes, *known)))
        return signalPassFailure();
  }
};
} // namespace
