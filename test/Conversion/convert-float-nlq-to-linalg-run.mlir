// RUN: nlq-opt %s -convert-float-nlq-to-linalg %to_llvm | %run_main | FileCheck %s

// The float functions executed. Expected values to four digits, from their
// definitions in double precision.

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
                             [1000.0, 1000.0, -1000.0, 999.0]]> : tensor<2x4xf32>
  %z = arith.constant dense<[[1.0, 2.0, 0.5, -1.0],
                             [-3.0, 0.0, 4.0, -10.0]]> : tensor<2x4xf32>
  %g = arith.constant dense<[1.0, 2.0, 0.5, -1.0]> : tensor<4xf32>
  %b = arith.constant dense<[0.0, 1.0, -1.0, 0.25]> : tensor<4xf32>

  // CHECK:      ( 0.2242{{[0-9]*}}, 0.6094{{[0-9]*}}, 0.1359{{[0-9]*}}, 0.0303{{[0-9]*}} )
  // CHECK-NEXT: ( 0.4223{{[0-9]*}}, 0.4223{{[0-9]*}}, {{0|[0-9.]+e-[0-9]+}}, 0.1553{{[0-9]*}} )
  %0 = nlq.softmax %x : tensor<2x4xf32> -> tensor<2x4xf32>
  call @print(%0) : (tensor<2x4xf32>) -> ()

  // CHECK-NEXT: ( 0.8413{{[0-9]*}}, 1.954{{[0-9]*}}, 0.3457{{[0-9]*}}, -0.1586{{[0-9]*}} )
  // CHECK-NEXT: ( -0.00404{{[0-9]*}}, 0, 3.9998{{[0-9]*}}, {{-?0|-[0-9.]+e-[0-9]+}} )
  %1 = nlq.gelu %z erf : tensor<2x4xf32> -> tensor<2x4xf32>
  call @print(%1) : (tensor<2x4xf32>) -> ()

  // CHECK-NEXT: ( 0.8411{{[0-9]*}}, 1.954{{[0-9]*}}, 0.3457{{[0-9]*}}, -0.1588{{[0-9]*}} )
  // CHECK-NEXT: ( -0.00363{{[0-9]*}}, 0, 3.9999{{[0-9]*}}, {{-?0|-[0-9.]+e-[0-9]+}} )
  %2 = nlq.gelu %z tanh : tensor<2x4xf32> -> tensor<2x4xf32>
  call @print(%2) : (tensor<2x4xf32>) -> ()

  // CHECK-NEXT: ( 0.3144{{[0-9]*}}, 3.3062{{[0-9]*}}, -1.0524{{[0-9]*}}, 1.6127{{[0-9]*}} )
  // CHECK-NEXT: ( 0.5777{{[0-9]*}}, 2.1554{{[0-9]*}}, -1.866{{[0-9]*}}, -0.3265{{[0-9]*}} )
  %3 = nlq.layer_norm %x, %g, %b {epsilon = 0.25}
      : tensor<2x4xf32>, tensor<4xf32>, tensor<4xf32> -> tensor<2x4xf32>
  call @print(%3) : (tensor<2x4xf32>) -> ()

  // The mean of squares is 1.5625 in the first row, that plus epsilon 1.5^2; in
  // the second it is 31.25.
  // CHECK-NEXT: ( 0.6666{{[0-9]*}}, 2.6666{{[0-9]*}}, 0.1666{{[0-9]*}}, 0.6666{{[0-9]*}} )
  // CHECK-NEXT: ( -0.530{{[0-9]*}}, 0, 0.3538{{[0-9]*}}, 1.769{{[0-9]*}} )
  %8 = nlq.rms_norm %z, %g {epsilon = 0.6875}
      : tensor<2x4xf32>, tensor<4xf32> -> tensor<2x4xf32>
  call @print(%8) : (tensor<2x4xf32>) -> ()

  // CHECK-NEXT: ( 0.7310{{[0-9]*}}, 1.7615{{[0-9]*}}, 0.3112{{[0-9]*}}, -0.2689{{[0-9]*}} )
  // CHECK-NEXT: ( -0.1422{{[0-9]*}}, {{-?}}0, 3.928{{[0-9]*}}, -0.00045{{[0-9]*}} )
  %4 = nlq.silu %z : tensor<2x4xf32> -> tensor<2x4xf32>
  call @print(%4) : (tensor<2x4xf32>) -> ()

  // CHECK-NEXT: ( 0.7310{{[0-9]*}}, 0.8807{{[0-9]*}}, 0.6224{{[0-9]*}}, 0.2689{{[0-9]*}} )
  // CHECK-NEXT: ( 0.0474{{[0-9]*}}, 0.5, 0.9820{{[0-9]*}}, 4.539{{[0-9]*}}e-05 )
  %5 = nlq.sigmoid %z : tensor<2x4xf32> -> tensor<2x4xf32>
  call @print(%5) : (tensor<2x4xf32>) -> ()

  // CHECK-NEXT: ( 0.7615{{[0-9]*}}, 0.9640{{[0-9]*}}, 0.4621{{[0-9]*}}, -0.7615{{[0-9]*}} )
  // CHECK-NEXT: ( -0.9950{{[0-9]*}}, 0, 0.9993{{[0-9]*}}, -{{1|0.99999[0-9]*}} )
  %6 = nlq.tanh %z : tensor<2x4xf32> -> tensor<2x4xf32>
  call @print(%6) : (tensor<2x4xf32>) -> ()

  // CHECK-NEXT: ( 2.718{{[0-9]*}}, 7.389{{[0-9]*}}, 1.648{{[0-9]*}}, 0.3678{{[0-9]*}} )
  // CHECK-NEXT: ( 0.0497{{[0-9]*}}, 1, 54.598{{[0-9]*}}, 4.5{{[34][0-9]*}}e-05 )
  %7 = nlq.exp %z : tensor<2x4xf32> -> tensor<2x4xf32>
  call @print(%7) : (tensor<2x4xf32>) -> ()
  return
}
