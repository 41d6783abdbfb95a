// RUN: nlq-opt %s -split-input-file -transform-interpreter -canonicalize -cse \
// RUN:   -verify-diagnostics | FileCheck %s

// A kernel of every rate, tiled by rows and by columns.

#rates = #nlq.graph<max_row_length = 64,
  inputs = [x : element i8 in [-128, 127], bias : column i16 in [-9, 9],
            scale : row i8 in [0, 100]],
  nodes = [n0 : element = input 0(), n1 : column = input 1(),
           n2 : row = input 2(), n3 : element = add(n0, n1),
           n4 : element = mul(n3, n2)],
  result = n4 : i32>

// CHECK-LABEL: func @rows_and_columns
// CHECK-SAME: %[[X:.*]]: tensor<12x64xi8>, %[[B:.*]]: tensor<64xi16>, %[[S:.*]]: tensor<12xi8>, %[[Y:.*]]: tensor<12x64xi32>
// CHECK: scf.for %[[I:[a-z0-9]+]] = %{{.*}} to %{{.*}} step %{{.*}} iter_args(%[[OUTER:.*]] = %[[Y]])
// CHECK: scf.for %[[J:[a-z0-9]+]] = %{{.*}} to %{{.*}} step %{{.*}} iter_args(%[[INNER:.*]] = %[[OUTER]])
// CHECK-DAG: %[[XT:.*]] = tensor.extract_slice %[[X]][%[[I]], %[[J]]] [4, 16] [1, 1]
// CHECK-DAG: %[[BT:.*]] = tensor.extract_slice %[[B]][%[[J]]] [16] [1]
// CHECK-DAG: %[[ST:.*]] = tensor.extract_slice %[[S]][%[[I]]] [4] [1]
// CHECK-DAG: %[[YT:.*]] = tensor.extract_slice %[[INNER]][%[[I]], %[[J]]] [4, 16] [1, 1]
// CHECK: %[[T:.*]] = nlq.kernel {{.*}} ins(%[[XT]], %[[BT]], %[[ST]] : tensor<4x16xi8>, tensor<16xi16>, tensor<4xi8>) outs(%[[YT]] : tensor<4x16xi32>) -> tensor<4x16xi32>
// CHECK: tensor.insert_slice %[[T]] into %[[INNER]][%[[I]], %[[J]]] [4, 16] [1, 1]
func.func @rows_and_columns(%x: tensor<12x64xi8>, %b: tensor<64xi16>,
                            %s: tensor<12xi8>, %y: tensor<12x64xi32>)
    -> tensor<12x64xi32> {
  %0 = nlq.kernel #rates
      ins(%x, %b, %s : tensor<12x64xi8>, tensor<64xi16>, tensor<12xi8>)
      outs(%y : tensor<12x64xi32>) -> tensor<12x64xi32>
  return %0 : tensor<12x64xi32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %0 = transform.structured.match ops{["nlq.kernel"]} in %root
        : (!transform.any_op) -> !transform.any_op
    %1, %loops:2 = transform.structured.tile_using_for %0 tile_sizes [4, 16]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// Rows of a kernel that reduces them stay whole, static or not.

#centred = #nlq.graph<max_row_length = 64,
  inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0(), n1 : row = reduce_max(n0),
           n2 : element = sub(n0, n1)],
  result = n2 : i16>

// CHECK-LABEL: func @whole_rows
// CHECK-SAME: %[[X:.*]]: tensor<2x12x64xi8>, %[[Y:.*]]: tensor<2x12x64xi16>
// CHECK: scf.for %[[I:[a-z0-9]+]] =
// CHECK: scf.for %[[J:[a-z0-9]+]] =
// CHECK-NOT: scf.for
// CHECK: %[[XT:.*]] = tensor.extract_slice %[[X]][%[[I]], %[[J]], 0] [1, 4, 64] [1, 1, 1]
// CHECK: nlq.kernel {{.*}} ins(%[[XT]] : tensor<1x4x64xi8>)
func.func @whole_rows(%x: tensor<2x12x64xi8>, %y: tensor<2x12x64xi16>)
    -> tensor<2x12x64xi16> {
  %0 = nlq.kernel #centred ins(%x : tensor<2x12x64xi8>)
      outs(%y : tensor<2x12x64xi16>) -> tensor<2x12x64xi16>
  return %0 : tensor<2x12x64xi16>
}

