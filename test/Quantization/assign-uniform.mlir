// RUN: nlq-opt %s -verify-diagnostics \
// RUN:   --nlq-assign="policy=uniform method=fqvit form=reference set=seed" \
// RUN:   | FileCheck %s

// A uniform assignment: the method where it has the function, at the widths of
// the set; its fallback where it lacks it.

!a = !quant.uniform<i32<-100000:100000>:f32, 2.000000e-04>
!b = !quant.uniform<i8<-127:127>:f32, 1.500000e-02>
!p = !quant.uniform<i16:f32, 3.051758e-05>

// CHECK: nlq.softmax {{.*}}method = #nlq.fqvit<form = reference, in = !quant.uniform<i8<-127:127>:f32, 1.500000e-02>, out_bits = 6>
// CHECK: nlq.gelu {{.*}}method = #nlq.ibert<form = reference>
func.func @main(%arg0: tensor<2x4xi32>) -> (tensor<2x4xi16>, tensor<2x4xi8>) {
  %0 = quant.scast %arg0 : tensor<2x4xi32> to tensor<2x4x!a>
  // expected-remark @+1 {{nlq-assign: 'softmax' chosen #nlq.fqvit<form = reference, in = i8, out_bits = 6> by policy 'uniform'}}
  %1 = nlq.softmax %0 {candidates = [
      #nlq.ibert<form = reference, in = !quant.uniform<i8<-127:127>:f32, 1.500000e-02>>,
      #nlq.fqvit<form = reference, in = !quant.uniform<u8:f32, 1.500000e-02:128>, out_bits = 4>,
      #nlq.fqvit<form = reference, in = !quant.uniform<i8<-127:127>:f32, 1.500000e-02>, out_bits = 6>],
      nlq.slot = "softmax"} : tensor<2x4x!a> -> tensor<2x4x!p>
  // expected-remark @+1 {{nlq-assign: 'gelu' chosen #nlq.ibert<form = reference, out_bits = 16> by policy 'uniform', in place of 'fqvit', which has no gelu}}
  %2 = nlq.gelu %0 erf {candidates = [#nlq.ibert<form = reference>],
      nlq.slot = "gelu"} : tensor<2x4x!a> -> tensor<2x4x!b>
  %3 = quant.scast %1 : tensor<2x4x!p> to tensor<2x4xi16>
  %4 = quant.scast %2 : tensor<2x4x!b> to tensor<2x4xi8>
  return %3, %4 : tensor<2x4xi16>, tensor<2x4xi8>
}
