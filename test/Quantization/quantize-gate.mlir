// RUN: split-file %s %t
// RUN: nlq-opt %t/model.mlir --nlq-quantize="profile=%t/profile.json" \
// RUN:   | FileCheck %t/model.mlir
// RUN: nlq-opt %t/model.mlir --nlq-quantize="profile=%t/profile.json residual-bits=12" \
// RUN:   | FileCheck %t/model.mlir --check-prefix=TWELVE

//--- profile.json
{"format": "nlq-profile", "version": 1, "samples": 1, "kept": 0, "values": [
  {"name": "x", "shape": [3, 2], "min": -1.27, "max": 1},
  {"name": "gate", "shape": [3, 2], "min": -0.25, "max": 3.2767},
  {"name": "product", "shape": [3, 2], "min": -1, "max": 3}
]}

//--- model.mlir
// A product of two activations: both in the residual's width in 32 bits, the
// product in 32 bits on the product of the scales. No published method has
// silu, so that the table stands for all, also in a seed's candidates.

// CHECK-LABEL: func @main
// CHECK: %[[QX:.*]] = quant.qcast
// CHECK: %[[GATE:.*]] = nlq.silu %{{.*}} {candidates = [#nlq.table<{{.*}}>], nlq.slot = "gate"}
// CHECK-SAME: -> tensor<3x2x!quant.uniform<i16:f32, 1.000000e-04>>
// CHECK: %[[A:.*]] = nlq.requantize %[[GATE]] half_up : {{.*}} -> tensor<3x2x!quant.uniform<i32<-32767:32767>:f32, 1.000000e-04>>
// CHECK: %[[SA:.*]] = quant.scast %[[A]]
// CHECK: %[[B:.*]] = nlq.requantize %{{.*}} half_up : {{.*}} -> tensor<3x2x!quant.uniform<i32<-32767:32767>:f32, [[S:.*]]>>
// CHECK: %[[SB:.*]] = quant.scast %[[B]]
// CHECK: %[[P:.*]] = arith.muli %[[SA]], %[[SB]] : tensor<3x2xi32>
// CHECK: quant.scast %[[P]] : tensor<3x2xi32> to tensor<3x2x!quant.uniform<i32<-1073676289:1073676289>:f32, 3.875850e-09>>

// TWELVE: !quant.uniform<i32<-4190209:4190209>:f32,
func.func @main(%x: tensor<3x2xf32> {nlq.name = "x"}) -> tensor<3x2xf32> {
  %0 = nlq.silu %x : tensor<3x2xf32> -> tensor<3x2xf32> loc("gate")
  %1 = arith.mulf %0, %x : tensor<3x2xf32> loc("product")
  return %1 : tensor<3x2xf32>
}
