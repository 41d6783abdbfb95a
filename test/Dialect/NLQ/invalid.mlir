// RUN: nlq-opt %s -split-input-file -verify-diagnostics

// Constraints of the non-linear operations, numbered as in their definitions.

// (C1)
func.func @shape(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'nlq.softmax' op result type 'tensor<2x4xf32>' must have the shape of the operand, 'tensor<2x3xf32>'}}
  %0 = nlq.softmax %x : tensor<2x3xf32> -> tensor<2x4xf32>
  return
}

// -----

// (C1)
func.func @longer_than_declared(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'nlq.softmax' op has rows of 3 elements and a max_row_length of 2}}
  %0 = nlq.softmax %x {max_row_length = 2 : i64} : tensor<2x3xf32> -> tensor<2x3xf32>
  return
}

// -----

func.func @no_row_is_so_short(%x: tensor<2x?xf32>) {
  // expected-error @+1 {{'nlq.gelu' op attribute 'max_row_length' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive}}
  %0 = nlq.gelu %x erf {max_row_length = 0 : i64} : tensor<2x?xf32> -> tensor<2x?xf32>
  return
}

// -----

// expected-error @+1 {{'func.func' op has 'nlq.strided' on a value of type 'tensor<3xf32>', and tensors of two dimensions and more have rows that can lie apart}}
func.func @one_row(%x: tensor<3xf32> {nlq.strided}) {
  return
}

// -----

// expected-error @+1 {{'func.func' op has an attribute 'nlq.strided' that is not a unit attribute: 7}}
func.func @distance(%x: tensor<2x3xf32>) -> (tensor<2x3xf32> {nlq.strided = 7}) {
  return %x : tensor<2x3xf32>
}

// -----

// (C2)
func.func @half_quantized(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'nlq.gelu' op operand and result must both be float or both be quantized, found 'tensor<2x3xf32>' and 'tensor<2x3x!quant.uniform<i8:f32, 1.000000e-01>>'}}
  %0 = nlq.gelu %x erf : tensor<2x3xf32> -> tensor<2x3x!quant.uniform<i8:f32, 0.1>>
  return
}

// -----

// (C2)
func.func @two_floats(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'nlq.softmax' op float operand and result must have one type, found 'tensor<2x3xf32>' and 'tensor<2x3xf16>'}}
  %0 = nlq.softmax %x : tensor<2x3xf32> -> tensor<2x3xf16>
  return
}

// -----

// (C2)
func.func @channels_elsewhere(%x: tensor<2x3x!quant.uniform<i8:f32:0, {0.1, 0.2}>>) {
  // expected-error @+1 {{'nlq.gelu' op operand is quantized along dimension 0; only the last dimension, 1, is allowed}}
  %0 = nlq.gelu %x erf : tensor<2x3x!quant.uniform<i8:f32:0, {0.1, 0.2}>>
      -> tensor<2x3x!quant.uniform<i8:f32, 0.1>>
  return
}

// -----

// (C2)
func.func @number_of_channels(%x: tensor<2x3x!quant.uniform<i8:f32, 0.1>>) {
  // expected-error @+1 {{'nlq.gelu' op result has 2 scales for a last dimension of 3}}
  %0 = nlq.gelu %x erf : tensor<2x3x!quant.uniform<i8:f32, 0.1>>
      -> tensor<2x3x!quant.uniform<i8:f32:1, {0.1, 0.2}>>
  return
}

// -----

// (C2)
func.func @other_quantization(%x: tensor<2x3x!quant.any<i8:f32>>) {
  // expected-error @+1 {{'nlq.softmax' op operand must be quantized per tensor or per channel of the last dimension, found '!quant.any<i8:f32>'}}
  %0 = nlq.softmax %x : tensor<2x3x!quant.any<i8:f32>>
      -> tensor<2x3x!quant.uniform<i8:f32, 0.1>>
  return
}

// -----

// (C2)
func.func @sub_channels(%x: tensor<2x4x!quant.uniform<i8:f32:{1:2}, {{0.1, 0.2}}>>) {
  // expected-error @+1 {{'nlq.softmax' op operand must be quantized per tensor or per channel of the last dimension, found '!quant.uniform<i8:f32:{1:2}}}
  %0 = nlq.softmax %x : tensor<2x4x!quant.uniform<i8:f32:{1:2}, {{0.1, 0.2}}>>
      -> tensor<2x4x!quant.uniform<i8:f32, 0.1>>
  return
}

