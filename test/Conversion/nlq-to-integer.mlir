// RUN: nlq-opt %s -nlq-to-integer -canonicalize -cse -verify-diagnostics \
// RUN:   | FileCheck %s

// The example of the pass: 0.1 / 0.2 is 2^30 / 2^31, a shift by 1.
// CHECK-LABEL: func @requantize
// CHECK-SAME: (%[[X:.*]]: tensor<4xi32>) -> tensor<4xi8>
// CHECK: %[[E:.*]] = tensor.empty() : tensor<4xi8>
// CHECK: %[[Y:.*]] = nlq.kernel <max_row_length = 4,
// CHECK-SAME: inputs = [x : element i32 in [-2147483648, 2147483647]],
// CHECK-SAME: nodes = [n0 : element = input 0(), n1 : uniform = constant 1(), n2 : element = shift_right half_up(n0, n1),
// CHECK-SAME: constant -128(),
// CHECK-SAME: constant 127(),
// CHECK-SAME: ins(%[[X]] : tensor<4xi32>) outs(%[[E]] : tensor<4xi8>) -> tensor<4xi8>
// CHECK: return %[[Y]]
func.func @requantize(%x: tensor<4x!quant.uniform<i32:f32, 0.1>>)
    -> tensor<4x!quant.uniform<i8:f32, 0.2>> {
  %y = nlq.requantize %x half_up
      : tensor<4x!quant.uniform<i32:f32, 0.1>>
      -> tensor<4x!quant.uniform<i8:f32, 0.2>>
  return %y : tensor<4x!quant.uniform<i8:f32, 0.2>>
}

// Per channel: 0.1 / 0.2 is 2^30 / 2^31, 0.3 / 0.2 is 1.5 * 2^30 / 2^30. The
// zero point is added before the clamp to 8 bits.
// CHECK-LABEL: func @requantize_channels
// CHECK-SAME: (%[[X:.*]]: tensor<?x2xi16>) -> tensor<?x2xi8>
// CHECK-DAG: %[[M:.*]] = arith.constant dense<[1073741824, 1610612736]> : tensor<2xi32>
// CHECK-DAG: %[[S:.*]] = arith.constant dense<[31, 30]> : tensor<2xi8>
// CHECK-DAG: %[[ROWS:.*]] = tensor.dim %[[X]]
// CHECK: %[[E:.*]] = tensor.empty(%[[ROWS]]) : tensor<?x2xi8>
// CHECK: nlq.kernel <max_row_length = 2,
// CHECK-SAME: multiplier : column i32 in [1073741824, 1610612736], shift : column i8 in [30, 31]]
// CHECK-SAME: mul_shift half_even
// CHECK-SAME: constant 12()
// CHECK-SAME: constant -128()
// CHECK-SAME: constant 127()
// CHECK-SAME: ins(%[[X]], %[[M]], %[[S]] : tensor<?x2xi16>, tensor<2xi32>, tensor<2xi8>) outs(%[[E]] : tensor<?x2xi8>)
func.func @requantize_channels(
    %x: tensor<?x2x!quant.uniform<i16:f32:1, {0.1, 0.3}>>)
    -> tensor<?x2x!quant.uniform<i8:f32, 0.2:12>> {
  %y = nlq.requantize %x half_even
      : tensor<?x2x!quant.uniform<i16:f32:1, {0.1, 0.3}>>
      -> tensor<?x2x!quant.uniform<i8:f32, 0.2:12>>
  return %y : tensor<?x2x!quant.uniform<i8:f32, 0.2:12>>
}

// A scalar is a row of one element.
// CHECK-LABEL: func @requantize_scalar
// CHECK: %[[ROW:.*]] = tensor.expand_shape %{{.*}} [] output_shape [1] : tensor<i16> into tensor<1xi16>
// CHECK: %[[Y:.*]] = nlq.kernel {{.*}} ins(%[[ROW]] : tensor<1xi16>) {{.*}} -> tensor<1xi8>
// CHECK: tensor.collapse_shape %[[Y]] [] : tensor<1xi8> into tensor<i8>
func.func @requantize_scalar(%x: tensor<!quant.uniform<i16:f32, 0.1>>)
    -> tensor<!quant.uniform<i8:f32, 0.1>> {
  %y = nlq.requantize %x floor : tensor<!quant.uniform<i16:f32, 0.1>>
      -> tensor<!quant.uniform<i8:f32, 0.1>>
  return %y : tensor<!quant.uniform<i8:f32, 0.1>>
}

