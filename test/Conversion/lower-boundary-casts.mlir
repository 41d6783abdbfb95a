// RUN: nlq-opt %s -nlq-lower-boundary-casts -canonicalize -split-input-file \
// RUN:   -verify-diagnostics | FileCheck %s

// Division, rounding half to even, zero point, zero for NaN, then the clamp to
// the storage range: only what is left is cast to an integer.

!s = !quant.uniform<i8<-127:127>:f32, 0.5:3>

// CHECK-LABEL: func @quantize
// CHECK-SAME: (%[[X:.*]]: tensor<2x4xf32>) -> tensor<2x4xi8>
// CHECK-DAG: %[[MAX:.*]] = arith.constant 1.270000e+02 : f32
// CHECK-DAG: %[[MIN:.*]] = arith.constant -1.270000e+02 : f32
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 3.000000e+00 : f32
// CHECK-DAG: %[[SCALE:.*]] = arith.constant 5.000000e-01 : f32
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel"]} ins(%[[X]] : tensor<2x4xf32>)
// CHECK-NEXT: ^bb0(%[[IN:.*]]: f32, %{{.*}}: i8):
// CHECK-NEXT: %[[DIV:.*]] = arith.divf %[[IN]], %[[SCALE]]
// CHECK-NEXT: %[[ROUND:.*]] = math.roundeven %[[DIV]]
// CHECK-NEXT: %[[MOVED:.*]] = arith.addf %[[ROUND]], %[[ZERO]]
// CHECK-NEXT: %[[NUMBER:.*]] = arith.cmpf ord, %[[IN]], %[[IN]]
// CHECK-NEXT: %[[KNOWN:.*]] = arith.select %[[NUMBER]], %[[MOVED]], %[[ZERO]]
// CHECK-NEXT: %[[LOW:.*]] = arith.maximumf %[[KNOWN]], %[[MIN]]
// CHECK-NEXT: %[[CLAMPED:.*]] = arith.minimumf %[[LOW]], %[[MAX]]
// CHECK-NEXT: %[[Q:.*]] = arith.fptosi %[[CLAMPED]] : f32 to i8
// CHECK-NEXT: linalg.yield %[[Q]]
func.func @quantize(%x: tensor<2x4xf32>) -> tensor<2x4xi8> {
  %0 = quant.qcast %x : tensor<2x4xf32> to tensor<2x4x!s>
  %1 = quant.scast %0 : tensor<2x4x!s> to tensor<2x4xi8>
  return %1 : tensor<2x4xi8>
}

// CHECK-LABEL: func @dequantize
// CHECK-SAME: (%[[X:.*]]: tensor<2x4xi8>) -> tensor<2x4xf32>
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 3.000000e+00 : f32
// CHECK-DAG: %[[SCALE:.*]] = arith.constant 5.000000e-01 : f32
// CHECK: ^bb0(%[[IN:.*]]: i8, %{{.*}}: f32):
// CHECK-NEXT: %[[REAL:.*]] = arith.sitofp %[[IN]] : i8 to f32
// CHECK-NEXT: %[[MOVED:.*]] = arith.subf %[[REAL]], %[[ZERO]]
// CHECK-NEXT: %[[Y:.*]] = arith.mulf %[[MOVED]], %[[SCALE]]
// CHECK-NEXT: linalg.yield %[[Y]]
func.func @dequantize(%x: tensor<2x4xi8>) -> tensor<2x4xf32> {
  %0 = quant.scast %x : tensor<2x4xi8> to tensor<2x4x!s>
  %1 = quant.dcast %0 : tensor<2x4x!s> to tensor<2x4xf32>
  return %1 : tensor<2x4xf32>
}

// Per axis, of any dimension, and unsigned; on a dynamic shape.
!u = !quant.uniform<u8:f32:0, {0.5:128, 0.25}>

