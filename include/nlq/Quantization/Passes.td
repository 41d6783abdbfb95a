//===- Passes.td - Quantization passes ------------------------*- tablegen -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_QUANTIZATION_PASSES_TD
#define NLQ_QUANTIZATION_PASSES_TD

include "mlir/Pass/PassBase.td"

//===----------------------------------------------------------------------===//
// Quantize
//===----------------------------------------------------------------------===//

def NLQQuantize : Pass<"nlq-quantize", "::mlir::ModuleOp"> {
  let summary = "Quantize a float module by the ranges of a profile";
  let description = [{
    Static post-training quantization of the function `main`. The linear part
    becomes linalg on signless integers and `nlq.requantize`; the non-linear
    operations become quantized operations whose method is not yet set, with
    the methods that may be assigned as `candidates`. The function keeps its
    float arguments and results: `quant.qcast` and `quant.dcast` are the
    boundary.

    | value | storage | scale |
    |---|---|---|
    | operand of products with constant weights | i8, `act-bits`, with a zero point if `asymmetric` | per channel: `norm-exponent`, `gelu-exponent`, `attention-exponent`, by what makes it |
    | operand of products of two activations | i8, `act-bits`, symmetric | `query-key-exponent` along the reduction, `value-exponent` along the columns |
    | weight | i8, `weight-bits`, symmetric | per output channel, by `weight-scales` |
    | bias, matrix product | i32, with the range that is proved | product of the scales |
    | factor of an element-wise product of two activations | i32, `residual-bits`, symmetric; the product i32 | per tensor, all that was seen; their product |
    | operand of softmax and of functions of one element | the accumulator, or `operand-bits` | as made, or per tensor |
    | residual stream (sums, concatenations) | i16, `residual-bits`, symmetric | per tensor, all that was seen |
    | probability | i16 at 2^-15, or i8 at 2^-8 with zero point -128 | fixed |
    | result of the function | i32 | per tensor: profile's extreme / 32767 |

    Scales per channel and zero points go into weights and biases, and cost
    nothing at run time. docs/quantization.md explains the options.

    A value is requantized (`half_up`) where a consumer asks for another type
    than its producer has, once per type. A multiplication by a positive splat
    changes the scale in the type and nothing else.

    `candidates` is a comma-separated list of groups of methods: `seed`
    (reference forms at the widths of the mixed method's paper), `standalone`
    (reference forms at the widths of their own papers), `extra` (corrected
    forms, tables, other widths), `other` (methods to compare with), or `all` of
    them. Functions that no published method has, as SiLU, have the same
    candidates in the first three groups. Widths are the registry's, ranges the profile's. A candidate whose kernel is not legal at a
    slot is dropped there; an operation must keep at least one.

    Example, with a profile of the value `gelu` and what comes before it:

    ```mlir
    %w = arith.constant dense<...> : tensor<4x8xf32>
    %0 = linalg.matmul ins(%x, %w : tensor<2x4xf32>, tensor<4x8xf32>)
                       outs(%zero : tensor<2x8xf32>) -> tensor<2x8xf32>
    %1 = nlq.gelu %0 erf : tensor<2x8xf32> -> tensor<2x8xf32> loc("gelu")
    // becomes
    %w = arith.constant dense<...> : tensor<4x8xi8>
    %0 = linalg.matmul ins(%x, %w : tensor<2x4xi8>, tensor<4x8xi8>)
                       outs(%zero : tensor<2x8xi32>) -> tensor<2x8xi32>
    %1 = quant.scast %0 : tensor<2x8xi32>
        to tensor<2x8x!quant.uniform<i32<-64516:64516>:f32:1, {...}>>
    %2 = nlq.gelu %1 erf {candidates = [#nlq.ibert<...>, ...],
                          nlq.slot = "gelu"}
        : tensor<2x8x!quant.uniform<i32<-64516:64516>:f32:1, {...}>>
        -> tensor<2x8x!quant.uniform<i8<-127:127>:f32, 2.0e-02>>
    ```

    Fails, naming the operation or the value, where an operation has no integer
    form, where a value is missing from the profile, and where an accumulator
    could overflow 32 bits.
  }];
  let options = [
    Option<"profile", "profile", "std::string", "\"\"",
           "The profile to read, a .json file with its .bin file beside it">,
    Option<"actBits", "act-bits", "int64_t", "8",
           "Bits of activations, 4 to 8">,
    Option<"weightBits", "weight-bits", "int64_t", "8",
           "Bits of weights, 4 to 8">,
    Option<"residualBits", "residual-bits", "int64_t", "16",
           "Bits of the residual stream, 8 to 16">,
    Option<"argumentBits", "argument-bits", "int64_t", "8",
           "Bits of the function's arguments that products read, 4 to 8">,
    Option<"probabilityBits", "probability-bits", "int64_t", "16",
           "Bits of probabilities, 8 or 16">,
    Option<"operandBits", "operand-bits", "int64_t", "32",
           "Bits in which softmax and GELU get their operands: 32 for "
           "accumulators as they are, 8 or 16">,
    Option<"asymmetric", "asymmetric", "bool", "true",
           "Activations that only products with constant weights read have a "
           "zero point">,
    Option<"normExponent", "norm-exponent", "double", "0.5",
           "Exponent of the channel factors of normalizations, 0 to 1">,
    Option<"geluExponent", "gelu-exponent", "double", "0.25",
           "Exponent of the channel factors of functions of one element, 0 to "
           "1">,
    Option<"attentionExponent", "attention-exponent", "double", "0.25",
           "Exponent of the channel factors of attention's results, 0 to 1">,
    Option<"valueExponent", "value-exponent", "double", "1.0",
           "Exponent of the column factors of attention's values, 0 to 1">,
    Option<"queryKeyExponent", "query-key-exponent", "double", "0.5",
           "How far the channels of queries and keys are balanced, 0 to 1">,
    Option<"ranges", "ranges", "std::string", "\"extremes\"",
           "What operands of products cover: extremes, percentile or "
           "least-squares">,
    Option<"percentile", "percentile", "double", "99.99",
           "How many of a hundred values 'percentile' covers, 50 to 100">,
    Option<"weightScales", "weight-scales", "std::string",
           "\"least-squares\"",
           "Scales of weights: extremes or least-squares">,
    Option<"weightRounding", "weight-rounding", "std::string", "\"feedback\"",
           "Rounding of weights: nearest, or feedback of the error that other "
           "weights leave">,
    Option<"biasCorrection", "bias-correction", "bool", "true",
           "Correct the means that rounding of weights shifts">,
    Option<"candidates", "candidates", "std::string", "\"seed\"",
           "Groups of methods that may be assigned, separated by commas: "
           "seed, standalone, extra, other, all">];
  let dependentDialects = [
    "::nlq::NLQDialect", "::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::quant::QuantDialect",
    "::mlir::tensor::TensorDialect"];
}

#endif // NLQ_QUANTIZATION_PASSES_TD