// CHECK-LABEL: func @dynamic
// CHECK-SAME: %[[X:.*]]: tensor<2x?x?xi8>, %[[Y:.*]]: tensor<2x?x?xi16>
// CHECK: %[[COLUMNS:.*]] = tensor.dim %[[Y]], %c2
// CHECK: scf.for
// CHECK: scf.for
// CHECK: %[[ROWS:.*]] = affine.min
// CHECK: tensor.extract_slice %[[X]][%{{.*}}, %{{.*}}, 0] [1, %[[ROWS]], %[[COLUMNS]]] [1, 1, 1]
// CHECK: nlq.kernel {{.*}} -> tensor<1x?x?xi16>
func.func @dynamic(%x: tensor<2x?x?xi8>, %y: tensor<2x?x?xi16>)
    -> tensor<2x?x?xi16> {
  %0 = nlq.kernel #centred ins(%x : tensor<2x?x?xi8>)
      outs(%y : tensor<2x?x?xi16>) -> tensor<2x?x?xi16>
  return %0 : tensor<2x?x?xi16>
}

// CHECK-LABEL: func @buffers
// CHECK-SAME: %[[X:.*]]: memref<2x12x64xi8>, %[[Y:.*]]: memref<2x12x64xi16>
// CHECK: scf.for %[[I:[a-z0-9]+]] =
// CHECK: scf.for %[[J:[a-z0-9]+]] =
// CHECK-DAG: %[[XT:.*]] = memref.subview %[[X]][%[[I]], %[[J]], 0] [1, 4, 64] [1, 1, 1]
// CHECK-DAG: %[[YT:.*]] = memref.subview %[[Y]][%[[I]], %[[J]], 0] [1, 4, 64] [1, 1, 1]
// CHECK: nlq.kernel {{.*}} ins(%[[XT]] : {{.*}}) outs(%[[YT]] : {{.*}})
func.func @buffers(%x: memref<2x12x64xi8>, %y: memref<2x12x64xi16>) {
  nlq.kernel #centred ins(%x : memref<2x12x64xi8>) outs(%y : memref<2x12x64xi16>)
  return
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %0 = transform.structured.match ops{["nlq.kernel"]} in %root
        : (!transform.any_op) -> !transform.any_op
    %1, %loops:2 = transform.structured.tile_using_for %0 tile_sizes [1, 4]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// Columns of a kernel that reduces its rows can't be cut.

#centred = #nlq.graph<max_row_length = 64,
  inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0(), n1 : row = reduce_max(n0),
           n2 : element = sub(n0, n1)],
  result = n2 : i16>

