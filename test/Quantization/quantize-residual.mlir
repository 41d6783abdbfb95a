// RUN: split-file %s %t
// RUN: nlq-opt %t/model.mlir --nlq-quantize="asymmetric=false weight-scales=extremes bias-correction=false profile=%t/profile.json" \
// RUN:   | FileCheck %t/model.mlir
// RUN: nlq-opt %t/model.mlir \
// RUN:   --nlq-quantize="asymmetric=false weight-scales=extremes bias-correction=false profile=%t/profile.json candidates=all" \
// RUN:   | FileCheck %t/model.mlir --check-prefix=EVERY
// RUN: nlq-opt %t/model.mlir \
// RUN:   --nlq-quantize="asymmetric=false weight-scales=extremes bias-correction=false profile=%t/profile.json residual-bits=8" \
// RUN:   | FileCheck %t/model.mlir --check-prefix=EIGHT

//--- profile.json
{"format": "nlq-profile", "version": 1, "samples": 1, "kept": 0, "values": [
  {"name": "x", "shape": [3, 2], "min": -1.27, "max": 1},
  {"name": "embed", "shape": [3, 2], "min": -1, "max": 1},
  {"name": "concat", "shape": [4, 2], "min": -3.2767, "max": 1},
  {"name": "position", "shape": [4, 2], "min": -6.5534, "max": 1},
  {"name": "norm", "shape": [4, 2], "min": -1, "max": 2.54},
  {"name": "fc", "shape": [4, 2], "min": -1, "max": 1},
  {"name": "add", "shape": [4, 2], "min": -6.5534, "max": 3},
  {"name": "norm#2", "shape": [4, 2], "min": -1, "max": 1.27},
  {"name": "class", "shape": [1, 2], "min": -0.5, "max": 0.5},
  {"name": "head", "shape": [1, 2], "min": -3.2767, "max": 1}
]}

//--- model.mlir
// CHECK-LABEL: func @main
// CHECK: linalg.matmul
// The parts of a concatenation are at one scale; the constant is so at once.
// CHECK-DAG: %[[TOKEN:.*]] = arith.constant dense<{{\[\[}}10000, -5000]]> : tensor<1x2xi16>
// CHECK-DAG: %[[QE:.*]] = nlq.requantize {{.*}} -> tensor<3x2x!quant.uniform<i16:f32, 1.000000e-04>>
// CHECK: %[[E:.*]] = quant.scast %[[QE]]
// CHECK: %[[ALL:.*]] = tensor.concat dim(0) %[[TOKEN]], %[[E]] : (tensor<1x2xi16>, tensor<3x2xi16>) -> tensor<4x2xi16>

// A sum: both operands wide at the sum's scale, then saturated to 16 bits.
// CHECK: %[[QC:.*]] = quant.scast %[[ALL]]
// CHECK: %[[QL:.*]] = nlq.requantize %[[QC]] half_up : tensor<4x2x!quant.uniform<i16:f32, 1.000000e-04>> -> tensor<4x2x!quant.uniform<i32<-16777215:16777215>:f32, 2.000000e-04>>
// CHECK: %[[L:.*]] = quant.scast %[[QL]]
// CHECK: %[[POS:.*]] = arith.constant dense<{{\[\[}}5000, 2500], [-5000, 5000], [0, 1], [0, 0]]> : tensor<4x2xi32>
// CHECK: %[[SUM:.*]] = arith.addi %[[L]], %[[POS]] : tensor<4x2xi32>
// CHECK: %[[QSUM:.*]] = quant.scast %[[SUM]] : tensor<4x2xi32> to tensor<4x2x!quant.uniform<i32<-33554430:33554430>:f32, 2.000000e-04>>
// CHECK: %[[RES:.*]] = nlq.requantize %[[QSUM]] half_up : {{.*}} -> tensor<4x2x!quant.uniform<i16:f32, 2.000000e-04>>

