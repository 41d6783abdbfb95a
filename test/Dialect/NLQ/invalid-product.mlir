// RUN: nlq-opt %s -split-input-file -verify-diagnostics

func.func @dynamic(%a: tensor<?x2xi8>, %b: tensor<2x2xi8>, %c: tensor<2x2xi32>) {
  // expected-error @below {{lhs must have a static shape, found 'tensor<?x2xi8>'}}
  nlq.product ins(%a, %b : tensor<?x2xi8>, tensor<2x2xi8>) outs(%c : tensor<2x2xi32>) -> tensor<2x2xi32>
  return
}

// -----

func.func @element(%a: tensor<2x2xi8>, %b: tensor<2x2xi32>, %c: tensor<2x2xi32>) {
  // expected-error @below {{rhs must have elements of i8 or i16, found 'tensor<2x2xi32>'}}
  nlq.product ins(%a, %b : tensor<2x2xi8>, tensor<2x2xi32>) outs(%c : tensor<2x2xi32>) -> tensor<2x2xi32>
  return
}

// -----

func.func @output(%a: tensor<2x2xi8>, %b: tensor<2x2xi8>, %c: tensor<2x2xi64>) {
  // expected-error @below {{output must have elements of i32, found 'tensor<2x2xi64>'}}
  nlq.product ins(%a, %b : tensor<2x2xi8>, tensor<2x2xi8>) outs(%c : tensor<2x2xi64>) -> tensor<2x2xi64>
  return
}

// -----

func.func @mixed(%a: memref<2x2xi8>, %b: tensor<2x2xi8>, %c: tensor<2x2xi32>) {
  // expected-error @below {{operands must be all tensors or all buffers}}
  nlq.product ins(%a, %b : memref<2x2xi8>, tensor<2x2xi8>) outs(%c : tensor<2x2xi32>) -> tensor<2x2xi32>
  return
}

// -----

func.func @rows(%a: tensor<3x2xi8>, %b: tensor<2x2xi8>, %c: tensor<2x2xi32>) {
  // expected-error @below {{lhs has type 'tensor<3x2xi8>', which does not fit the output, 'tensor<2x2xi32>'}}
  nlq.product ins(%a, %b : tensor<3x2xi8>, tensor<2x2xi8>) outs(%c : tensor<2x2xi32>) -> tensor<2x2xi32>
  return
}

// -----

func.func @depth(%a: tensor<2x3xi8>, %b: tensor<3x4xi8>, %c: tensor<2x4xi32>) {
  // expected-error @below {{rhs has type 'tensor<3x4xi8>', which does not fit lhs, 'tensor<2x3xi8>', and output, 'tensor<2x4xi32>'}}
  nlq.product ins(%a, %b : tensor<2x3xi8>, tensor<3x4xi8>) outs(%c : tensor<2x4xi32>) {transposed} -> tensor<2x4xi32>
  return
}

// -----

func.func @start(%a: tensor<2x2xi8>, %b: tensor<2x2xi8>, %s: tensor<2xi32>, %c: tensor<2x2xi32>) {
  // expected-error @below {{start must come with a packed rhs}}
  nlq.product ins(%a, %b : tensor<2x2xi8>, tensor<2x2xi8>) start(%s : tensor<2xi32>) outs(%c : tensor<2x2xi32>) -> tensor<2x2xi32>
  return
}

// -----

func.func @group(%a: tensor<2x2xi8>, %b: tensor<1x1x8x3xi8>, %c: tensor<2x2xi32>) {
  // expected-error @below {{rhs must be packed in groups of 2 or 4, found 3}}
  nlq.product ins(%a, %b : tensor<2x2xi8>, tensor<1x1x8x3xi8>) outs(%c : tensor<2x2xi32>) -> tensor<2x2xi32>
  return
}

// -----

func.func @wide_group(%a: tensor<2x2xi16>, %b: tensor<1x1x8x4xi8>, %c: tensor<2x2xi32>) {
  // expected-error @below {{groups of 4 must be of i8, found 'tensor<2x2xi16>' and 'tensor<1x1x8x4xi8>'}}
  nlq.product ins(%a, %b : tensor<2x2xi16>, tensor<1x1x8x4xi8>) outs(%c : tensor<2x2xi32>) -> tensor<2x2xi32>
  return
}

// -----

func.func @packed(%a: tensor<2x2xi8>, %b: tensor<1x2x8x2xi8>, %c: tensor<2x2xi32>) {
  // expected-error @below {{rhs has type 'tensor<1x2x8x2xi8>', which is no packed form of 2 rows and 2 columns}}
  nlq.product ins(%a, %b : tensor<2x2xi8>, tensor<1x2x8x2xi8>) outs(%c : tensor<2x2xi32>) -> tensor<2x2xi32>
  return
}

// -----

func.func @packed_start(%a: tensor<2x2xi8>, %b: tensor<1x1x8x2xi8>, %s: tensor<2xi32>, %c: tensor<2x2xi32>) {
  // expected-error @below {{start must have 8 entries, found 'tensor<2xi32>'}}
  nlq.product ins(%a, %b : tensor<2x2xi8>, tensor<1x1x8x2xi8>) start(%s : tensor<2xi32>) outs(%c : tensor<2x2xi32>) -> tensor<2x2xi32>
  return
}

// -----

func.func @packed_transposed(%a: tensor<2x2xi8>, %b: tensor<1x1x8x2xi8>, %c: tensor<2x2xi32>) {
  // expected-error @below {{a packed rhs can't be transposed}}
  nlq.product ins(%a, %b : tensor<2x2xi8>, tensor<1x1x8x2xi8>) outs(%c : tensor<2x2xi32>) {transposed} -> tensor<2x2xi32>
  return
}

// -----

func.func @shifted_pairs(%a: tensor<2x2xi8>, %b: tensor<1x1x8x2xi8>, %c: tensor<2x2xi32>) {
  // expected-error @below {{a shifted lhs must come with groups of 4, found 2}}
  nlq.product ins(%a, %b : tensor<2x2xi8>, tensor<1x1x8x2xi8>) outs(%c : tensor<2x2xi32>) {shifted} -> tensor<2x2xi32>
  return
}

// -----

func.func @shifted_unpacked(%a: tensor<2x2xi8>, %b: tensor<2x2xi8>, %c: tensor<2x2xi32>) {
  // expected-error @below {{a shifted lhs must come with a packed rhs}}
  nlq.product ins(%a, %b : tensor<2x2xi8>, tensor<2x2xi8>) outs(%c : tensor<2x2xi32>) {shifted} -> tensor<2x2xi32>
  return
}
