// RUN: nlq-opt %s -nlq-rows-last -mlir-print-debuginfo -mlir-print-local-scope | FileCheck %s

// The example of the pass; the mask goes along. What is made of the operand is
// called by the operation, too.
// CHECK-LABEL: func @softmax
// CHECK-SAME: %[[X:[^:]*]]: tensor<2x?xf32>
// CHECK-SAME: %[[M:[^:]*]]: tensor<2x1xi8>
// CHECK: %[[E:.*]] = tensor.empty(%{{.*}}) : tensor<?x2xf32>
// CHECK: %[[T:.*]] = linalg.transpose ins(%[[X]] : tensor<2x?xf32>{{.*}}) outs(%[[E]] : tensor<?x2xf32>{{.*}}) permutation = [1, 0] loc("scores/rows")
// CHECK: %[[N:.*]] = linalg.transpose ins(%[[M]] : tensor<2x1xi8>{{.*}}) outs(%{{.*}} : tensor<1x2xi8>{{.*}}) permutation = [1, 0]
// CHECK: %[[S:.*]] = nlq.softmax %[[T]] mask(%[[N]] : tensor<1x2xi8>) {max_row_length = 2 : i64, note} : tensor<?x2xf32> -> tensor<?x2xf32> loc("scores")
// CHECK: %[[Y:.*]] = linalg.transpose ins(%[[S]] : tensor<?x2xf32>{{.*}}) outs(%{{.*}} : tensor<2x?xf32>{{.*}}) permutation = [1, 0]
// CHECK: return %[[Y]]
func.func @softmax(%x: tensor<2x?xf32>, %m: tensor<2x1xi8>) -> tensor<2x?xf32> {
  %y = nlq.softmax %x mask(%m : tensor<2x1xi8>) {axis = 0 : i64, max_row_length = 2 : i64, note}
      : tensor<2x?xf32> -> tensor<2x?xf32> loc("scores")
  return %y : tensor<2x?xf32>
}

// Constants stay constants.
// CHECK-LABEL: func @layer_norm
// CHECK-SAME: %[[X:[^:]*]]: tensor<?x2x3xf32>
// CHECK-SAME: %[[B:[^:]*]]: tensor<2x3xf32>
// CHECK-DAG: %[[G:.*]] = arith.constant dense<[1.000000e+00, 2.000000e+00, 3.000000e+00, 4.000000e+00, 5.000000e+00, 6.000000e+00]> : tensor<6xf32>
// CHECK-DAG: %[[R:.*]] = tensor.collapse_shape %[[X]] {{\[\[}}0], [1, 2]] : tensor<?x2x3xf32> into tensor<?x6xf32>
// CHECK-DAG: %[[C:.*]] = tensor.collapse_shape %[[B]] {{\[\[}}0, 1]] : tensor<2x3xf32> into tensor<6xf32>
// CHECK: %[[N:.*]] = nlq.layer_norm %[[R]], %[[G]], %[[C]] {epsilon = 2.500000e-01 : f64} : tensor<?x6xf32>, tensor<6xf32>, tensor<6xf32> -> tensor<?x6xf32> loc("norm")
// CHECK: %[[Y:.*]] = tensor.expand_shape %[[N]] {{\[\[}}0], [1, 2]] output_shape
// CHECK: return %[[Y]]
func.func @layer_norm(%x: tensor<?x2x3xf32>, %b: tensor<2x3xf32>) -> tensor<?x2x3xf32> {
  %g = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %y = nlq.layer_norm %x, %g, %b {epsilon = 0.25}
      : tensor<?x2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32> -> tensor<?x2x3xf32>
      loc("norm")
  return %y : tensor<?x2x3xf32>
}

// All dimensions in one row.
// CHECK-LABEL: func @rms_norm
// CHECK: tensor.collapse_shape %{{.*}} {{\[\[}}0, 1]] : tensor<2x3xf32> into tensor<6xf32>
// CHECK: nlq.rms_norm %{{.*}}, %{{.*}} {epsilon = 0.000000e+00 : f64} : tensor<6xf32>, tensor<6xf32> -> tensor<6xf32>
// CHECK: tensor.expand_shape %{{.*}} {{\[\[}}0, 1]] output_shape [2, 3] : tensor<6xf32> into tensor<2x3xf32>
func.func @rms_norm(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %g = arith.constant dense<1.0> : tensor<2x3xf32>
  %y = nlq.rms_norm %x, %g {epsilon = 0.0}
      : tensor<2x3xf32>, tensor<2x3xf32> -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

// Rows along the last dimension, and dynamic ones, stay.
// CHECK-LABEL: func @others
// CHECK-NEXT: nlq.softmax %{{.*}} {axis = 1 : i64}
// CHECK-NEXT: nlq.rms_norm %{{.*}} : tensor<2x?xf32>, tensor<2x?xf32>
// CHECK-NEXT: return
func.func @others(%x: tensor<2x?xf32>) -> (tensor<2x?xf32>, tensor<2x?xf32>) {
  %0 = nlq.softmax %x {axis = 1 : i64} : tensor<2x?xf32> -> tensor<2x?xf32>
  %1 = nlq.rms_norm %x, %x {epsilon = 0.0}
      : tensor<2x?xf32>, tensor<2x?xf32> -> tensor<2x?xf32>
  return %0, %1 : tensor<2x?xf32>, tensor<2x?xf32>
}
