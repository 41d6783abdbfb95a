// RUN: nlq-opt %s -convert-nlq-to-vector -split-input-file -verify-diagnostics
// RUN: not nlq-opt %s -split-input-file -convert-nlq-to-vector=lanes=12 \
// RUN:   2>&1 | FileCheck %s --check-prefix=LANES
// RUN: not nlq-opt %s -split-input-file -convert-nlq-to-vector=lanes=-4 \
// RUN:   2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not nlq-opt %s -split-input-file -convert-nlq-to-vector=features=sse9 \
// RUN:   2>&1 | FileCheck %s --check-prefix=FEATURES
// LANES: error: lanes must be a power of two, found 12
// NONE: error: lanes must be a power of two, found -4
// FEATURES: error: unknown vector feature 'sse9'

#copy = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0()], result = n0 : i8>

func.func @tensors(%x: tensor<2x8xi8>) -> tensor<2x8xi8> {
  // expected-error @+1 {{'nlq.kernel' op must be on buffers to become vector code}}
  %0 = nlq.kernel #copy ins(%x : tensor<2x8xi8>) outs(%x : tensor<2x8xi8>)
      -> tensor<2x8xi8>
  return %0 : tensor<2x8xi8>
}

// -----

// The sum of 2^60 elements of 4 bits has 64 and a sign.
#wide = #nlq.graph<max_row_length = 1152921504606846976,
  inputs = [x : element i8 in [0, 15]],
  nodes = [n0 : element = input 0(), n1 : row = reduce_sum(n0)], result = n1 : i64>

func.func @no_lanes(%x: memref<2x8xi8>, %y: memref<2x8xi64>) {
  // expected-error @+1 {{'nlq.kernel' op has no safe lanes: the sum of 1152921504606846976 terms of up to 15 needs 65 bits and at most 64 are allowed}}
  nlq.kernel #wide ins(%x : memref<2x8xi8>) outs(%y : memref<2x8xi64>)
  return
}

// -----

// A result that does not fit in its storage.
#narrow = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0(), n1 : element = add(n0, n0)], result = n1 : i8>

func.func @overflow(%x: memref<2x8xi8>, %y: memref<2x8xi8>) {
  // expected-error @+1 {{'nlq.kernel' op has no safe lanes: the result reaches [-256, 254] and is stored in 8 bits, which hold [-128, 127]}}
  nlq.kernel #narrow ins(%x : memref<2x8xi8>) outs(%y : memref<2x8xi8>)
  return
}

// -----

// A divisor that may be zero.
#divide = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0(), n1 : element = div floor(n0, n0)], result = n1 : i8>

func.func @division(%x: memref<2x8xi8>, %y: memref<2x8xi8>) {
  // expected-error @+1 {{'nlq.kernel' op has no safe lanes: node 1 (div)}}
  nlq.kernel #divide ins(%x : memref<2x8xi8>) outs(%y : memref<2x8xi8>)
  return
}

// -----

#copy = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0()], result = n0 : i8>

func.func @strided_columns(%x: memref<2x8xi8, strided<[16, 2]>>, %y: memref<2x8xi8>) {
  // expected-error @+1 {{'nlq.kernel' op has an operand whose rows are not dense: 'memref<2x8xi8, strided<[16, 2]>>'}}
  nlq.kernel #copy ins(%x : memref<2x8xi8, strided<[16, 2]>>) outs(%y : memref<2x8xi8>)
  return
}
