//===- NLQOps.td - Operations of the nlq dialect -*- tablegen -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_DIALECT_NLQOPS_TD
#define NLQ_DIALECT_NLQOPS_TD

include "mlir/Dialect/Quant/IR/QuantBase.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/TilingInterface.td"
include "nlq/Dialect/NLQ/IR/NLQAttrs.td"

class NLQ_Op<string mnemonic, list<Trait> traits = []>
    : Op<NLQ_Dialect, mnemonic, traits>;

def NLQ_MaxRowLengthAttr : ConfinedAttr<I64Attr, [IntPositive]>;

def NLQ_RowTensor : AnyTypeOf<[
    TensorRankOf<[AnyFloat], [1, 2, 3, 4, 5, 6]>,
    TensorRankOf<[quant_QuantizedType], [1, 2, 3, 4, 5, 6]>],
    "tensor of floats or of !quant.uniform, of rank 1 to 6">;

def NLQ_RowParameter : TensorRankOf<[AnyFloat], [1, 2, 3, 4, 5, 6]>;

def NLQ_Mask : TensorRankOf<[I1, I8, AnyFloat], [1, 2, 3, 4, 5, 6]>;

//===----------------------------------------------------------------------===//
// Non-linear operations
//===----------------------------------------------------------------------===//

class NLQ_NonlinearOp<string mnemonic, list<Trait> traits = []>
    : NLQ_Op<mnemonic, !listconcat([
        Pure, NLQ_NonlinearOpInterface], traits)> {
  let results = (outs NLQ_RowTensor:$result);
}

/// A function without parameters.
class NLQ_UnaryOp<string mnemonic> : NLQ_NonlinearOp<mnemonic> {
  let arguments = (ins NLQ_RowTensor:$input,
                       OptionalAttr<NLQ_AnyMethodAttr>:$method,
                       OptionalAttr<NLQ_MethodArrayAttr>:$candidates,
                       OptionalAttr<NLQ_MaxRowLengthAttr>:$max_row_length);
  let assemblyFormat =
      "$input attr-dict `:` type($input) `->` type($result)";
}