// Requantizing, and GELU by a table, depend on no row's length. Softmax declares
// the longest row, and the kernel is that of shorter ones too.
// CHECK-LABEL: func @dynamic_rows
// CHECK: nlq.kernel <max_row_length = 2147483647, {{.*}} -> tensor<?x?xi8>
// CHECK: nlq.kernel <max_row_length = 2147483647, {{.*}} -> tensor<?x?xi8>
// CHECK: nlq.kernel <max_row_length = 300, {{.*}} -> tensor<?x?xi16>
// CHECK: nlq.kernel <max_row_length = 300, {{.*}} -> tensor<3x7xi16>
func.func @dynamic_rows(%x: tensor<?x?x!quant.uniform<i16:f32, 0.1>>,
                        %s: tensor<3x7x!quant.uniform<i8:f32, 0.1>>)
    -> (tensor<?x?x!quant.uniform<i8:f32, 0.1>>,
        tensor<?x?x!quant.uniform<i16:f32, 3.0517578125e-05>>,
        tensor<3x7x!quant.uniform<i16:f32, 3.0517578125e-05>>) {
  %y = nlq.requantize %x half_up : tensor<?x?x!quant.uniform<i16:f32, 0.1>>
      -> tensor<?x?x!quant.uniform<i8:f32, 0.1>>
  %g = nlq.gelu %y erf {method = #nlq.table<>}
      : tensor<?x?x!quant.uniform<i8:f32, 0.1>>
      -> tensor<?x?x!quant.uniform<i8:f32, 0.1>>
  %p = nlq.softmax %g {max_row_length = 300 : i64, method = #nlq.table<>}
      : tensor<?x?x!quant.uniform<i8:f32, 0.1>>
      -> tensor<?x?x!quant.uniform<i16:f32, 3.0517578125e-05>>
  %q = nlq.softmax %s {max_row_length = 300 : i64, method = #nlq.table<>}
      : tensor<3x7x!quant.uniform<i8:f32, 0.1>>
      -> tensor<3x7x!quant.uniform<i16:f32, 3.0517578125e-05>>
  return %g, %p, %q : tensor<?x?x!quant.uniform<i8:f32, 0.1>>,
      tensor<?x?x!quant.uniform<i16:f32, 3.0517578125e-05>>,
      tensor<3x7x!quant.uniform<i16:f32, 3.0517578125e-05>>
}

!a = !quant.uniform<i8:f32, 0.1>
!p = !quant.uniform<i16:f32, 3.0517578125e-05>

// The boundary casts stay, each beside a storage cast; others are gone.
// CHECK-LABEL: func @boundary
// CHECK-SAME: (%[[X:.*]]: tensor<2x4xf32>) -> tensor<2x4xf32>
// CHECK: %[[Q:.*]] = quant.qcast %[[X]]
// CHECK: %[[S:.*]] = quant.scast %[[Q]] : tensor<2x4x!quant.uniform<i8:f32, 1.000000e-01>> to tensor<2x4xi8>
// CHECK: %[[Y:.*]] = nlq.kernel {{.*}} tables = [{{.*}} ins(%[[S]] : tensor<2x4xi8>)
// CHECK-NOT: quant.scast
// CHECK: %[[Z:.*]] = nlq.kernel {{.*}} ins(%[[Y]] : tensor<2x4xi8>)
// CHECK: %[[R:.*]] = quant.scast %[[Z]] : tensor<2x4xi8> to tensor<2x4x!quant.uniform<i8:f32, 1.000000e-01>>
// CHECK: quant.dcast %[[R]]
func.func @boundary(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %0 = quant.qcast %x : tensor<2x4xf32> to tensor<2x4x!a>
  %1 = nlq.gelu %0 erf {method = #nlq.table<>} : tensor<2x4x!a> -> tensor<2x4x!a>
  %2 = quant.scast %1 : tensor<2x4x!a> to tensor<2x4xi8>
  %3 = quant.scast %2 : tensor<2x4xi8> to tensor<2x4x!a>
  %4 = nlq.gelu %3 tanh {method = #nlq.ibert<>} : tensor<2x4x!a> -> tensor<2x4x!a>
  %5 = quant.dcast %4 : tensor<2x4x!a> to tensor<2x4xf32>
  return %5 : tensor<2x4xf32>
}

// CHECK-LABEL: func @softmax
// CHECK-SAME: (%[[X:.*]]: tensor<3x2x4xi8>) -> tensor<3x2x4xi16>
// CHECK: nlq.kernel <max_row_length = 4, {{.*}}reduce_max{{.*}}reduce_sum{{.*}} ins(%[[X]] : tensor<3x2x4xi8>) outs({{.*}} : tensor<3x2x4xi16>)
func.func @softmax(%x: tensor<3x2x4xi8>) -> tensor<3x2x4xi16> {
  %0 = quant.scast %x : tensor<3x2x4xi8> to tensor<3x2x4x!a>
  %1 = nlq.softmax %0 {method = #nlq.ibert<>, candidates = [#nlq.ibert<>]}
      : tensor<3x2x4x!a> -> tensor<3x2x4x!p>
  %2 = quant.scast %1 : tensor<3x2x4x!p> to tensor<3x2x4xi16>
  return %2 : tensor<3x2x4xi16>
}

// The method narrows first: 0.1 / 0.4 is 2^30 / 2^32, a shift by 2; then -31 to
// 31.
// CHECK-LABEL: func @narrowed
// CHECK: nlq.kernel {{.*}}constant 2(), {{.*}}shift_right half_up{{.*}}constant -31(){{.*}}constant 31()
func.func @narrowed(%x: tensor<2x4x!a>) -> tensor<2x4x!p> {
  %0 = nlq.softmax %x {method = #nlq.ivit<in = !quant.uniform<i8<-31:31>:f32, 0.4>>}
      : tensor<2x4x!a> -> tensor<2x4x!p>
  return %0 : tensor<2x4x!p>
}

// Gamma and beta end in integer constants, whatever holds them: in steps of 0.1 *
// 52 / 2^15, gamma as the factor of a product by 2^-15 with standardised
// elements, of which 1 is 32766 / 2 * 128/129 * 1024/1025.
// CHECK-LABEL: func @layer_norm
// CHECK-NOT: f32
// CHECK-DAG: %[[G:.*]] = arith.constant dense<[12715, 25429, 6357, 3179]> : tensor<4xi16>
// CHECK-DAG: %[[B:.*]] = arith.constant dense<[6302, 0, 3151, 1575]> : tensor<4xi16>
// CHECK: nlq.kernel {{.*}} gamma : column i16 in [3179, 25429], beta : column i16 in [0, 6302]]
// CHECK-SAME: ins(%{{.*}}, %[[G]], %[[B]] : tensor<2x4xi8>, tensor<4xi16>, tensor<4xi16>)
// CHECK: return
func.func @layer_norm(%x: tensor<2x4x!a>) -> tensor<2x4x!a> {
  %g = arith.constant dense<[1.0, 2.0, 0.5, 0.25]> : tensor<4xf32>
  %b = arith.constant dense_resource<beta> : tensor<4xf32>
  %0 = nlq.layer_norm %x, %g, %b {epsilon = 1.0e-5, method = #nlq.ibert<>}
      : tensor<2x4x!a>, tensor<4xf32>, tensor<4xf32> -> tensor<2x4x!a>
  return %0 : tensor<2x4x!a>
}

// Without a beta: gamma by the root of the row length.
// CHECK-LABEL: func @rms_norm
// CHECK: nlq.kernel {{.*}} gamma : column
// CHECK-NOT: beta
// CHECK-SAME: ins(%{{.*}}, %{{.*}} : tensor<2x4xi8>, tensor<4xi16>)
func.func @rms_norm(%x: tensor<2x4x!a>) -> tensor<2x4x!a> {
  %g = arith.constant dense<[1.0, 2.0, 0.5, 0.25]> : tensor<4xf32>
  %0 = nlq.rms_norm %x, %g {epsilon = 1.0e-5, method = #nlq.ibert<>}
      : tensor<2x4x!a>, tensor<4xf32> -> tensor<2x4x!a>
  return %0 : tensor<2x4x!a>
}

// A table is the same node as a function by the method `table`: sigmoid at 0 and
// below in steps of 2^-7.
!t = !quant.uniform<i8<-3:0>:f32, 1.0>
!r = !quant.uniform<i8:f32, 7.8125e-03>
// CHECK-LABEL: func @lookup
// CHECK: nlq.kernel <[[GRAPH:max_row_length = 4, .* tables = \[\[6, 15, 34, 64\]\].* = lookup 0\(n[0-9]+\)]]], result = n3 : i8> ins
// CHECK: nlq.kernel <[[GRAPH]] "grid"], result = n3 : i8> ins
func.func @lookup(%x: tensor<2x4x!t>) -> (tensor<2x4x!r>, tensor<2x4x!r>) {
  %0 = nlq.lookup %x [6, 15, 34, 64] : tensor<2x4x!t> -> tensor<2x4x!r>
  %1 = nlq.sigmoid %x {method = #nlq.table<>} : tensor<2x4x!t> -> tensor<2x4x!r>
  return %0, %1 : tensor<2x4x!r>, tensor<2x4x!r>
}

// A remark tells of wide elements.
// CHECK-LABEL: func @wide
func.func @wide(%x: tensor<2x4x!quant.uniform<i16:f32, 0.001>>) -> tensor<2x4x!a> {
  // expected-remark @+1 {{as 'fqvit': 'exponential' may need 53 bits, so 64-bit lanes replace the published 32-bit ones}}
  %0 = nlq.softmax %x {method = #nlq.fqvit<form = reference>}
      : tensor<2x4x!quant.uniform<i16:f32, 0.001>> -> tensor<2x4x!a>
  return %0 : tensor<2x4x!a>
}

// Operations of the tensor dialect move integers as they moved quantized
// elements.
// CHECK-LABEL: func @tensor_operations
// CHECK-SAME: (%[[X:.*]]: tensor<2x4xi8>, %[[I:.*]]: index) -> (tensor<8xi8>, tensor<1x2xi8>, i8, index, tensor<?x4xi8>)
// CHECK: %[[C:.*]] = tensor.collapse_shape %[[X]] {{\[\[}}0, 1]] {keep} : tensor<2x4xi8> into tensor<8xi8>
// CHECK: %[[E:.*]] = tensor.expand_shape %[[C]] {{\[\[}}0, 1]] output_shape [4, 2] : tensor<8xi8> into tensor<4x2xi8>
// CHECK: %[[S:.*]] = tensor.extract_slice %[[E]][%[[I]], 0] [1, 2] [1, 1] : tensor<4x2xi8> to tensor<1x2xi8>
// CHECK: %[[EMPTY:.*]] = tensor.empty() : tensor<2x4xi8>
// CHECK: %[[IN:.*]] = tensor.insert_slice %[[S]] into %[[EMPTY]][1, 0] [1, 2] [1, 1] : tensor<1x2xi8> into tensor<2x4xi8>
// CHECK: %[[BOTH:.*]] = tensor.concat dim(0) %[[IN]], %[[X]] : (tensor<2x4xi8>, tensor<2x4xi8>) -> tensor<4x4xi8>
// CHECK: %[[ELEMENT:.*]] = tensor.extract %[[BOTH]][%[[I]], %[[I]]] : tensor<4x4xi8>
// CHECK: %[[CAST:.*]] = tensor.cast %[[BOTH]] : tensor<4x4xi8> to tensor<?x4xi8>
// CHECK: %[[DIM:.*]] = tensor.dim %{{.*}}, %[[I]] : tensor<{{.*}}x4xi8>
// CHECK: %[[K:.*]] = nlq.kernel {{.*}} ins(%[[S]] : tensor<1x2xi8>)
// CHECK: return %[[C]], %[[K]], %[[ELEMENT]], %[[DIM]], %[[CAST]]
func.func @tensor_operations(%x: tensor<2x4x!a>, %i: index)
    -> (tensor<8x!a>, tensor<1x2x!a>, !a, index, tensor<?x4x!a>) {
  %0 = tensor.collapse_shape %x [[0, 1]] {keep} : tensor<2x4x!a> into tensor<8x!a>
  %1 = tensor.expand_shape %0 [[0, 1]] output_shape [4, 2]
      : tensor<8x!a> into tensor<4x2x!a>
  %2 = tensor.extract_slice %1[%i, 0] [1, 2] [1, 1]
      : tensor<4x2x!a> to tensor<1x2x!a>
  %e = tensor.empty() : tensor<2x4x!a>
  %3 = tensor.insert_slice %2 into %e[1, 0] [1, 2] [1, 1]
      : tensor<1x2x!a> into tensor<2x4x!a>
  %4 = tensor.concat dim(0) %3, %x : (tensor<2x4x!a>, tensor<2x4x!a>) -> tensor<4x4x!a>
  %5 = tensor.extract %4[%i, %i] : tensor<4x4x!a>
  %6 = tensor.cast %4 : tensor<4x4x!a> to tensor<?x4x!a>
  %7 = tensor.dim %6, %i : tensor<?x4x!a>
  %8 = nlq.requantize %2 half_up : tensor<1x2x!a> -> tensor<1x2x!a>
  return %0, %8, %5, %7, %6
      : tensor<8x!a>, tensor<1x2x!a>, !a, index, tensor<?x4x!a>
}

// CHECK-LABEL: func private @callee(tensor<2x4xi8>) -> tensor<2x4xi8>
// CHECK: call @callee(%{{.*}}) : (tensor<2x4xi8>) -> tensor<2x4xi8>
func.func private @callee(%x: tensor<2x4x!a>) -> tensor<2x4x!a>
func.func @caller(%x: tensor<2x4x!a>) -> tensor<2x4x!a> {
  %0 = call @callee(%x) : (tensor<2x4x!a>) -> tensor<2x4x!a>
  return %0 : tensor<2x4x!a>
}

// Float operations stay as they are.
// CHECK-LABEL: func @float
// CHECK: nlq.softmax %{{.*}} : tensor<2x4xf32> -> tensor<2x4xf32>
func.func @float(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %0 = nlq.softmax %x : tensor<2x4xf32> -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

{-#
  dialect_resources: {
    builtin: {
      beta: "0x040000000000803F000000000000003F0000803E"
    }
  }
#-}

!score = !quant.uniform<i8:f32, 0.1>
!share = !quant.uniform<i16:f32, 3.0517578125e-05>

// A mask is one more input, as bytes, shared by the rows that it has no
// dimension for; causality is the number of keys that each query sees.
// CHECK-LABEL: func @masked_softmax
// CHECK-SAME: (%[[X:.*]]: tensor<2x3x4xi8>, %[[M:.*]]: tensor<3x4xi1>, %[[K:.*]]: tensor<4xi8>)
// CHECK-DAG: %[[SEEN:.*]] = arith.constant dense<{{\[}}[2, 3, 4]]> : tensor<1x3xi32>
// CHECK-DAG: %[[BYTES:.*]] = arith.extui %[[M]] : tensor<3x4xi1> to tensor<3x4xi8>
// CHECK-DAG: %[[MASK:.*]] = tensor.expand_shape %[[BYTES]] {{\[}}[0, 1], [2]] output_shape [1, 3, 4]
// CHECK: nlq.kernel <max_row_length = 4, inputs = [x : element i8 in [-128, 127], mask : element i8 in [-128, 127]]
// CHECK-SAME: ins(%[[X]], %[[MASK]] : tensor<2x3x4xi8>, tensor<1x3x4xi8>) outs(%{{.*}} : tensor<2x3x4xi16>)
// CHECK: %[[KEYS:.*]] = tensor.expand_shape %[[K]] {{\[}}[0, 1, 2]] output_shape [1, 1, 4]
// CHECK: nlq.kernel <max_row_length = 4, inputs = [x : element i8 in [-128, 127], mask : element i8 in [-128, 127], visible : row i32 in [0, 4]]
// CHECK-SAME: ins(%[[X]], %[[KEYS]], %[[SEEN]] : tensor<2x3x4xi8>, tensor<1x1x4xi8>, tensor<1x3xi32>) outs(%{{.*}} : tensor<2x3x4xi16>)
func.func @masked_softmax(%x: tensor<2x3x4x!score>, %m: tensor<3x4xi1>,
                          %k: tensor<4xi8>)
    -> (tensor<2x3x4x!share>, tensor<2x3x4x!share>) {
  %y = nlq.softmax %x mask(%m : tensor<3x4xi1>) {method = #nlq.ibert<>}
      : tensor<2x3x4x!score> -> tensor<2x3x4x!share>
  %z = nlq.softmax %x mask(%k : tensor<4xi8>) causal {method = #nlq.ibert<>}
      : tensor<2x3x4x!score> -> tensor<2x3x4x!share>
  return %y, %z : tensor<2x3x4x!share>, tensor<2x3x4x!share>
}
