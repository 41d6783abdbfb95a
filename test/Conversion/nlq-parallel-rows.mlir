// RUN: nlq-opt %s -nlq-parallel-rows -canonicalize | FileCheck %s
// RUN: nlq-opt %s -nlq-parallel-rows=elements=100 -canonicalize \
// RUN:   | FileCheck %s --check-prefix=SMALL
// RUN: not nlq-opt %s -nlq-parallel-rows=elements=0 2>&1 \
// RUN:   | FileCheck %s --check-prefix=NONE
// NONE: error: elements must be positive, found 0

#double = #nlq.graph<max_row_length = 4096,
  inputs = [x : element i8 in [-128, 127], c : column i8 in [-128, 127],
            r : row i8 in [-128, 127]],
  nodes = [n0 : element = input 0(), n1 : column = input 1(),
           n2 : row = input 2(), n3 : element = add(n0, n1),
           n4 : element = add(n3, n2)],
  result = n4 : i16>

// Parts of 8192 elements, and of whole blocks of 8 rows. What is per row is cut
// with the rows, what is per column is not.
// CHECK-LABEL: func @rates
// CHECK-SAME: (%[[X:[a-z0-9]*]]: memref<2364x197xi8>, %[[C:[a-z0-9]*]]: memref<197xi8>, %[[R:[a-z0-9]*]]: memref<2364xi8>, %[[Y:[a-z0-9]*]]: memref<2364x197xi16>)
// CHECK: scf.parallel (%[[I:.*]]) = (%c0) to (%c2364) step (%c48) {
// CHECK: %[[REST:.*]] = arith.subi %c2364, %[[I]]
// CHECK: %[[N:.*]] = arith.minui %[[REST]], %c48
// CHECK: %[[XS:.*]] = memref.subview %[[X]][%[[I]], 0] [%[[N]], 197] [1, 1]
// CHECK: %[[RS:.*]] = memref.subview %[[R]][%[[I]]] [%[[N]]] [1]
// CHECK: %[[YS:.*]] = memref.subview %[[Y]][%[[I]], 0] [%[[N]], 197] [1, 1]
// CHECK: nlq.kernel {{.*}} ins(%[[XS]], %{{.*}}, %[[RS]] : {{.*}}) outs(%[[YS]] : {{.*}})
// CHECK: scf.reduce
// SMALL-LABEL: func @rates
// SMALL: scf.parallel {{.*}} step (%c8) {
func.func @rates(%x: memref<2364x197xi8>, %c: memref<197xi8>,
                 %r: memref<2364xi8>, %y: memref<2364x197xi16>) {
  nlq.kernel #double ins(%x, %c, %r : memref<2364x197xi8>, memref<197xi8>, memref<2364xi8>)
      outs(%y : memref<2364x197xi16>)
  return
}

#copy = #nlq.graph<max_row_length = 4096,
  inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0()], result = n0 : i8>

// All dimensions of rows; the declared length where it is dynamic.
// CHECK-LABEL: func @dynamic
// CHECK: scf.parallel (%{{.*}}, %{{.*}}) = (%c0, %c0) to (%c12, %{{.*}}) step (%c1, %c8) {
// CHECK: nlq.kernel
func.func @dynamic(%x: memref<12x?x?xi8>, %y: memref<12x?x?xi8>) {
  nlq.kernel #copy ins(%x : memref<12x?x?xi8>) outs(%y : memref<12x?x?xi8>)
  return
}

// One part.
// CHECK-LABEL: func @few
// CHECK-NOT: scf.parallel
// CHECK: return
// SMALL-LABEL: func @few
// SMALL: scf.parallel
func.func @few(%x: memref<41x197xi8>, %y: memref<41x197xi8>) {
  nlq.kernel #copy ins(%x : memref<41x197xi8>) outs(%y : memref<41x197xi8>)
  return
}

// One row; rows that depend on their number.
#number = #nlq.graph<max_row_length = 4096, inputs = [],
  nodes = [n0 : row = row_index()], result = n0 : i64>

// CHECK-LABEL: func @others
// CHECK-NOT: scf.parallel
// CHECK: return
func.func @others(%x: memref<4096xi8>, %y: memref<4096xi8>, %z: memref<?x?xi64>) {
  nlq.kernel #copy ins(%x : memref<4096xi8>) outs(%y : memref<4096xi8>)
  nlq.kernel #number outs(%z : memref<?x?xi64>)
  return
}
