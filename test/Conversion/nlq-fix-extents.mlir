// RUN: nlq-opt %s -nlq-fix-extents=extents=9,49 | FileCheck %s

!x = !quant.uniform<i8:f32, 0.1>
!p = !quant.uniform<i16:f32, 3.0517578125e-05>

// The pass's example, between casts.
// CHECK-LABEL: func @main
// CHECK-SAME: (%[[X:.*]]: tensor<9x49xf32> {nlq.name = "scores"}, %{{.*}}: tensor<3xi8>) -> (tensor<9x49xf32>, tensor<3xi8>)
// CHECK: quant.qcast %[[X]] : tensor<9x49xf32> to tensor<9x49x!quant.uniform
// CHECK: nlq.softmax %{{.*}} {max_row_length = 300 : i64} : tensor<9x49x!quant.uniform{{.*}}> -> tensor<9x49x!quant.uniform
// CHECK: nlq.requantize {{.*}} -> tensor<9x49x!quant.uniform
// CHECK: quant.dcast {{.*}} to tensor<9x49xf32>
func.func @main(%x: tensor<?x?xf32> {nlq.name = "scores"}, %s: tensor<3xi8>)
    -> (tensor<?x?xf32>, tensor<3xi8>) {
  %q = quant.qcast %x : tensor<?x?xf32> to tensor<?x?x!x>
  %y = nlq.softmax %q {max_row_length = 300 : i64} : tensor<?x?x!x> -> tensor<?x?x!p>
  %z = nlq.requantize %y half_up : tensor<?x?x!p> -> tensor<?x?x!x>
  %d = quant.dcast %z : tensor<?x?x!x> to tensor<?x?xf32>
  return %d, %s : tensor<?x?xf32>, tensor<3xi8>
}
