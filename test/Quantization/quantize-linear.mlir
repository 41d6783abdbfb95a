// RUN: split-file %s %t
// RUN: nlq-opt %t/model.mlir --nlq-quantize="asymmetric=false weight-scales=extremes bias-correction=false profile=%t/profile.json" \
// RUN:   | FileCheck %t/model.mlir
// RUN: nlq-opt %t/model.mlir --nlq-quantize="asymmetric=false weight-scales=extremes bias-correction=false profile=%t/profile.json" \
// RUN:   | nlq-opt | FileCheck %t/model.mlir
// RUN: nlq-opt %t/model.mlir \
// RUN:   --nlq-quantize="asymmetric=false weight-scales=extremes bias-correction=false profile=%t/profile.json weight-bits=6 act-bits=6 argument-bits=6" \
// RUN:   | FileCheck %t/model.mlir --check-prefix=SIX

//--- profile.json
{"format": "nlq-profile", "version": 1, "samples": 1, "kept": 0, "values": [
  {"name": "x", "shape": [3, 2], "min": -1.27, "max": 1},
  {"name": "fc1", "shape": [3, 2], "min": -2, "max": 6},
  {"name": "gelu", "shape": [3, 2], "min": -0.17, "max": 6.35},
  {"name": "fc2", "shape": [3, 2], "min": -3.2767, "max": 3}
]}

//--- model.mlir
// The scale of x is 0.01, those of the weights' columns are 0.01 and 0.02, so
// the bias is in units of 1e-4 and 2e-4. The largest accumulator is
// (127 + 50) * 127 + 5000.

// CHECK-LABEL: func @main
// CHECK-SAME: (%[[ARG:.*]]: tensor<3x2xf32> {nlq.name = "x"}) -> (tensor<3x2xf32> {nlq.name = "y"})
// CHECK: %[[QX:.*]] = quant.qcast %[[ARG]] : tensor<3x2xf32> to tensor<3x2x!quant.uniform<i8<-127:127>:f32, 1.000000e-02>>
// CHECK: %[[X:.*]] = quant.scast %[[QX]]
// CHECK: %[[W:.*]] = arith.constant dense<{{\[\[}}127, -127], [50, 10]]> : tensor<2x2xi8>
// CHECK: %[[B:.*]] = arith.constant dense<[5000, -1500]> : tensor<2xi32>
// CHECK: %[[E:.*]] = tensor.empty() : tensor<3x2xi32>
// CHECK: %[[INIT:.*]] = linalg.broadcast ins(%[[B]] : tensor<2xi32>) outs(%[[E]] : tensor<3x2xi32>) dimensions = [0]
// CHECK: %[[FC1:.*]] = linalg.matmul ins(%[[X]], %[[W]] : tensor<3x2xi8>, tensor<2x2xi8>) outs(%[[INIT]] : tensor<3x2xi32>) -> tensor<3x2xi32>
// CHECK: %[[Q1:.*]] = quant.scast %[[FC1]] : tensor<3x2xi32> to tensor<3x2x!quant.uniform<i32<-27479:27479>:f32:1, {1.000000e-04,2.000000e-04}>>
// CHECK: %[[GELU:.*]] = nlq.gelu %[[Q1]] erf {candidates = [#nlq.ibert<form = reference>, #nlq.ivit<form = reference, in = !quant.uniform<i8<-127:127>:f32, 4.724410e-02>, out_bits = 8>], nlq.slot = "gelu"}
// CHECK-SAME: -> tensor<3x2x!quant.uniform<i8<-127:127>:f32, 5.000000e-02>>
// CHECK: %[[G:.*]] = quant.scast %[[GELU]]
// Nothing comes between GELU and the matrix product that reads it. No bias:
// CHECK: linalg.fill
// CHECK: %[[FC2:.*]] = linalg.matmul ins(%[[G]], %{{.*}} : tensor<3x2xi8>, tensor<2x2xi8>)
// CHECK: %[[Q2:.*]] = quant.scast %[[FC2]] : tensor<3x2xi32> to tensor<3x2x!quant.uniform<i32<-16129:16129>:f32:1, {5.000000e-04,5.000000e-04}>>
// CHECK: %[[Y:.*]] = nlq.requantize %[[Q2]] half_up
// CHECK-SAME: -> tensor<3x2x!quant.uniform<i32<-16777215:16777215>:f32, 1.000000e-04>>
// CHECK: %[[OUT:.*]] = quant.dcast %[[Y]]
// CHECK: return %[[OUT]]

// SIX: quant.qcast {{.*}}!quant.uniform<i8<-31:31>:f32, 4.096770e-02>
// SIX: arith.constant dense<{{\[\[}}31, -31], [12, 2]]> : tensor<2x2xi8>
// SIX: nlq.gelu {{.*}} -> tensor<3x2x!quant.uniform<i8<-31:31>:f32, 2.048390e-01>>
func.func @main(%x: tensor<3x2xf32> {nlq.name = "x"})
    -> (tensor<3x2xf32> {nlq.name = "y"}) {
  %zero = arith.constant 0.0 : f32
  %w1 = arith.constant dense<[[1.27, -2.54], [0.5, 0.2]]> : tensor<2x2xf32>
  %b1 = arith.constant dense<[0.5, -0.3]> : tensor<2xf32>
  %w2 = arith.constant dense<[[1.27, 0.0], [0.0, 1.27]]> : tensor<2x2xf32>
  %e = tensor.empty() : tensor<3x2xf32>
  %bias = linalg.broadcast ins(%b1 : tensor<2xf32>) outs(%e : tensor<3x2xf32>)
      dimensions = [0]
  %0 = linalg.matmul ins(%x, %w1 : tensor<3x2xf32>, tensor<2x2xf32>)
      outs(%bias : tensor<3x2xf32>) -> tensor<3x2xf32> loc("fc1")
  %1 = nlq.gelu %0 erf : tensor<3x2xf32> -> tensor<3x2xf32> loc("gelu")
  %zeros = linalg.fill ins(%zero : f32) outs(%e : tensor<3x2xf32>)
      -> tensor<3x2xf32>
  %2 = linalg.matmul ins(%1, %w2 : tensor<3x2xf32>, tensor<2x2xf32>)
      outs(%zeros : tensor<3x2xf32>) -> tensor<3x2xf32> loc("fc2")
  return %2 : tensor<3x2xf32>
}
