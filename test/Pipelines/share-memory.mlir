// RUN: nlq-opt %s -pass-pipeline="builtin.module(func.func(nlq-share-memory))" | FileCheck %s

// A buffer is in use from its allocation to the last use of it or of a view, in
// loops too: %c takes the place of %a, but not that of %b.
// CHECK-LABEL: func @chain
// CHECK-NEXT: %[[M:.*]] = memref.alloc() {alignment = 64 : i64} : memref<256xi8>
// CHECK-NEXT: %[[A0:.*]] = arith.constant 128 : index
// CHECK-NEXT: %[[A:.*]] = memref.view %[[M]][%[[A0]]][] : memref<256xi8> to memref<64xi8>
// CHECK-NEXT: %[[B0:.*]] = arith.constant 0 : index
// CHECK-NEXT: %[[B:.*]] = memref.view %[[M]][%[[B0]]][] : memref<256xi8> to memref<5x5xi32>
// CHECK: %[[V:.*]] = memref.subview %[[B]]
// CHECK: %[[C0:.*]] = arith.constant 128 : index
// CHECK-NEXT: %[[C:.*]] = memref.view %[[M]][%[[C0]]][] : memref<256xi8> to memref<2x33xi8>
// CHECK: scf.for
// CHECK: memref.load %[[V]]
// CHECK-NOT: memref.dealloc %[[A]]
// CHECK-NOT: memref.dealloc %[[B]]
// CHECK: memref.dealloc %[[M]] : memref<256xi8>
// CHECK-NEXT: return
func.func @chain(%x: i8, %y: i32) {
  %a = memref.alloc() : memref<64xi8>
  %b = memref.alloc() : memref<5x5xi32>
  linalg.fill ins(%x : i8) outs(%a : memref<64xi8>)
  linalg.fill ins(%y : i32) outs(%b : memref<5x5xi32>)
  %v = memref.subview %b[1, 0] [1, 5] [1, 1]
      : memref<5x5xi32> to memref<5xi32, strided<[1], offset: 5>>
  %c = memref.alloc() : memref<2x33xi8>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c5 = arith.constant 5 : index
  scf.for %i = %c0 to %c5 step %c1 {
    %0 = memref.load %v[%i] : memref<5xi32, strided<[1], offset: 5>>
    %1 = arith.trunci %0 : i32 to i8
    linalg.fill ins(%1 : i8) outs(%c : memref<2x33xi8>)
  }
  memref.dealloc %a : memref<64xi8>
  memref.dealloc %b : memref<5x5xi32>
  memref.dealloc %c : memref<2x33xi8>
  return
}

// Buffers that leave the function, are not freed there, have dynamic shapes or
// get names that are no views stay as they are.
// CHECK-LABEL: func @others
// CHECK-NOT: memref.view
// CHECK: return
func.func @others(%n: index, %p: i1, %q: memref<4xi8>, %x: i8) -> memref<4xi8> {
  %a = memref.alloc() : memref<4xi8>
  %b = memref.alloc() : memref<4xi8>
  linalg.fill ins(%x : i8) outs(%b : memref<4xi8>)
  %c = memref.alloc(%n) : memref<?xi8>
  linalg.fill ins(%x : i8) outs(%c : memref<?xi8>)
  memref.dealloc %c : memref<?xi8>
  %d = memref.alloc() : memref<4xi8>
  %e = arith.select %p, %d, %q : memref<4xi8>
  linalg.fill ins(%x : i8) outs(%e : memref<4xi8>)
  memref.dealloc %d : memref<4xi8>
  return %a : memref<4xi8>
}
