// RUN: nlq-opt %s -convert-nlq-to-vector=lanes=8 -canonicalize -cse | FileCheck %s
// RUN: nlq-opt %s -convert-nlq-to-vector=lanes=32 -canonicalize -cse \
// RUN:   | FileCheck %s --check-prefix=LANES32

// As softmax does: a pass for the largest element, one for the sum of powers,
// and one for the shares.
#softmax = #nlq.graph<max_row_length = 60,
  inputs = [x : element i8 in [-128, 127]], tables = [[64, 16, 4, 1]],
  nodes = [n0 : element = input 0(), n1 : row = reduce_max(n0),
           n2 : element = sub(n1, n0), n3 : uniform = constant 3(),
           n4 : element = min(n2, n3), n5 : element = lookup 0(n4),
           n6 : uniform = constant 100(), n7 : element = mul(n5, n6),
           n8 : row = reduce_sum(n5), n9 : element = div floor(n7, n8)],
  result = n9 : i16>

// Equal tables share one constant.
// CHECK: memref.global "private" constant @[[$TABLE:.*]] : memref<4xi32> = dense<[64, 16, 4, 1]> {alignment = 64 : i64}
// CHECK-NOT: memref.global

// CHECK-LABEL: func @softmax
// CHECK-SAME: (%[[X:.*]]: memref<5x20xi8>, %[[Y:.*]]: memref<5x20xi16>)
// The five rows are one block, which goes through each pass together. Largest
// elements, powers and sums wait in scratch, allocated once, before the loops.
// CHECK-DAG: %[[NEW:.*]] = arith.constant dense<[false, false, false, false, true, true, true, true]> : vector<8xi1>
// CHECK-DAG: %[[SCRATCH:.*]] = memref.alloca() {alignment = 64 : i64} : memref<5x64xi16>
// CHECK-DAG: memref.alloca() {alignment = 64 : i64} : memref<5xi32>
// CHECK-DAG: memref.alloca() {alignment = 64 : i64} : memref<5xi32>
// CHECK-DAG: %[[T:.*]] = memref.get_global @[[$TABLE]]
// CHECK: scf.for %[[ROW:.*]] = %c0 to %c5 step %c1 {

// Two chunks of 8 columns; the third begins at 12 and overlaps the second.
// CHECK: %[[MAX:.*]] = scf.for %[[C:.*]] = %c0 to %c16 step %c8 iter_args(%[[ACC:.*]] = %{{.*}}) -> (vector<8xi8>)
// CHECK-NEXT: %[[V:.*]] = vector.load %[[X]][%[[ROW]], %[[C]]] : memref<5x20xi8>, vector<8xi8>
// CHECK-NEXT: %[[M:.*]] = arith.maxsi %[[ACC]], %[[V]]
// CHECK-NEXT: scf.yield %[[M]]
// CHECK: %[[LAST:.*]] = vector.load %[[X]][%[[ROW]], %c12]
// CHECK: arith.maxsi %[[MAX]],
// CHECK: %[[LARGEST:.*]] = vector.reduction <maxsi>, %{{.*}} : vector<8xi8> into i8
// CHECK: %[[L32:.*]] = arith.extsi %[[LARGEST]] : i8 to i32
// CHECK: memref.store %[[L32]], %[[MAXIMA:.*]][%[[ROW]]] : memref<5xi32>

// CHECK: scf.for %[[ROW1:.*]] = %c0 to %c5 step %c1 {
// CHECK: memref.load %[[MAXIMA]][%[[ROW1]]]
// CHECK: %[[SUM:.*]] = scf.for %[[C1:.*]] = %c0 to %c16 step %c8 iter_args
// CHECK: vector.broadcast %{{.*}} : i16 to vector<8xi16>
// CHECK: vector.gather %[[T]][%c0]
// CHECK: vector.store %{{.*}}, %[[SCRATCH]][%[[ROW1]], %[[C1]]] : memref<5x64xi16>, vector<8xi16>
// CHECK: scf.yield
// The four columns that were summed before do not count again.
// CHECK: vector.load %[[X]][%[[ROW1]], %c12]
// CHECK: %[[TERM:.*]] = arith.select %[[NEW]], %{{.*}}, %{{.*}} : vector<8xi1>, vector<8xi16>
// CHECK: arith.addi %[[SUM]], %[[TERM]]
// In scratch it lies behind the full chunks.
// CHECK: vector.store %{{.*}}, %[[SCRATCH]][%[[ROW1]], %c16{{.*}}]
// CHECK: vector.reduction <add>
// CHECK: memref.store %{{.*}}, %[[SUMS:.*]][%[[ROW1]]] : memref<5xi32>

