// RUN: nlq-opt %s %to_llvm | %run_main | FileCheck %s
// RUN: nlq-opt %s -pass-pipeline="builtin.module(func.func(convert-matmul-to-vector))" \
// RUN:   | nlq-opt %to_llvm | %run_main | FileCheck %s
// RUN: nlq-opt %s -pass-pipeline="builtin.module(func.func(convert-matmul-to-vector{rows=2 lanes=4}))" \
// RUN:   | nlq-opt %to_llvm | %run_main | FileCheck %s
// RUN: nlq-opt %s -pass-pipeline="builtin.module(func.func(convert-matmul-to-vector{rows=1 lanes=1}))" \
// RUN:   | nlq-opt %to_llvm | %run_main | FileCheck %s

// Products executed, by loops and by blocks of several shapes; the values were
// computed apart from both.

memref.global "private" constant @a : memref<5x3xi8> = dense<
  [[1, -2, 3], [-128, -128, -128], [127, 127, 127], [0, 0, 1], [5, -7, 11]]>
memref.global "private" constant @b : memref<3x11xi8> = dense<
  [[-9, -4, 1, 6, -8, -3, 2, 7, -7, 127, -128],
   [-6, -1, 4, 9, -5, 0, 5, -9, -4, 1, -128],
   [-3, 2, 7, -7, -2, 3, 8, -6, -1, 4, -128]]>
memref.global "private" @c : memref<5x11xi32> = dense<
  [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
   [100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100],
   [200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200],
   [300, 300, 300, 300, 300, 300, 300, 300, 300, 300, 300],
   [400, 400, 400, 400, 400, 400, 400, 400, 400, 400, 400]]>

// An odd depth, rows and columns that fill no block, a C that is not zero.
func.func private @integers() {
  %a = memref.get_global @a : memref<5x3xi8>
  %b = memref.get_global @b : memref<3x11xi8>
  %c = memref.get_global @c : memref<5x11xi32>
  linalg.matmul ins(%a, %b : memref<5x3xi8>, memref<3x11xi8>)
      outs(%c : memref<5x11xi32>)
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c5 = arith.constant 5 : index
  scf.for %i = %c0 to %c5 step %c1 {
    %row = vector.load %c[%i, %c0] : memref<5x11xi32>, vector<11xi32>
    vector.print %row : vector<11xi32>
  }
  return
}

memref.global "private" constant @wide_a : memref<2x2xi16> = dense<
  [[-32768, -32768], [32767, -32768]]>
memref.global "private" constant @wide_b : memref<2x2xi16> = dense<
  [[-32768, 1], [-32767, 2]]>

// The largest sums of two products of 16 bits; C with strides.
func.func private @extremes() {
  %a = memref.get_global @wide_a : memref<2x2xi16>
  %b = memref.get_global @wide_b : memref<2x2xi16>
  %zero = arith.constant 0 : i32
  %whole = memref.alloc() : memref<2x5xi32>
  %c = memref.subview %whole[0, 2] [2, 2] [1, 1]
      : memref<2x5xi32> to memref<2x2xi32, strided<[5, 1], offset: 2>>
  linalg.fill ins(%zero : i32) outs(%whole : memref<2x5xi32>)
  linalg.matmul ins(%a, %b : memref<2x2xi16>, memref<2x2xi16>)
      outs(%c : memref<2x2xi32, strided<[5, 1], offset: 2>>)
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r0 = vector.load %whole[%c0, %c0] : memref<2x5xi32>, vector<5xi32>
  %r1 = vector.load %whole[%c1, %c0] : memref<2x5xi32>, vector<5xi32>
  vector.print %r0 : vector<5xi32>
  vector.print %r1 : vector<5xi32>
  memref.dealloc %whole : memref<2x5xi32>
  return
}

memref.global "private" constant @batch_a : memref<2x2x2xi16> = dense<
  [[[1, 2], [3, 4]], [[-1, 0], [5, -6]]]>
memref.global "private" constant @batch_b : memref<2x2x3xi8> = dense<
  [[[1, 0, 2], [0, 1, 3]], [[7, 8, 9], [-1, -2, -3]]]>

