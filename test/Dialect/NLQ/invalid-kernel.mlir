// RUN: nlq-opt %s -split-input-file -verify-diagnostics

// Constraints of nlq.kernel, numbered as in its definition.

#copy = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0()], result = n0 : i8>

// (C1)
func.func @no_outs(%x: tensor<2x8xi8>) {
  // expected-error @+1 {{'nlq.kernel' op writes exactly one operand, found 0}}
  "nlq.kernel"(%x) {graph = #copy, operandSegmentSizes = array<i32: 1, 0>}
      : (tensor<2x8xi8>) -> ()
  return
}

// -----

#copy = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0()], result = n0 : i8>

// (C1)
func.func @two_outs(%x: tensor<2x8xi8>) {
  // expected-error @+1 {{'nlq.kernel' op writes exactly one operand, found 2}}
  %0:2 = nlq.kernel #copy ins(%x : tensor<2x8xi8>)
      outs(%x, %x : tensor<2x8xi8>, tensor<2x8xi8>)
      -> tensor<2x8xi8>, tensor<2x8xi8>
  return
}

// -----

#copy = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0()], result = n0 : i8>

// (C1)
func.func @inputs(%x: tensor<2x8xi8>) {
  // expected-error @+1 {{'nlq.kernel' op has 2 inputs, the graph takes 1}}
  %0 = nlq.kernel #copy ins(%x, %x : tensor<2x8xi8>, tensor<2x8xi8>)
      outs(%x : tensor<2x8xi8>) -> tensor<2x8xi8>
  return
}

// -----

#copy = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0()], result = n0 : i8>

// (C2)
func.func @mixed(%x: tensor<2x8xi8>, %y: memref<2x8xi8>) {
  // expected-error @+1 {{'nlq.kernel' op operands must be all tensors or all buffers}}
  nlq.kernel #copy ins(%x : tensor<2x8xi8>) outs(%y : memref<2x8xi8>)
  return
}

// -----

#copy = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0()], result = n0 : i8>

// (C2)
func.func @vectors(%x: vector<2x8xi8>, %y: tensor<2x8xi8>) {
  // expected-error @+1 {{'nlq.kernel' op operand #0 must be variadic of ranked tensor or buffer, but got 'vector<2x8xi8>'}}
  %0 = nlq.kernel #copy ins(%x : vector<2x8xi8>) outs(%y : tensor<2x8xi8>)
      -> tensor<2x8xi8>
  return
}

// -----

#copy = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0()], result = n0 : i8>

// (C2)
func.func @unranked(%x: memref<*xi8>, %y: memref<2x8xi8>) {
  // expected-error @+1 {{'nlq.kernel' op operand #0 must be variadic of ranked tensor or buffer, but got 'memref<*xi8>'}}
  nlq.kernel #copy ins(%x : memref<*xi8>) outs(%y : memref<2x8xi8>)
  return
}

// -----

#copy = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0()], result = n0 : i8>

// (C2)
func.func @same_buffer(%x: memref<2x8xi8>) {
  // expected-error @+1 {{'nlq.kernel' op must not write a buffer that it reads}}
  nlq.kernel #copy ins(%x : memref<2x8xi8>) outs(%x : memref<2x8xi8>)
  return
}

// -----

#copy = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0()], result = n0 : i8>

// (C3)
func.func @input_elements(%x: tensor<2x8xi16>, %y: tensor<2x8xi8>) {
  // expected-error @+1 {{'nlq.kernel' op input 0 ('x') must have elements of i8, found 'tensor<2x8xi16>'}}
  %0 = nlq.kernel #copy ins(%x : tensor<2x8xi16>) outs(%y : tensor<2x8xi8>)
      -> tensor<2x8xi8>
  return
}

// -----

#copy = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0()], result = n0 : i8>

// (C3)
func.func @output_elements(%x: tensor<2x8xi8>, %y: tensor<2x8xui8>) {
  // expected-error @+1 {{'nlq.kernel' op output must have elements of i8, found 'tensor<2x8xui8>'}}
  %0 = nlq.kernel #copy ins(%x : tensor<2x8xi8>) outs(%y : tensor<2x8xui8>)
      -> tensor<2x8xui8>
  return
}

// -----

#copy = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0()], result = n0 : i8>

// (C4)
func.func @scalars(%x: tensor<i8>) {
  // expected-error @+1 {{'nlq.kernel' op output must have a rank of at least 1}}
  %0 = nlq.kernel #copy ins(%x : tensor<i8>) outs(%x : tensor<i8>) -> tensor<i8>
  return
}

// -----

#copy = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0()], result = n0 : i8>

// (C4)
func.func @element_shape(%x: tensor<3x8xi8>, %y: tensor<2x8xi8>) {
  // expected-error @+1 {{'nlq.kernel' op input 0 ('x') has type 'tensor<3x8xi8>', which does not fit the output, 'tensor<2x8xi8>'}}
  %0 = nlq.kernel #copy ins(%x : tensor<3x8xi8>) outs(%y : tensor<2x8xi8>)
      -> tensor<2x8xi8>
  return
}

// -----

#column = #nlq.graph<max_row_length = 8, inputs = [c : column i8 in [-128, 127]],
  nodes = [n0 : column = input 0()], result = n0 : i8>

// (C4)
func.func @column_shape(%c: tensor<2xi8>, %y: tensor<2x8xi8>) {
  // expected-error @+1 {{'nlq.kernel' op input 0 ('c') has type 'tensor<2xi8>', which does not fit the output, 'tensor<2x8xi8>'}}
  %0 = nlq.kernel #column ins(%c : tensor<2xi8>) outs(%y : tensor<2x8xi8>)
      -> tensor<2x8xi8>
  return
}

// -----

#row = #nlq.graph<max_row_length = 8, inputs = [r : row i8 in [-128, 127]],
  nodes = [n0 : row = input 0()], result = n0 : i8>

// (C4)
func.func @row_shape(%r: tensor<2x8xi8>, %y: tensor<2x8xi8>) {
  // expected-error @+1 {{'nlq.kernel' op input 0 ('r') has type 'tensor<2x8xi8>', which does not fit the output, 'tensor<2x8xi8>'}}
  %0 = nlq.kernel #row ins(%r : tensor<2x8xi8>) outs(%y : tensor<2x8xi8>)
      -> tensor<2x8xi8>
  return
}

// -----

#copy = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0()], result = n0 : i8>

// (C5)
func.func @long_rows(%x: tensor<2x9xi8>) {
  // expected-error @+1 {{'nlq.kernel' op has rows of 9 elements; the graph is made for rows of at most 8}}
  %0 = nlq.kernel #copy ins(%x : tensor<2x9xi8>) outs(%x : tensor<2x9xi8>)
      -> tensor<2x9xi8>
  return
}

// -----

#copy = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0()], result = n0 : i8>

// (C5)
func.func @empty_rows(%x: tensor<2x0xi8>) {
  // expected-error @+1 {{'nlq.kernel' op has rows of no elements}}
  %0 = nlq.kernel #copy ins(%x : tensor<2x0xi8>) outs(%x : tensor<2x0xi8>)
      -> tensor<2x0xi8>
  return
}

// -----

#copy = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0()], result = n0 : i8>

// The result of a destination-style operation is what replaces `outs`.
func.func @result_type(%x: tensor<2x8xi8>) {
  // expected-error @+1 {{'nlq.kernel' op expected type of operand #1 ('tensor<2x8xi8>') to match type of corresponding result ('tensor<2x4xi8>')}}
  %0 = nlq.kernel #copy ins(%x : tensor<2x8xi8>) outs(%x : tensor<2x8xi8>)
      -> tensor<2x4xi8>
  return
}

// -----

#copy = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0()], result = n0 : i8>

func.func @no_result(%x: tensor<2x8xi8>) {
  // expected-error @+1 {{'nlq.kernel' op expected the number of tensor results (0) to be equal to the number of output tensors (1)}}
  nlq.kernel #copy ins(%x : tensor<2x8xi8>) outs(%x : tensor<2x8xi8>)
  return
}

// -----

func.func @no_graph(%x: tensor<2x8xi8>) {
  // expected-error @+1 {{expected '<'}}
  %0 = nlq.kernel 42 ins(%x : tensor<2x8xi8>) outs(%x : tensor<2x8xi8>)
      -> tensor<2x8xi8>
  return
}

// -----

#sum = #nlq.graph<max_row_length = 8,
  inputs = [x : element i8 in [-128, 127], r : row i8 in [-128, 127]],
  nodes = [n0 : element = input 0(), n1 : row = input 1(), n2 : element = min(n0, n1)],
  result = n2 : i8>

// (C4): an extent of 1 stands for all in front of the row only.
func.func @shared_columns(%x: tensor<1x2x1xi8>, %r: tensor<1x2xi8>, %y: tensor<3x2x8xi8>) {
  // expected-error @+1 {{'nlq.kernel' op input 0 ('x') has type 'tensor<1x2x1xi8>', which does not fit the output, 'tensor<3x2x8xi8>'}}
  %0 = nlq.kernel #sum ins(%x, %r : tensor<1x2x1xi8>, tensor<1x2xi8>)
      outs(%y : tensor<3x2x8xi8>) -> tensor<3x2x8xi8>
  return
}

// -----

#sum = #nlq.graph<max_row_length = 8,
  inputs = [x : element i8 in [-128, 127], r : row i8 in [-128, 127]],
  nodes = [n0 : element = input 0(), n1 : row = input 1(), n2 : element = min(n0, n1)],
  result = n2 : i8>

// (C4)
func.func @missing_dimension(%x: tensor<1x2x8xi8>, %r: tensor<2xi8>, %y: tensor<3x2x8xi8>) {
  // expected-error @+1 {{'nlq.kernel' op input 1 ('r') has type 'tensor<2xi8>', which does not fit the output, 'tensor<3x2x8xi8>'}}
  %0 = nlq.kernel #sum ins(%x, %r : tensor<1x2x8xi8>, tensor<2xi8>)
      outs(%y : tensor<3x2x8xi8>) -> tensor<3x2x8xi8>
  return
}
