//===- SetMethod.cpp - One method for operations without candidates -------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "nlq/Methods/Registry.h"
#include "nlq/Quantization/AssignCandidates.h"
#include "nlq/Quantization/AssignPasses.h"

namespace nlq {
#define GEN_PASS_DEF_NLQSETMETHOD
#include "nlq/Quantization/AssignPasses.h.inc"
} // namespace nlq

using namespace mlir;
using namespace nlq;

namespace {

struct NLQSetMethodPass : nlq::impl::NLQSetMethodBase<NLQSetMethodPass> {
  using NLQSetMethodBase::NLQSetMethodBase;

  void runOnOperation() override {
    // What a name stands for depends on the function.
    bool isName = !StringRef(method).starts_with("#");
    MethodAttrInterface given;
    if (isName) {
      if (llvm::Error error = checkName())
        return fail(llvm::toString(std::move(error)));
    } else {
      std::string message;
      if (!(given = parse(method, message)))
        return fail("'" + method + "' is no method attribute" + message);
    }
    getOperation().walk([&](NonlinearOpInterface op) {
      if (op.isQuantized() && !op.getMethodAttr())
        op.setMethodAttr(isName ? resolveName(op.getFunction()) : given);
    });
  }

private:
  void fail(const Twine &message) {
    getOperation().emitError("nlq-set-method: ") << message;
    signalPassFailure();
  }

  llvm::Error checkName() {
    llvm::Expected<CandidateFilter> filter =
        CandidateFilter::parse(method, "", "", -1, -1);
    if (!filter)
      return filter.takeError();
    if (filter->methods.size() != 1)
      return llvm::createStringError("one method is needed, found '" + method +
                                     "'");
    return llvm::Error::success();
  }

  /// The method of this name, or its fallback, with an attribute's defaults.
  MethodAttrInterface resolveName(StringRef function) {
    StringRef name = getMethodFor(*methods::lookup(method), function);
    std::string message;
    return parse(
        ("#nlq." + (name.empty() ? StringRef(method) : name) + "<>").str(),
        message);
  }

  /// Null, and the parser's reason, where `text` is no method.
  MethodAttrInterface parse(StringRef text, std::string &message) {
    ScopedDiagnosticHandler handler(&getContext(), [&](Diagnostic &diagnostic) {
      message = ": " + diagnostic.str();
    });
    return dyn_cast_or_null<MethodAttrInterface>(
        parseAttribute(text, &getContext()));
  }
};

} // namespace