func.func private @batch() {
  %a = memref.get_global @batch_a : memref<2x2x2xi16>
  %b = memref.get_global @batch_b : memref<2x2x3xi8>
  %zero = arith.constant 0 : i32
  %c = memref.alloc() : memref<2x2x3xi32>
  linalg.fill ins(%zero : i32) outs(%c : memref<2x2x3xi32>)
  linalg.batch_matmul ins(%a, %b : memref<2x2x2xi16>, memref<2x2x3xi8>)
      outs(%c : memref<2x2x3xi32>)
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  scf.for %i = %c0 to %c2 step %c1 {
    scf.for %j = %c0 to %c2 step %c1 {
      %row = vector.load %c[%i, %j, %c0] : memref<2x2x3xi32>, vector<3xi32>
      vector.print %row : vector<3xi32>
    }
  }
  memref.dealloc %c : memref<2x2x3xi32>
  return
}

memref.global "private" constant @float_a : memref<2x3xf32> = dense<
  [[0.5, -1.5, 2.0], [4.0, 0.25, -8.0]]>
memref.global "private" constant @float_b : memref<3x2xf32> = dense<
  [[1.0, 2.0], [3.0, -4.0], [0.5, 0.125]]>

func.func private @floats() {
  %a = memref.get_global @float_a : memref<2x3xf32>
  %b = memref.get_global @float_b : memref<3x2xf32>
  %one = arith.constant 1.0 : f32
  %c = memref.alloc() : memref<2x2xf32>
  linalg.fill ins(%one : f32) outs(%c : memref<2x2xf32>)
  linalg.matmul ins(%a, %b : memref<2x3xf32>, memref<3x2xf32>)
      outs(%c : memref<2x2xf32>)
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r0 = vector.load %c[%c0, %c0] : memref<2x2xf32>, vector<2xf32>
  %r1 = vector.load %c[%c1, %c0] : memref<2x2xf32>, vector<2xf32>
  vector.print %r0 : vector<2xf32>
  vector.print %r1 : vector<2xf32>
  memref.dealloc %c : memref<2x2xf32>
  return
}

// Unsigned elements, -1 being 255.
func.func private @others() {
  %c0 = arith.constant 0 : index
  %minus = arith.constant -1 : i8
  %two = arith.constant 2 : i8
  %zero = arith.constant 0 : i32
  %a = memref.alloc() : memref<1x1xi8>
  %b = memref.alloc() : memref<1x1xi8>
  %c = memref.alloc() : memref<1x1xi32>
  linalg.fill ins(%minus : i8) outs(%a : memref<1x1xi8>)
  linalg.fill ins(%two : i8) outs(%b : memref<1x1xi8>)
  linalg.fill ins(%zero : i32) outs(%c : memref<1x1xi32>)
  linalg.matmul {cast = #linalg.type_fn<cast_unsigned>}
      ins(%a, %b : memref<1x1xi8>, memref<1x1xi8>) outs(%c : memref<1x1xi32>)
  %r = memref.load %c[%c0, %c0] : memref<1x1xi32>
  vector.print %r : i32
  memref.dealloc %a : memref<1x1xi8>
  memref.dealloc %b : memref<1x1xi8>
  memref.dealloc %c : memref<1x1xi32>
  return
}

func.func @main() {
  // CHECK:      ( -6, 4, 14, -33, -4, 6, 16, 7, -2, 137, -256 )
  // CHECK-NEXT: ( 2404, 484, -1436, -924, 2020, 100, -1820, 1124, 1636, -16796, 49252 )
  // CHECK-NEXT: ( -2086, -181, 1724, 1216, -1705, 200, 2105, -816, -1324, 16964, -48568 )
  // CHECK-NEXT: ( 297, 302, 307, 293, 298, 303, 308, 294, 299, 304, 172 )
  // CHECK-NEXT: ( 364, 409, 454, 290, 373, 418, 463, 432, 382, 1072, -752 )
  call @integers() : () -> ()
  // CHECK-NEXT: ( 0, 0, 2147450880, -98304, 0 )
  // CHECK-NEXT: ( 0, 0, 0, -32769, 0 )
  call @extremes() : () -> ()
  // CHECK-NEXT: ( 1, 2, 8 )
  // CHECK-NEXT: ( 3, 4, 18 )
  // CHECK-NEXT: ( -7, -8, -9 )
  // CHECK-NEXT: ( 41, 52, 63 )
  call @batch() : () -> ()
  // CHECK-NEXT: ( -2, 8.25 )
  // CHECK-NEXT: ( 1.75, 7 )
  call @floats() : () -> ()
  // CHECK-NEXT: 510
  call @others() : () -> ()
  return
}
