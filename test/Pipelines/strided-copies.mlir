// RUN: nlq-opt %s -nlq-compile=allow-float | %run_main | FileCheck %s

// A concatenation along an inner dimension copies its parts to where elements
// are not neighbours; the compiled code calls no library for it.

memref.global "private" constant @x : memref<2x3x2xf32> = dense<
  [[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]],
   [[7.0, 8.0], [9.0, 10.0], [11.0, 12.0]]]>

func.func private @prepend(%x: tensor<2x3x2xf32>) -> tensor<2x4x2xf32> {
  %token = arith.constant dense<[[[-1.0, -2.0]], [[-3.0, -4.0]]]> : tensor<2x1x2xf32>
  %y = tensor.concat dim(1) %token, %x
      : (tensor<2x1x2xf32>, tensor<2x3x2xf32>) -> tensor<2x4x2xf32>
  return %y : tensor<2x4x2xf32>
}

func.func @main() {
  %c0 = arith.constant 0 : index
  %m = memref.get_global @x : memref<2x3x2xf32>
  %x = bufferization.to_tensor %m restrict : memref<2x3x2xf32> to tensor<2x3x2xf32>
  %y = call @prepend(%x) : (tensor<2x3x2xf32>) -> tensor<2x4x2xf32>
  %r = bufferization.to_buffer %y : tensor<2x4x2xf32> to memref<2x4x2xf32>
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  scf.for %i = %c0 to %c2 step %c1 {
    scf.for %j = %c0 to %c4 step %c1 {
      %row = vector.load %r[%i, %j, %c0] : memref<2x4x2xf32>, vector<2xf32>
      vector.print %row : vector<2xf32>
    }
  }
  return
}
// CHECK: ( -1, -2 )
// CHECK-NEXT: ( 1, 2 )
// CHECK-NEXT: ( 3, 4 )
// CHECK-NEXT: ( 5, 6 )
// CHECK-NEXT: ( -3, -4 )
// CHECK-NEXT: ( 7, 8 )
// CHECK-NEXT: ( 9, 10 )
// CHECK-NEXT: ( 11, 12 )
