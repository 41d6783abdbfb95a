// RUN: nlq-opt %s -convert-nlq-to-linalg -canonicalize -cse | FileCheck %s

// As softmax does: the largest element of a row, powers and their sum, and
// shares of that.
#softmax = #nlq.graph<max_row_length = 64,
  inputs = [x : element i8 in [-128, 127]], tables = [[64, 16, 4, 1]],
  nodes = [n0 : element = input 0(), n1 : row = reduce_max(n0),
           n2 : element = sub(n1, n0), n3 : uniform = constant 3(),
           n4 : element = min(n2, n3), n5 : element = lookup 0(n4),
           n6 : uniform = constant 100(), n7 : element = mul(n5, n6),
           n8 : row = reduce_sum(n5), n9 : element = div floor(n7, n8)],
  result = n9 : i16>

// CHECK-DAG: #[[$ROW:.*]] = affine_map<(d0, d1) -> (d0)>
// CHECK-DAG: #[[$ALL:.*]] = affine_map<(d0, d1) -> (d0, d1)>

// CHECK-LABEL: func @softmax
// CHECK-SAME: (%[[X:.*]]: tensor<5x?xi8>, %[[Y:.*]]: tensor<5x?xi16>)
// CHECK-DAG: %[[TABLE:.*]] = arith.constant dense<[64, 16, 4, 1]> : tensor<4xi8>
// CHECK-DAG: %[[LOW:.*]] = arith.constant -128 : i8

// CHECK: %[[START:.*]] = linalg.fill ins(%[[LOW]] : i8) outs(%{{.*}} : tensor<5xi8>)
// CHECK: %[[MAX:.*]] = linalg.generic {indexing_maps = [#[[$ALL]], #[[$ROW]]], iterator_types = ["parallel", "reduction"]}
// CHECK-SAME: ins(%[[X]] : tensor<5x?xi8>) outs(%[[START]] : tensor<5xi8>)
// CHECK-NEXT: ^bb0(%[[E:.*]]: i8, %[[ACC:.*]]: i8):
// CHECK-NEXT: %[[M:.*]] = arith.maxsi %[[ACC]], %[[E]] : i8
// CHECK-NEXT: linalg.yield %[[M]]

// The powers, which the sum and the shares both ask for, are computed once, in
// rows as long as they are. A difference of bytes has nine bits.
// CHECK: %[[POWERS:.*]] = linalg.generic {indexing_maps = [#[[$ALL]], #[[$ROW]], #[[$ALL]]], iterator_types = ["parallel", "parallel"]}
// CHECK-SAME: ins(%[[X]], %[[MAX]] : tensor<5x?xi8>, tensor<5xi8>) outs(%{{.*}} : tensor<5x?xi8>)
// CHECK: arith.subi %{{.*}}, %{{.*}} : i16
// CHECK: tensor.extract %[[TABLE]]

// CHECK: %[[SUM:.*]] = linalg.generic {{.*}}iterator_types = ["parallel", "reduction"]}
// CHECK-SAME: ins(%[[POWERS]] : tensor<5x?xi8>) outs(%{{.*}} : tensor<5xi16>)
// CHECK: arith.addi

// CHECK: %[[SHARES:.*]] = linalg.generic {{.*}}iterator_types = ["parallel", "parallel"]}
// CHECK-SAME: ins(%[[POWERS]], %[[SUM]] : tensor<5x?xi8>, tensor<5xi16>) outs(%[[Y]] : tensor<5x?xi16>)
// CHECK: return %[[SHARES]]
func.func @softmax(%x: tensor<5x?xi8>, %y: tensor<5x?xi16>) -> tensor<5x?xi16> {
  %0 = nlq.kernel #softmax ins(%x : tensor<5x?xi8>) outs(%y : tensor<5x?xi16>)
      -> tensor<5x?xi16>
  return %0 : tensor<5x?xi16>
}

// The pass's example.
#half = #nlq.graph<max_row_length = 1000,
  inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0(), n1 : uniform = constant 1(),
           n2 : element = shift_right floor(n0, n1)],
  result = n2 : i8>

// CHECK-LABEL: func @half
// CHECK-SAME: (%[[X:.*]]: tensor<4x?xi8>, %[[E:.*]]: tensor<4x?xi8>)
// CHECK: %[[ONE:.*]] = arith.constant 1 : i8
// CHECK: %[[Y:.*]] = linalg.generic {indexing_maps = [#[[$ALL]], #[[$ALL]]], iterator_types = ["parallel", "parallel"]}
// CHECK-SAME: ins(%[[X]] : tensor<4x?xi8>) outs(%[[E]] : tensor<4x?xi8>)
// CHECK-NEXT: ^bb0(%[[IN:.*]]: i8, %{{.*}}: i8):
// CHECK-NEXT: %[[H:.*]] = arith.shrsi %[[IN]], %[[ONE]] : i8
// CHECK-NEXT: linalg.yield %[[H]] : i8
// CHECK: return %[[Y]]
func.func @half(%x: tensor<4x?xi8>, %e: tensor<4x?xi8>) -> tensor<4x?xi8> {
  %y = nlq.kernel #half ins(%x : tensor<4x?xi8>) outs(%e : tensor<4x?xi8>)
      -> tensor<4x?xi8>
  return %y : tensor<4x?xi8>
}

// Two sums in one pass over a row, one root, which is made of integers alone,
// and numbers of rows and columns. A row alone has scalars of rank 0.
#norm = #nlq.graph<max_row_length = 64,
  inputs = [x : element i8 in [-128, 127], gamma : column i8 in [-128, 127]],
  nodes = [n0 : element = input 0(), n1 : row = reduce_sum(n0),
           n2 : element = mul(n0, n0), n3 : row = reduce_sum(n2),
           n4 : row = sqrt(n3), n5 : column = input 1(),
           n6 : element = add(n0, n5), n7 : element = add(n6, n1),
           n8 : element = add(n7, n4), n9 : column = column_index(),
           n10 : element = add(n8, n9), n11 : uniform = row_length(),
           n12 : element = add(n10, n11)],
  result = n12 : i32>

// CHECK-LABEL: func @norm
// CHECK-SAME: (%[[X:.*]]: tensor<16xi8>, %[[G:.*]]: tensor<16xi8>
// CHECK-NOT: f64
// CHECK: %[[SUMS:.*]]:2 = linalg.generic {{.*}}iterator_types = ["reduction"]}
// CHECK-SAME: ins(%[[X]] : tensor<16xi8>) outs(%{{.*}}, %{{.*}} : tensor<i16>, tensor<i32>)
// CHECK: linalg.yield %{{.*}}, %{{.*}} : i16, i32
// CHECK: %[[ROOT:.*]] = linalg.generic {{.*}}iterator_types = []}
// CHECK-SAME: ins(%[[SUMS]]#1 : tensor<i32>) outs(%{{.*}} : tensor<i16>)
// CHECK-NOT: f64
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel"]}
// CHECK-SAME: ins(%[[X]], %[[SUMS]]#0, %[[ROOT]], %[[G]] : tensor<16xi8>, tensor<i16>, tensor<i16>, tensor<16xi8>)
// CHECK: linalg.index 0
func.func @norm(%x: tensor<16xi8>, %g: tensor<16xi8>, %y: tensor<16xi32>) -> tensor<16xi32> {
  %0 = nlq.kernel #norm ins(%x, %g : tensor<16xi8>, tensor<16xi8>)
      outs(%y : tensor<16xi32>) -> tensor<16xi32>
  return %0 : tensor<16xi32>
}
