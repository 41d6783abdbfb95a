// RUN: nlq-opt %s -nlq-compile | FileCheck %s
// RUN: nlq-opt %s -nlq-to-kernels | FileCheck %s --check-prefix=KERNELS
// RUN: nlq-opt %s -nlq-to-kernels | nlq-opt -nlq-lower-to-llvm | FileCheck %s
// RUN: nlq-opt %s -nlq-to-float | not nlq-opt -nlq-compile 2>&1 \
// RUN:   | FileCheck %s --check-prefix=FLOAT
// RUN: nlq-opt %s -nlq-to-float | nlq-opt -nlq-compile=allow-float | FileCheck %s

// A quantized attention without heads: product, softmax, product, layer
// normalization, from f32 to f32.

!x = !quant.uniform<i8<-127:127>:f32, 2.0e-02>
!acc = !quant.uniform<i32<-64516:64516>:f32, 4.0e-04>
!p = !quant.uniform<i16:f32, 3.0517578125e-05>
!mix = !quant.uniform<i32:f32, 6.103515625e-07>
!res = !quant.uniform<i16:f32, 1.0e-03>
!y = !quant.uniform<i8<-127:127>:f32, 5.0e-02>

// Every operation is of the LLVM dialect; nothing is left unconverted.
// CHECK-NOT: unrealized_conversion_cast
// CHECK-NOT: {{(func|arith|memref|scf|cf|linalg|tensor|nlq|quant|vector|math|index)\.[a-z]}}
// A bare pointer for the argument and one for the result.
// CHECK: llvm.func @main(%{{.*}}: !llvm.ptr{{.*}}, %{{.*}}: !llvm.ptr{{.*}})
// CHECK-NOT: unrealized_conversion_cast

// KERNELS-LABEL: func @main
// KERNELS: quant.qcast
// KERNELS-NEXT: quant.scast {{.*}} to tensor<5x4xi8>
// KERNELS-NOT: {{f32|nlq.softmax|nlq.layer_norm|nlq.requantize}}
// KERNELS: linalg.matmul
// KERNELS: nlq.kernel {{.*}} -> tensor<5x5xi16>
// KERNELS: linalg.matmul
// KERNELS: nlq.kernel {{.*}} -> tensor<5x4xi16>
// KERNELS: nlq.kernel {{.*}} -> tensor<5x4xi8>
// KERNELS-NEXT: quant.scast
// KERNELS-NEXT: quant.dcast

// FLOAT: error: 'nlq.softmax' op touches a float between the boundary casts
// FLOAT: error: 'nlq.layer_norm' op touches a float between the boundary casts
func.func @main(%x: tensor<5x4xf32>) -> tensor<5x4xf32> {
  %zero = arith.constant 0 : i32
  %g = arith.constant dense<[1.0, 2.0, 0.5, -1.0]> : tensor<4xf32>
  %b = arith.constant dense<[0.0, 1.0, -1.0, 0.25]> : tensor<4xf32>
  %q = quant.qcast %x : tensor<5x4xf32> to tensor<5x4x!x>
  %xi = quant.scast %q : tensor<5x4x!x> to tensor<5x4xi8>
  %et = tensor.empty() : tensor<4x5xi8>
  %xt = linalg.transpose ins(%xi : tensor<5x4xi8>) outs(%et : tensor<4x5xi8>)
      permutation = [1, 0]
  %es = tensor.empty() : tensor<5x5xi32>
  %zs = linalg.fill ins(%zero : i32) outs(%es : tensor<5x5xi32>) -> tensor<5x5xi32>
  %s = linalg.matmul ins(%xi, %xt : tensor<5x4xi8>, tensor<4x5xi8>)
      outs(%zs : tensor<5x5xi32>) -> tensor<5x5xi32>
  %sq = quant.scast %s : tensor<5x5xi32> to tensor<5x5x!acc>
  %p = nlq.softmax %sq {method = #nlq.ibert<in = !x>} : tensor<5x5x!acc> -> tensor<5x5x!p>
  %pi = quant.scast %p : tensor<5x5x!p> to tensor<5x5xi16>
  %em = tensor.empty() : tensor<5x4xi32>
  %zm = linalg.fill ins(%zero : i32) outs(%em : tensor<5x4xi32>) -> tensor<5x4xi32>
  %m = linalg.matmul ins(%pi, %xi : tensor<5x5xi16>, tensor<5x4xi8>)
      outs(%zm : tensor<5x4xi32>) -> tensor<5x4xi32>
  %mq = quant.scast %m : tensor<5x4xi32> to tensor<5x4x!mix>
  %r = nlq.requantize %mq half_up : tensor<5x4x!mix> -> tensor<5x4x!res>
  %n = nlq.layer_norm %r, %g, %b {epsilon = 1.0e-05, method = #nlq.ibert<>}
      : tensor<5x4x!res>, tensor<4xf32>, tensor<4xf32> -> tensor<5x4x!y>
  %y = quant.dcast %n : tensor<5x4x!y> to tensor<5x4xf32>
  return %y : tensor<5x4xf32>
}
