//===- NLQInterfaces.td - Interfaces of the nlq dialect -*- tablegen -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_DIALECT_NLQINTERFACES_TD
#define NLQ_DIALECT_NLQINTERFACES_TD

include "mlir/IR/OpBase.td"

def NLQ_MethodAttrInterface : AttrInterface<"MethodAttrInterface"> {
  let cppNamespace = "::nlq";
  let description = [{
    An integer method for a non-linear operation, with the widths it works at.
    Passes select, print and build methods through this interface only.
  }];
  let methods = [
    InterfaceMethod<"The method's name in the registry of methods.",
      "::llvm::StringRef", "getMethodName">,
    InterfaceMethod<"Published arithmetic or the corrected one.",
      "::nlq::MethodForm", "getForm">,
    InterfaceMethod<[{
      The quantized element type that the operand is narrowed to before the
      method's arithmetic, or null where the method takes the operand as it is.
      }], "::mlir::Type", "getIn">,
    InterfaceMethod<"Width in bits of the grid the method computes on.",
      "unsigned", "getOutBits">,
    InterfaceMethod<[{
      Where a method that works in segments cuts them, or null
      (methods::Problem::cuts).
      }], "::mlir::DenseI64ArrayAttr", "getCuts">,
    InterfaceMethod<[{
      The integer kernel of `function` for `problem`, or the reason, one
      sentence, why this method is not legal there.
      }], "::llvm::Expected<::nlq::kernel::Kernel>", "buildKernel",
      (ins "::llvm::StringRef":$function,
           "const ::nlq::methods::Problem &":$problem)>,
  ];
}

def NLQ_NonlinearOpInterface : OpInterface<"NonlinearOpInterface"> {
  let cppNamespace = "::nlq";
  let description = [{
    A row-wise non-linear operation: its last dimension is the row. On f32
    tensors it is exact; on quantized tensors `method` says how it is computed,
    and `candidates` which methods may be assigned.
  }];
  let methods = [
    InterfaceMethod<"The operation's name in the registry of functions.",
      "::llvm::StringRef", "getFunction", (ins), [{}],
      [{
        return ConcreteOp::getOperationName().drop_front(sizeof("nlq.") - 1);
      }]>,
    InterfaceMethod<"The tensor the function is applied to.",
      "::mlir::Value", "getOperandTensor", (ins), [{}],
      [{ return $_op->getOperand(0); }]>,
    InterfaceMethod<"The tensor it makes.",
      "::mlir::Value", "getResultTensor", (ins), [{}],
      [{ return $_op->getResult(0); }]>,
    InterfaceMethod<"The dimension of the operand that rows run along.",
      "int64_t", "getRowDimension", (ins), [{}],
      [{
        return ::llvm::cast<::mlir::ShapedType>(
                   $_op->getOperand(0).getType()).getRank() - 1;
      }]>,
    InterfaceMethod<[{
      The tensor that says which elements take part (see Problem::hasMask), or
      null. Its dimensions are the last of the operand's; an extent of 1 stands
      for all.
      }], "::mlir::Value", "getMaskTensor", (ins), [{}],
      [{ return ::mlir::Value(); }]>,
    InterfaceMethod<[{
      Whether element j of row i takes part for j <= i + (keys - queries) only,
      the last two dimensions being queries and keys.
      }], "bool", "isCausal", (ins), [{}], [{ return false; }]>,
    InterfaceMethod<[{
      The function's own parameters (gamma, beta, epsilon, the spelling of
      GELU), written into `problem`. Fails with an error on the operation where
      a parameter is not a constant.
      }], "::llvm::LogicalResult", "getParameters",
      (ins "::nlq::methods::Problem &":$problem), [{}],
      [{ return ::mlir::success(); }]>,
    InterfaceMethod<"The longest row it may meet, where it declares one.",
      "::std::optional<uint64_t>", "getMaxRowLength", (ins), [{}],
      [{ return ::std::nullopt; }]>,
    InterfaceMethod<"The assigned method, or null.",
      "::nlq::MethodAttrInterface", "getMethodAttr">,
    InterfaceMethod<"Assigns a method.", "void", "setMethodAttr",
      (ins "::nlq::MethodAttrInterface":$method)>,
    InterfaceMethod<"The methods that may be assigned, or null.",
      "::mlir::ArrayAttr", "getCandidatesAttr">,
    InterfaceMethod<"Replaces the candidates.", "void", "setCandidatesAttr",
      (ins "::mlir::ArrayAttr":$candidates)>,
  ];
  let verify = [{
    return ::nlq::detail::verifyNonlinear($_op);
  }];
  let extraSharedClassDeclaration = [{
    /// True on quantized tensors.
    bool isQuantized() {
      return ::nlq::detail::isQuantizedTensor($_op->getOperand(0).getType());
    }
    /// The whole problem that a kernel for `method` must solve: types, row
    /// length, parameters. Quantized operations only.
    ::llvm::FailureOr<::nlq::methods::Problem>
    getProblem(::nlq::MethodAttrInterface method) {
      return ::nlq::detail::getProblem($_op, method);
    }
    /// The integer kernel of this operation under `method`, or the reason why
    /// there is none. Quantized operations only.
    ::llvm::Expected<::nlq::kernel::Kernel>
    buildKernel(::nlq::MethodAttrInterface method) {
      return ::nlq::detail::buildKernel($_op, method);
    }
  }];
}

def NLQ_FixedKernelOpInterface : OpInterface<"FixedKernelOpInterface"> {
  let cppNamespace = "::nlq";
  let description = [{
    A quantized operation that means one integer kernel of its only operand, and
    leaves nothing to choose.
  }];
  let methods = [
    InterfaceMethod<"The kernel, or the reason why there is none.",
      "::llvm::Expected<::nlq::kernel::Kernel>", "buildKernel">,
  ];
}

#endif // NLQ_DIALECT_NLQINTERFACES_TD