// Layer normalization reads the residual; gamma and beta stay floats.
// CHECK: nlq.layer_norm %{{.*}}, %{{.*}}, %{{.*}} {candidates = [#nlq.ibert<form = reference>, #nlq.ivit<form = reference>, #nlq.fqvit<form = reference, in = !quant.uniform<u8:f32:1, {
// CHECK-SAME: nlq.slot = "norm"} : tensor<4x2x!quant.uniform<i16:f32, 2.000000e-04>>, tensor<2xf32>, tensor<2xf32> -> tensor<4x2x!quant.uniform<i8<-127:127>:f32, 2.000000e-02>>
// CHECK: linalg.matmul
// CHECK: arith.subi
// CHECK: nlq.layer_norm {{.*}} nlq.slot = "norm#2"
// The class token alone has a smaller range, but its 8 bits are made already.
// CHECK: tensor.extract_slice {{.*}} : tensor<4x2xi8> to tensor<1x2xi8>
// CHECK-NOT: nlq.requantize
// CHECK: linalg.matmul
// CHECK: nlq.requantize {{.*}} -> tensor<1x2x!quant.uniform<i32<-16777215:16777215>:f32, 1.000000e-04>>
// CHECK: quant.dcast

// EVERY: nlq.layer_norm
// EVERY-SAME: #nlq.ibert<form = reference>, #nlq.ibert<>
// EVERY-SAME: #nlq.fqvit<form = reference, in =
// EVERY-SAME: #nlq.fqvit<in =

// EIGHT: tensor.concat {{.*}} -> tensor<4x2xi16>
// EIGHT: quant.scast {{.*}} to tensor<4x2x!quant.uniform<i16<-127:127>:f32, 2.580080e-02>>
func.func @main(%x: tensor<3x2xf32> {nlq.name = "x"}) -> tensor<1x2xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<[[1.0, -1.0], [0.5, 0.25]]> : tensor<2x2xf32>
  %token = arith.constant dense<[[1.0, -0.5]]> : tensor<1x2xf32>
  %pos = arith.constant dense<[[1.0, 0.5], [-1.0, 1.0], [0.0001, 0.00011],
                               [0.0, -0.0]]> : tensor<4x2xf32>
  %gamma = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %beta = arith.constant dense<[0.25, 0.5]> : tensor<2xf32>
  %e3 = tensor.empty() : tensor<3x2xf32>
  %e4 = tensor.empty() : tensor<4x2xf32>
  %e1 = tensor.empty() : tensor<1x2xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<3x2xf32>)
      -> tensor<3x2xf32>
  %z4 = linalg.fill ins(%zero : f32) outs(%e4 : tensor<4x2xf32>)
      -> tensor<4x2xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<1x2xf32>)
      -> tensor<1x2xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<3x2xf32>, tensor<2x2xf32>)
      outs(%z3 : tensor<3x2xf32>) -> tensor<3x2xf32> loc("embed")
  %1 = tensor.concat dim(0) %token, %0
      : (tensor<1x2xf32>, tensor<3x2xf32>) -> tensor<4x2xf32> loc("concat")
  %2 = arith.addf %1, %pos : tensor<4x2xf32> loc("position")
  %3 = nlq.layer_norm %2, %gamma, %beta {epsilon = 1.0e-6 : f64}
      : tensor<4x2xf32>, tensor<2xf32>, tensor<2xf32> -> tensor<4x2xf32>
      loc("norm")
  %4 = linalg.matmul ins(%3, %w : tensor<4x2xf32>, tensor<2x2xf32>)
      outs(%z4 : tensor<4x2xf32>) -> tensor<4x2xf32> loc("fc")
  %5 = arith.subf %2, %4 : tensor<4x2xf32> loc("add")
  %6 = nlq.layer_norm %5, %gamma, %beta {epsilon = 1.0e-6 : f64}
      : tensor<4x2xf32>, tensor<2xf32>, tensor<2xf32> -> tensor<4x2xf32>
      loc("norm")
  %7 = tensor.extract_slice %6[0, 0] [1, 2] [1, 1]
      : tensor<4x2xf32> to tensor<1x2xf32> loc("class")
  %8 = linalg.matmul ins(%7, %w : tensor<1x2xf32>, tensor<2x2xf32>)
      outs(%z1 : tensor<1x2xf32>) -> tensor<1x2xf32> loc("head")
  return %8 : tensor<1x2xf32>
}
