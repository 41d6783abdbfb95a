// RUN: nlq-opt %s -nlq-fix-extents=extents=9,49 -split-input-file -verify-diagnostics
// RUN: not nlq-opt %s -nlq-fix-extents=extents=-1 -split-input-file 2>&1 \
// RUN:   | FileCheck %s --check-prefix=NEGATIVE
// NEGATIVE: error: extents must not be negative, found -1

// expected-error @+1 {{'main' has 1 dynamic extents in its arguments, found values for 2}}
func.func @main(%x: tensor<?x4xf32>) {
  return
}

// -----

// expected-error @+1 {{the module has no function 'main' of one block}}
module {
}

// -----

func.func @main(%x: tensor<?x?xf32>) -> tensor<?xf32> {
  // expected-error @+1 {{'tensor.collapse_shape' op has a dynamic shape that does not follow from those of arguments}}
  %0 = tensor.collapse_shape %x [[0, 1]] : tensor<?x?xf32> into tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

// The longest row holds for static ones, too.
func.func @main(%x: tensor<?x?xf32>) -> tensor<?x?xf32> {
  // expected-error @+1 {{'nlq.softmax' op has rows of 49 elements and a max_row_length of 48}}
  %0 = nlq.softmax %x {max_row_length = 48 : i64} : tensor<?x?xf32> -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}
