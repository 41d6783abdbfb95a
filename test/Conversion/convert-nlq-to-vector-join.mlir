// RUN: nlq-opt %s -convert-nlq-to-vector=features=avx2,avx512bw,avx512vbmi -canonicalize -cse \
// RUN:   | FileCheck %s
// RUN: nlq-opt %s -convert-nlq-to-vector -canonicalize -cse | FileCheck %s

// Rows of what depends on nothing but an element's place are one row, if they
// follow each other in memory.
#double = #nlq.graph<max_row_length = 64,
  inputs = [x : element i8 in [-60, 60]],
  nodes = [n0 : element = input 0(), n1 : element = add(n0, n0)],
  result = n1 : i8>

// CHECK-LABEL: func @joined
// CHECK: memref.collapse_shape {{.*}} into memref<150xi8>
// CHECK: memref.collapse_shape {{.*}} into memref<150xi8>
func.func @joined(%x: memref<3x5x10xi8>, %y: memref<3x5x10xi8>) {
  nlq.kernel #double ins(%x : memref<3x5x10xi8>) outs(%y : memref<3x5x10xi8>)
  return
}

// CHECK-LABEL: func @dynamic
// CHECK: memref.collapse_shape {{.*}} into memref<?xi8>
func.func @dynamic(%x: memref<?x10xi8>, %y: memref<?x10xi8>) {
  nlq.kernel #double ins(%x : memref<?x10xi8>) outs(%y : memref<?x10xi8>)
  return
}

// CHECK-LABEL: func @apart
// CHECK-NOT: memref.collapse_shape
// CHECK: return
func.func @apart(%x: memref<5x10xi8, strided<[16, 1]>>, %y: memref<5x10xi8>) {
  nlq.kernel #double ins(%x : memref<5x10xi8, strided<[16, 1]>>) outs(%y : memref<5x10xi8>)
  return
}

// CHECK-LABEL: func @one_column
// CHECK-NOT: memref.collapse_shape
// CHECK: return
func.func @one_column(%x: memref<4x1xi8, strided<[2, 1]>>, %y: memref<4x1xi8>) {
  nlq.kernel #double ins(%x : memref<4x1xi8, strided<[2, 1]>>) outs(%y : memref<4x1xi8>)
  return
}

// CHECK-LABEL: func @no_rows
// CHECK-NOT: memref.collapse_shape
// CHECK: return
func.func @no_rows(%x: memref<0x5xi8>, %y: memref<0x5xi8>) {
  nlq.kernel #double ins(%x : memref<0x5xi8>) outs(%y : memref<0x5xi8>)
  return
}

// A result that is one for the row is not packed.
#largest = #nlq.graph<max_row_length = 256,
  inputs = [x : element i16 in [-30000, 30000]],
  nodes = [n0 : element = input 0(), n1 : row = reduce_max(n0),
           n2 : uniform = constant -128(), n3 : row = max(n1, n2),
           n4 : uniform = constant 127(), n5 : row = min(n3, n4)],
  result = n5 : i8>

// CHECK-LABEL: func @largest
// CHECK-NOT: collapse_shape
// CHECK: vector.reduction <maxsi>
// CHECK: return
func.func @largest(%x: memref<9x256xi16>, %y: memref<9x256xi8>) {
  nlq.kernel #largest ins(%x : memref<9x256xi16>) outs(%y : memref<9x256xi8>)
  return
}

// Inputs are operands, though nothing reads one.
#unread = #nlq.graph<max_row_length = 64,
  inputs = [c : column i16 in [-9, 9], x : element i8 in [-60, 60]],
  nodes = [n0 : element = input 1(), n1 : element = add(n0, n0)],
  result = n1 : i8>

// CHECK-LABEL: func @unread
// CHECK-SAME: (%{{.*}}: memref<64xi16>, %[[X:[a-z0-9]*]]: memref<3x64xi8>,
// CHECK: vector.load %[[X]]
// CHECK: return
func.func @unread(%c: memref<64xi16>, %x: memref<3x64xi8>, %y: memref<3x64xi8>) {
  nlq.kernel #unread ins(%c, %x : memref<64xi16>, memref<3x64xi8>) outs(%y : memref<3x64xi8>)
  return
}
