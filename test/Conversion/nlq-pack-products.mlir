// RUN: nlq-opt %s \
// RUN:   -pass-pipeline="builtin.module(func.func(nlq-pack-products{features=avx512vnni},canonicalize))" \
// RUN:   | FileCheck %s --check-prefixes=CHECK,VNNI
// RUN: nlq-opt %s \
// RUN:   -pass-pipeline="builtin.module(func.func(nlq-pack-products,canonicalize))" \
// RUN:   | FileCheck %s --check-prefixes=CHECK,PAIRS
// RUN: nlq-opt %s \
// RUN:   -pass-pipeline="builtin.module(func.func(nlq-pack-products{features=neon,dotprod},canonicalize))" \
// RUN:   | FileCheck %s --check-prefixes=CHECK,DOT
// RUN: not nlq-opt %s 2>&1 \
// RUN:   -pass-pipeline="builtin.module(func.func(nlq-pack-products{features=mmx}))" \
// RUN:   | FileCheck %s --check-prefix=FEATURES
// FEATURES: error: unknown vector feature 'mmx'; avx2, avx512bw, avx512vnni, avx512vbmi, neon and dotprod are known

// Six weights per column in two groups of four, or in three pairs; only the
// packed ones are left. start = bias - 128 * (sum of the column), for groups of
// four that read unsigned bytes: 10 - 128 * 21 and 20 - 128 * -21.
// CHECK-LABEL: func @weights
// VNNI-DAG: %[[W:.*]] = arith.constant dense<"0x01020304FFFEFDFC{{0+}}0506{{0+}}FBFA{{0+}}"> : tensor<1x2x64x4xi8>
// VNNI-DAG: %[[S:.*]] = arith.constant dense<[-2678, 2708, 0, {{.*}}]> : tensor<64xi32>
// PAIRS-DAG: %[[W:.*]] = arith.constant dense<{{\[\[\[\[1, 2\], \[-1, -2\], \[0, 0\],.*\[5, 6\], \[-5, -6\],.*}}> : tensor<1x3x8x2xi8>
// PAIRS-DAG: %[[S:.*]] = arith.constant dense<[10, 20, 0, 0, 0, 0, 0, 0]> : tensor<8xi32>
// DOT-DAG: %[[W:.*]] = arith.constant dense<"0x01020304FFFEFDFC{{0+}}0506{{0+}}FBFA{{0+}}"> : tensor<1x2x16x4xi8>
// DOT-DAG: %[[S:.*]] = arith.constant dense<[10, 20, 0, {{.*}}]> : tensor<16xi32>
// CHECK-NOT: linalg
// CHECK: nlq.product ins(%{{.*}}, %[[W]] : {{.*}}) start(%[[S]] :
// VNNI-SAME: {shifted}
// DOT-NOT: shifted
// CHECK-NOT: linalg
// CHECK: return
func.func @weights(%x: tensor<5x6xi8>) -> tensor<5x2xi32> {
  %w = arith.constant dense<[[1, -1], [2, -2], [3, -3], [4, -4], [5, -5], [6, -6]]> : tensor<6x2xi8>
  %bias = arith.constant dense<[10, 20]> : tensor<2xi32>
  %e = tensor.empty() : tensor<5x2xi32>
  %b = linalg.broadcast ins(%bias : tensor<2xi32>) outs(%e : tensor<5x2xi32>)
      dimensions = [0]
  %y = linalg.matmul ins(%x, %w : tensor<5x6xi8>, tensor<6x2xi8>)
      outs(%b : tensor<5x2xi32>) -> tensor<5x2xi32>
  return %y : tensor<5x2xi32>
}

// Constants whose data is a resource, as quantize makes large ones.
// CHECK-LABEL: func @resources
// PAIRS-DAG: %[[W:.*]] = arith.constant dense<{{\[\[\[\[1, 3\], \[2, 4\], \[0, 0\],.*}}> : tensor<1x1x8x2xi8>
// PAIRS-DAG: %[[S:.*]] = arith.constant dense<[5, -1, 0, 0, 0, 0, 0, 0]> : tensor<8xi32>
// PAIRS: nlq.product ins(%{{.*}}, %[[W]] : {{.*}}) start(%[[S]] :
func.func @resources(%x: tensor<5x2xi8>) -> tensor<5x2xi32> {
  %w = arith.constant dense_resource<weights> : tensor<2x2xi8>
  %bias = arith.constant dense_resource<bias> : tensor<2xi32>
  %e = tensor.empty() : tensor<5x2xi32>
  %b = linalg.broadcast ins(%bias : tensor<2xi32>) outs(%e : tensor<5x2xi32>)
      dimensions = [0]
  %y = linalg.matmul ins(%x, %w : tensor<5x2xi8>, tensor<2x2xi8>)
      outs(%b : tensor<5x2xi32>) -> tensor<5x2xi32>
  return %y : tensor<5x2xi32>
}

