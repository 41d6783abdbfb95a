// RUN: nlq-opt %s -convert-nlq-to-linalg -split-input-file -verify-diagnostics

#copy = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0()], result = n0 : i8>

func.func @buffers(%x: memref<2x8xi8>, %y: memref<2x8xi8>) {
  // expected-error @+1 {{'nlq.kernel' op must be on tensors to become linalg}}
  nlq.kernel #copy ins(%x : memref<2x8xi8>) outs(%y : memref<2x8xi8>)
  return
}

// -----

// A divisor that may be zero.
#divide = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0(), n1 : element = div floor(n0, n0)], result = n1 : i8>

func.func @division(%x: tensor<2x8xi8>) -> tensor<2x8xi8> {
  // expected-error @+1 {{'nlq.kernel' op has no safe widths: node 1 (div) divides by [-128, 127], which contains 0}}
  %0 = nlq.kernel #divide ins(%x : tensor<2x8xi8>) outs(%x : tensor<2x8xi8>)
      -> tensor<2x8xi8>
  return %0 : tensor<2x8xi8>
}
