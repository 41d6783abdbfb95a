//===- Passes.td - Conversion passes --------------------------*- tablegen -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_CONVERSION_PASSES_TD
#define NLQ_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def NLQToInteger : Pass<"nlq-to-integer", "::mlir::ModuleOp"> {
  let summary = "Strip quantized types and turn nlq operations into kernels";
  let description = [{
    Replaces every quantized nlq operation by `nlq.kernel` on signless integers:
    the kernel that its method builds, and for `nlq.requantize` the shared
    requantization kernel, simplified. Quantized types disappear, also from functions, calls
    and operations of the tensor dialect; the boundary casts `quant.qcast` and
    `quant.dcast` stay, each beside the `quant.scast` that gives it its type.

    Fails where an operation has no method, or where the method is not legal
    there, with the method's reason. A remark tells of operations whose elements
    need 64-bit lanes.

    ```mlir
    %y = nlq.requantize %x half_up
        : tensor<4x!quant.uniform<i32:f32, 0.1>>
        -> tensor<4x!quant.uniform<i8:f32, 0.2>>
    // becomes
    %y = nlq.kernel #graph ins(%x : tensor<4xi32>) outs(%e : tensor<4xi8>)
        -> tensor<4xi8>
    ```
  }];
  let dependentDialects = ["::nlq::NLQDialect", "::mlir::arith::ArithDialect",
                           "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"numKernels", "kernels",
                              "Operations turned into kernels">];
}

def NLQFixExtents : Pass<"nlq-fix-extents", "::mlir::ModuleOp"> {
  let summary = "Give the dynamic extents of main's arguments values";
  let description = [{
    For what runs static shapes only, the reference runner and the JIT: `extents`
    are those of the arguments of `main` that are dynamic, in order. What follows
    must keep the shapes of its operands: operations of nlq and casts of
    quantized types. Kernels stay those of the declared `max_row_length`, so that
    results are those of the function with dynamic extents.

    ```mlir
    func.func @main(%x: tensor<?x?x!x>) -> tensor<?x?x!p> {
      %y = nlq.softmax %x {max_row_length = 300 : i64} : tensor<?x?x!x> -> tensor<?x?x!p>
      return %y : tensor<?x?x!p>
    }
    // becomes, with extents=9,49,
    func.func @main(%x: tensor<9x49x!x>) -> tensor<9x49x!p> {
      %y = nlq.softmax %x {max_row_length = 300 : i64} : tensor<9x49x!x> -> tensor<9x49x!p>
      return %y : tensor<9x49x!p>
    }
    ```
  }];
  let options = [ListOption<"extents", "extents", "int64_t",
                            "Values, one for each dynamic extent">];
}

def NLQToFloat : Pass<"nlq-to-float", "::mlir::func::FuncOp"> {
  let summary = "Compute quantized non-linear operations exactly, in float";
  let description = [{
    Replaces every quantized non-linear operation by `quant.dcast`, the float
    operation and `quant.qcast`: the exact function on the quantized operand,
    rounded to the result type. This is the bound that no integer method can
    beat at these types, and what stacks without integer kernels run.

    ```mlir
    %y = nlq.gelu %x erf : tensor<4x!quant.uniform<i8:f32, 0.1>>
        -> tensor<4x!quant.uniform<i8:f32, 0.1>>
    // becomes
    %0 = quant.dcast %x : tensor<4x!quant.uniform<i8:f32, 0.1>> to tensor<4xf32>
    %1 = nlq.gelu %0 erf : tensor<4xf32> -> tensor<4xf32>
    %y = quant.qcast %1 : tensor<4xf32> to tensor<4x!quant.uniform<i8:f32, 0.1>>
    ```
  }];
  let dependentDialects = ["::nlq::NLQDialect", "::mlir::quant::QuantDialect"];
}

def NLQVerifyIntegerOnly : Pass<"nlq-verify-integer-only", "::mlir::ModuleOp"> {
  let summary = "Fail if a float operation is left between the boundary casts";
  let description = [{
    Between `quant.qcast`, where floats become integers, and `quant.dcast`,
    where they become floats again, no operation may touch a float. Every
    operation with a float operand or result, other than the boundary casts and
    what lies outside of them (function arguments and results), is named in an
    error.
  }];
}