def NLQ_SoftmaxOp : NLQ_NonlinearOp<"softmax"> {
  let summary = "softmax over one dimension";
  let description = [{
    `y_j = exp(x_j - max x) / sum_k exp(x_k - max x)` over each row, a row being
    the dimension `axis`, the last one if it is left out. (Other axes are for
    floats: `nlq-rows-last` moves them before anything is quantized.)

    On quantized tensors the operand is what its producer has (often an i32
    accumulator), and the result a grid of probabilities.

    A `mask` of i1 or i8 says which elements take part: those where it is not 0.
    The others have no part in the maximum and the sum, and the probability 0
    exactly. A mask of floats is added to the operand; an element at -infinity
    takes no part. `causal` lets element j of row i take part for
    `j <= i + (keys - queries)` only, the last two dimensions being queries and
    keys: the last query sees all keys. It needs no mask in memory. With both,
    the elements that both let take part do. In a row in which no element takes
    part all probabilities are 0.

    The dimensions of the mask are the last of the operand's; along all but the
    row's an extent of 1 stands for all.

    `max_row_length` is the longest row that the operation may meet: kernels are
    made, and proved not to overflow, for rows of up to so many elements. It is
    needed where the last dimension is dynamic; without it a kernel is made for
    the length that rows have. (A kernel that looks at one element at a time
    needs none. A normalization's rows are as long as gamma.)

    *Constraints*: (C1) operand and result have the same shape, with rows of at
    most `max_row_length` elements; (C2) both are of one float type or both are
    quantized, per tensor or per channel of the last dimension; (C3) `method` and
    `candidates` stand on quantized tensors only; (C4) the mask has at most the
    operand's dimensions and that of the row, whose extent is the operand's, and
    each other is the operand's or 1; (C5) a mask of floats has the operand's
    element type; (C6) a causal operand has at least two dimensions, the rows
    along the last; (C7) `axis` is a dimension of the operand, and of a quantized
    one the last.

    Examples:

    ```mlir
    %y = nlq.softmax %x : tensor<4x65x65xf32> -> tensor<4x65x65xf32>
    %z = nlq.softmax %x mask(%m : tensor<1x65xi1>) causal
        : tensor<4x65x65xf32> -> tensor<4x65x65xf32>
    %w = nlq.softmax %s {max_row_length = 1024 : i64}
        : tensor<4x?x?xf32> -> tensor<4x?x?xf32>
    ```
  }];
  let arguments = (ins NLQ_RowTensor:$input, Optional<NLQ_Mask>:$mask,
                       UnitAttr:$causal, OptionalAttr<I64Attr>:$axis,
                       OptionalAttr<NLQ_AnyMethodAttr>:$method,
                       OptionalAttr<NLQ_MethodArrayAttr>:$candidates,
                       OptionalAttr<NLQ_MaxRowLengthAttr>:$max_row_length);
  let assemblyFormat = [{
    $input (`mask` `(` $mask^ `:` type($mask) `)`)? (`causal` $causal^)?
    attr-dict `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::llvm::LogicalResult getParameters(::nlq::methods::Problem &problem);
    /// The dimension of the rows.
    int64_t getRowDimension() {
      int64_t last = ::llvm::cast<::mlir::ShapedType>(getInput().getType())
                         .getRank() - 1;
      return getAxis().value_or(last);
    }
    ::mlir::Value getMaskTensor() { return getMask(); }
    bool isCausal() { return getCausal(); }
  }];
}

def NLQ_SiluOp : NLQ_UnaryOp<"silu"> {
  let summary = "sigmoid linear unit, also called swish";
  let description = [{
    `y = x / (1 + exp(-x))`.

    *Constraints*: (C1) to (C3) as `nlq.softmax`.

    Example:

    ```mlir
    %y = nlq.silu %x : tensor<65x256xf32> -> tensor<65x256xf32>
    ```
  }];
}

def NLQ_SigmoidOp : NLQ_UnaryOp<"sigmoid"> {
  let summary = "logistic function";
  let description = [{
    `y = 1 / (1 + exp(-x))`.

    *Constraints*: (C1) to (C3) as `nlq.softmax`.

    Example:

    ```mlir
    %y = nlq.sigmoid %x : tensor<65x256xf32> -> tensor<65x256xf32>
    ```
  }];
}

def NLQ_TanhOp : NLQ_UnaryOp<"tanh"> {
  let summary = "hyperbolic tangent";
  let description = [{
    `y = tanh x`.

    *Constraints*: (C1) to (C3) as `nlq.softmax`.

    Example:

    ```mlir
    %y = nlq.tanh %x : tensor<65x256xf32> -> tensor<65x256xf32>
    ```
  }];
}

def NLQ_ExpOp : NLQ_UnaryOp<"exp"> {
  let summary = "exponential function";
  let description = [{
    `y = exp x`.

    *Constraints*: (C1) to (C3) as `nlq.softmax`.

    Example:

    ```mlir
    %y = nlq.exp %x {method = #nlq.table<>}
        : tensor<65x256x!quant.uniform<i8:f32, 0.03:127>>
        -> tensor<65x256x!quant.uniform<i8:f32, 3.9e-03:-128>>
    ```
  }];
}

def NLQ_GeluOp : NLQ_NonlinearOp<"gelu"> {
  let summary = "Gaussian error linear unit";
  let description = [{
    `erf`: `y = x/2 * (1 + erf(x / sqrt 2))`. `tanh`:
    `y = x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))`.

    *Constraints*: (C1) to (C3) as `nlq.softmax`.

    Example:

    ```mlir
    %y = nlq.gelu %x erf : tensor<65x256xf32> -> tensor<65x256xf32>
    ```
  }];
  let arguments = (ins NLQ_RowTensor:$input,
                       NLQ_GeluApproximationAttr:$approximation,
                       OptionalAttr<NLQ_AnyMethodAttr>:$method,
                       OptionalAttr<NLQ_MethodArrayAttr>:$candidates,
                       OptionalAttr<NLQ_MaxRowLengthAttr>:$max_row_length);
  let assemblyFormat = [{
    $input custom<GeluApproximation>($approximation) attr-dict `:` type($input)
    `->` type($result)
  }];
  let extraClassDeclaration = [{
    ::llvm::LogicalResult getParameters(::nlq::methods::Problem &problem);
  }];
}

def NLQ_LayerNormOp : NLQ_NonlinearOp<"layer_norm"> {
  let summary = "layer normalization over the last dimensions";
  let description = [{
    `y_c = (x_c - mean x) / sqrt(var x + epsilon) * gamma_c + beta_c`, mean and
    (biased) variance over the row: the last dimensions, as many as gamma and
    beta have. (More than one are for floats: `nlq-rows-last` makes them one
    before anything is quantized.)

    gamma and beta are f32 constants even where the tensors are quantized: they
    end in the kernel's integer constants.

    *Constraints*: (C1) to (C3) as `nlq.softmax`; (C4) gamma and beta have the
    operand's last dimensions, and of a quantized one the last only; (C5) epsilon
    is not negative.

    Example:

    ```mlir
    %y = nlq.layer_norm %x, %gamma, %beta {epsilon = 1.0e-06 : f64}
        : tensor<65x64xf32>, tensor<64xf32>, tensor<64xf32>
        -> tensor<65x64xf32>
    ```
  }];
  let arguments = (ins NLQ_RowTensor:$input,
                       NLQ_RowParameter:$gamma, NLQ_RowParameter:$beta,
                       F64Attr:$epsilon,
                       OptionalAttr<NLQ_AnyMethodAttr>:$method,
                       OptionalAttr<NLQ_MethodArrayAttr>:$candidates);
  let assemblyFormat = [{
    $input `,` $gamma `,` $beta attr-dict `:` type($input) `,` type($gamma) `,`
    type($beta) `->` type($result)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::llvm::LogicalResult getParameters(::nlq::methods::Problem &problem);
  }];
}

def NLQ_RmsNormOp : NLQ_NonlinearOp<"rms_norm"> {
  let summary = "RMS normalization over the last dimensions";
  let description = [{
    `y_c = x_c / sqrt(mean x^2 + epsilon) * gamma_c`, the mean over the row, the
    last dimensions, as many as gamma has: layer normalization without the mean.

    gamma is an f32 constant even where the tensors are quantized: it ends in the
    kernel's integer constants.

    *Constraints*: (C1) to (C3) as `nlq.softmax`; (C4) gamma has the operand's
    last dimensions, and of a quantized one the last only; (C5) epsilon is not
    negative.

    Example:

    ```mlir
    %y = nlq.rms_norm %x, %gamma {epsilon = 1.0e-06 : f64}
        : tensor<65x64xf32>, tensor<64xf32> -> tensor<65x64xf32>
    ```
  }];
  let arguments = (ins NLQ_RowTensor:$input,
                       NLQ_RowParameter:$gamma,
                       F64Attr:$epsilon,
                       OptionalAttr<NLQ_AnyMethodAttr>:$method,
                       OptionalAttr<NLQ_MethodArrayAttr>:$candidates);
  let assemblyFormat = [{
    $input `,` $gamma attr-dict `:` type($input) `,` type($gamma) `->`
    type($result)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::llvm::LogicalResult getParameters(::nlq::methods::Problem &problem);
  }];
}

//===----------------------------------------------------------------------===//
// Requantization
//===----------------------------------------------------------------------===//

def NLQ_RequantizeOp : NLQ_Op<"requantize", [
    Pure, DeclareOpInterfaceMethods<NLQ_FixedKernelOpInterface>]> {
  let summary = "change the scale, zero point and width of a quantized tensor";
  let description = [{
    `q_out = clamp(round((q_in - zp_in) * m / 2^e) + zp_out)` with
    `m / 2^e = scale_in / scale_out`, m of 31 bits (I-BERT, section 3.1, after
    HAWQ-V3), per channel where a type is per channel. Rounding as spelled. A
    ratio whose mantissa rounds up to 2^31 has 2^30 and a shift less; one of 2^31
    or more shifts the mantissa up, exactly; one below 2^-95 rounds as 2^-126
    does. The operand's channels may have zero points of their own, the result
    has one for all.

    *Constraints*: (C1) operand and result have the same shape; (C2) both are
    quantized per tensor, or per channel of the last dimension.

    Example:

    ```mlir
    %y = nlq.requantize %x half_up
        : tensor<65x64x!quant.uniform<i32:f32, 0.001>>
        -> tensor<65x64x!quant.uniform<i8:f32, 0.05>>
    ```
  }];
  let arguments = (ins TensorRankOf<[quant_QuantizedType],
                                    [0, 1, 2, 3, 4, 5, 6]>:$input,
                       NLQ_RoundingAttr:$rounding);
  let results = (outs TensorRankOf<[quant_QuantizedType],
                                   [0, 1, 2, 3, 4, 5, 6]>:$result);
  let assemblyFormat = [{
    $input custom<Rounding>($rounding) attr-dict `:` type($input) `->`
    type($result)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

def NLQ_LookupOp : NLQ_Op<"lookup", [
    Pure, DeclareOpInterfaceMethods<NLQ_FixedKernelOpInterface>]> {
  let summary = "look every element up in a table";
  let description = [{
    `q_out = table[q_in - min q_in]`, with `min q_in` the least integer of the
    operand's type: any function of one element, already tabulated. The entries
    are stored integers of the result's type.

    There is no float form: a table of integers means nothing without the two
    scales. Functions of the dialect (`nlq.gelu`, `nlq.silu`, ...) by the method
    `table` come down to the same kernel.

    *Constraints*: (C1) operand and result have the same shape; (C2) both are
    quantized per tensor; (C3) the operand has at most 256 values, and the table
    an entry for each; (C4) entries are values of the result's type.

    Example (a square of 2-bit numbers):

    ```mlir
    %y = nlq.lookup %x [4, 1, 0, 1]
        : tensor<65x64x!quant.uniform<i8<-2:1>:f32, 0.5>>
        -> tensor<65x64x!quant.uniform<i8:f32, 0.25>>
    ```
  }];
  let arguments = (ins TensorRankOf<[quant_QuantizedType],
                                    [0, 1, 2, 3, 4, 5, 6]>:$input,
                       DenseI32ArrayAttr:$table);
  let results = (outs TensorRankOf<[quant_QuantizedType],
                                   [0, 1, 2, 3, 4, 5, 6]>:$result);
  let assemblyFormat = [{
    $input $table attr-dict `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// The integer stage
//===----------------------------------------------------------------------===//

def NLQ_Rows : AnyTypeOf<[AnyRankedTensor, AnyMemRef],
                         "ranked tensor or buffer">;

def NLQ_KernelOp : NLQ_Op<"kernel", [
    AttrSizedOperandSegments, DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
    DeclareOpInterfaceMethods<TilingInterface,
      ["getLoopIteratorTypes", "getIterationDomain", "getTiledImplementation",
       "getResultTilePosition", "generateResultTileValue"]>]> {
  let summary = "an integer kernel applied to every row of its operands";
  let description = [{
    Applies a kernel graph to each row (the last dimension) of the `ins`. Inputs
    of rate `element` have the shape of `outs`; inputs of rate `column` have one
    entry per column; inputs of rate `row` one entry per row, with the shape of
    `outs` less its last dimension. Along dimensions other than the last of
    `outs` an input may have an extent of 1, which stands for all: rows share it.
    Elements are signless; the graph says how they are read.

    On tensors the result replaces `outs`; on buffers `outs` is written. The
    rows of `outs` are written while the `ins` are still read, so `outs` must
    not be one of the buffers in `ins`.

    *Constraints*: (C1) there is one `outs`, and as many `ins` as the graph has
    inputs; (C2) all are tensors or all are buffers; (C3) elements have the
    widths that the graph says; (C4) shapes fit the rates; (C5) a row has at
    least one element and at most the graph's `max_row_length`.

    Example:

    ```mlir
    %y = nlq.kernel #graph ins(%x : tensor<65x64xi8>)
                           outs(%init : tensor<65x64xi8>) -> tensor<65x64xi8>
    ```
  }];
  let arguments = (ins Variadic<NLQ_Rows>:$inputs, Variadic<NLQ_Rows>:$outputs,
                       NLQ_GraphAttr:$graph);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    $graph (`ins` `(` $inputs^ `:` type($inputs) `)`)? `outs` `(` $outputs `:`
    type($outputs) `)` attr-dict (`->` type($results)^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return getOutputsMutable();
    }
    /// The operand that holds the rows to write.
    ::mlir::Value getOutput() { return getOutputs().front(); }
    ::mlir::ShapedType getOutputType() {
      return ::llvm::cast<::mlir::ShapedType>(getOutput().getType());
    }
  }];
}

def NLQ_ProductOp : NLQ_Op<"product", [
    DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "a matrix product of integers";
  let description = [{
    `output[b, m, n] = start[n] + sum over k of lhs[b, m, k] * rhs[b, k, n]`, in
    i32, sums wrapping; `b` is there if `lhs` has three dimensions. What `output`
    held before does not matter.

    `rhs` is `[K, N]` (`[B, K, N]`); with `transposed` it is `[N, K]`; or, for a
    `lhs` of two dimensions, it is packed for the instructions that sum up `G`
    neighbouring products: `[ceil(N / L), ceil(K / G), L, G]`, where element
    `[j, i, l, g]` is that of row `i * G + g` and column `j * L + l`, and zero
    outside of the matrix. Then `start` has an entry for every column, those of
    the padding too. It may be left out for zeros.

    `shifted` is for instructions that read bytes of the left operand as
    unsigned: they multiply `lhs[m, k] + 128`, whose bits are those of
    `lhs[m, k]` with the highest inverted, and `start` must make up for it with
    `-128 * (sum over k of rhs[k, n])`. So with `shifted` the value is
    `start[n] + sum over k of (lhs[m, k] + 128) * rhs[k, n]`.

    *Constraints*: (C1) all operands are tensors or all are buffers, of static
    shapes; (C2) elements of `lhs` and `rhs` are i8 or i16, those of `start` and
    `output` i32; (C3) shapes fit as above; (C4) `G` is 2 or 4, and 4 takes i8
    only; (C5) `start` comes with a packed `rhs`, `transposed` does not;
    (C6) `shifted` comes with a `G` of 4.

    Example:

    ```mlir
    %c = nlq.product ins(%a, %b : tensor<257x384xi8>, tensor<24x192x16x2xi8>)
        start(%bias : tensor<384xi32>)
        outs(%init : tensor<257x384xi32>) -> tensor<257x384xi32>
    ```
  }];
  let arguments = (ins NLQ_Rows:$lhs, NLQ_Rows:$rhs, Optional<NLQ_Rows>:$start,
                       NLQ_Rows:$output, UnitAttr:$transposed,
                       UnitAttr:$shifted);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let assemblyFormat = [{
    `ins` `(` $lhs `,` $rhs `:` type($lhs) `,` type($rhs) `)`
    (`start` `(` $start^ `:` type($start) `)`)?
    `outs` `(` $output `:` type($output) `)` attr-dict (`->` type($result)^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return ::mlir::MutableOperandRange(getOutputMutable());
    }
    ::mlir::ShapedType getLhsType() {
      return ::llvm::cast<::mlir::ShapedType>(getLhs().getType());
    }
    ::mlir::ShapedType getRhsType() {
      return ::llvm::cast<::mlir::ShapedType>(getRhs().getType());
    }
    ::mlir::ShapedType getOutputType() {
      return ::llvm::cast<::mlir::ShapedType>(getOutput().getType());
    }
    /// True if `rhs` is in the packed form.
    bool isPacked() {
      return getRhsType().getRank() == 4;
    }
  }];
}

#endif // NLQ_DIALECT_NLQOPS_TD
