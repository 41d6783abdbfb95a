// RUN: nlq-opt %s -nlq-compile=allow-float | %run_main | FileCheck %s
// RUN: nlq-opt %s -nlq-compile="allow-float lanes=2" | %run_main | FileCheck %s
// RUN: nlq-opt %s -nlq-to-float | nlq-opt -nlq-compile=allow-float | %run_main \
// RUN:   | FileCheck %s

// Functions of one element and a table, compiled and executed. A table holds the exact
// function rounded to nearest, so that the float function gives the same.

!x = !quant.uniform<i8<-127:127>:f32, 0.05>
!silu = !quant.uniform<i8<-127:127>:f32, 0.02>
!sigmoid = !quant.uniform<i8:f32, 3.90625e-03:-128>
!tanh = !quant.uniform<i8<-127:127>:f32, 7.8125e-03>
!steps = !quant.uniform<i8<-2:2>:f32, 0.9>
!exp = !quant.uniform<i16:f32, 0.05>

func.func private @functions(%x: tensor<2x4xf32>)
    -> (tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>,
        tensor<2x4xf32>) {
  %q = quant.qcast %x : tensor<2x4xf32> to tensor<2x4x!x>
  %0 = nlq.silu %q {method = #nlq.table<>} : tensor<2x4x!x> -> tensor<2x4x!silu>
  %1 = nlq.sigmoid %q {method = #nlq.table<>} : tensor<2x4x!x> -> tensor<2x4x!sigmoid>
  %2 = nlq.tanh %q {method = #nlq.table<>} : tensor<2x4x!x> -> tensor<2x4x!tanh>
  %3 = nlq.exp %q {method = #nlq.table<>} : tensor<2x4x!x> -> tensor<2x4x!exp>
  %4 = quant.dcast %0 : tensor<2x4x!silu> to tensor<2x4xf32>
  %5 = quant.dcast %1 : tensor<2x4x!sigmoid> to tensor<2x4xf32>
  %6 = quant.dcast %2 : tensor<2x4x!tanh> to tensor<2x4xf32>
  %7 = quant.dcast %3 : tensor<2x4x!exp> to tensor<2x4xf32>
  %step = nlq.requantize %q half_up : tensor<2x4x!x> -> tensor<2x4x!steps>
  %8 = nlq.lookup %step [-100, 7, 127, 20, 3] : tensor<2x4x!steps> -> tensor<2x4x!silu>
  %9 = quant.dcast %8 : tensor<2x4x!silu> to tensor<2x4xf32>
  return %4, %5, %6, %7, %9
      : tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>,
        tensor<2x4xf32>
}

func.func private @print(%y: tensor<2x4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = bufferization.to_buffer %y : tensor<2x4xf32> to memref<2x4xf32>
  %r0 = vector.load %r[%c0, %c0] : memref<2x4xf32>, vector<4xf32>
  %r1 = vector.load %r[%c1, %c0] : memref<2x4xf32>, vector<4xf32>
  vector.print %r0 : vector<4xf32>
  vector.print %r1 : vector<4xf32>
  return
}

memref.global "private" constant @x : memref<2x4xf32> = dense<
  [[-3.0, -1.0, -0.5, 0.0], [0.5, 1.0, 2.0, 9.0]]>

// x is -60, -20, -10, 0 and 10, 20, 40, 127 times 0.05.
func.func @main() {
  %m = memref.get_global @x : memref<2x4xf32>
  %x = bufferization.to_tensor %m restrict : memref<2x4xf32> to tensor<2x4xf32>
  %y:5 = call @functions(%x) : (tensor<2x4xf32>)
      -> (tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>,
          tensor<2x4xf32>)
  // -7.11, -13.45, -9.44, 0 and 15.56, 36.55, 88.08, 316.9 times 0.02.
  // CHECK:      ( -0.14, -0.26, -0.18, 0 )
  // CHECK-NEXT: ( 0.32, 0.74, 1.76, 2.54 )
  call @print(%y#0) : (tensor<2x4xf32>) -> ()
  // 12.14, 68.85, 96.65, 128 and 159.35, 187.15, 225.48, 255.55 in 256; 255 is
  // the most.
  // CHECK-NEXT: ( 0.046875, 0.269531, 0.378906, 0.5 )
  // CHECK-NEXT: ( 0.621094, 0.730469, 0.878906, 0.996094 )
  call @print(%y#1) : (tensor<2x4xf32>) -> ()
  // -127.37, -97.48, -59.15, 0 and 59.15, 97.48, 123.4, 128.0 in 128.
  // CHECK-NEXT: ( -0.992188, -0.757812, -0.460938, 0 )
  // CHECK-NEXT: ( 0.460938, 0.757812, 0.960938, 0.992188 )
  call @print(%y#2) : (tensor<2x4xf32>) -> ()
  // 0.996, 7.36, 12.13, 20 and 32.97, 54.37, 147.78, 11449.9 times 0.05.
  // CHECK-NEXT: ( 0.05, 0.35, 0.6, 1 )
  // CHECK-NEXT: ( 1.65, 2.7, 7.4, 572.5 )
  call @print(%y#3) : (tensor<2x4xf32>) -> ()
  // -2, -1, -1, 0 and 1, 1, 2, 2 times 0.9: the first, second, second, third,
  // fourth, fourth, fifth and fifth entry times 0.02.
  // CHECK-NEXT: ( -2, 0.14, 0.14, 2.54 )
  // CHECK-NEXT: ( 0.4, 0.4, 0.06, 0.06 )
  call @print(%y#4) : (tensor<2x4xf32>) -> ()
  return
}