// -----

// (C3)
func.func @float_method(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'nlq.softmax' op a float operation has no method and no candidates}}
  %0 = nlq.softmax %x {method = #nlq.ibert<>} : tensor<2x3xf32> -> tensor<2x3xf32>
  return
}

// -----

// (C3)
func.func @float_candidates(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'nlq.gelu' op a float operation has no method and no candidates}}
  %0 = nlq.gelu %x tanh {candidates = []} : tensor<2x3xf32> -> tensor<2x3xf32>
  return
}

// -----

// (C4)
func.func @gamma(%x: tensor<2x3xf32>, %g: tensor<4xf32>, %b: tensor<3xf32>) {
  // expected-error @+1 {{'nlq.layer_norm' op gamma has the type 'tensor<4xf32>', which are not the last dimensions of the operand, 'tensor<2x3xf32>'}}
  %0 = nlq.layer_norm %x, %g, %b {epsilon = 0.0 : f64}
      : tensor<2x3xf32>, tensor<4xf32>, tensor<3xf32> -> tensor<2x3xf32>
  return
}

// -----

// (C4)
func.func @beta(%x: tensor<2x3xf32>, %g: tensor<3xf32>, %b: tensor<2xf32>) {
  // expected-error @+1 {{'nlq.layer_norm' op beta has the type 'tensor<2xf32>', which are not the last dimensions of the operand, 'tensor<2x3xf32>'}}
  %0 = nlq.layer_norm %x, %g, %b {epsilon = 0.0 : f64}
      : tensor<2x3xf32>, tensor<3xf32>, tensor<2xf32> -> tensor<2x3xf32>
  return
}

// -----

// (C5)
func.func @epsilon(%x: tensor<2x3xf32>, %g: tensor<3xf32>) {
  // expected-error @+1 {{'nlq.layer_norm' op epsilon must not be negative, found -1.000000e+00}}
  %0 = nlq.layer_norm %x, %g, %g {epsilon = -1.0 : f64}
      : tensor<2x3xf32>, tensor<3xf32>, tensor<3xf32> -> tensor<2x3xf32>
  return
}

// -----

// (C5)
func.func @epsilon_nan(%x: tensor<2x3xf32>, %g: tensor<3xf32>) {
  // expected-error @+1 {{'nlq.layer_norm' op epsilon must not be negative, found nan}}
  %0 = nlq.layer_norm %x, %g, %g {epsilon = 0x7FF8000000000000 : f64}
      : tensor<2x3xf32>, tensor<3xf32>, tensor<3xf32> -> tensor<2x3xf32>
  return
}

// -----

func.func @epsilon_missing(%x: tensor<2x3xf32>, %g: tensor<3xf32>) {
  // expected-error @+1 {{'nlq.layer_norm' op requires attribute 'epsilon'}}
  %0 = nlq.layer_norm %x, %g, %g
      : tensor<2x3xf32>, tensor<3xf32>, tensor<3xf32> -> tensor<2x3xf32>
  return
}

// -----