func.func @cut_rows(%x: tensor<12x64xi8>, %y: tensor<12x64xi16>)
    -> tensor<12x64xi16> {
  // expected-error-re @+2 {{'nlq.kernel' op fail{{e?}}d to tile operation}}
  // expected-error @+1 {{'nlq.kernel' op failed to generate tiling loops}}
  %0 = nlq.kernel #centred ins(%x : tensor<12x64xi8>)
      outs(%y : tensor<12x64xi16>) -> tensor<12x64xi16>
  return %0 : tensor<12x64xi16>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %0 = transform.structured.match ops{["nlq.kernel"]} in %root
        : (!transform.any_op) -> !transform.any_op
    %1, %loops = transform.structured.tile_using_for %0 tile_sizes [0, 16]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// A kernel that asks for the index of its row can't be cut by rows.

#indexed = #nlq.graph<max_row_length = 64, inputs = [],
  nodes = [n0 : row = row_index()], result = n0 : i32>

func.func @cut_index(%y: tensor<12x64xi32>) -> tensor<12x64xi32> {
  // expected-error-re @+2 {{'nlq.kernel' op fail{{e?}}d to tile operation}}
  // expected-error @+1 {{'nlq.kernel' op failed to generate tiling loops}}
  %0 = nlq.kernel #indexed outs(%y : tensor<12x64xi32>) -> tensor<12x64xi32>
  return %0 : tensor<12x64xi32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %0 = transform.structured.match ops{["nlq.kernel"]} in %root
        : (!transform.any_op) -> !transform.any_op
    %1, %loops = transform.structured.tile_using_for %0 tile_sizes [4]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// A producer fused into the loop over its consumer's rows.

#clamp = #nlq.graph<max_row_length = 64,
  inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0(), n1 : uniform = constant 7(),
           n2 : element = min(n0, n1)],
  result = n2 : i8>

// CHECK-LABEL: func @fused
// CHECK: scf.forall
// CHECK: %[[PRODUCER:.*]] = nlq.kernel {{.*}} -> tensor<4x64xi8>
// CHECK: nlq.kernel {{.*}} ins(%[[PRODUCER]] : tensor<4x64xi8>)
func.func @fused(%x: tensor<12x64xi8>, %y: tensor<12x64xi8>) -> tensor<12x64xi8> {
  %0 = nlq.kernel #clamp ins(%x : tensor<12x64xi8>)
      outs(%y : tensor<12x64xi8>) {producer} -> tensor<12x64xi8>
  %1 = nlq.kernel #clamp ins(%0 : tensor<12x64xi8>)
      outs(%y : tensor<12x64xi8>) {consumer} -> tensor<12x64xi8>
  return %1 : tensor<12x64xi8>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %0 = transform.structured.match attributes{consumer} in %root
        : (!transform.any_op) -> !transform.any_op
    %tiled, %forall = transform.structured.tile_using_forall %0 tile_sizes [4]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    %1 = transform.structured.match attributes{producer} in %root
        : (!transform.any_op) -> !transform.any_op
    transform.structured.fuse_into_containing_op %1 into %forall
        : (!transform.any_op, !transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// What all rows share is whole in every tile.

#masked = #nlq.graph<max_row_length = 64,
  inputs = [x : element i8 in [-128, 127], mask : element i8 in [-128, 127],
            visible : row i32 in [0, 64]],
  nodes = [n0 : element = input 0(), n1 : element = input 1(), n2 : row = input 2(),
           n3 : element = min(n0, n1), n4 : element = add(n3, n2)],
  result = n4 : i32>

// CHECK-LABEL: func @shared
// CHECK-SAME: %[[X:.*]]: tensor<2x12x64xi8>, %[[M:.*]]: tensor<1x12x64xi8>, %[[V:.*]]: tensor<1x12xi32>
// CHECK: scf.for %[[I:[a-z0-9]+]] =
// CHECK: scf.for %[[J:[a-z0-9]+]] =
// CHECK-DAG: %[[XT:.*]] = tensor.extract_slice %[[X]][%[[I]], %[[J]], 0] [1, 4, 64] [1, 1, 1]
// CHECK-DAG: %[[MT:.*]] = tensor.extract_slice %[[M]][0, %[[J]], 0] [1, 4, 64] [1, 1, 1]
// CHECK-DAG: %[[VT:.*]] = tensor.extract_slice %[[V]][0, %[[J]]] [1, 4] [1, 1]
// CHECK: nlq.kernel {{.*}} ins(%[[XT]], %[[MT]], %[[VT]] : tensor<1x4x64xi8>, tensor<1x4x64xi8>, tensor<1x4xi32>)
func.func @shared(%x: tensor<2x12x64xi8>, %m: tensor<1x12x64xi8>,
                  %v: tensor<1x12xi32>, %y: tensor<2x12x64xi32>)
    -> tensor<2x12x64xi32> {
  %0 = nlq.kernel #masked
      ins(%x, %m, %v : tensor<2x12x64xi8>, tensor<1x12x64xi8>, tensor<1x12xi32>)
      outs(%y : tensor<2x12x64xi32>) -> tensor<2x12x64xi32>
  return %0 : tensor<2x12x64xi32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %0 = transform.structured.match ops{["nlq.kernel"]} in %root
        : (!transform.any_op) -> !transform.any_op
    %1, %loops:2 = transform.structured.tile_using_for %0 tile_sizes [1, 4]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}
