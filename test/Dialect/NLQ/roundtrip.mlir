// RUN: nlq-opt %s | nlq-opt | FileCheck %s
// RUN: nlq-opt %s -emit-bytecode | nlq-opt | FileCheck %s
// RUN: nlq-opt %s -mlir-print-op-generic | nlq-opt | FileCheck %s

//===----------------------------------------------------------------------===//
// Non-linear operations
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func @softmax
func.func @softmax(%x: tensor<4x65x65xf32>,
                   %q: tensor<2x3x!quant.uniform<i32:f32, 0.1>>,
                   %c: tensor<2x3x!quant.uniform<i32:f32:1, {0.1, 0.2, 0.3}>>) {
  // CHECK: nlq.softmax %{{.*}} : tensor<4x65x65xf32> -> tensor<4x65x65xf32>
  %0 = nlq.softmax %x : tensor<4x65x65xf32> -> tensor<4x65x65xf32>
  // CHECK: nlq.softmax %{{.*}} : tensor<2x3x!quant.uniform<i32:f32, 1.000000e-01>> -> tensor<2x3x!quant.uniform<i16:f32, 3.0517578125E-5>>
  %1 = nlq.softmax %q : tensor<2x3x!quant.uniform<i32:f32, 0.1>>
      -> tensor<2x3x!quant.uniform<i16:f32, 3.0517578125e-05>>
  // CHECK: nlq.softmax %{{.*}} {candidates = [#nlq.ibert<>, #nlq.table<out_bits = 8>], method = #nlq.ivit<form = reference, in = !quant.uniform<i8<-31:31>:f32, 4.000000e-01>, out_bits = 8>, nlq.slot = "attention"} : tensor<2x3x!quant.uniform<i32:f32:1, {1.000000e-01,2.000000e-01,3.000000e-01}>> -> tensor<2x3x!quant.uniform<u8:f32, 1.250000e-01:3>>
  %2 = nlq.softmax %c {
      method = #nlq.ivit<form = reference,
                         in = !quant.uniform<i8<-31:31>:f32, 0.4>, out_bits = 8>,
      candidates = [#nlq.ibert<>, #nlq.table<out_bits = 8>],
      nlq.slot = "attention"}
      : tensor<2x3x!quant.uniform<i32:f32:1, {0.1, 0.2, 0.3}>>
      -> tensor<2x3x!quant.uniform<u8:f32, 0.125:3>>
  return
}

// CHECK-LABEL: func @other_rows
func.func @other_rows(%x: tensor<2x3x4xf32>, %m: tensor<3x1xi8>,
                      %g: tensor<3x4xf32>, %h: tensor<2x3x4xf32>) {
  // CHECK: nlq.softmax %{{.*}} {axis = 0 : i64} : tensor<2x3x4xf32> -> tensor<2x3x4xf32>
  %0 = nlq.softmax %x {axis = 0 : i64} : tensor<2x3x4xf32> -> tensor<2x3x4xf32>
  // CHECK: nlq.softmax %{{.*}} mask(%{{.*}} : tensor<3x1xi8>) {axis = 1 : i64} : tensor
  %1 = nlq.softmax %x mask(%m : tensor<3x1xi8>) {axis = 1 : i64}
      : tensor<2x3x4xf32> -> tensor<2x3x4xf32>
  // CHECK: nlq.layer_norm %{{.*}}, %{{.*}}, %{{.*}} {epsilon = 0.000000e+00 : f64} : tensor<2x3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32> -> tensor<2x3x4xf32>
  %2 = nlq.layer_norm %x, %g, %g {epsilon = 0.0}
      : tensor<2x3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32> -> tensor<2x3x4xf32>
  // CHECK: nlq.rms_norm %{{.*}}, %{{.*}} {epsilon = 0.000000e+00 : f64} : tensor<2x3x4xf32>, tensor<2x3x4xf32> -> tensor<2x3x4xf32>
  %3 = nlq.rms_norm %x, %h {epsilon = 0.0}
      : tensor<2x3x4xf32>, tensor<2x3x4xf32> -> tensor<2x3x4xf32>
  return
}

// CHECK-LABEL: func @softmax_masks
func.func @softmax_masks(%x: tensor<2x4x?x65xf16>,
                         %q: tensor<2x3x!quant.uniform<i32:f32, 0.1>>,
                         %b: tensor<1x1x?x65xi1>, %k: tensor<65xi8>,
                         %a: tensor<4x1x65xf16>, %d: tensor<1x3xi8>) {
  // CHECK: nlq.softmax %{{.*}} mask(%{{.*}} : tensor<1x1x?x65xi1>) : tensor<2x4x?x65xf16> -> tensor<2x4x?x65xf16>
  %0 = nlq.softmax %x mask(%b : tensor<1x1x?x65xi1>)
      : tensor<2x4x?x65xf16> -> tensor<2x4x?x65xf16>
  // CHECK: nlq.softmax %{{.*}} mask(%{{.*}} : tensor<65xi8>) causal : tensor
  %1 = nlq.softmax %x mask(%k : tensor<65xi8>) causal
      : tensor<2x4x?x65xf16> -> tensor<2x4x?x65xf16>
  // CHECK: nlq.softmax %{{.*}} mask(%{{.*}} : tensor<4x1x65xf16>) : tensor
  %2 = nlq.softmax %x mask(%a : tensor<4x1x65xf16>)
      : tensor<2x4x?x65xf16> -> tensor<2x4x?x65xf16>
  // CHECK: nlq.softmax %{{.*}} mask(%{{.*}} : tensor<1x3xi8>) causal {method = #nlq.ibert<>} : tensor
  %3 = nlq.softmax %q mask(%d : tensor<1x3xi8>) causal {method = #nlq.ibert<>}
      : tensor<2x3x!quant.uniform<i32:f32, 0.1>>
      -> tensor<2x3x!quant.uniform<i16:f32, 3.0517578125e-05>>
  return
}

// The longest row, and rows that lie apart.
// CHECK-LABEL: func @rows
// CHECK-SAME: (%{{.*}}: tensor<?x?xf32> {nlq.strided}) -> (tensor<?x?xf32> {nlq.strided})
func.func @rows(%x: tensor<?x?xf32> {nlq.strided}) -> (tensor<?x?xf32> {nlq.strided}) {
  // CHECK: nlq.softmax %{{.*}} {max_row_length = 1024 : i64} : tensor<?x?xf32> -> tensor<?x?xf32>
  %0 = nlq.softmax %x {max_row_length = 1024 : i64} : tensor<?x?xf32> -> tensor<?x?xf32>
  // CHECK: nlq.gelu %{{.*}} erf {max_row_length = 1024 : i64} : tensor<?x?xf32> -> tensor<?x?xf32>
  %1 = nlq.gelu %0 erf {max_row_length = 1024 : i64} : tensor<?x?xf32> -> tensor<?x?xf32>
  return %1 : tensor<?x?xf32>
}

// Any static or dynamic shape, any float type, rank 1 to 6.
// CHECK-LABEL: func @shapes
func.func @shapes(%a: tensor<?xf64>, %b: tensor<1x2x3x4x5x?xf16>,
                  %c: tensor<?x?xbf16>, %g: tensor<?xf32>) {
  // CHECK: nlq.softmax %{{.*}} : tensor<?xf64> -> tensor<?xf64>
  %0 = nlq.softmax %a : tensor<?xf64> -> tensor<?xf64>
  // CHECK: nlq.gelu %{{.*}} tanh : tensor<1x2x3x4x5x?xf16> -> tensor<1x2x3x4x5x?xf16>
  %1 = nlq.gelu %b tanh : tensor<1x2x3x4x5x?xf16> -> tensor<1x2x3x4x5x?xf16>
  // CHECK: nlq.layer_norm %{{.*}}, %{{.*}}, %{{.*}} {epsilon = 0.000000e+00 : f64} : tensor<?x?xbf16>, tensor<?xf32>, tensor<?xf32> -> tensor<?x?xbf16>
  %2 = nlq.layer_norm %c, %g, %g {epsilon = 0.0 : f64}
      : tensor<?x?xbf16>, tensor<?xf32>, tensor<?xf32> -> tensor<?x?xbf16>
  return
}

// CHECK-LABEL: func @gelu
func.func @gelu(%x: tensor<65x256xf32>,
                %q: tensor<1x4x!quant.uniform<i8<-127:127>:f32, 0.1:5>>) {
  // CHECK: nlq.gelu %{{.*}} erf : tensor<65x256xf32> -> tensor<65x256xf32>
  %0 = nlq.gelu %x erf : tensor<65x256xf32> -> tensor<65x256xf32>
  // CHECK: nlq.gelu %{{.*}} tanh {method = #nlq.ibert<form = reference>} : tensor<1x4x!quant.uniform<i8<-127:127>:f32, 1.000000e-01:5>> -> tensor<1x4x!quant.uniform<i8:f32, 2.000000e-01>>
  %1 = nlq.gelu %q tanh {method = #nlq.ibert<form = reference>}
      : tensor<1x4x!quant.uniform<i8<-127:127>:f32, 0.1:5>>
      -> tensor<1x4x!quant.uniform<i8:f32, 0.2>>
  return
}

// CHECK-LABEL: func @elementwise
func.func @elementwise(%x: tensor<65x256xf32>,
                       %q: tensor<65x256x!quant.uniform<i8:f32, 0.03:127>>) {
  // CHECK: nlq.silu %{{.*}} : tensor<65x256xf32> -> tensor<65x256xf32>
  %0 = nlq.silu %x : tensor<65x256xf32> -> tensor<65x256xf32>
  // CHECK: nlq.sigmoid %{{.*}} : tensor<65x256xf32> -> tensor<65x256xf32>
  %1 = nlq.sigmoid %x : tensor<65x256xf32> -> tensor<65x256xf32>
  // CHECK: nlq.tanh %{{.*}} : tensor<65x256xf32> -> tensor<65x256xf32>
  %2 = nlq.tanh %x : tensor<65x256xf32> -> tensor<65x256xf32>
  // CHECK: nlq.exp %{{.*}} {method = #nlq.table<>} : tensor<65x256x!quant.uniform<i8:f32, 3.000000e-02:127>> -> tensor<65x256x!quant.uniform<i8:f32, 3.900000e-03:-128>>
  %3 = nlq.exp %q {method = #nlq.table<>}
      : tensor<65x256x!quant.uniform<i8:f32, 0.03:127>>
      -> tensor<65x256x!quant.uniform<i8:f32, 3.9e-03:-128>>
  return
}

// CHECK-LABEL: func @layer_norm
func.func @layer_norm(%x: tensor<65x2xf32>, %g: tensor<2xf32>,
                      %q: tensor<65x2x!quant.uniform<i16:f32, 0.001>>) {
  // CHECK: nlq.layer_norm %{{.*}}, %{{.*}}, %{{.*}} {epsilon = 9.9999999999999995E-7 : f64} : tensor<65x2xf32>, tensor<2xf32>, tensor<2xf32> -> tensor<65x2xf32>
  %0 = nlq.layer_norm %x, %g, %g {epsilon = 1.0e-06 : f64}
      : tensor<65x2xf32>, tensor<2xf32>, tensor<2xf32> -> tensor<65x2xf32>
  // CHECK: nlq.layer_norm %{{.*}}, %{{.*}}, %{{.*}} {epsilon = 1.000000e-05 : f64, method = #nlq.fqvit<>} : tensor<65x2x!quant.uniform<i16:f32, 1.000000e-03>>, tensor<2xf32>, tensor<2xf32> -> tensor<65x2x!quant.uniform<i8:f32:1, {5.000000e-02,2.500000e-02}>>
  %1 = nlq.layer_norm %q, %g, %g {epsilon = 1.0e-05 : f64, method = #nlq.fqvit<>}
      : tensor<65x2x!quant.uniform<i16:f32, 0.001>>, tensor<2xf32>, tensor<2xf32>
      -> tensor<65x2x!quant.uniform<i8:f32:1, {0.05, 0.025}>>
  return
}

//===----------------------------------------------------------------------===//
// Methods: every parameter, defaults left out
//===----------------------------------------------------------------------===//

// CHECK-LABEL: @methods
// CHECK-SAME: a = #nlq.ibert<>
// CHECK-SAME: b = #nlq.ibert<form = reference, in = !quant.uniform<i8:f32, 1.000000e-01>, out_bits = 1>
// CHECK-SAME: c = #nlq.ivit<>
// CHECK-SAME: d = #nlq.ivit<form = reference, in = !quant.uniform<u8:f32, 1.000000e-01:128>, out_bits = 8>
// CHECK-SAME: e = #nlq.fqvit<>
// CHECK-SAME: f = #nlq.fqvit<form = reference, in = !quant.uniform<i16<-32767:32767>:f32:0, {1.000000e-01,2.000000e-01}>, out_bits = 4>
// CHECK-SAME: g = #nlq.table<>
// CHECK-SAME: h = #nlq.table<form = reference, in = !quant.uniform<i8<-31:31>:f32, 1.000000e-01>, out_bits = 15>
// CHECK-SAME: i = #nlq.pwl<out_bits = 8, cuts = [1, 17, 63]>
func.func private @methods() attributes {
  a = #nlq.ibert<form = corrected, out_bits = 16>,
  b = #nlq.ibert<form = reference, in = !quant.uniform<i8:f32, 0.1>, out_bits = 1>,
  c = #nlq.ivit<>,
  d = #nlq.ivit<out_bits = 8, form = reference, in = !quant.uniform<u8:f32, 0.1:128>>,
  e = #nlq.fqvit<>,
  f = #nlq.fqvit<form = reference, in = !quant.uniform<i16<-32767:32767>:f32:0, {0.1, 0.2}>, out_bits = 4>,
  g = #nlq.table<>,
  h = #nlq.table<form = reference, in = !quant.uniform<i8<-31:31>:f32, 0.1>, out_bits = 15>,
  i = #nlq.pwl<cuts = [1, 17, 63], out_bits = 8>}

// CHECK-LABEL: func @rms_norm
func.func @rms_norm(%x: tensor<65x64xf32>, %g: tensor<64xf32>,
                    %q: tensor<65x64x!quant.uniform<i16:f32, 0.001>>) {
  // CHECK: nlq.rms_norm %{{.*}}, %{{.*}} {epsilon = 9.9999999999999995E-7 : f64} : tensor<65x64xf32>, tensor<64xf32> -> tensor<65x64xf32>
  %0 = nlq.rms_norm %x, %g {epsilon = 1.0e-06 : f64}
      : tensor<65x64xf32>, tensor<64xf32> -> tensor<65x64xf32>
  // CHECK: nlq.rms_norm %{{.*}}, %{{.*}} {epsilon = 1.000000e-05 : f64, method = #nlq.ibert<>} : tensor<65x64x!quant.uniform<i16:f32, 1.000000e-03>>, tensor<64xf32> -> tensor<65x64x!quant.uniform<i8:f32, 5.000000e-02>>
  %1 = nlq.rms_norm %q, %g {epsilon = 1.0e-05 : f64, method = #nlq.ibert<>}
      : tensor<65x64x!quant.uniform<i16:f32, 0.001>>, tensor<64xf32>
      -> tensor<65x64x!quant.uniform<i8:f32, 0.05>>
  return
}

// CHECK-LABEL: func @lookup
func.func @lookup(%x: tensor<65x?x!quant.uniform<i8<-2:1>:f32, 0.5>>,
                  %s: tensor<!quant.uniform<u8<0:1>:f32, 1.0>>) {
  // CHECK: nlq.lookup %{{.*}} [4, 1, 0, 1] : tensor<65x?x!quant.uniform<i8<-2:1>:f32, 5.000000e-01>> -> tensor<65x?x!quant.uniform<i8:f32, 2.500000e-01>>
  %0 = nlq.lookup %x [4, 1, 0, 1] : tensor<65x?x!quant.uniform<i8<-2:1>:f32, 0.5>>
      -> tensor<65x?x!quant.uniform<i8:f32, 0.25>>
  // CHECK: nlq.lookup %{{.*}} [-30000, 7] : tensor<!quant.uniform<u8<0:1>:f32, 1.000000e+00>> -> tensor<!quant.uniform<i16:f32, 2.500000e-01>>
  %1 = nlq.lookup %s [-30000, 7] : tensor<!quant.uniform<u8<0:1>:f32, 1.0>>
      -> tensor<!quant.uniform<i16:f32, 0.25>>
  return
}

//===----------------------------------------------------------------------===//
// Requantization
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func @requantize
func.func @requantize(%x: tensor<65x2x!quant.uniform<i32:f32, 0.001>>,
                      %s: tensor<!quant.uniform<i32:f32, 0.001>>) {
  // CHECK: nlq.requantize %{{.*}} floor : tensor<65x2x!quant.uniform<i32:f32, 1.000000e-03>> -> tensor<65x2x!quant.uniform<i8:f32, 5.000000e-02>>
  %0 = nlq.requantize %x floor : tensor<65x2x!quant.uniform<i32:f32, 0.001>>
      -> tensor<65x2x!quant.uniform<i8:f32, 0.05>>
  // CHECK: nlq.requantize %{{.*}} toward_zero
  %1 = nlq.requantize %x toward_zero : tensor<65x2x!quant.uniform<i32:f32, 0.001>>
      -> tensor<65x2x!quant.uniform<i8:f32:1, {0.05, 0.1}>>
  // CHECK: nlq.requantize %{{.*}} half_up
  %2 = nlq.requantize %x half_up : tensor<65x2x!quant.uniform<i32:f32, 0.001>>
      -> tensor<65x2x!quant.uniform<u8:f32, 0.05:128>>
  // CHECK: nlq.requantize %{{.*}} half_even
  %3 = nlq.requantize %x half_even : tensor<65x2x!quant.uniform<i32:f32, 0.001>>
      -> tensor<65x2x!quant.uniform<i16:f32, 0.05>>
  // CHECK: nlq.requantize %{{.*}} half_away : tensor<!quant.uniform<i32:f32, 1.000000e-03>> -> tensor<!quant.uniform<i8:f32, 5.000000e-02>>
  %4 = nlq.requantize %s half_away : tensor<!quant.uniform<i32:f32, 0.001>>
      -> tensor<!quant.uniform<i8:f32, 0.05>>
  return
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

#clamp = #nlq.graph<max_row_length = 64,
  inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0(), n1 : uniform = constant 7(),
           n2 : element = min(n0, n1), n3 : uniform = constant -7(),
           n4 : element = max(n2, n3)],
  result = n4 : i8>

#rates = #nlq.graph<max_row_length = 64,
  inputs = [x : element i8 in [-128, 127], bias : column i16 in [-9, 9],
            scale : row u8 in [0, 200]],
  nodes = [n0 : element = input 0(), n1 : column = input 1(),
           n2 : row = input 2(), n3 : element = add(n0, n1),
           n4 : element = mul(n3, n2)],
  result = n4 : i32>

// CHECK-LABEL: func @kernel_on_tensors
func.func @kernel_on_tensors(%x: tensor<65x64xi8>, %init: tensor<65x64xi8>,
                             %d: tensor<?x?xi8>)
    -> (tensor<65x64xi8>, tensor<?x?xi8>) {
  // CHECK: %{{.*}} = nlq.kernel <max_row_length = 64, inputs = [x : element i8 in [-128, 127]], nodes = [n0 : element = input 0(), n1 : uniform = constant 7(), n2 : element = min(n0, n1), n3 : uniform = constant -7(), n4 : element = max(n2, n3)], result = n4 : i8> ins(%{{.*}} : tensor<65x64xi8>) outs(%{{.*}} : tensor<65x64xi8>) -> tensor<65x64xi8>
  %y = nlq.kernel #clamp ins(%x : tensor<65x64xi8>)
                         outs(%init : tensor<65x64xi8>) -> tensor<65x64xi8>
  // CHECK: ins(%{{.*}} : tensor<?x?xi8>) outs(%{{.*}} : tensor<?x?xi8>) {here} -> tensor<?x?xi8>
  %z = nlq.kernel #clamp ins(%d : tensor<?x?xi8>) outs(%d : tensor<?x?xi8>)
      {here} -> tensor<?x?xi8>
  return %y, %z : tensor<65x64xi8>, tensor<?x?xi8>
}

// CHECK-LABEL: func @kernel_on_buffers
func.func @kernel_on_buffers(
    %x: memref<3x65x64xi8, strided<[8192, 128, 1], offset: ?>>,
    %b: memref<64xi16>, %s: memref<3x65xi8>, %y: memref<3x65x64xi32>) {
  // CHECK: nlq.kernel <max_row_length = 64, inputs = [x : element i8 in [-128, 127], bias : column i16 in [-9, 9], scale : row u8 in [0, 200]], {{.*}} ins(%{{.*}}, %{{.*}}, %{{.*}} : memref<3x65x64xi8, strided<[8192, 128, 1], offset: ?>>, memref<64xi16>, memref<3x65xi8>) outs(%{{.*}} : memref<3x65x64xi32>)
  // CHECK-NEXT: return
  nlq.kernel #rates
      ins(%x, %b, %s : memref<3x65x64xi8, strided<[8192, 128, 1], offset: ?>>,
                       memref<64xi16>, memref<3x65xi8>)
      outs(%y : memref<3x65x64xi32>)
  return
}

#indices = #nlq.graph<max_row_length = 64, inputs = [],
  nodes = [n0 : row = row_index(), n1 : column = column_index(),
           n2 : element = add(n0, n1)],
  result = n2 : i32>

// CHECK-LABEL: func @kernel_without_inputs
func.func @kernel_without_inputs(%y: memref<65x64xi32>) {
  // CHECK: nlq.kernel <{{.*}}> outs(%{{.*}} : memref<65x64xi32>)
  nlq.kernel #indices outs(%y : memref<65x64xi32>)
  return
}

// CHECK-LABEL: func @products
func.func @products(%a: tensor<5x6xi8>, %w: tensor<1x2x64x4xi8>, %s: tensor<64xi32>, %c: tensor<5x33xi32>,
                    %p: memref<2x3x7xi16>, %q: memref<2x4x7xi8>, %r: memref<2x3x4xi32>)
    -> tensor<5x33xi32> {
  // CHECK: %{{.*}} = nlq.product ins(%{{.*}}, %{{.*}} : tensor<5x6xi8>, tensor<1x2x64x4xi8>) start(%{{.*}} : tensor<64xi32>) outs(%{{.*}} : tensor<5x33xi32>) {shifted} -> tensor<5x33xi32>
  %0 = nlq.product ins(%a, %w : tensor<5x6xi8>, tensor<1x2x64x4xi8>)
      start(%s : tensor<64xi32>) outs(%c : tensor<5x33xi32>) {shifted} -> tensor<5x33xi32>
  // CHECK: nlq.product ins(%{{.*}}, %{{.*}} : memref<2x3x7xi16>, memref<2x4x7xi8>) outs(%{{.*}} : memref<2x3x4xi32>) {transposed}
  nlq.product ins(%p, %q : memref<2x3x7xi16>, memref<2x4x7xi8>)
      outs(%r : memref<2x3x4xi32>) {transposed}
  return %0 : tensor<5x33xi32>
}

//===----------------------------------------------------------------------===//
// Graphs: every opcode, rounding mode and predicate
//===----------------------------------------------------------------------===//

// CHECK-LABEL: @graphs
// CHECK-SAME: everything = #nlq.graph<max_row_length = 9223372036854775807,
// CHECK-SAME: inputs = [x : element i8 in [-128, 127], "a name" : column u63 in [0, 9223372036854775807], r : row i64 in [-9223372036854775808, 9223372036854775807]],
// CHECK-SAME: tables = {{\[}}[1, -2, 3], [9223372036854775807]],
// CHECK-SAME: nodes = [n0 : uniform = constant -9223372036854775808(),
// CHECK-SAME: n1 : element = input 0(),
// CHECK-SAME: n2 : column = input 1(),
// CHECK-SAME: n3 : row = input 2(),
// CHECK-SAME: n4 : row = row_index(),
// CHECK-SAME: n5 : column = column_index(),
// CHECK-SAME: n6 : uniform = row_length(),
// CHECK-SAME: n7 : element = add(n1, n2),
// CHECK-SAME: n8 : element = sub(n1, n3),
// CHECK-SAME: n9 : row = mul(n0, n3) "a product",
// CHECK-SAME: n10 : element = mul_shift floor(n1, n2, n6),
// CHECK-SAME: n11 : element = mul_shift toward_zero(n1, n2, n6),
// CHECK-SAME: n12 : element = mul_shift half_up(n1, n2, n6),
// CHECK-SAME: n13 : element = mul_shift half_even(n1, n2, n6),
// CHECK-SAME: n14 : element = mul_shift half_away(n1, n2, n6),
// CHECK-SAME: n15 : column = shift_left(n2, n5),
// CHECK-SAME: n16 : element = shift_right half_up(n1, n5),
// CHECK-SAME: n17 : element = div half_even(n1, n2),
// CHECK-SAME: n18 : element = min(n1, n2),
// CHECK-SAME: n19 : element = max(n1, n2),
// CHECK-SAME: n20 : element = compare eq(n1, n2),
// CHECK-SAME: n21 : element = compare ne(n1, n2),
// CHECK-SAME: n22 : element = compare lt(n1, n2),
// CHECK-SAME: n23 : element = compare le(n1, n2),
// CHECK-SAME: n24 : element = compare gt(n1, n2),
// CHECK-SAME: n25 : element = compare ge(n1, n2),
// CHECK-SAME: n26 : element = select(n25, n1, n2),
// CHECK-SAME: n27 : column = bit_length(n2),
// CHECK-SAME: n28 : element = lookup 1(n26),
// CHECK-SAME: n29 : row = sqrt(n3),
// CHECK-SAME: n30 : row = reduce_max(n1),
// CHECK-SAME: n31 : row = reduce_sum(n2),
// CHECK-SAME: n32 : element = assume [-9, 9](n28) "it says \22so\22"],
// CHECK-SAME: result = n32 : i64>
// CHECK-SAME: no_inputs = #nlq.graph<max_row_length = 1, inputs = [], nodes = [n0 : uniform = constant 0()], result = n0 : i1>
func.func private @graphs() attributes {
  everything = #nlq.graph<max_row_length = 9223372036854775807,
    inputs = [x : element i8 in [-128, 127],
              "a name" : column u63 in [0, 9223372036854775807],
              r : row i64 in [-9223372036854775808, 9223372036854775807]],
    tables = [[1, -2, 3], [9223372036854775807]],
    nodes = [
      n0 : uniform = constant -9223372036854775808(),
      n1 : element = input 0(),
      n2 : column = input 1(),
      n3 : row = input 2(),
      n4 : row = row_index(),
      n5 : column = column_index(),
      n6 : uniform = row_length(),
      n7 : element = add(n1, n2),
      n8 : element = sub(n1, n3),
      n9 : row = mul(n0, n3) "a product",
      n10 : element = mul_shift floor(n1, n2, n6),
      n11 : element = mul_shift toward_zero(n1, n2, n6),
      n12 : element = mul_shift half_up(n1, n2, n6),
      n13 : element = mul_shift half_even(n1, n2, n6),
      n14 : element = mul_shift half_away(n1, n2, n6),
      n15 : column = shift_left(n2, n5),
      n16 : element = shift_right half_up(n1, n5),
      n17 : element = div half_even(n1, n2),
      n18 : element = min(n1, n2),
      n19 : element = max(n1, n2),
      n20 : element = compare eq(n1, n2),
      n21 : element = compare ne(n1, n2),
      n22 : element = compare lt(n1, n2),
      n23 : element = compare le(n1, n2),
      n24 : element = compare gt(n1, n2),
      n25 : element = compare ge(n1, n2),
      n26 : element = select(n25, n1, n2),
      n27 : column = bit_length(n2),
      n28 : element = lookup 1(n26),
      n29 : row = sqrt(n3),
      n30 : row = reduce_max(n1),
      n31 : row = reduce_sum(n2),
      n32 : element = assume [-9, 9](n28) "it says \"so\""],
    result = n32 : i64>,
  no_inputs = #nlq.graph<max_row_length = 1, inputs = [],
    nodes = [n0 : uniform = constant 0()], result = n0 : i1>}
