// RUN: nlq-opt %s -nlq-to-integer -split-input-file -verify-diagnostics

!a = !quant.uniform<i8:f32, 0.1>

// All operations without a kernel are named.
func.func @no_method(%x: tensor<2x4x!a>) -> tensor<2x4x!a> {
  // expected-error @+1 {{'nlq.gelu' op has no method; assign one first (nlq-assign)}}
  %0 = nlq.gelu %x erf {candidates = [#nlq.ibert<>]} : tensor<2x4x!a> -> tensor<2x4x!a>
  // expected-error @+1 {{'nlq.softmax' op has no method; assign one first (nlq-assign)}}
  %1 = nlq.softmax %0 : tensor<2x4x!a> -> tensor<2x4x!a>
  return %1 : tensor<2x4x!a>
}

// -----

!a = !quant.uniform<i8:f32, 0.1>
func.func @no_such_function(%x: tensor<2x4x!a>) -> tensor<2x4x!a> {
  // expected-error @+1 {{'nlq.gelu' op as 'fqvit': fqvit gelu (corrected): the method has no such implementation}}
  %0 = nlq.gelu %x erf {method = #nlq.fqvit<>} : tensor<2x4x!a> -> tensor<2x4x!a>
  return %0 : tensor<2x4x!a>
}

// -----

!acc = !quant.uniform<i32:f32, 0.001>
!a = !quant.uniform<i8:f32, 0.1>
func.func @too_wide(%x: tensor<2x4x!acc>) -> tensor<2x4x!a> {
  // expected-error @+1 {{'nlq.softmax' op as 'ibert': ibert softmax (corrected): 'distance' (node 2, sub) reaches [0, 4294967295], which needs 33 bits and at most 32 are allowed}}
  %0 = nlq.softmax %x {method = #nlq.ibert<>} : tensor<2x4x!acc> -> tensor<2x4x!a>
  return %0 : tensor<2x4x!a>
}

// -----

!w = !quant.uniform<i32:f32, 0.001>
!a = !quant.uniform<i8:f32, 0.1>
func.func @large_table(%x: tensor<2x4x!w>) -> tensor<2x4x!a> {
  // expected-error @+1 {{'nlq.gelu' op as 'table': table gelu (corrected): the type 'in' takes values in [-2147483648, 2147483647], and 16 bits around the zero point are allowed}}
  %0 = nlq.gelu %x erf {method = #nlq.table<>} : tensor<2x4x!w> -> tensor<2x4x!a>
  return %0 : tensor<2x4x!a>
}

// -----

!a = !quant.uniform<i8:f32, 0.1>
func.func @channels_of_in(%x: tensor<2x4x!a>) -> tensor<2x4x!a> {
  // expected-error @+1 {{'nlq.softmax' op as 'ibert': ibert softmax (corrected): the type 'in' has 2 scales for rows of 4}}
  %0 = nlq.softmax %x {method = #nlq.ibert<in = !quant.uniform<i8:f32:1, {0.1, 0.2}>>}
      : tensor<2x4x!a> -> tensor<2x4x!a>
  return %0 : tensor<2x4x!a>
}

// -----

!a = !quant.uniform<i8:f32, 0.1>
func.func @variable_gamma(%x: tensor<2x4x!a>, %g: tensor<4xf32>) -> tensor<2x4x!a> {
  // expected-error @+2 {{'nlq.layer_norm' op gamma and beta must be constants to build a kernel}}
  // expected-error @+1 {{'nlq.layer_norm' op as 'ibert': the operation is not known in full, see the error above}}
  %0 = nlq.layer_norm %x, %g, %g {epsilon = 0.0, method = #nlq.ibert<>}
      : tensor<2x4x!a>, tensor<4xf32>, tensor<4xf32> -> tensor<2x4x!a>
  return %0 : tensor<2x4x!a>
}

// -----

!a = !quant.uniform<i8:f32, 0.1>
func.func @dynamic_rows(%x: tensor<2x?x!a>) -> tensor<2x?x!a> {
  // expected-error @+2 {{'nlq.softmax' op has rows of dynamic length; max_row_length must say how long they may be to build a kernel}}
  // expected-error @+1 {{'nlq.softmax' op as 'ibert': the operation is not known in full, see the error above}}
  %0 = nlq.softmax %x {method = #nlq.ibert<>} : tensor<2x?x!a> -> tensor<2x?x!a>
  return %0 : tensor<2x?x!a>
}

// -----

// A function of one element, by a method that takes the largest of a row.
!a = !quant.uniform<i8:f32, 0.1>
func.func @dynamic_rows_of_ivit(%x: tensor<2x?x!a>) -> tensor<2x?x!a> {
  // expected-error @+1 {{'nlq.gelu' op as 'ivit': it looks at whole rows, which have a dynamic length; max_row_length must say how long they may be}}
  %0 = nlq.gelu %x erf {method = #nlq.ivit<form = reference>}
      : tensor<2x?x!a> -> tensor<2x?x!a>
  return %0 : tensor<2x?x!a>
}

// -----

!a = !quant.uniform<i8:f32, 0.1>
func.func @dynamic_rows_of_gamma(%x: tensor<2x?x!a>) -> tensor<2x?x!a> {
  %g = arith.constant dense<1.0> : tensor<4xf32>
  // expected-error @+2 {{'nlq.rms_norm' op has rows of dynamic length, and gamma has an entry for each of their elements; a static last dimension is needed to build a kernel}}
  // expected-error @+1 {{'nlq.rms_norm' op as 'table': the operation is not known in full, see the error above}}
  %0 = nlq.rms_norm %x, %g {epsilon = 0.0, method = #nlq.table<>}
      : tensor<2x?x!a>, tensor<4xf32> -> tensor<2x?x!a>
  return %0 : tensor<2x?x!a>
}

// -----

!a = !quant.uniform<i8:f32, 0.1>
!c = !quant.uniform<i8:f32:1, {0.1, 0.2}>
func.func @dynamic_rows_of_channels(%x: tensor<2x?x!c>) -> tensor<2x?x!a> {
  // expected-error @+2 {{'nlq.gelu' op has rows of dynamic length with a scale for each of their elements, 'tensor<2x?x!quant.uniform<i8:f32:1, {1.000000e-01,2.000000e-01}>>'; a static last dimension is needed to build a kernel}}
  // expected-error @+1 {{'nlq.gelu' op as 'table': the operation is not known in full, see the error above}}
  %0 = nlq.gelu %x erf {max_row_length = 9 : i64, method = #nlq.table<>}
      : tensor<2x?x!c> -> tensor<2x?x!a>
  return %0 : tensor<2x?x!a>
}

// -----

!a = !quant.uniform<i8:f32, 0.1>
!c = !quant.uniform<i8:f32:1, {0.1, 0.2}>
func.func @requantized_channels(%x: tensor<2x?x!a>) -> tensor<2x?x!c> {
  // expected-error @+1 {{'nlq.requantize' op as a kernel: it has a scale for each element of rows, which have a dynamic length; a static last dimension is needed}}
  %0 = nlq.requantize %x half_up : tensor<2x?x!a> -> tensor<2x?x!c>
  return %0 : tensor<2x?x!c>
}

// -----

!a = !quant.uniform<i8:f32, 0.1>
func.func @empty_rows(%x: tensor<2x0x!a>) -> tensor<2x0x!a> {
  // expected-error @+1 {{'nlq.requantize' op as a kernel: rows of 0 elements}}
  %0 = nlq.requantize %x half_up : tensor<2x0x!a> -> tensor<2x0x!a>
  return %0 : tensor<2x0x!a>
}

// -----

// Kernels store signed integers.
!a = !quant.uniform<i8:f32, 0.1>
!u = !quant.uniform<u8:f32, 0.1:128>
func.func @unsigned_result(%x: tensor<2x4x!a>) -> tensor<2x4x!u> {
  // expected-error @+1 {{'nlq.requantize' op as a kernel: the result reaches [0, 255] and is stored in 8 bits, which hold [-128, 127]}}
  %0 = nlq.requantize %x half_up : tensor<2x4x!a> -> tensor<2x4x!u>
  return %0 : tensor<2x4x!u>
}

// -----

// Operations with regions are not retyped.
!a = !quant.uniform<i8:f32, 0.1>
func.func @regions(%x: tensor<2x4x!a>, %zero: !a) -> tensor<4x4x!a> {
  // expected-error @+1 {{failed to legalize operation 'tensor.pad'}}
  %0 = tensor.pad %x low[1, 0] high[1, 0] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : !a
  } : tensor<2x4x!a> to tensor<4x4x!a>
  return %0 : tensor<4x4x!a>
}

// -----

!a = !quant.uniform<i8:f32, 0.1>
func.func @causal_queries(%x: tensor<?x4x!a>) -> tensor<?x4x!a> {
  // expected-error @+2 {{'nlq.softmax' op is causal in 'tensor<?x4x!quant.uniform<i8:f32, 1.000000e-01>>'; static numbers of queries and keys are needed to build a kernel}}
  // expected-error @+1 {{'nlq.softmax' op as 'ibert': the operation is not known in full, see the error above}}
  %0 = nlq.softmax %x causal {method = #nlq.ibert<>} : tensor<?x4x!a> -> tensor<?x4x!a>
  return %0 : tensor<?x4x!a>
}