func.func @not_float(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{'nlq.softmax' op operand #0 must be tensor of floats or of !quant.uniform, of rank 1 to 6, but got 'tensor<2x3xi8>'}}
  %0 = nlq.softmax %x : tensor<2x3xi8> -> tensor<2x3xi8>
  return
}

// -----

func.func @scalar(%x: tensor<f32>) {
  // expected-error @+1 {{'nlq.softmax' op operand #0 must be tensor of floats or of !quant.uniform, of rank 1 to 6, but got 'tensor<f32>'}}
  %0 = nlq.softmax %x : tensor<f32> -> tensor<f32>
  return
}

// -----

func.func @unranked(%x: tensor<*xf32>) {
  // expected-error @+1 {{'nlq.softmax' op operand #0 must be tensor of floats or of !quant.uniform, of rank 1 to 6, but got 'tensor<*xf32>'}}
  %0 = nlq.softmax %x : tensor<*xf32> -> tensor<*xf32>
  return
}

// -----

func.func @approximation(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{unknown GELU approximation 'sigmoid'}}
  %0 = nlq.gelu %x sigmoid : tensor<2x3xf32> -> tensor<2x3xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// Methods
//===----------------------------------------------------------------------===//

// expected-error @+2 {{expected one of [reference, corrected]}}
// expected-error @+1 {{failed to parse NLQ_IBertAttr parameter 'form'}}
func.func private @form() attributes {m = #nlq.ibert<form = fast>}

// -----

// expected-error @+1 {{'in' must be a !quant.uniform type per tensor or per axis, found 'i8'}}
func.func private @in() attributes {m = #nlq.ivit<in = i8>}

// -----

// expected-error @+1 {{'in' must be a !quant.uniform type per tensor or per axis, found '!quant.any<i8:f32>'}}
func.func private @in() attributes {m = #nlq.table<in = !quant.any<i8:f32>>}

// -----

// expected-error @+1 {{'out_bits' must be 1 to 16, found 0}}
func.func private @no_bits() attributes {m = #nlq.fqvit<out_bits = 0>}

// -----

// expected-error @+1 {{'out_bits' must be 1 to 16, found 17}}
func.func private @many_bits() attributes {m = #nlq.fqvit<out_bits = 17>}

// -----

func.func @no_method(%x: tensor<2x3x!quant.uniform<i8:f32, 0.1>>) {
  // expected-error @+1 {{'nlq.softmax' op attribute 'method' failed to satisfy constraint: method attribute}}
  %0 = "nlq.softmax"(%x) {method = "ibert"}
      : (tensor<2x3x!quant.uniform<i8:f32, 0.1>>)
      -> tensor<2x3x!quant.uniform<i8:f32, 0.1>>
  return
}

// -----

func.func @no_candidates(%x: tensor<2x3x!quant.uniform<i8:f32, 0.1>>) {
  // expected-error @+1 {{'nlq.softmax' op attribute 'candidates' failed to satisfy constraint: array of method attributes}}
  %0 = "nlq.softmax"(%x) {candidates = [#nlq.ibert<>, 1]}
      : (tensor<2x3x!quant.uniform<i8:f32, 0.1>>)
      -> tensor<2x3x!quant.uniform<i8:f32, 0.1>>
  return
}

// -----

//===----------------------------------------------------------------------===//
// Requantize
//===----------------------------------------------------------------------===//

// (C1)
func.func @requantize_shape(%x: tensor<2x3x!quant.uniform<i8:f32, 0.1>>) {
  // expected-error @+1 {{'nlq.requantize' op result type 'tensor<3x2x!quant.uniform<i8:f32, 1.000000e-01>>' must have the shape of the operand}}
  %0 = nlq.requantize %x half_up : tensor<2x3x!quant.uniform<i8:f32, 0.1>>
      -> tensor<3x2x!quant.uniform<i8:f32, 0.1>>
  return
}

// -----

// (C2)
func.func @requantize_axis(%x: tensor<2x3x!quant.uniform<i8:f32, 0.1>>) {
  // expected-error @+1 {{'nlq.requantize' op result is quantized along dimension 0; only the last dimension, 1, is allowed}}
  %0 = nlq.requantize %x half_up : tensor<2x3x!quant.uniform<i8:f32, 0.1>>
      -> tensor<2x3x!quant.uniform<i8:f32:0, {0.1, 0.2}>>
  return
}

// -----

// (C2)
func.func @requantize_channels(%x: tensor<2x3x!quant.uniform<i8:f32:1, {0.1, 0.2}>>) {
  // expected-error @+1 {{'nlq.requantize' op operand has 2 scales for a last dimension of 3}}
  %0 = nlq.requantize %x half_up : tensor<2x3x!quant.uniform<i8:f32:1, {0.1, 0.2}>>
      -> tensor<2x3x!quant.uniform<i8:f32, 0.1>>
  return
}

// -----

// (C2)
func.func @requantize_any(%x: tensor<2x3x!quant.uniform<i8:f32, 0.1>>) {
  // expected-error @+1 {{'nlq.requantize' op result must be quantized per tensor or per channel of the last dimension, found '!quant.any<i8:f32>'}}
  %0 = nlq.requantize %x half_up : tensor<2x3x!quant.uniform<i8:f32, 0.1>>
      -> tensor<2x3x!quant.any<i8:f32>>
  return
}

// -----

func.func @requantize_float(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'nlq.requantize' op operand #0 must be}}
  %0 = nlq.requantize %x half_up : tensor<2x3xf32>
      -> tensor<2x3x!quant.uniform<i8:f32, 0.1>>
  return
}

// -----

func.func @requantize_rounding(%x: tensor<2x3x!quant.uniform<i8:f32, 0.1>>) {
  // expected-error @+1 {{unknown rounding mode 'ceil'}}
  %0 = nlq.requantize %x ceil : tensor<2x3x!quant.uniform<i8:f32, 0.1>>
      -> tensor<2x3x!quant.uniform<i8:f32, 0.1>>
  return
}

// -----

func.func @silu(%x: tensor<2x3x!quant.uniform<i8:f32, 0.1>>) {
  // expected-error @+1 {{'nlq.silu' op operand and result must both be float or both be quantized}}
  %0 = nlq.silu %x : tensor<2x3x!quant.uniform<i8:f32, 0.1>> -> tensor<2x3xf32>
  return
}

// -----

func.func @rms_norm_gamma(%x: tensor<2x3xf32>, %g: tensor<4xf32>) {
  // expected-error @+1 {{'nlq.rms_norm' op gamma has the type 'tensor<4xf32>', which are not the last dimensions of the operand, 'tensor<2x3xf32>'}}
  %0 = nlq.rms_norm %x, %g {epsilon = 1.0e-5}
      : tensor<2x3xf32>, tensor<4xf32> -> tensor<2x3xf32>
  return
}

// -----

func.func @rms_norm_epsilon(%x: tensor<2x3xf32>, %g: tensor<3xf32>) {
  // expected-error @+1 {{'nlq.rms_norm' op epsilon must not be negative, found -1.0}}
  %0 = nlq.rms_norm %x, %g {epsilon = -1.0}
      : tensor<2x3xf32>, tensor<3xf32> -> tensor<2x3xf32>
  return
}

// -----

func.func @rms_norm_float(%x: tensor<2x3xf32>, %g: tensor<3xf32>) {
  // expected-error @+1 {{'nlq.rms_norm' op a float operation has no method and no candidates}}
  %0 = nlq.rms_norm %x, %g {epsilon = 1.0, method = #nlq.ibert<>}
      : tensor<2x3xf32>, tensor<3xf32> -> tensor<2x3xf32>
  return
}

// -----

func.func @lookup_shape(%x: tensor<2x!quant.uniform<i8<0:1>:f32, 0.1>>) {
  // expected-error @+1 {{'nlq.lookup' op result type 'tensor<3x!quant.uniform<i8:f32, 1.000000e-01>>' must have the shape of the operand}}
  %0 = nlq.lookup %x [1, 2] : tensor<2x!quant.uniform<i8<0:1>:f32, 0.1>>
      -> tensor<3x!quant.uniform<i8:f32, 0.1>>
  return
}

// -----

func.func @lookup_per_channel(%x: tensor<2x!quant.uniform<i8<0:1>:f32:0, {0.1, 0.2}>>) {
  // expected-error @+1 {{'nlq.lookup' op operand and result must be quantized per tensor, found}}
  %0 = nlq.lookup %x [1, 2] : tensor<2x!quant.uniform<i8<0:1>:f32:0, {0.1, 0.2}>>
      -> tensor<2x!quant.uniform<i8:f32, 0.1>>
  return
}

// -----

func.func @lookup_float(%x: tensor<2xf32>) {
  // expected-error @+1 {{'nlq.lookup' op operand #0 must be}}
  %0 = nlq.lookup %x [1, 2] : tensor<2xf32> -> tensor<2xf32>
  return
}

// -----

func.func @lookup_wide(%x: tensor<2x!quant.uniform<i16:f32, 0.1>>) {
  // expected-error @+1 {{'nlq.lookup' op operand has 65536 values, and at most 256 are allowed}}
  %0 = nlq.lookup %x [1, 2] : tensor<2x!quant.uniform<i16:f32, 0.1>>
      -> tensor<2x!quant.uniform<i8:f32, 0.1>>
  return
}

// -----

func.func @lookup_entries(%x: tensor<2x!quant.uniform<i8<-1:1>:f32, 0.1>>) {
  // expected-error @+1 {{'nlq.lookup' op table has 2 entries for an operand of 3 values}}
  %0 = nlq.lookup %x [1, 2] : tensor<2x!quant.uniform<i8<-1:1>:f32, 0.1>>
      -> tensor<2x!quant.uniform<i8:f32, 0.1>>
  return
}

// -----

func.func @lookup_range(%x: tensor<2x!quant.uniform<i8<0:1>:f32, 0.1>>) {
  // expected-error @+1 {{'nlq.lookup' op table entry -8 is no value of the result, which has -7 to 7}}
  %0 = nlq.lookup %x [7, -8] : tensor<2x!quant.uniform<i8<0:1>:f32, 0.1>>
      -> tensor<2x!quant.uniform<i8<-7:7>:f32, 0.1>>
  return
}

// -----

// (C4)
func.func @mask_rank(%x: tensor<3xf32>, %m: tensor<1x3xi1>) {
  // expected-error @+1 {{'nlq.softmax' op mask of type 'tensor<1x3xi1>' does not fit the operand, 'tensor<3xf32>': its dimensions must be the last of the operand's, or 1 but for the row}}
  %0 = nlq.softmax %x mask(%m : tensor<1x3xi1>) : tensor<3xf32> -> tensor<3xf32>
  return
}

// -----

// (C4)
func.func @mask_rows(%x: tensor<2x3xf32>, %m: tensor<2x1xi1>) {
  // expected-error @+1 {{'nlq.softmax' op mask of type 'tensor<2x1xi1>' does not fit the operand}}
  %0 = nlq.softmax %x mask(%m : tensor<2x1xi1>) : tensor<2x3xf32> -> tensor<2x3xf32>
  return
}

// -----

// (C4)
func.func @mask_shape(%x: tensor<4x2x3xf32>, %m: tensor<3x3xi1>) {
  // expected-error @+1 {{'nlq.softmax' op mask of type 'tensor<3x3xi1>' does not fit the operand}}
  %0 = nlq.softmax %x mask(%m : tensor<3x3xi1>) : tensor<4x2x3xf32> -> tensor<4x2x3xf32>
  return
}

// -----

// (C5)
func.func @mask_float(%x: tensor<2x3xf32>, %m: tensor<3xf16>) {
  // expected-error @+1 {{'nlq.softmax' op a mask that is added must have elements of 'f32', found 'tensor<3xf16>'}}
  %0 = nlq.softmax %x mask(%m : tensor<3xf16>) : tensor<2x3xf32> -> tensor<2x3xf32>
  return
}

// -----

// (C5)
func.func @mask_quantized(%x: tensor<2x3x!quant.uniform<i8:f32, 0.1>>, %m: tensor<3xf32>) {
  // expected-error @+1 {{'nlq.softmax' op a mask that is added must have elements of '!quant.uniform<i8:f32, 1.000000e-01>', found 'tensor<3xf32>'; quantized operations take masks of i1 and i8}}
  %0 = nlq.softmax %x mask(%m : tensor<3xf32>) : tensor<2x3x!quant.uniform<i8:f32, 0.1>>
      -> tensor<2x3x!quant.uniform<i16:f32, 0.1>>
  return
}

// -----

func.func @mask_integer(%x: tensor<2x3xf32>, %m: tensor<3xi32>) {
  // expected-error @+1 {{'nlq.softmax' op operand #1 must be 1D/2D/3D/4D/5D/6D tensor of 1-bit signless integer or 8-bit signless integer or floating-point values, but got 'tensor<3xi32>'}}
  %0 = nlq.softmax %x mask(%m : tensor<3xi32>) : tensor<2x3xf32> -> tensor<2x3xf32>
  return
}

// -----

// (C6)
func.func @causal_row(%x: tensor<3xf32>) {
  // expected-error @+1 {{'nlq.softmax' op a causal operand needs two last dimensions, queries and keys, with rows of keys; found 'tensor<3xf32>' with rows along dimension 0}}
  %0 = nlq.softmax %x causal : tensor<3xf32> -> tensor<3xf32>
  return
}

// -----

// (C6)
func.func @causal_axis(%x: tensor<4x3xf32>) {
  // expected-error @+1 {{'nlq.softmax' op a causal operand needs two last dimensions, queries and keys, with rows of keys; found 'tensor<4x3xf32>' with rows along dimension 0}}
  %0 = nlq.softmax %x causal {axis = 0 : i64} : tensor<4x3xf32> -> tensor<4x3xf32>
  return
}

// -----

// (C7)
func.func @axis_range(%x: tensor<4x3xf32>) {
  // expected-error @+1 {{'nlq.softmax' op axis 2 is no dimension of the operand, 'tensor<4x3xf32>'}}
  %0 = nlq.softmax %x {axis = 2 : i64} : tensor<4x3xf32> -> tensor<4x3xf32>
  return
}

// -----

// (C7)
func.func @axis_negative(%x: tensor<4x3xf32>) {
  // expected-error @+1 {{'nlq.softmax' op axis -1 is no dimension of the operand, 'tensor<4x3xf32>'}}
  %0 = nlq.softmax %x {axis = -1 : i64} : tensor<4x3xf32> -> tensor<4x3xf32>
  return
}

// -----

// (C7)
func.func @axis_quantized(%x: tensor<4x3x!quant.uniform<i8:f32, 0.1>>) {
  // expected-error @+1 {{'nlq.softmax' op axis of a quantized operand must be the last, 1, found 0}}
  %0 = nlq.softmax %x {axis = 0 : i64} : tensor<4x3x!quant.uniform<i8:f32, 0.1>>
      -> tensor<4x3x!quant.uniform<i8:f32, 0.1>>
  return
}

// -----

// (C4): the row has no extent of 1 for all, and cannot be missing.
func.func @mask_without_row(%x: tensor<4x3xf32>, %m: tensor<3xi1>) {
  // expected-error @+1 {{'nlq.softmax' op mask of type 'tensor<3xi1>' does not fit the operand}}
  %0 = nlq.softmax %x mask(%m : tensor<3xi1>) {axis = 0 : i64}
      : tensor<4x3xf32> -> tensor<4x3xf32>
  return
}

// -----

// (C4)
func.func @several_dimensions(%x: tensor<2x3x4xf32>, %g: tensor<3x4xf32>, %b: tensor<4xf32>) {
  // expected-error @+1 {{'nlq.layer_norm' op beta has the type 'tensor<4xf32>', which are not the last dimensions of the operand, 'tensor<2x3x4xf32>'}}
  %0 = nlq.layer_norm %x, %g, %b {epsilon = 0.0}
      : tensor<2x3x4xf32>, tensor<3x4xf32>, tensor<4xf32> -> tensor<2x3x4xf32>
  return
}

// -----

// (C4)
func.func @first_dimensions(%x: tensor<2x3x4xf32>, %g: tensor<2x3xf32>) {
  // expected-error @+1 {{'nlq.rms_norm' op gamma has the type 'tensor<2x3xf32>', which are not the last dimensions of the operand, 'tensor<2x3x4xf32>'}}
  %0 = nlq.rms_norm %x, %g {epsilon = 0.0}
      : tensor<2x3x4xf32>, tensor<2x3xf32> -> tensor<2x3x4xf32>
  return
}

// -----

// (C4)
func.func @too_many_dimensions(%x: tensor<4xf32>, %g: tensor<1x4xf32>) {
  // expected-error @+1 {{'nlq.rms_norm' op gamma has the type 'tensor<1x4xf32>', which are not the last dimensions of the operand, 'tensor<4xf32>'}}
  %0 = nlq.rms_norm %x, %g {epsilon = 0.0}
      : tensor<4xf32>, tensor<1x4xf32> -> tensor<4xf32>
  return
}

// -----

!q = !quant.uniform<i8:f32, 0.1>
// (C4)
func.func @several_quantized(%x: tensor<2x3x4x!q>, %g: tensor<3x4xf32>) {
  // expected-error @+1 {{'nlq.rms_norm' op gamma of a quantized operation must have one dimension, found 'tensor<3x4xf32>'}}
  %0 = nlq.rms_norm %x, %g {epsilon = 0.0}
      : tensor<2x3x4x!q>, tensor<3x4xf32> -> tensor<2x3x4x!q>
  return
}
