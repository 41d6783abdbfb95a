// RUN: nlq-opt %s -nlq-compile=allow-float | %run_main | FileCheck %s
// RUN: nlq-opt %s -nlq-compile="allow-float lanes=2 matmul-rows=1 matmul-lanes=1" \
// RUN:   | %run_main | FileCheck %s
// RUN: nlq-opt %s -nlq-to-float | nlq-opt -nlq-compile=allow-float | %run_main \
// RUN:   | FileCheck %s

// A chain compiled and executed: quantize, multiply, GELU by a table,
// dequantize. A table holds the exact function rounded to nearest, so that the
// float function gives the same. (`allow-float` is for main, which prints.)

!x = !quant.uniform<i8<-127:127>:f32, 0.05>
!acc = !quant.uniform<i32<-127:127>:f32, 0.05>
!y = !quant.uniform<i8<-127:127>:f32, 0.02>

func.func private @gelu(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %zero = arith.constant 0 : i32
  %identity = arith.constant dense<[[1, 0, 0, 0], [0, 1, 0, 0],
                                    [0, 0, 1, 0], [0, 0, 0, 1]]> : tensor<4x4xi8>
  %q = quant.qcast %x : tensor<2x4xf32> to tensor<2x4x!x>
  %i = quant.scast %q : tensor<2x4x!x> to tensor<2x4xi8>
  %e = tensor.empty() : tensor<2x4xi32>
  %z = linalg.fill ins(%zero : i32) outs(%e : tensor<2x4xi32>) -> tensor<2x4xi32>
  %m = linalg.matmul ins(%i, %identity : tensor<2x4xi8>, tensor<4x4xi8>)
      outs(%z : tensor<2x4xi32>) -> tensor<2x4xi32>
  %a = quant.scast %m : tensor<2x4xi32> to tensor<2x4x!acc>
  %g = nlq.gelu %a erf {method = #nlq.table<in = !x>} : tensor<2x4x!acc> -> tensor<2x4x!y>
  %y = quant.dcast %g : tensor<2x4x!y> to tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

memref.global "private" constant @x : memref<2x4xf32> = dense<
  [[-3.0, -1.0, -0.52, 0.0], [0.476, 1.0, 2.0, 9.0]]>

func.func @main() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %m = memref.get_global @x : memref<2x4xf32>
  %x = bufferization.to_tensor %m restrict : memref<2x4xf32> to tensor<2x4xf32>
  %y = call @gelu(%x) : (tensor<2x4xf32>) -> tensor<2x4xf32>
  %r = bufferization.to_buffer %y : tensor<2x4xf32> to memref<2x4xf32>
  %r0 = vector.load %r[%c0, %c0] : memref<2x4xf32>, vector<4xf32>
  %r1 = vector.load %r[%c1, %c0] : memref<2x4xf32>, vector<4xf32>
  // x is -60, -20, -10, 0 and 10, 20, 40, 127 times 0.05. GELU there is -0.20,
  // -7.93, -7.71, 0 and 17.29, 42.07, 97.72, 317.5 times 0.02; 127 is the most.
  // CHECK:      ( {{-?}}0, -0.16, -0.16, 0 )
  // CHECK-NEXT: ( 0.34, 0.84, 1.96, 2.54 )
  vector.print %r0 : vector<4xf32>
  vector.print %r1 : vector<4xf32>
  return
}
