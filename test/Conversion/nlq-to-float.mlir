// RUN: nlq-opt %s -nlq-to-float | FileCheck %s

// The example of the pass.
// CHECK-LABEL: func @gelu
// CHECK-SAME: %[[X:.*]]: tensor<4x!quant.uniform<i8:f32, 1.000000e-01>>
// CHECK-NEXT: %[[R:.*]] = quant.dcast %[[X]] : tensor<4x!quant.uniform<i8:f32, 1.000000e-01>> to tensor<4xf32>
// CHECK-NEXT: %[[G:.*]] = nlq.gelu %[[R]] erf : tensor<4xf32> -> tensor<4xf32>
// CHECK-NEXT: %[[Y:.*]] = quant.qcast %[[G]] : tensor<4xf32> to tensor<4x!quant.uniform<i8:f32, 1.000000e-01>>
// CHECK-NEXT: return %[[Y]]
func.func @gelu(%x: tensor<4x!quant.uniform<i8:f32, 0.1>>)
    -> tensor<4x!quant.uniform<i8:f32, 0.1>> {
  %y = nlq.gelu %x erf : tensor<4x!quant.uniform<i8:f32, 0.1>>
      -> tensor<4x!quant.uniform<i8:f32, 0.1>>
  return %y : tensor<4x!quant.uniform<i8:f32, 0.1>>
}

// A method and candidates mean nothing in float; other attributes stay.
// CHECK-LABEL: func @attributes
// CHECK: nlq.softmax %{{.*}} {nlq.slot = "attention"} : tensor<2x?xf32> -> tensor<2x?xf32>
func.func @attributes(%x: tensor<2x?x!quant.uniform<i32:f32, 0.001>>)
    -> tensor<2x?x!quant.uniform<i16:f32, 3.0517578125e-05>> {
  %y = nlq.softmax %x {method = #nlq.ibert<>, candidates = [#nlq.ibert<>],
                       nlq.slot = "attention"}
      : tensor<2x?x!quant.uniform<i32:f32, 0.001>>
      -> tensor<2x?x!quant.uniform<i16:f32, 3.0517578125e-05>>
  return %y : tensor<2x?x!quant.uniform<i16:f32, 3.0517578125e-05>>
}

// Per channel; gamma, beta and epsilon go along.
// CHECK-LABEL: func @layer_norm
// CHECK-SAME: %[[X:[^ ]*]]: tensor<5x2x!quant.uniform<i32:f32:1, {1.000000e-03,2.000000e-03}>>, %[[G:[^ ]*]]: tensor<2xf32>, %[[B:[^ ]*]]: tensor<2xf32>
// CHECK: %[[R:.*]] = quant.dcast %[[X]]
// CHECK: nlq.layer_norm %[[R]], %[[G]], %[[B]] {epsilon = 1.000000e-05 : f64} : tensor<5x2xf32>, tensor<2xf32>, tensor<2xf32> -> tensor<5x2xf32>
func.func @layer_norm(
    %x: tensor<5x2x!quant.uniform<i32:f32:1, {0.001, 0.002}>>,
    %g: tensor<2xf32>, %b: tensor<2xf32>) -> tensor<5x2x!quant.uniform<i8:f32, 0.05>> {
  %y = nlq.layer_norm %x, %g, %b {epsilon = 1.0e-05, method = #nlq.ivit<>}
      : tensor<5x2x!quant.uniform<i32:f32:1, {0.001, 0.002}>>, tensor<2xf32>,
        tensor<2xf32> -> tensor<5x2x!quant.uniform<i8:f32, 0.05>>
  return %y : tensor<5x2x!quant.uniform<i8:f32, 0.05>>
}

// Requantization and float operations stay.
// CHECK-LABEL: func @others
// CHECK-NEXT: nlq.requantize
// CHECK-NEXT: nlq.softmax %{{.*}} : tensor<2xf32> -> tensor<2xf32>
// CHECK-NEXT: return
func.func @others(%x: tensor<2x!quant.uniform<i8:f32, 0.1>>, %f: tensor<2xf32>) {
  %0 = nlq.requantize %x half_up : tensor<2x!quant.uniform<i8:f32, 0.1>>
      -> tensor<2x!quant.uniform<i8:f32, 0.2>>
  %1 = nlq.softmax %f : tensor<2xf32> -> tensor<2xf32>
  return
}

// The mask stays what it is.
// CHECK-LABEL: func @masked
// CHECK-SAME: %[[M:[^ ]*]]: tensor<2xi8>
// CHECK: nlq.softmax %{{.*}} mask(%[[M]] : tensor<2xi8>) causal : tensor<3x2xf32> -> tensor<3x2xf32>
func.func @masked(%x: tensor<3x2x!quant.uniform<i8:f32, 0.1>>, %m: tensor<2xi8>) {
  %0 = nlq.softmax %x mask(%m : tensor<2xi8>) causal {method = #nlq.ibert<>}
      : tensor<3x2x!quant.uniform<i8:f32, 0.1>>
      -> tensor<3x2x!quant.uniform<i16:f32, 3.0517578125e-05>>
  return
}
