// RUN: nlq-opt %s -nlq-lower-boundary-casts %to_llvm | %run_main | FileCheck %s

// Casts executed; every expected value is the definition's,
// clamp(roundeven(x / scale) + zero point), worked out by hand.

!s = !quant.uniform<i8<-127:127>:f32, 0.5:3>
!u = !quant.uniform<u8:f32:0, {0.5:128, 0.25, 1.0:255}>
!w = !quant.uniform<i32:f32, 0.5>
!n = !quant.uniform<i32<-2147483647:16777217>:f32, 1.0>

func.func private @per_tensor(%x: tensor<12xf32>) {
  %q = quant.qcast %x : tensor<12xf32> to tensor<12x!s>
  %s = quant.scast %q : tensor<12x!s> to tensor<12xi8>
  %c0 = arith.constant 0 : index
  %m = bufferization.to_buffer %s : tensor<12xi8> to memref<12xi8>
  %v = vector.load %m[%c0] : memref<12xi8>, vector<12xi8>
  vector.print %v : vector<12xi8>
  return
}

func.func private @per_axis(%x: tensor<3x3xf32>) {
  %q = quant.qcast %x : tensor<3x3xf32> to tensor<3x3x!u>
  %s = quant.scast %q : tensor<3x3x!u> to tensor<3x3xi8>
  %r = quant.scast %s : tensor<3x3xi8> to tensor<3x3x!u>
  %d = quant.dcast %r : tensor<3x3x!u> to tensor<3x3xf32>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %m = bufferization.to_buffer %s : tensor<3x3xi8> to memref<3x3xi8>
  %n = bufferization.to_buffer %d : tensor<3x3xf32> to memref<3x3xf32>
  %v0 = vector.load %m[%c0, %c0] : memref<3x3xi8>, vector<3xi8>
  %v1 = vector.load %m[%c1, %c0] : memref<3x3xi8>, vector<3xi8>
  %v2 = vector.load %m[%c2, %c0] : memref<3x3xi8>, vector<3xi8>
  %w0 = vector.load %n[%c0, %c0] : memref<3x3xf32>, vector<3xf32>
  %w1 = vector.load %n[%c1, %c0] : memref<3x3xf32>, vector<3xf32>
  %w2 = vector.load %n[%c2, %c0] : memref<3x3xf32>, vector<3xf32>
  vector.print %v0 : vector<3xi8>
  vector.print %v1 : vector<3xi8>
  vector.print %v2 : vector<3xi8>
  vector.print %w0 : vector<3xf32>
  vector.print %w1 : vector<3xf32>
  vector.print %w2 : vector<3xf32>
  return
}

func.func private @wide(%x: tensor<6xf32>) {
  %q = quant.qcast %x : tensor<6xf32> to tensor<6x!w>
  %s = quant.scast %q : tensor<6x!w> to tensor<6xi32>
  %p = quant.qcast %x : tensor<6xf32> to tensor<6x!n>
  %t = quant.scast %p : tensor<6x!n> to tensor<6xi32>
  %c0 = arith.constant 0 : index
  %m = bufferization.to_buffer %s : tensor<6xi32> to memref<6xi32>
  %n = bufferization.to_buffer %t : tensor<6xi32> to memref<6xi32>
  %v = vector.load %m[%c0] : memref<6xi32>, vector<6xi32>
  %w = vector.load %n[%c0] : memref<6xi32>, vector<6xi32>
  vector.print %v : vector<6xi32>
  vector.print %w : vector<6xi32>
  return
}

func.func @main() {
  // Quotients 0.5, 1.5, 2.5, -0.5, -1.5: ties to even. Then what is too large,
  // infinite, not a number, and the last values inside and outside.
  // CHECK: ( 3, 5, 5, 3, 1, 127, -127, 127, -127, 3, 127, 127 )
  %x = arith.constant dense<[0.25, 0.75, 1.25, -0.25, -0.75, 1.0e30, -1.0e30,
      0x7F800000, 0xFF800000, 0x7FC00000, 61.9, 62.3]> : tensor<12xf32>
  call @per_tensor(%x) : (tensor<12xf32>) -> ()

  // Rows of scales 0.5, 0.25, 1 and zero points 128, 0, 255; unsigned bytes are
  // printed as signed ones: 0, 129 and 255; 0, 10 and 255; 0, 253 and 255.
  // CHECK-NEXT: ( 0, -127, -1 )
  // CHECK-NEXT: ( 0, 10, -1 )
  // CHECK-NEXT: ( 0, -3, -1 )
  // CHECK-NEXT: ( -64, 0.5, 63.5 )
  // CHECK-NEXT: ( 0, 2.5, 63.75 )
  // CHECK-NEXT: ( -255, -2, 0 )
  %y = arith.constant dense<[[-100.0, 0.5, 100.0], [-3.0, 2.6, 80.0],
                             [-300.0, -1.5, 0x7FC00000]]> : tensor<3x3xf32>
  call @per_axis(%y) : (tensor<3x3xf32>) -> ()

  // x / 0.5 in 32 bits, then x clamped to [1 - 2^31, 2^24 + 1]: bounds that are
  // no floats.
  // CHECK-NEXT: ( 2147483647, -2147483648, 2147483647, -2147483648, 33554432, 33554436 )
  // CHECK-NEXT: ( 16777217, -2147483647, 16777217, -2147483647, 16777216, 16777217 )
  %z = arith.constant dense<[0x7F800000, 0xFF800000, 2147483648.0, -2147483648.0,
                             16777216.0, 16777218.0]> : tensor<6xf32>
  call @wide(%z) : (tensor<6xf32>) -> ()
  return
}
