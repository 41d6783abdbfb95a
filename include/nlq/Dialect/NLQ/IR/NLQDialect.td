//===- NLQDialect.td - The nlq dialect -*- tablegen -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_DIALECT_NLQDIALECT_TD
#define NLQ_DIALECT_NLQDIALECT_TD

include "mlir/IR/OpBase.td"

def NLQ_Dialect : Dialect {
  let name = "nlq";
  let cppNamespace = "::nlq";
  let summary = "Integer non-linear operations of transformers";
  let description = [{
    The non-linear operations of transformers (softmax, GELU, SiLU and other
    functions of one element, layer and RMS normalization) on f32 tensors and on
    `!quant.uniform` tensors. On quantized tensors an attribute selects the
    integer method that computes the operation; the types never depend on it.

    `nlq.kernel` is the second stage: signless integers, destination style, one
    kernel graph as an attribute. Everything quantized becomes `nlq.kernel`
    through `nlq-to-integer`.

    Arguments and results of functions may have attributes. `nlq.name` is what
    the model calls one. `nlq.strided`, a unit attribute, is for tensors of two
    dimensions and more whose rows do not follow each other in memory: the
    compiled function takes the number of elements from one row to the next, an
    i64 more for each of them.
  }];
  let dependentDialects = ["::mlir::quant::QuantDialect"];
  let useDefaultAttributePrinterParser = 1;
  let hasRegionArgAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
  let extraClassDeclaration = [{
    /// Function argument and result attribute that names it as the model does.
    static constexpr llvm::StringLiteral kNameAttr = "nlq.name";
    /// Unit attribute of a function's tensor argument or result: its rows lie
    /// as far apart as the compiled function is told, in elements.
    static constexpr llvm::StringLiteral kStridedAttr = "nlq.strided";

  private:
    void registerAttributes();
  }];
}

#endif // NLQ_DIALECT_NLQDIALECT_TD
