// RUN: split-file %s %t
// RUN: nlq-opt %t/model.mlir --nlq-quantize="profile=%t/profile.json" \
// RUN:   | FileCheck %t/model.mlir

//--- profile.json
{"format": "nlq-profile", "version": 1, "samples": 1, "kept": 0, "values": [
  {"name": "x", "shape": [2, 3], "min": -1.27, "max": 1},
  {"name": "padding", "shape": [3], "min": -10000, "max": 0},
  {"name": "masked", "shape": [2, 3], "min": 0, "max": 1},
  {"name": "added", "shape": [2, 3], "min": 0, "max": 1},
  {"name": "told", "shape": [2, 3], "min": 0, "max": 1}
]}

//--- model.mlir
// Masks become bytes that say what takes part: constants of booleans and of two
// levels, and an argument of two levels, which is read in a type that has no
// others. Causality stays an attribute.

// CHECK-LABEL: func @main
// CHECK: %[[P:.*]] = quant.qcast %{{.*}} : tensor<3xf32> to tensor<3x!quant.uniform<i8<0:1>:f32, 1.280000e+02:1>>
// CHECK: %[[BYTES:.*]] = quant.scast %[[P]] : tensor<3x!quant.uniform<i8<0:1>:f32, 1.280000e+02:1>> to tensor<3xi8>
// CHECK: %[[ONE:.*]] = arith.constant dense<[1, 0, 1]> : tensor<3xi8>
// CHECK: nlq.softmax %{{.*}} mask(%[[ONE]] : tensor<3xi8>) causal {candidates
// CHECK: %[[TWO:.*]] = arith.constant dense<{{\[\[}}1, 1, 0], [1, 0, 0]]> : tensor<2x3xi8>
// CHECK: nlq.softmax %{{.*}} mask(%[[TWO]] : tensor<2x3xi8>) {candidates
// CHECK: nlq.softmax %{{.*}} mask(%[[BYTES]] : tensor<3xi8>) {candidates
func.func @main(%x: tensor<2x3xf32> {nlq.name = "x"},
                %p: tensor<3xf32> {nlq.name = "padding"}) -> tensor<2x3xf32> {
  %one = arith.constant dense<[true, false, true]> : tensor<3xi1>
  %two = arith.constant dense<[[0.0, -0.0, -100.0], [0.0, 0xFF800000, -1.0e9]]>
      : tensor<2x3xf32>
  %0 = nlq.softmax %x mask(%one : tensor<3xi1>) causal
      : tensor<2x3xf32> -> tensor<2x3xf32> loc("masked")
  %1 = nlq.softmax %0 mask(%two : tensor<2x3xf32>)
      : tensor<2x3xf32> -> tensor<2x3xf32> loc("added")
  %2 = nlq.softmax %1 mask(%p : tensor<3xf32>)
      : tensor<2x3xf32> -> tensor<2x3xf32> loc("told")
  return %2 : tensor<2x3xf32>
}