// CHECK-LABEL: func @per_axis
// CHECK-SAME: (%[[X:.*]]: tensor<2x?xf32>)
// CHECK-DAG: %[[SCALES:.*]] = arith.constant dense<[5.000000e-01, 2.500000e-01]> : tensor<2xf32>
// CHECK-DAG: %[[ZEROS:.*]] = arith.constant dense<[1.280000e+02, 0.000000e+00]> : tensor<2xf32>
// CHECK-DAG: %[[MAX:.*]] = arith.constant 2.550000e+02 : f32
// CHECK-DAG: %[[SIZE:.*]] = tensor.dim %[[X]], %c1
// CHECK: tensor.empty(%[[SIZE]]) : tensor<2x?xi8>
// CHECK: %[[Q:.*]] = linalg.generic {indexing_maps = [#[[ALL:.*]], #[[AXIS:.*]], #[[AXIS]], #[[ALL]]], {{.*}} ins(%[[X]], %[[SCALES]], %[[ZEROS]] :
// CHECK-NEXT: ^bb0(%[[IN:[a-z0-9_]*]]: f32, %[[SCALE:[a-z0-9_]*]]: f32, %[[ZERO:[a-z0-9_]*]]: f32,
// CHECK-NEXT: arith.divf %[[IN]], %[[SCALE]]
// CHECK: arith.minimumf %{{.*}}, %[[MAX]]
// CHECK-NEXT: arith.fptoui %{{.*}} : f32 to i8
// CHECK: linalg.generic {indexing_maps = [#[[ALL]], #[[AXIS]], #[[AXIS]], #[[ALL]]], {{.*}} ins(%[[Q]], %[[SCALES]], %[[ZEROS]] :
// CHECK: arith.uitofp %{{.*}} : i8 to f32
func.func @per_axis(%x: tensor<2x?xf32>) -> tensor<2x?xf32> {
  %0 = quant.qcast %x : tensor<2x?xf32> to tensor<2x?x!u>
  %1 = quant.scast %0 : tensor<2x?x!u> to tensor<2x?xi8>
  %2 = quant.scast %1 : tensor<2x?xi8> to tensor<2x?x!u>
  %3 = quant.dcast %2 : tensor<2x?x!u> to tensor<2x?xf32>
  return %3 : tensor<2x?xf32>
}

// 2^31 - 1 is no f32: the clamp is to 2^31 - 128, and what lies above that is
// 2^31 - 1 as an integer.
// CHECK-LABEL: func @bound_between_floats
// CHECK-DAG: %[[BOUND:.*]] = arith.constant 2147483647 : i32
// CHECK-DAG: %[[BELOW:.*]] = arith.constant 2.14748352E+9 : f32
// CHECK: %[[CLAMPED:.*]] = arith.minimumf %{{.*}}, %[[BELOW]]
// CHECK-NEXT: %[[Q:.*]] = arith.fptosi %[[CLAMPED]] : f32 to i32
// CHECK-NEXT: %[[ABOVE:.*]] = arith.cmpf ogt, %{{.*}}, %[[BELOW]]
// CHECK-NEXT: arith.select %[[ABOVE]], %[[BOUND]], %[[Q]]
// CHECK-NEXT: linalg.yield
func.func @bound_between_floats(%x: tensor<f32>) -> tensor<i32> {
  %0 = quant.qcast %x : tensor<f32> to tensor<!quant.uniform<i32:f32, 0.5>>
  %1 = quant.scast %0 : tensor<!quant.uniform<i32:f32, 0.5>> to tensor<i32>
  return %1 : tensor<i32>
}

// Rounded to a type and back: not nothing.
// CHECK-LABEL: func @round_trip
// CHECK: math.roundeven
// CHECK: arith.fptosi
// CHECK: arith.sitofp
func.func @round_trip(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = quant.qcast %x : tensor<2xf32> to tensor<2x!s>
  %1 = quant.dcast %0 : tensor<2x!s> to tensor<2xf32>
  return %1 : tensor<2xf32>
}

// -----

// Without the storage cast there is no storage type to lower to.
!s = !quant.uniform<i8:f32, 0.5>
func.func @no_storage(%x: tensor<2xf32>) -> tensor<2x!s> {
  // expected-error @+1 {{'quant.qcast' op must be on a ranked f32 tensor, beside the quant.scast that gives the storage type}}
  %0 = quant.qcast %x : tensor<2xf32> to tensor<2x!s>
  return %0 : tensor<2x!s>
}

// -----

!s = !quant.uniform<i8:f32, 0.5>
func.func @no_storage(%x: tensor<2x!s>) -> tensor<2xf32> {
  // expected-error @+1 {{'quant.dcast' op must be on a ranked f32 tensor, beside the quant.scast}}
  %0 = quant.dcast %x : tensor<2x!s> to tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

!s = !quant.uniform<i8:f64, 0.5>
func.func @double(%x: tensor<2xf64>) -> tensor<2xi8> {
  // expected-error @+1 {{'quant.qcast' op must be on a ranked f32 tensor}}
  %0 = quant.qcast %x : tensor<2xf64> to tensor<2x!s>
  %1 = quant.scast %0 : tensor<2x!s> to tensor<2xi8>
  return %1 : tensor<2xi8>
}

// -----

!s = !quant.uniform<i8:f32, 0.5>
func.func @scalar(%x: f32) -> i8 {
  // expected-error @+1 {{'quant.qcast' op must be on a ranked f32 tensor}}
  %0 = quant.qcast %x : f32 to !s
  %1 = quant.scast %0 : !s to i8
  return %1 : i8
}
