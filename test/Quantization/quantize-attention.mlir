// RUN: split-file %s %t
// RUN: nlq-opt %t/model.mlir --nlq-quantize="asymmetric=false weight-scales=extremes bias-correction=false profile=%t/profile.json" \
// RUN:   | FileCheck %t/model.mlir

//--- profile.json
{"format": "nlq-profile", "version": 1, "samples": 1, "kept": 0, "values": [
  {"name": "x", "shape": [5, 8], "min": -1.27, "max": 1},
  {"name": "q", "shape": [5, 8], "min": -2.54, "max": 1},
  {"name": "heads", "shape": [5, 2, 4], "min": -2.54, "max": 1},
  {"name": "heads#2", "shape": [2, 5, 4], "min": -2.54, "max": 1},
  {"name": "keys", "shape": [2, 4, 5], "min": -2.54, "max": 1},
  {"name": "scores", "shape": [2, 5, 5], "min": -6, "max": 12},
  {"name": "scaled", "shape": [2, 5, 5], "min": -3, "max": 6.35},
  {"name": "softmax", "shape": [2, 5, 5], "min": 0, "max": 1},
  {"name": "mixed", "shape": [2, 5, 4], "min": -1, "max": 1},
  {"name": "joined", "shape": [5, 2, 4], "min": -1, "max": 1},
  {"name": "joined#2", "shape": [5, 8], "min": -1, "max": 1.27},
  {"name": "proj", "shape": [5, 8], "min": -1, "max": 1}
]}

