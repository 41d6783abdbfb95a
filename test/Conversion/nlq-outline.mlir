// RUN: nlq-opt %s -nlq-outline | FileCheck %s

#copy = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0()], result = n0 : i8>
#other = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0(), n1 : element = max(n0, n0)], result = n1 : i8>

// Equal operations, whatever their locations and operands, share a function;
// other types and other graphs get their own. Scalar constants move along.
// CHECK-LABEL: func @main
// CHECK-SAME: (%[[X:.*]]: memref<2x8xi8>, %[[Y:.*]]: memref<2x8xi8>, %[[Z:.*]]: memref<2x4xi8>, %[[W:.*]]: memref<2x4xi8>, %[[A:.*]]: memref<4x4xi32>, %[[S:.*]]: i32)
// CHECK-NOT: nlq.kernel
// CHECK-NOT: linalg
// CHECK: call @__nlq_kernel(%[[X]], %[[Y]])
// CHECK-NEXT: call @__nlq_kernel(%[[Y]], %[[X]])
// CHECK-NEXT: call @__nlq_kernel_0(%[[Z]], %[[W]])
// CHECK-NEXT: call @[[$OTHER:.*]](%[[Z]], %[[W]])
// CHECK: call @__linalg_fill(%[[A]])
// CHECK-NEXT: call @__linalg_fill(%[[A]])
// CHECK-NEXT: call @[[$FOUR:.*]](%[[A]])
// CHECK-NEXT: call @[[$VARIABLE:.*]](%[[S]], %[[A]])
// CHECK: return
func.func @main(%x: memref<2x8xi8>, %y: memref<2x8xi8>, %z: memref<2x4xi8>,
                %w: memref<2x4xi8>, %a: memref<4x4xi32>, %s: i32) {
  nlq.kernel #copy ins(%x : memref<2x8xi8>) outs(%y : memref<2x8xi8>) loc("first")
  nlq.kernel #copy ins(%y : memref<2x8xi8>) outs(%x : memref<2x8xi8>) loc("second")
  nlq.kernel #copy ins(%z : memref<2x4xi8>) outs(%w : memref<2x4xi8>)
  nlq.kernel #other ins(%z : memref<2x4xi8>) outs(%w : memref<2x4xi8>)
  %three = arith.constant 3 : i32
  %again = arith.constant 3 : i32
  %four = arith.constant 4 : i32
  linalg.fill ins(%three : i32) outs(%a : memref<4x4xi32>)
  linalg.fill ins(%again : i32) outs(%a : memref<4x4xi32>)
  linalg.fill ins(%four : i32) outs(%a : memref<4x4xi32>)
  linalg.fill ins(%s : i32) outs(%a : memref<4x4xi32>)
  return
}

// A region's values from outside are arguments; a name that is taken is left.
// CHECK-LABEL: func @region
// CHECK-SAME: (%[[A:.*]]: memref<4xi32>, %[[S:.*]]: i32)
// CHECK: call @[[$GENERIC:.*]](%[[A]], %[[S]])
func.func @region(%a: memref<4xi32>, %s: i32) {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      outs(%a : memref<4xi32>) {
  ^bb0(%e: i32):
    %sum = arith.addi %e, %s : i32
    linalg.yield %sum : i32
  }
  return
}

func.func private @__linalg_generic(%x: memref<4xi32>)

// Tensors stay.
// CHECK-LABEL: func @tensors
// CHECK: nlq.kernel
func.func @tensors(%x: tensor<2x8xi8>, %y: tensor<2x8xi8>) -> tensor<2x8xi8> {
  %0 = nlq.kernel #copy ins(%x : tensor<2x8xi8>) outs(%y : tensor<2x8xi8>)
      -> tensor<2x8xi8>
  return %0 : tensor<2x8xi8>
}

// CHECK: func.func private @__nlq_kernel(%[[X:.*]]: memref<2x8xi8>, %[[Y:.*]]: memref<2x8xi8>) attributes {passthrough = ["noinline"]} {
// CHECK-NEXT: nlq.kernel {{.*}} ins(%[[X]] : memref<2x8xi8>) outs(%[[Y]] : memref<2x8xi8>)
// CHECK-NEXT: return
// CHECK: func.func private @__nlq_kernel_0(%{{.*}}: memref<2x4xi8>, %{{.*}}: memref<2x4xi8>)
// CHECK: func.func private @[[$OTHER]](
// CHECK-NEXT: nlq.kernel {{.*}}max(n0, n0)
// CHECK: func.func private @__linalg_fill(%[[A:.*]]: memref<4x4xi32>)
// CHECK-NEXT: %[[THREE:.*]] = arith.constant 3 : i32
// CHECK-NEXT: linalg.fill ins(%[[THREE]] : i32) outs(%[[A]]
// CHECK: func.func private @[[$FOUR]](
// CHECK-NEXT: arith.constant 4 : i32
// CHECK: func.func private @[[$VARIABLE]](%[[S:.*]]: i32, %[[A:.*]]: memref<4x4xi32>)
// CHECK-NEXT: linalg.fill ins(%[[S]] : i32) outs(%[[A]]
// CHECK: func.func private @[[$GENERIC]](%[[A:.*]]: memref<4xi32>, %[[S:.*]]: i32)
// CHECK: arith.addi %{{.*}}, %[[S]]
