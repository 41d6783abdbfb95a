// RUN: nlq-opt %s -convert-float-nlq-to-linalg %to_llvm | %run_main | FileCheck %s

// Other rows executed. Expected values from their definitions, in double
// precision.

func.func private @print(%y: tensor<2x4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %m = bufferization.to_buffer %y : tensor<2x4xf32> to memref<2x4xf32>
  %v0 = vector.load %m[%c0, %c0] : memref<2x4xf32>, vector<4xf32>
  %v1 = vector.load %m[%c1, %c0] : memref<2x4xf32>, vector<4xf32>
  vector.print %v0 : vector<4xf32>
  vector.print %v1 : vector<4xf32>
  return
}

func.func @main() {
  %x = arith.constant dense<[[1.0, 2.0, 0.5, -1.0],
                             [0.0, 2.0, 1.5, 1.0]]> : tensor<2x4xf32>
  %m = arith.constant dense<[[true, true, false, false],
                             [true, false, true, false]]> : tensor<2x4xi1>
  %g = arith.constant dense<[[1.0, 2.0, 0.5, -1.0],
                             [1.0, 1.0, -2.0, 3.0]]> : tensor<2x4xf32>
  %b = arith.constant dense<[[0.0, 1.0, -1.0, 0.25],
                             [0.0, 0.0, 0.5, 0.0]]> : tensor<2x4xf32>

  // e^1 / (1 + e^1) = 0.7310, and so on, down the columns.
  // CHECK:      ( 0.7310{{[0-9]*}}, 0.5, 0.2689{{[0-9]*}}, 0.1192{{[0-9]*}} )
  // CHECK-NEXT: ( 0.2689{{[0-9]*}}, 0.5, 0.7310{{[0-9]*}}, 0.8807{{[0-9]*}} )
  %0 = nlq.softmax %x {axis = 0 : i64} : tensor<2x4xf32> -> tensor<2x4xf32>
  call @print(%0) : (tensor<2x4xf32>) -> ()

  // CHECK-NEXT: ( 0.7310{{[0-9]*}}, 1, 0, 0 )
  // CHECK-NEXT: ( 0.2689{{[0-9]*}}, 0, 1, 0 )
  %1 = nlq.softmax %x mask(%m : tensor<2x4xi1>) {axis = 0 : i64}
      : tensor<2x4xf32> -> tensor<2x4xf32>
  call @print(%1) : (tensor<2x4xf32>) -> ()

  // Mean 7/8, variance 13.5/8 - 49/64 = 0.921875, that plus epsilon 1.171875.
  // CHECK-NEXT: ( 0.1154{{[0-9]*}}, 3.0784{{[0-9]*}}, -1.173{{[0-9]*}}, 1.982{{[0-9]*}} )
  // CHECK-NEXT: ( -0.808{{[0-9]*}}, 1.0392{{[0-9]*}}, -0.6547{{[0-9]*}}, 0.3464{{[0-9]*}} )
  %2 = nlq.layer_norm %x, %g, %b {epsilon = 0.25}
      : tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32> -> tensor<2x4xf32>
  call @print(%2) : (tensor<2x4xf32>) -> ()
  return
}
