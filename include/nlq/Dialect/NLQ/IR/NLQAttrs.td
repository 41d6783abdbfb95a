//===- NLQAttrs.td - Attributes of the nlq dialect -*- tablegen -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_DIALECT_NLQATTRS_TD
#define NLQ_DIALECT_NLQATTRS_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "nlq/Dialect/NLQ/IR/NLQDialect.td"
include "nlq/Dialect/NLQ/IR/NLQInterfaces.td"

//===----------------------------------------------------------------------===//
// Enums
//===----------------------------------------------------------------------===//

def NLQ_Rounding : I32Enum<"RoundingMode",
    "how a value between two integers is rounded", [
      I32EnumCase<"Floor", 0, "floor">,
      I32EnumCase<"TowardZero", 1, "toward_zero">,
      I32EnumCase<"HalfUp", 2, "half_up">,
      I32EnumCase<"HalfEven", 3, "half_even">,
      I32EnumCase<"HalfAway", 4, "half_away">]> {
  let cppNamespace = "::nlq";
}
def NLQ_RoundingAttr : EnumAttr<NLQ_Dialect, NLQ_Rounding, "rounding">;

def NLQ_GeluApproximation : I32Enum<"GeluApproximation",
    "which function is called GELU", [
      I32EnumCase<"Erf", 0, "erf">,
      I32EnumCase<"Tanh", 1, "tanh">]> {
  let cppNamespace = "::nlq";
}
def NLQ_GeluApproximationAttr
    : EnumAttr<NLQ_Dialect, NLQ_GeluApproximation, "gelu_approximation">;

def NLQ_MethodForm : I32Enum<"MethodForm",
    "the published arithmetic, to the bit, or its corrected form", [
      I32EnumCase<"Reference", 0, "reference">,
      I32EnumCase<"Corrected", 1, "corrected">]> {
  let cppNamespace = "::nlq";
}

//===----------------------------------------------------------------------===//
// The kernel graph
//===----------------------------------------------------------------------===//

def NLQ_GraphAttr : AttrDef<NLQ_Dialect, "Graph"> {
  let mnemonic = "graph";
  let summary = "an integer kernel graph";
  let description = [{
    The typed integer graph of a kernel: inputs with their rate (`element`,
    `column`, `row`), storage type and range, constant tables, and nodes in the
    order of evaluation. Values are mathematical integers; the lanes of the
    emitted code follow from the ranges.

    A graph that is not well-formed (operands that do not come before their
    users, rates that do not follow from the operands, ranges outside of their
    storage) is an error where it is read.

    Example (clamp to [-7, 7]):

    ```mlir
    #nlq.graph<max_row_length = 64,
      inputs = [x : element i8 in [-128, 127]],
      nodes = [n0 : element = input 0(), n1 : uniform = constant 7(),
               n2 : element = min(n0, n1), n3 : uniform = constant -7(),
               n4 : element = max(n2, n3)],
      result = n4 : i8>
    ```
  }];
  let parameters = (ins "::nlq::kernel::Graph":$graph);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

//===----------------------------------------------------------------------===//
// Methods
//===----------------------------------------------------------------------===//

/// Any attribute that is a method.
def NLQ_AnyMethodAttr
    : Attr<CPred<"::llvm::isa<::nlq::MethodAttrInterface>($_self)">,
           "method attribute"> {
  let storageType = "::nlq::MethodAttrInterface";
  let returnType = "::nlq::MethodAttrInterface";
  let convertFromStorage = "$_self";
}
def NLQ_MethodArrayAttr
    : TypedArrayAttrBase<NLQ_AnyMethodAttr, "array of method attributes">;

/// A method of the registry as an attribute: adding a method is one line here.
class NLQ_MethodAttr<string cppName, string name>
    : AttrDef<NLQ_Dialect, cppName,
              [DeclareAttrInterfaceMethods<NLQ_MethodAttrInterface>]> {
  let mnemonic = name;
  let description = [{
    *Constraints*: `in`, where present, is a `!quant.uniform` type per tensor
    or per channel; `out_bits` is 1 to 16; `cuts`, which methods that work in
    segments take, grow from 1 to 63.
  }];
  let parameters = (ins
    DefaultValuedParameter<"::nlq::MethodForm",
      "::nlq::MethodForm::Corrected",
      "published arithmetic to the bit, or its corrected form">:$form,
    OptionalParameter<"::mlir::Type",
      "type the operand is narrowed to first">:$in,
    DefaultValuedParameter<"unsigned", "16",
      "width of the grid that the method computes on">:$out_bits,
    OptionalParameter<"::mlir::DenseI64ArrayAttr",
      "where segments are cut, chosen from calibration">:$cuts);
  let assemblyFormat = [{
    `<` struct(params) `>`
  }];
  let genVerifyDecl = 1;
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::verify(
        ::llvm::function_ref<::mlir::InFlightDiagnostic()> emitError,
        ::nlq::MethodForm, ::mlir::Type in, unsigned outBits,
        ::mlir::DenseI64ArrayAttr) {
      return ::nlq::detail::verifyMethod(emitError, in, outBits);
    }
    ::llvm::StringRef $cppClass::getMethodName() const {
      return getMnemonic();
    }
    ::llvm::Expected<::nlq::kernel::Kernel> $cppClass::buildKernel(
        ::llvm::StringRef function,
        const ::nlq::methods::Problem &problem) const {
      return ::nlq::detail::buildKernel(getMnemonic(), function, problem);
    }
  }];
}

def NLQ_IBertAttr : NLQ_MethodAttr<"IBert", "ibert"> {
  let summary = "I-BERT: second-order polynomials (arXiv 2101.01321)";
}
def NLQ_IViTAttr : NLQ_MethodAttr<"IViT", "ivit"> {
  let summary = "I-ViT: shifts (arXiv 2207.01405)";
}
def NLQ_FQViTAttr : NLQ_MethodAttr<"FQViT", "fqvit"> {
  let summary = "FQ-ViT: log2 probabilities, power-of-two factors "
                "(arXiv 2111.13824)";
}
def NLQ_TableAttr : NLQ_MethodAttr<"Table", "table"> {
  let summary = "Exact values looked up in tables";
}
def NLQ_IndexSoftmaxAttr : NLQ_MethodAttr<"IndexSoftmax", "indexsoftmax"> {
  let summary = "IndexSoftmax: a table of 32 exponentials (arXiv 2511.21513)";
}
def NLQ_GemmlowpAttr : NLQ_MethodAttr<"Gemmlowp", "gemmlowp"> {
  let summary = "gemmlowp: the fixed-point softmax of TFLite";
}
def NLQ_IptqViTAttr : NLQ_MethodAttr<"IptqViT", "iptqvit"> {
  let summary = "IPTQ-ViT: a fourth-order polynomial for GELU "
                "(arXiv 2511.15369)";
}
def NLQ_PwlAttr : NLQ_MethodAttr<"Pwl", "pwl"> {
  let summary = "Lines on segments chosen for the distribution of the operand";
}

#endif // NLQ_DIALECT_NLQATTRS_TD