// CHECK: scf.for %[[ROW2:.*]] = %c0 to %c5 step %c1 {
// CHECK: memref.load %[[SUMS]][%[[ROW2]]]
// CHECK: scf.for %[[C2:.*]] = %c0 to %c16 step %c8 {
// CHECK: vector.load %[[SCRATCH]][%[[ROW2]], %[[C2]]]
// CHECK: vector.store %{{.*}}, %[[Y]][%[[ROW2]], %[[C2]]] : memref<5x20xi16>, vector<8xi16>
// CHECK: vector.load %[[SCRATCH]][%[[ROW2]], %c16{{.*}}]
// CHECK: vector.store %{{.*}}, %[[Y]][%[[ROW2]], %c12]
// CHECK: return

// Rows shorter than the vectors take the largest power of two in them.
// LANES32-LABEL: func @softmax
// LANES32-NOT: vector<32x
// LANES32: vector.load %{{.*}}[%{{.*}}, %c0] : memref<5x20xi8>, vector<16xi8>
// LANES32: vector.load %{{.*}}[%{{.*}}, %c4] : memref<5x20xi8>, vector<16xi8>
// LANES32: return
func.func @softmax(%x: memref<5x20xi8>, %y: memref<5x20xi16>) {
  nlq.kernel #softmax ins(%x : memref<5x20xi8>) outs(%y : memref<5x20xi16>)
  return
}

// Dynamic columns: full chunks and one that ends with the row, as long as it
// fills a chunk; single columns otherwise, in every pass. Dynamic rows: blocks
// of 64, the last one shorter.
// CHECK-LABEL: func @dynamic
// CHECK-SAME: (%[[X:.*]]: memref<?x?xi8>, %[[Y:.*]]: memref<?x?xi16>)
// CHECK-DAG: memref.alloca() {alignment = 64 : i64} : memref<64x64xi16>
// CHECK-DAG: %[[ROWS:.*]] = memref.dim %[[Y]], %c0
// CHECK-DAG: %[[COLUMNS:.*]] = memref.dim %[[Y]], %c1
// CHECK: scf.for %[[BEGIN:.*]] = %c0 to %[[ROWS]] step %c64 {
// CHECK: %[[NEXT:.*]] = arith.addi %[[BEGIN]], %c64
// CHECK: %[[END:.*]] = arith.minui %[[NEXT]], %[[ROWS]]
// CHECK: scf.for %{{.*}} = %[[BEGIN]] to %[[END]] step %c1 {
// CHECK: %[[FILLS:.*]] = arith.cmpi uge, %[[COLUMNS]], %c8
// CHECK: scf.if %[[FILLS]] -> (i64) {
// CHECK: %[[LAST:.*]] = arith.subi %[[COLUMNS]], %c8
// CHECK: %[[BEFORE:.*]] = arith.subi %[[COLUMNS]], %c1
// CHECK: %[[REST:.*]] = arith.remui %[[BEFORE]], %c8
// CHECK: %[[FULL:.*]] = arith.subi %[[BEFORE]], %[[REST]]
// CHECK: scf.for %{{.*}} = %c0 to %[[FULL]] step %c8 iter_args(%{{.*}}) -> (vector<8xi8>)
// CHECK: vector.load %[[X]][%{{.*}}, %[[LAST]]]
// CHECK: vector.reduction <maxsi>
// CHECK: scf.yield
// CHECK: } else {
// CHECK: scf.for %{{.*}} = %c0 to %[[COLUMNS]] step %c1 iter_args(%{{.*}}) -> (vector<1xi8>)
// CHECK: scf.for %{{.*}} = %[[BEGIN]] to %[[END]] step %c1 {
// CHECK: scf.for %{{.*}} = %c0 to %{{.*}} step %c8 iter_args
// CHECK: vector.reduction <add>
// CHECK: scf.for %{{.*}} = %c0 to %[[COLUMNS]] step %c1 iter_args
// CHECK: scf.for %{{.*}} = %[[BEGIN]] to %[[END]] step %c1 {
// CHECK: scf.for %{{.*}} = %c0 to %{{.*}} step %c8 {
// CHECK: scf.for %{{.*}} = %c0 to %[[COLUMNS]] step %c1 {
// CHECK: return
func.func @dynamic(%x: memref<?x?xi8>, %y: memref<?x?xi16>) {
  nlq.kernel #softmax ins(%x : memref<?x?xi8>) outs(%y : memref<?x?xi16>)
  return
}

// Inputs of all rates: column vectors are loaded with their columns, row values
// once per row; unsigned storage is extended as such.
#rates = #nlq.graph<max_row_length = 64,
  inputs = [x : element u8 in [0, 255], c : column i16 in [-9, 9],
            r : row u16 in [0, 50000]],
  nodes = [n0 : element = input 0(), n1 : column = input 1(),
           n2 : row = input 2(), n3 : element = add(n0, n1),
           n4 : element = add(n3, n2)],
  result = n4 : i32>