//--- model.mlir
// CHECK-LABEL: func @main
// CHECK: %[[ACC:.*]] = linalg.matmul {{.*}} -> tensor<5x8xi32>
// Channels do not stay the last dimension: they are requantized first, once,
// and the narrow integers are moved.
// CHECK: %[[QA:.*]] = quant.scast %[[ACC]] : tensor<5x8xi32> to tensor<5x8x!quant.uniform<i32<{{.*}}>:f32:1,
// CHECK: %[[QQ:.*]] = nlq.requantize %[[QA]] half_up : {{.*}} -> tensor<5x8x!quant.uniform<i8<-127:127>:f32, 2.000000e-02>>
// CHECK: %[[Q:.*]] = quant.scast %[[QQ]] : {{.*}} to tensor<5x8xi8>
// CHECK: %[[SPLIT:.*]] = tensor.expand_shape %[[Q]] {{.*}} : tensor<5x8xi8> into tensor<5x2x4xi8>
// CHECK: %[[HEADS:.*]] = linalg.transpose ins(%[[SPLIT]] : tensor<5x2x4xi8>) outs({{.*}} : tensor<2x5x4xi8>) permutation = [1, 0, 2]
// CHECK: %[[KEYS:.*]] = linalg.transpose ins(%[[SPLIT]] : tensor<5x2x4xi8>) outs({{.*}} : tensor<2x4x5xi8>) permutation = [1, 2, 0]
// CHECK-NOT: nlq.requantize
// CHECK: %[[SCORES:.*]] = linalg.batch_matmul ins(%[[HEADS]], %[[KEYS]] : tensor<2x5x4xi8>, tensor<2x4x5xi8>) outs({{.*}} : tensor<2x5x5xi32>)
// The multiplication by 0.5 is in the scale; 4 * 127 * 127 is the largest sum.
// CHECK: %[[QS:.*]] = quant.scast %[[SCORES]] : tensor<2x5x5xi32> to tensor<2x5x5x!quant.uniform<i32<-64516:64516>:f32, 2.000000e-04>>
// CHECK: %[[P:.*]] = nlq.softmax %[[QS]] {candidates = [
// CHECK-SAME: #nlq.ibert<form = reference, in = !quant.uniform<i8<-127:127>:f32, 5.000000e-02>>
// CHECK-SAME: #nlq.ivit<
// CHECK-SAME: #nlq.fqvit<{{.*}}, out_bits = 6>]
// CHECK-SAME: nlq.slot = "softmax"
// CHECK-SAME: -> tensor<2x5x5x!quant.uniform<i16:f32, 3.0517578125E-5>>
// CHECK: %[[PS:.*]] = quant.scast %[[P]]
// Probabilities stay as they are.
// CHECK-NOT: nlq.requantize
// CHECK: %[[MIXED:.*]] = linalg.batch_matmul ins(%[[PS]], %[[HEADS]] : tensor<2x5x5xi16>, tensor<2x5x4xi8>) outs({{.*}} : tensor<2x5x4xi32>)
// CHECK: %[[QM:.*]] = quant.scast %[[MIXED]] : tensor<2x5x4xi32> to tensor<2x5x4x!quant.uniform<i32<-20807045:20807045>:f32, 6.103520e-07>>
// CHECK: %[[QJ:.*]] = nlq.requantize %[[QM]] half_up : {{.*}} -> tensor<2x5x4x!quant.uniform<i8<-127:127>:f32, 1.000000e-02>>
// CHECK: %[[J:.*]] = quant.scast %[[QJ]]
// CHECK: linalg.transpose ins(%[[J]] : tensor<2x5x4xi8>)
// CHECK: tensor.collapse_shape {{.*}} : tensor<5x2x4xi8> into tensor<5x8xi8>
// CHECK: linalg.matmul
func.func @main(%x: tensor<5x8xf32> {nlq.name = "x"}) -> tensor<5x8xf32> {
  %zero = arith.constant 0.0 : f32
  %half = arith.constant dense<0.5> : tensor<2x5x5xf32>
  %w = arith.constant dense<0.25> : tensor<8x8xf32>
  %e = tensor.empty() : tensor<5x8xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<5x8xf32>)
      -> tensor<5x8xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<5x8xf32>, tensor<8x8xf32>)
      outs(%z : tensor<5x8xf32>) -> tensor<5x8xf32> loc("q")
  %1 = tensor.expand_shape %0 [[0], [1, 2]] output_shape [5, 2, 4]
      : tensor<5x8xf32> into tensor<5x2x4xf32> loc("heads")
  %e2 = tensor.empty() : tensor<2x5x4xf32>
  %2 = linalg.transpose ins(%1 : tensor<5x2x4xf32>)
      outs(%e2 : tensor<2x5x4xf32>) permutation = [1, 0, 2] loc("heads")
  %e3 = tensor.empty() : tensor<2x4x5xf32>
  %3 = linalg.transpose ins(%1 : tensor<5x2x4xf32>)
      outs(%e3 : tensor<2x4x5xf32>) permutation = [1, 2, 0] loc("keys")
  %e4 = tensor.empty() : tensor<2x5x5xf32>
  %z4 = linalg.fill ins(%zero : f32) outs(%e4 : tensor<2x5x5xf32>)
      -> tensor<2x5x5xf32>
  %4 = linalg.batch_matmul ins(%2, %3 : tensor<2x5x4xf32>, tensor<2x4x5xf32>)
      outs(%z4 : tensor<2x5x5xf32>) -> tensor<2x5x5xf32> loc("scores")
  %5 = arith.mulf %4, %half : tensor<2x5x5xf32> loc("scaled")
  %6 = nlq.softmax %5 : tensor<2x5x5xf32> -> tensor<2x5x5xf32> loc("softmax")
  %z5 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<2x5x4xf32>)
      -> tensor<2x5x4xf32>
  %7 = linalg.batch_matmul ins(%6, %2 : tensor<2x5x5xf32>, tensor<2x5x4xf32>)
      outs(%z5 : tensor<2x5x4xf32>) -> tensor<2x5x4xf32> loc("mixed")
  %e6 = tensor.empty() : tensor<5x2x4xf32>
  %8 = linalg.transpose ins(%7 : tensor<2x5x4xf32>)
      outs(%e6 : tensor<5x2x4xf32>) permutation = [1, 0, 2] loc("joined")
  %9 = tensor.collapse_shape %8 [[0], [1, 2]]
      : tensor<5x2x4xf32> into tensor<5x8xf32> loc("joined")
  %10 = linalg.matmul ins(%9, %w : tensor<5x8xf32>, tensor<8x8xf32>)
      outs(%z : tensor<5x8xf32>) -> tensor<5x8xf32> loc("proj")
  return %10 : tensor<5x8xf32>
}
