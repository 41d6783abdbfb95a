// RUN: nlq-opt %s -convert-nlq-to-vector=lanes=4 %to_llvm | %run_main | FileCheck %s
// RUN: nlq-opt %s -convert-nlq-to-vector=lanes=1 %to_llvm | %run_main | FileCheck %s
// RUN: nlq-opt %s -convert-nlq-to-vector=lanes=16 %to_llvm | %run_main | FileCheck %s

// One kernel on rows of dynamic and of static length, executed: shares of
// powers, e = [64, 16, 4, 1][min(max - x, 3)] and y = floor(100 e / sum e).

#shares = #nlq.graph<max_row_length = 64,
  inputs = [x : element i8 in [-128, 127]], tables = [[64, 16, 4, 1]],
  nodes = [n0 : element = input 0(), n1 : row = reduce_max(n0),
           n2 : element = sub(n1, n0), n3 : uniform = constant 3(),
           n4 : element = min(n2, n3), n5 : element = lookup 0(n4),
           n6 : uniform = constant 100(), n7 : element = mul(n5, n6),
           n8 : row = reduce_sum(n5), n9 : element = div floor(n7, n8)],
  result = n9 : i16>

memref.global "private" constant @x : memref<3x11xi8> = dense<
  [[5, 5, 4, 3, 2, 1, 0, -1, -2, -3, 5],
   [-128, 127, 127, 126, 125, 124, 0, 0, 0, 0, 126],
   [7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7]]>

func.func private @dynamic(%x: memref<?x?xi8>, %y: memref<?x?xi16>) {
  nlq.kernel #shares ins(%x : memref<?x?xi8>) outs(%y : memref<?x?xi16>)
  return
}

func.func private @static(%x: memref<3x11xi8>, %y: memref<3x11xi16>) {
  nlq.kernel #shares ins(%x : memref<3x11xi8>) outs(%y : memref<3x11xi16>)
  return
}

func.func private @print(%y: memref<3x11xi16>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  scf.for %i = %c0 to %c3 step %c1 {
    %row = vector.load %y[%i, %c0] : memref<3x11xi16>, vector<11xi16>
    vector.print %row : vector<11xi16>
  }
  return
}

func.func @main() {
  %x = memref.get_global @x : memref<3x11xi8>
  %y = memref.alloc() : memref<3x11xi16>
  %dx = memref.cast %x : memref<3x11xi8> to memref<?x?xi8>
  %dy = memref.cast %y : memref<3x11xi16> to memref<?x?xi16>

  // Powers 64 64 16 4 1 1 1 1 1 1 64 of 218 in sum, 1 64 64 16 4 1 1 1 1 1 16
  // of 170, and eleven equal ones.
  // CHECK:      ( 29, 29, 7, 1, 0, 0, 0, 0, 0, 0, 29 )
  // CHECK-NEXT: ( 0, 37, 37, 9, 2, 0, 0, 0, 0, 0, 9 )
  // CHECK-NEXT: ( 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9 )
  call @dynamic(%dx, %dy) : (memref<?x?xi8>, memref<?x?xi16>) -> ()
  call @print(%y) : (memref<3x11xi16>) -> ()

  // CHECK-NEXT: ( 29, 29, 7, 1, 0, 0, 0, 0, 0, 0, 29 )
  // CHECK-NEXT: ( 0, 37, 37, 9, 2, 0, 0, 0, 0, 0, 9 )
  // CHECK-NEXT: ( 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9 )
  %z = memref.alloc() : memref<3x11xi16>
  call @static(%x, %z) : (memref<3x11xi8>, memref<3x11xi16>) -> ()
  call @print(%z) : (memref<3x11xi16>) -> ()

  // Three columns of rows 0 and 1 alone. Powers 64 64 16 of 144 in sum, and 1 64
  // 64 of 129.
  // CHECK-NEXT: ( 44, 44, 11, 1, 0, 0, 0, 0, 0, 0, 29 )
  // CHECK-NEXT: ( 0, 49, 49, 9, 2, 0, 0, 0, 0, 0, 9 )
  // CHECK-NEXT: ( 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9 )
  %px = memref.subview %x[0, 0] [2, 3] [1, 1]
      : memref<3x11xi8> to memref<2x3xi8, strided<[11, 1]>>
  %pz = memref.subview %z[0, 0] [2, 3] [1, 1]
      : memref<3x11xi16> to memref<2x3xi16, strided<[11, 1]>>
  nlq.kernel #shares ins(%px : memref<2x3xi8, strided<[11, 1]>>)
      outs(%pz : memref<2x3xi16, strided<[11, 1]>>)
  call @print(%z) : (memref<3x11xi16>) -> ()
  memref.dealloc %y : memref<3x11xi16>
  memref.dealloc %z : memref<3x11xi16>
  return
}
