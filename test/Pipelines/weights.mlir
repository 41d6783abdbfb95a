// RUN: nlq-opt %s -nlq-lower-to-llvm=features=avx2 | FileCheck %s
// RUN: nlq-opt %s -nlq-lower-to-llvm=features=avx2,avx512bw,avx512vnni | FileCheck %s --check-prefix=VNNI

// A lowered module has each weight once, packed, as one flat array: six weights
// of two columns are three pairs of 16 columns, or two groups of four of 64.
// Equal products share their code, and nothing is packed where it runs.
// CHECK-NOT: array<6 x
// CHECK: llvm.mlir.global private constant @{{.*}}dense<{{.*}}> : tensor<96xi8>{{.*}} : !llvm.array<96 x i8>
// CHECK-NOT: array<6 x
// CHECK: llvm.mlir.global private constant @{{.*}}dense<{{.*}}> : tensor<96xi8>{{.*}} : !llvm.array<96 x i8>
// CHECK-NOT: xi8>
// CHECK: llvm.func @main
// CHECK-COUNT-2: llvm.call @__nlq_product(
// CHECK: llvm.return
// CHECK-NOT: llvm.intr.vector.interleave2

// VNNI-COUNT-2: llvm.mlir.global {{.*}} : tensor<512xi8>{{.*}} : !llvm.array<512 x i8>
// VNNI: llvm.func @main
func.func @main(%x: tensor<5x6xi8>) -> (tensor<5x2xi32>, tensor<5x2xi32>) {
  %v = arith.constant dense<[[1, -1], [2, -2], [3, -3], [4, -4], [5, -5], [6, -6]]> : tensor<6x2xi8>
  %w = arith.constant dense<[[1, 1], [2, 1], [3, 1], [4, 1], [5, 1], [6, 1]]> : tensor<6x2xi8>
  %bias = arith.constant dense<[10, 20]> : tensor<2xi32>
  %e = tensor.empty() : tensor<5x2xi32>
  %b = linalg.broadcast ins(%bias : tensor<2xi32>) outs(%e : tensor<5x2xi32>)
      dimensions = [0]
  %y = linalg.matmul ins(%x, %v : tensor<5x6xi8>, tensor<6x2xi8>)
      outs(%b : tensor<5x2xi32>) -> tensor<5x2xi32>
  %z = linalg.matmul ins(%x, %w : tensor<5x6xi8>, tensor<6x2xi8>)
      outs(%b : tensor<5x2xi32>) -> tensor<5x2xi32>
  return %y, %z : tensor<5x2xi32>, tensor<5x2xi32>
}