// Queries and keys: the columns of k are read where they lie, the heads are
// moved as whole rows.
// CHECK-LABEL: func @keys
// CHECK-SAME: (%[[Q:.*]]: tensor<6x9x64xi8>, %[[K:.*]]: tensor<1x9x6x64xi8>)
// CHECK: %[[T:.*]] = linalg.transpose ins(%[[K]] : tensor<1x9x6x64xi8>) outs(%{{.*}} : tensor<1x6x9x64xi8>) permutation = [0, 2, 1, 3]
// CHECK: %[[C:.*]] = tensor.collapse_shape %[[T]] {{.*}} into tensor<6x9x64xi8>
// CHECK: nlq.product ins(%[[Q]], %[[C]] : {{.*}}) outs({{.*}}) {transposed}
func.func @keys(%q: tensor<6x9x64xi8>, %k: tensor<1x9x6x64xi8>) -> tensor<6x9x9xi32> {
  %e = tensor.empty() : tensor<1x6x64x9xi8>
  %t = linalg.transpose ins(%k : tensor<1x9x6x64xi8>) outs(%e : tensor<1x6x64x9xi8>)
      permutation = [0, 2, 3, 1]
  %c = tensor.collapse_shape %t [[0, 1], [2], [3]]
      : tensor<1x6x64x9xi8> into tensor<6x64x9xi8>
  %zero = arith.constant 0 : i32
  %f = tensor.empty() : tensor<6x9x9xi32>
  %z = linalg.fill ins(%zero : i32) outs(%f : tensor<6x9x9xi32>) -> tensor<6x9x9xi32>
  %s = linalg.batch_matmul ins(%q, %c : tensor<6x9x64xi8>, tensor<6x64x9xi8>)
      outs(%z : tensor<6x9x9xi32>) -> tensor<6x9x9xi32>
  return %s : tensor<6x9x9xi32>
}

// A transpose that is nothing but the swap is gone; a first value that is not
// known is added.
// CHECK-LABEL: func @added
// CHECK-SAME: (%[[A:.*]]: tensor<3x7xi16>, %[[B:.*]]: tensor<5x7xi8>, %[[C:.*]]: tensor<3x5xi32>)
// CHECK-NOT: linalg.transpose
// CHECK: %[[P:.*]] = nlq.product ins(%[[A]], %[[B]] : {{.*}}) outs({{.*}}) {transposed}
// CHECK: linalg.add ins(%[[P]], %[[C]] :
func.func @added(%a: tensor<3x7xi16>, %b: tensor<5x7xi8>, %c: tensor<3x5xi32>) -> tensor<3x5xi32> {
  %e = tensor.empty() : tensor<7x5xi8>
  %t = linalg.transpose ins(%b : tensor<5x7xi8>) outs(%e : tensor<7x5xi8>)
      permutation = [1, 0]
  %y = linalg.matmul ins(%a, %t : tensor<3x7xi16>, tensor<7x5xi8>)
      outs(%c : tensor<3x5xi32>) -> tensor<3x5xi32>
  return %y : tensor<3x5xi32>
}

// What can't be taken stays.
// CHECK-LABEL: func @others
// CHECK: linalg.matmul ins(%{{.*}} : tensor<2x2xf32>
// CHECK: linalg.matmul ins(%{{.*}} : tensor<?x2xi8>
// CHECK: linalg.matmul {cast = #linalg.type_fn<cast_unsigned>}
func.func @others(%f: tensor<2x2xf32>, %d: tensor<?x2xi8>, %a: tensor<2x2xi8>, %c: tensor<2x2xi32>, %dc: tensor<?x2xi32>)
    -> (tensor<2x2xf32>, tensor<?x2xi32>, tensor<2x2xi32>) {
  %0 = linalg.matmul ins(%f, %f : tensor<2x2xf32>, tensor<2x2xf32>)
      outs(%f : tensor<2x2xf32>) -> tensor<2x2xf32>
  %1 = linalg.matmul ins(%d, %a : tensor<?x2xi8>, tensor<2x2xi8>)
      outs(%dc : tensor<?x2xi32>) -> tensor<?x2xi32>
  %2 = linalg.matmul {cast = #linalg.type_fn<cast_unsigned>}
      ins(%a, %a : tensor<2x2xi8>, tensor<2x2xi8>)
      outs(%c : tensor<2x2xi32>) -> tensor<2x2xi32>
  return %0, %1, %2 : tensor<2x2xf32>, tensor<?x2xi32>, tensor<2x2xi32>
}

{-#
  dialect_resources: {
    builtin: {
      weights: "0x0100000001020304",
      bias: "0x0400000005000000FFFFFFFF"
    }
  }
#-}
