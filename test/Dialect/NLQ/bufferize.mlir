// RUN: nlq-opt %s -one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" \
// RUN:   | FileCheck %s

#copy = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0()], result = n0 : i8>
#column = #nlq.graph<max_row_length = 8,
  inputs = [x : element i8 in [-128, 127], c : column i8 in [-128, 127]],
  nodes = [n0 : element = input 0(), n1 : column = input 1(),
           n2 : element = min(n0, n1)], result = n2 : i8>

// The destination is written in place; it is not read before, so that nothing
// is copied into it.
// CHECK-LABEL: func @in_place
// CHECK-SAME: %[[X:.*]]: memref<2x8xi8>
// CHECK-NOT: memref.copy
// CHECK: %[[Y:.*]] = memref.alloc() {{.*}} : memref<2x8xi8>
// CHECK-NEXT: nlq.kernel <{{.*}}> ins(%[[X]] : memref<2x8xi8>) outs(%[[Y]] : memref<2x8xi8>)
// CHECK-NEXT: return %[[Y]]
func.func @in_place(%x: tensor<2x8xi8>) -> tensor<2x8xi8> {
  %y = tensor.empty() : tensor<2x8xi8>
  %0 = nlq.kernel #copy ins(%x : tensor<2x8xi8>) outs(%y : tensor<2x8xi8>)
      -> tensor<2x8xi8>
  return %0 : tensor<2x8xi8>
}

// The destination is asked for again: the kernel writes elsewhere, and still
// nothing is copied.
// CHECK-LABEL: func @destination_used_again
// CHECK-SAME: %[[X:.*]]: memref<2x8xi8>, %[[Y:.*]]: memref<2x8xi8>
// CHECK-NOT: memref.copy
// CHECK: %[[NEW:.*]] = memref.alloc() {{.*}} : memref<2x8xi8>
// CHECK-NOT: memref.copy
// CHECK: nlq.kernel <{{.*}}> ins(%[[X]] : memref<2x8xi8>) outs(%[[NEW]] : memref<2x8xi8>)
// CHECK: return %[[NEW]], %[[Y]]
func.func @destination_used_again(%x: tensor<2x8xi8>, %y: tensor<2x8xi8>)
    -> (tensor<2x8xi8>, tensor<2x8xi8>) {
  %0 = nlq.kernel #copy ins(%x : tensor<2x8xi8>) outs(%y : tensor<2x8xi8>)
      -> tensor<2x8xi8>
  return %0, %y : tensor<2x8xi8>, tensor<2x8xi8>
}

// A kernel reads its operands while it writes: never into one of them.
// CHECK-LABEL: func @same_tensor
// CHECK-SAME: %[[X:.*]]: memref<2x8xi8>
// CHECK: %[[NEW:.*]] = memref.alloc() {{.*}} : memref<2x8xi8>
// CHECK: nlq.kernel <{{.*}}> ins(%[[X]] : memref<2x8xi8>) outs(%[[NEW]] : memref<2x8xi8>)
// CHECK: return %[[NEW]]
func.func @same_tensor(%x: tensor<2x8xi8>) -> tensor<2x8xi8> {
  %0 = nlq.kernel #copy ins(%x : tensor<2x8xi8>) outs(%x : tensor<2x8xi8>)
      -> tensor<2x8xi8>
  return %0 : tensor<2x8xi8>
}

// Constants become globals.
// CHECK-LABEL: func @operands
// CHECK: %[[C:.*]] = memref.get_global
// CHECK: nlq.kernel <{{.*}}> ins(%{{.*}}, %[[C]] : memref<2x8xi8>, memref<8xi8>) outs(%{{.*}} : memref<2x8xi8>)
func.func @operands(%x: tensor<2x8xi8>) -> tensor<2x8xi8> {
  %c = arith.constant dense<[1, 2, 3, 4, 5, 6, 7, 8]> : tensor<8xi8>
  %y = tensor.empty() : tensor<2x8xi8>
  %0 = nlq.kernel #column ins(%x, %c : tensor<2x8xi8>, tensor<8xi8>)
      outs(%y : tensor<2x8xi8>) -> tensor<2x8xi8>
  return %0 : tensor<2x8xi8>
}

// What a product writes to is not read either.
// CHECK-LABEL: func @product
// CHECK-SAME: %[[A:.*]]: memref<3x4xi8>, %[[B:.*]]: memref<1x1x8x4xi8>, %[[S:.*]]: memref<8xi32>, %[[C:.*]]: memref<3x2xi32>
// CHECK-NOT: memref.copy
// CHECK: %[[Y:.*]] = memref.alloc() {{.*}} : memref<3x2xi32>
// CHECK-NEXT: nlq.product ins(%[[A]], %[[B]] : memref<3x4xi8>, memref<1x1x8x4xi8>) start(%[[S]] : memref<8xi32>) outs(%[[Y]] : memref<3x2xi32>) {shifted}
// CHECK-NEXT: return %[[Y]], %[[C]]
func.func @product(%a: tensor<3x4xi8>, %b: tensor<1x1x8x4xi8>, %s: tensor<8xi32>, %c: tensor<3x2xi32>)
    -> (tensor<3x2xi32>, tensor<3x2xi32>) {
  %0 = nlq.product ins(%a, %b : tensor<3x4xi8>, tensor<1x1x8x4xi8>)
      start(%s : tensor<8xi32>) outs(%c : tensor<3x2xi32>) {shifted} -> tensor<3x2xi32>
  return %0, %c : tensor<3x2xi32>, tensor<3x2xi32>
}
