// RUN: nlq-opt %s -nlq-verify-integer-only -split-input-file -verify-diagnostics

// Floats at the boundary and integers between: nothing to say.
!a = !quant.uniform<i8:f32, 0.1>
#copy = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0()], result = n0 : i8>
func.func @main(%x: tensor<2x8xf32>, %unused: tensor<f32>) -> (tensor<2x8xf32>, tensor<f32>) {
  %0 = quant.qcast %x : tensor<2x8xf32> to tensor<2x8x!a>
  %1 = quant.scast %0 : tensor<2x8x!a> to tensor<2x8xi8>
  %e = tensor.empty() : tensor<2x8xi8>
  %2 = nlq.kernel #copy ins(%1 : tensor<2x8xi8>) outs(%e : tensor<2x8xi8>) -> tensor<2x8xi8>
  %3 = quant.scast %2 : tensor<2x8xi8> to tensor<2x8x!a>
  %4 = quant.dcast %3 : tensor<2x8x!a> to tensor<2x8xf32>
  return %4, %unused : tensor<2x8xf32>, tensor<f32>
}

// -----

// Every operation is named: on tensors, vectors, buffers and scalars, and in
// regions.
!a = !quant.uniform<i8:f32, 0.1>
func.func @main(%x: tensor<2xf32>, %m: memref<2xf64>) -> tensor<2xf32> {
  %0 = quant.qcast %x : tensor<2xf32> to tensor<2x!a>
  %1 = quant.dcast %0 : tensor<2x!a> to tensor<2xf32>
  // expected-error @+1 {{'nlq.gelu' op touches a float between the boundary casts}}
  %2 = nlq.gelu %1 erf : tensor<2xf32> -> tensor<2xf32>
  // expected-error @+1 {{'linalg.generic' op touches a float between the boundary casts}}
  %3 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      outs(%2 : tensor<2xf32>) {
  ^bb0(%e: f32):
    // expected-error @+1 {{'arith.addf' op touches a float between the boundary casts}}
    %s = arith.addf %e, %e : f32
    // expected-error @+1 {{'linalg.yield' op touches a float between the boundary casts}}
    linalg.yield %s : f32
  } -> tensor<2xf32>
  // expected-error @+1 {{'arith.constant' op touches a float between the boundary casts}}
  %c = arith.constant dense<0.0> : vector<4xbf16>
  // expected-error @+1 {{'memref.cast' op touches a float between the boundary casts}}
  %b = memref.cast %m : memref<2xf64> to memref<?xf64>
  %4 = quant.qcast %3 : tensor<2xf32> to tensor<2x!a>
  %5 = quant.dcast %4 : tensor<2x!a> to tensor<2xf32>
  return %5 : tensor<2xf32>
}

// -----

// A layer normalization that is not yet a kernel holds floats.
!a = !quant.uniform<i8:f32, 0.1>
func.func @main(%x: tensor<2x4x!a>, %g: tensor<4xf32>) -> tensor<2x4x!a> {
  // expected-error @+1 {{'nlq.layer_norm' op touches a float between the boundary casts}}
  %0 = nlq.layer_norm %x, %g, %g {epsilon = 0.0}
      : tensor<2x4x!a>, tensor<4xf32>, tensor<4xf32> -> tensor<2x4x!a>
  return %0 : tensor<2x4x!a>
}