// CHECK-LABEL: func @rates
// CHECK-SAME: (%[[X:[a-z0-9]*]]: memref<2x3x8xi8>, %[[C:[a-z0-9]*]]: memref<8xi16>, %[[R:[a-z0-9]*]]: memref<2x3xi16>
// CHECK-NOT: memref.alloca
// CHECK: scf.for %[[I:.*]] = %c0 to %c2 step %c1 {
// CHECK-NEXT: scf.for %[[J:.*]] = %c0 to %c3 step %c1 {
// CHECK-NEXT: %[[ROW:.*]] = memref.load %[[R]][%[[I]], %[[J]]]
// CHECK-DAG: arith.extui %[[ROW]] : i16 to
// CHECK-DAG: %[[V:.*]] = vector.load %[[X]][%[[I]], %[[J]], %c0] : memref<2x3x8xi8>, vector<8xi8>
// CHECK-DAG: arith.extui %[[V]] : vector<8xi8> to vector<8xi16>
// CHECK-DAG: vector.load %[[C]][%c0] : memref<8xi16>, vector<8xi16>
// CHECK: vector.store %{{.*}}, %{{.*}}[%[[I]], %[[J]], %c0] : memref<2x3x8xi32>, vector<8xi32>
func.func @rates(%x: memref<2x3x8xi8>, %c: memref<8xi16>, %r: memref<2x3xi16>,
                 %y: memref<2x3x8xi32>) {
  nlq.kernel #rates ins(%x, %c, %r : memref<2x3x8xi8>, memref<8xi16>, memref<2x3xi16>)
      outs(%y : memref<2x3x8xi32>)
  return
}

// Indices; a buffer with strides; rows of one element.
#indices = #nlq.graph<max_row_length = 64, inputs = [],
  nodes = [n0 : row = row_index(), n1 : column = column_index(),
           n2 : uniform = row_length(), n3 : row = mul(n0, n2),
           n4 : element = add(n3, n1)],
  result = n4 : i64>

// The index of a row counts over all outer dimensions.
// CHECK-LABEL: func @indices
// CHECK: scf.for %[[I:.*]] = %c0 to %c2 step %c1 {
// CHECK-NEXT: scf.for %[[J:.*]] = %c0 to %c3 step %c1 {
// CHECK: %[[FIRST:.*]] = arith.muli %[[I]], %c3
// CHECK: arith.addi %[[FIRST]], %[[J]]
// CHECK: vector.store {{.*}} : memref<2x3x1xi64, strided<[100, 10, 1], offset: 5>>, vector<1xi64>
func.func @indices(%y: memref<2x3x1xi64, strided<[100, 10, 1], offset: 5>>) {
  nlq.kernel #indices outs(%y : memref<2x3x1xi64, strided<[100, 10, 1], offset: 5>>)
  return
}

// Rows computed in parallel have a scratch each.
// CHECK-LABEL: func @parallel
// CHECK-NOT: memref.alloca
// CHECK: scf.parallel
// CHECK-NEXT: memref.alloca() {alignment = 64 : i64} : memref<1x64xi16>
func.func @parallel(%x: memref<5x20xi8>, %y: memref<5x20xi16>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c5 = arith.constant 5 : index
  scf.parallel (%i) = (%c0) to (%c5) step (%c1) {
    %xi = memref.subview %x[%i, 0] [1, 20] [1, 1]
        : memref<5x20xi8> to memref<20xi8, strided<[1], offset: ?>>
    %yi = memref.subview %y[%i, 0] [1, 20] [1, 1]
        : memref<5x20xi16> to memref<20xi16, strided<[1], offset: ?>>
    nlq.kernel #softmax ins(%xi : memref<20xi8, strided<[1], offset: ?>>)
        outs(%yi : memref<20xi16, strided<[1], offset: ?>>)
    scf.reduce
  }
  return
}

// Scratch of half a million columns is not for a stack.
#long = #nlq.graph<max_row_length = 500000,
  inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0(), n1 : element = mul(n0, n0),
           n2 : element = mul(n1, n0), n3 : element = add(n2, n1),
           n4 : row = reduce_max(n3), n5 : element = sub(n4, n3)],
  result = n5 : i32>

// CHECK-LABEL: func @long
// CHECK-NOT: memref.alloca
// CHECK: %[[SCRATCH:.*]] = memref.alloc() {alignment = 64 : i64} : memref<1x500000xi32>
// CHECK: scf.for
// CHECK: memref.dealloc %[[SCRATCH]]
func.func @long(%x: memref<?x?xi8>, %y: memref<?x?xi32>) {
  nlq.kernel #long ins(%x : memref<?x?xi8>) outs(%y : memref<?x?xi32>)
  return
}
