//===- Diagnostics.h - Diagnostics as errors ------------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_TOOLS_NLQBENCH_DIAGNOSTICS_H
#define NLQ_TOOLS_NLQBENCH_DIAGNOSTICS_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Location.h"
#include "llvm/Support/Error.h"

namespace nlq::bench {

/// Keeps the first error that a context reports while this lives, for one
/// sentence to the user; remarks and warnings are dropped.
class Diagnostics {
public:
  explicit Diagnostics(mlir::MLIRContext *context)
      : handler(context, [this](mlir::Diagnostic &diagnostic) {
          if (diagnostic.getSeverity() != mlir::DiagnosticSeverity::Error ||
              !text.empty())
            return;
          text = diagnostic.str();
          auto file =
              mlir::dyn_cast<mlir::FileLineColLoc>(diagnostic.getLocation());
          // Of text that this program made itself, "-", no line is known.
          if (file && file.getLine() > 0 &&
              file.getFilename().getValue() != "-")
            text = (file.getFilename().getValue() + ":" +
                    llvm::Twine(file.getLine()) + ":" +
                    llvm::Twine(file.getColumn()) + ": " + text)
                       .str();
        }) {}

  /// What was reported; call it after a failure.
  llvm::Error takeError() const { return llvm::createStringError(text); }

private:
  std::string text;
  mlir::ScopedDiagnosticHandler handler;
};

} // namespace nlq::bench

#endif // NLQ_TOOLS_NLQBENCH_DIAGNOSTICS_H
