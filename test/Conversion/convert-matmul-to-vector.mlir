// RUN: nlq-opt %s \
// RUN:   -pass-pipeline="builtin.module(func.func(convert-matmul-to-vector{rows=2 lanes=8},canonicalize,cse))" \
// RUN:   | FileCheck %s
// RUN: not nlq-opt %s 2>&1 \
// RUN:   -pass-pipeline="builtin.module(func.func(convert-matmul-to-vector{lanes=12}))" \
// RUN:   | FileCheck %s --check-prefix=LANES
// RUN: not nlq-opt %s 2>&1 \
// RUN:   -pass-pipeline="builtin.module(func.func(convert-matmul-to-vector{rows=0}))" \
// RUN:   | FileCheck %s --check-prefix=ROWS
// LANES: error: lanes must be a power of two, found 12
// ROWS: error: rows must be at least 1, found 0

// Two rows of 8 columns of C stay in registers over the whole reduction; the
// row and the columns that are left follow in smaller blocks.
// CHECK-LABEL: func @floats
// CHECK-SAME: (%[[A:.*]]: memref<5x3xf32>, %[[B:.*]]: memref<3x18xf32>, %[[C:.*]]: memref<5x18xf32>)
// CHECK-NOT: memref.alloc
// CHECK: scf.for %[[ROW:.*]] = %c0 to %c4 step %c2 {
// CHECK: scf.for %[[COLUMN:.*]] = %c0 to %c16 step %c8 {
// CHECK: %[[C0:.*]] = vector.load %[[C]][%[[ROW]], %[[COLUMN]]] : memref<5x18xf32>, vector<8xf32>
// CHECK: %[[C1:.*]] = vector.load %[[C]][%{{.*}}, %[[COLUMN]]] : memref<5x18xf32>, vector<8xf32>
// CHECK: %[[SUMS:.*]]:2 = scf.for %[[K:.*]] = %c0 to %c3 step %c1 iter_args(%[[S0:.*]] = %[[C0]], %[[S1:.*]] = %[[C1]]) -> (vector<8xf32>, vector<8xf32>)
// CHECK: vector.load %[[B]][%[[K]], %[[COLUMN]]] : memref<3x18xf32>, vector<8xf32>
// CHECK: memref.load %[[A]][%[[ROW]], %[[K]]]
// CHECK: vector.fma %{{.*}}, %{{.*}}, %[[S0]]
// CHECK: vector.fma %{{.*}}, %{{.*}}, %[[S1]]
// CHECK: scf.yield
// CHECK: vector.store %[[SUMS]]#0, %[[C]][%[[ROW]], %[[COLUMN]]]
// CHECK: vector.store %[[SUMS]]#1, %[[C]]
// The last two columns, then the last row.
// CHECK: vector.load %[[C]][%[[ROW]], %c16] : memref<5x18xf32>, vector<2xf32>
// CHECK: scf.for %{{.*}} = %c0 to %c16 step %c8 {
// CHECK: vector.load %[[C]][%c4, %{{.*}}] : memref<5x18xf32>, vector<8xf32>
func.func @floats(%a: memref<5x3xf32>, %b: memref<3x18xf32>, %c: memref<5x18xf32>) {
  linalg.matmul ins(%a, %b : memref<5x3xf32>, memref<3x18xf32>)
      outs(%c : memref<5x18xf32>)
  return
}

// What can't be taken stays: tensors, dynamic shapes, transposed and unsigned
// operands, columns with strides, other elements.
// CHECK-LABEL: func @others
// CHECK: linalg.matmul ins(%{{.*}} : tensor<
// CHECK: linalg.matmul ins(%{{.*}} : memref<?x8xi8>
// CHECK: linalg.matmul indexing_maps
// CHECK: linalg.matmul {cast = #linalg.type_fn<cast_unsigned>}
// CHECK: linalg.matmul ins(%{{.*}} : memref<8x8xi8, strided<[16, 2]>>
// CHECK: linalg.matmul ins(%{{.*}} : memref<8x8xf16>
// CHECK-NOT: scf.for
// CHECK: return
func.func @others(%t: tensor<8x8xi8>, %u: tensor<8x8xi32>, %d: memref<?x8xi8>,
                  %dc: memref<?x8xi32>, %a: memref<8x8xi8>, %c: memref<8x8xi32>,
                  %s: memref<8x8xi8, strided<[16, 2]>>, %h: memref<8x8xf16>,
                  %f: memref<8x8xf32>) -> tensor<8x8xi32> {
  %0 = linalg.matmul ins(%t, %t : tensor<8x8xi8>, tensor<8x8xi8>)
      outs(%u : tensor<8x8xi32>) -> tensor<8x8xi32>
  linalg.matmul ins(%d, %a : memref<?x8xi8>, memref<8x8xi8>) outs(%dc : memref<?x8xi32>)
  linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>,
                                 affine_map<(m, n, k) -> (n, k)>,
                                 affine_map<(m, n, k) -> (m, n)>]
      ins(%a, %a : memref<8x8xi8>, memref<8x8xi8>) outs(%c : memref<8x8xi32>)
  linalg.matmul {cast = #linalg.type_fn<cast_unsigned>}
      ins(%a, %a : memref<8x8xi8>, memref<8x8xi8>) outs(%c : memref<8x8xi32>)
  linalg.matmul ins(%s, %a : memref<8x8xi8, strided<[16, 2]>>, memref<8x8xi8>)
      outs(%c : memref<8x8xi32>)
  linalg.matmul ins(%h, %h : memref<8x8xf16>, memref<8x8xf16>) outs(%f : memref<8x8xf32>)
  return %0 : tensor<8x8xi32>
}
