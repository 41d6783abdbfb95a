// RUN: nlq-opt %s -pass-pipeline="builtin.module(func.func(convert-transpose-to-vector,canonicalize))" \
// RUN:   | FileCheck %s
// RUN: nlq-opt %s -pass-pipeline="builtin.module(func.func(convert-transpose-to-vector))" \
// RUN:   | nlq-opt %to_llvm | %run_main | FileCheck %s --check-prefix=EXEC

// CHECK-LABEL: func @heads
// CHECK-SAME: (%[[X:.*]]: memref<1x257x6x80xi8>, %[[Y:.*]]: memref<1x6x257x80xi8>)
// CHECK: scf.for %[[HEAD:.*]] = %c0 to %c6
// CHECK: scf.for %[[ROW:.*]] = %c0 to %c257
// CHECK: %[[A:.*]] = vector.load %[[X]][%c0, %[[ROW]], %[[HEAD]], %c0] : memref<1x257x6x80xi8>, vector<64xi8>
// CHECK: vector.store %[[A]], %[[Y]][%c0, %[[HEAD]], %[[ROW]], %c0] : memref<1x6x257x80xi8>, vector<64xi8>
// CHECK: %[[B:.*]] = vector.load %[[X]][%c0, %[[ROW]], %[[HEAD]], %c64] : memref<1x257x6x80xi8>, vector<16xi8>
// CHECK: vector.store %[[B]], %[[Y]][%c0, %[[HEAD]], %[[ROW]], %c64] : memref<1x6x257x80xi8>, vector<16xi8>
func.func @heads(%x: memref<1x257x6x80xi8>, %y: memref<1x6x257x80xi8>) {
  linalg.transpose ins(%x : memref<1x257x6x80xi8>) outs(%y : memref<1x6x257x80xi8>)
      permutation = [0, 2, 1, 3]
  return
}

// Rows that are taken apart, dynamic shapes and rows with gaps stay.
// CHECK-LABEL: func @others
// CHECK-COUNT-3: linalg.transpose
func.func @others(%a: memref<2x3xi8>, %b: memref<3x2xi8>, %d: memref<?x?x3xi8>,
                  %s: memref<2x3x4xi8, strided<[24, 8, 2]>>, %t: memref<3x2x4xi8>) {
  linalg.transpose ins(%a : memref<2x3xi8>) outs(%b : memref<3x2xi8>) permutation = [1, 0]
  linalg.transpose ins(%d : memref<?x?x3xi8>) outs(%d : memref<?x?x3xi8>) permutation = [1, 0, 2]
  linalg.transpose ins(%s : memref<2x3x4xi8, strided<[24, 8, 2]>>) outs(%t : memref<3x2x4xi8>)
      permutation = [1, 0, 2]
  return
}

memref.global "private" constant @x : memref<2x2x3x3xi32> = dense<
  [[[[0, 1, 2], [3, 4, 5], [6, 7, 8]], [[10, 11, 12], [13, 14, 15], [16, 17, 18]]],
   [[[20, 21, 22], [23, 24, 25], [26, 27, 28]], [[30, 31, 32], [33, 34, 35], [36, 37, 38]]]]>

func.func @main() {
  %x = memref.get_global @x : memref<2x2x3x3xi32>
  %y = memref.alloc() : memref<3x2x2x3xi32>
  linalg.transpose ins(%x : memref<2x2x3x3xi32>) outs(%y : memref<3x2x2x3xi32>)
      permutation = [2, 0, 1, 3]
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // EXEC: ( 0, 1, 2 )
  %0 = vector.load %y[%c0, %c0, %c0, %c0] : memref<3x2x2x3xi32>, vector<3xi32>
  vector.print %0 : vector<3xi32>
  // EXEC-NEXT: ( 33, 34, 35 )
  %1 = vector.load %y[%c1, %c1, %c1, %c0] : memref<3x2x2x3xi32>, vector<3xi32>
  vector.print %1 : vector<3xi32>
  // EXEC-NEXT: ( 13, 14, 15 )
  %2 = vector.load %y[%c1, %c0, %c1, %c0] : memref<3x2x2x3xi32>, vector<3xi32>
  vector.print %2 : vector<3xi32>
  memref.dealloc %y : memref<3x2x2x3xi32>
  return
}