def NLQLowerBoundaryCasts
    : Pass<"nlq-lower-boundary-casts", "::mlir::func::FuncOp"> {
  let summary = "Lower quant.qcast and quant.dcast with rounding and clamping";
  let description = [{
    `qcast`: `clamp(roundeven(x / scale) + zero point)`; the clamp comes before
    the cast to integer, so that no float is out of the integer's range. A NaN
    becomes the zero point. `dcast`: `(q - zero point) * scale`. Both become
    linalg on the storage type. (Upstream's lowering truncates instead of
    rounding.) Run this before the canonicalizer, which takes a `dcast` of a
    `qcast` for nothing.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect",
                           "::mlir::math::MathDialect",
                           "::mlir::tensor::TensorDialect"];
}

def NLQRowsLast : Pass<"nlq-rows-last", "::mlir::func::FuncOp"> {
  let summary = "Make the last dimension the row of every operation on floats";
  let description = [{
    A softmax over another axis comes between two transpositions; a
    normalization over several dimensions between a collapse of them and the
    expansion back. Everything else, quantizing too, knows rows along the last
    dimension only. Calibration, quantizing and the lowering of floats begin with
    it. Normalizations over dynamic dimensions stay.

    ```mlir
    %y = nlq.softmax %x {axis = 0 : i64} : tensor<2x3xf32> -> tensor<2x3xf32>
    // becomes
    %0 = linalg.transpose ins(%x : tensor<2x3xf32>)
        outs(%e : tensor<3x2xf32>) permutation = [1, 0]
    %1 = nlq.softmax %0 : tensor<3x2xf32> -> tensor<3x2xf32>
    %y = linalg.transpose ins(%1 : tensor<3x2xf32>)
        outs(%f : tensor<2x3xf32>) permutation = [1, 0]
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
}

def ConvertFloatNLQToLinalg
    : Pass<"convert-float-nlq-to-linalg", "::mlir::func::FuncOp"> {
  let summary = "Lower nlq operations on floats to linalg and math";
  let description = [{
    The exact functions as linalg.generic with polynomial approximations of exp
    and erf (upstream's, correct to a few units in the last place of f32), for
    running the float model in calibration. Sums are marked `reassoc`, so that
    they vectorize.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect",
                           "::mlir::math::MathDialect",
                           "::mlir::tensor::TensorDialect"];
}

def ConvertNLQToLinalg : Pass<"convert-nlq-to-linalg", "::mlir::func::FuncOp"> {
  let summary = "Lower nlq.kernel on tensors to linalg, for any code generator";
  let description = [{
    For compilers that tile, fuse and vectorize by themselves. The values of a
    kernel become `linalg.generic` operations on tensors: one for each round of
    reductions over the last dimension, one for the scalars of rows that follow
    from it, one for the result, and one for elements that several of these ask
    for and that take more than three operations. Bodies are arith on integers of
    the narrowest widths that `bound` proves (and `math.ctlz`); tables are
    constants, read by `tensor.extract`. The results are those of `evaluate`, to
    the bit, and of `convert-nlq-to-vector`.

    ```mlir
    // y = floor(x / 2)
    %y = nlq.kernel #half ins(%x : tensor<4x?xi8>) outs(%e : tensor<4x?xi8>)
        -> tensor<4x?xi8>
    // becomes
    %y = linalg.generic {indexing_maps = [#map, #map],
                         iterator_types = ["parallel", "parallel"]}
        ins(%x : tensor<4x?xi8>) outs(%e : tensor<4x?xi8>) {
    ^bb0(%in: i8, %out: i8):
      %c1 = arith.constant 1 : i8
      %0 = arith.shrsi %in, %c1 : i8
      linalg.yield %0 : i8
    } -> tensor<4x?xi8>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect",
                           "::mlir::math::MathDialect",
                           "::mlir::tensor::TensorDialect"];
}

def NLQOutline : Pass<"nlq-outline", "::mlir::ModuleOp"> {
  let summary = "Move operations on buffers into functions of their own";
  let description = [{
    Each distinct `nlq.kernel`, `nlq.product` and linalg operation on buffers of
    static shapes becomes one private function, called wherever it stood: a model's layers share their
    code, which is compiled once, and no function grows with the model (LLVM's
    loop passes take more than linear time in a function's loops).
  }];
  let dependentDialects = ["::mlir::func::FuncDialect"];
  let statistics = [Statistic<"numFunctions", "functions",
                              "Functions made">];
}

def NLQParallelRows : Pass<"nlq-parallel-rows", "::mlir::func::FuncOp"> {
  let summary = "Handle the rows of nlq.kernel on buffers in parallel";
  let description = [{
    Puts each `nlq.kernel` into an `scf.parallel` over parts of its rows, as many
    rows a part as have `elements` elements. Kernels that depend on the number of
    a row, and rows that are one part, stay as they are. What becomes of the
    parallel loop is for others to say: `nlq-lower-to-llvm` with `threads=openmp`
    makes OpenMP of it.

    ```mlir
    nlq.kernel #graph ins(%x : memref<2364x197xi8>) outs(%y : memref<2364x197xi8>)
    // becomes
    scf.parallel (%i) = (%c0) to (%c2364) step (%c48) {
      %0 = arith.subi %c2364, %i : index
      %n = arith.minui %0, %c48 : index
      %xs = memref.subview %x[%i, 0] [%n, 197] [1, 1] : ...
      %ys = memref.subview %y[%i, 0] [%n, 197] [1, 1] : ...
      nlq.kernel #graph ins(%xs : ...) outs(%ys : ...)
    }
    ```
  }];
  let options = [
    Option<"elements", "elements", "int64_t", "8192",
           "Elements of a part, at least">];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect"];
}

def ConvertNLQToVector : Pass<"convert-nlq-to-vector", "::mlir::ModuleOp"> {
  let summary = "Lower nlq.kernel on buffers to loops of vector code";
  let description = [{
    Loops over rows; a row is passed over once per reduction and once for the
    result, in chunks of `lanes` elements, the last chunk overlapping the one
    before it. Up to 8 rows go through each pass together. Widths follow from
    `bound`. Rows may lie apart in memory; their elements must not. Rows of
    dynamic length must not be longer than the graph's `max_row_length`, which
    scratch is made for; those that fill no chunk are passed over by single
    elements.
  }];
  let options = [
    ListOption<"features", "features", "std::string",
               "Vector features of the target: avx2, avx512bw, avx512vbmi, neon, "
               "dotprod">,
    Option<"lanes", "lanes", "int64_t", "0",
           "Elements per vector, a power of two; 0: as many as fill a vector "
           "of the target with 16 bits each, or with 8 where a kernel looks "
           "up bytes, or AVX2 packs its result to bytes">];
  let dependentDialects = [
    "::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect",
    "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect"];
}

def NLQPackProducts : Pass<"nlq-pack-products", "::mlir::func::FuncOp"> {
  let summary = "Turn integer matrix products into nlq.product, weights packed";
  let description = [{
    `linalg.matmul` and `linalg.batch_matmul` of i8 or i16 into i32, on tensors
    of static shapes. A constant right operand is packed for the instructions
    that `features` has, and the bias it starts from, a constant broadcast to
    all rows, becomes its `start`; the constants they came from have no use any
    more. Of two activations the right one is packed where the code runs; a
    transpose of its last two dimensions goes into that. What a product starts
    from otherwise is added to its result.

    ```mlir
    %b = linalg.broadcast ins(%bias : tensor<64xi32>)
        outs(%e : tensor<65x64xi32>) dimensions = [0]
    %y = linalg.matmul ins(%x, %w : tensor<65x64xi8>, tensor<64x64xi8>)
        outs(%b : tensor<65x64xi32>) -> tensor<65x64xi32>
    // becomes, for avx512vnni,
    %y = nlq.product ins(%x, %p : tensor<65x64xi8>, tensor<1x16x64x4xi8>)
        start(%s : tensor<64xi32>)
        outs(%e : tensor<65x64xi32>) {shifted} -> tensor<65x64xi32>
    ```
  }];
  let options = [
    ListOption<"features", "features", "std::string",
               "Vector features of the target: avx2, avx512bw, avx512vnni, neon, "
               "dotprod">];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::tensor::TensorDialect", "::nlq::NLQDialect"];
}

def ConvertProductToVector
    : Pass<"convert-product-to-vector", "::mlir::func::FuncOp"> {
  let summary = "Lower nlq.product on buffers to vector code";
  let description = [{
    Blocks of accumulators stay in registers over the whole depth, and two or
    four products at a time are added to them by the instruction that `features`
    has for it: `vpdpbusd`, `vpdpwssd` (avx512vnni), `vpmaddwd`, or of AArch64
    `sdot` (dotprod), `smull` and `addp`. Without one the same bits come from
    multiplications of i32. Chunks of rows of an i8 left operand, unless it lies
    as `sdot` reads it, and a right operand that is not packed, are copied to
    buffers in the form that the instructions take.
  }];
  let options = [
    ListOption<"features", "features", "std::string",
               "Vector features of the target: avx2, avx512bw, avx512vnni, neon, "
               "dotprod">];
  let dependentDialects = [
    "::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def ConvertMatmulToVector
    : Pass<"convert-matmul-to-vector", "::mlir::func::FuncOp"> {
  let summary = "Lower matrix products on buffers to vector code";
  let description = [{
    `linalg.matmul` and `linalg.batch_matmul` of static shapes on buffers, in
    integers or f32: blocks of `rows` by `lanes` accumulators held in registers
    over the whole reduction. (Narrow integers are better off as `nlq.product`.)
  }];
  let options = [
    Option<"rows", "rows", "int64_t", "4", "Rows of a register block">,
    Option<"lanes", "lanes", "int64_t", "32",
           "Columns of a register block, a power of two">];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def ConvertTransposeToVector
    : Pass<"convert-transpose-to-vector", "::mlir::func::FuncOp"> {
  let summary = "Lower transposes that move whole rows to vector copies";
  let description = [{
    `linalg.transpose` of static shapes on buffers, where the last dimension
    stays the last: heads split from channels and merged again. Others are left
    to loops over elements.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

#endif // NLQ_CONVERSION_PASSES_TD
