// RUN: nlq-opt %s -nlq-compile | FileCheck %s

// Functions on tensors of any number of rows take their pointers, then the
// extents. The result is written where the caller wants it, and what lies
// between two kernels is the only memory asked for.

!x = !quant.uniform<i8:f32, 0.05>

// CHECK: llvm.func @gelu(%{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: i64)
// CHECK-NOT: {{malloc|memcpy}}
// CHECK: llvm.return
func.func @gelu(%x: tensor<?x64x!x>) -> tensor<?x64x!x> {
  %y = nlq.gelu %x erf {method = #nlq.table<>} : tensor<?x64x!x> -> tensor<?x64x!x>
  return %y : tensor<?x64x!x>
}

// CHECK: llvm.func @two(%{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: i64, %{{.*}}: i64)
// CHECK-COUNT-1: llvm.call @malloc
// CHECK-NOT: {{malloc|memcpy}}
// CHECK: llvm.call @free
// CHECK: llvm.return
func.func @two(%x: tensor<?x?x64x!x>) -> tensor<?x?x64x!x> {
  %y = nlq.gelu %x erf {method = #nlq.table<>} : tensor<?x?x64x!x> -> tensor<?x?x64x!x>
  %z = nlq.gelu %y erf {method = #nlq.table<>} : tensor<?x?x64x!x> -> tensor<?x?x64x!x>
  return %z : tensor<?x?x64x!x>
}

// Rows of any length up to the declared one: the function checks the length and
// says so.
// CHECK: llvm.func @softmax(%{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: i64, %[[LENGTH:.*]]: i64) -> i32
// CHECK-DAG: %[[ONE:.*]] = llvm.mlir.constant(1 : i64)
// CHECK-DAG: %[[LONGEST:.*]] = llvm.mlir.constant(300 : i64)
// CHECK: %[[MORE:.*]] = llvm.sub %[[LENGTH]], %[[ONE]]
// CHECK: llvm.icmp "ult" %[[MORE]], %[[LONGEST]]
// CHECK: llvm.cond_br
// CHECK: llvm.call @softmax_unchecked
// CHECK: llvm.return %{{.*}} : i32
// CHECK: llvm.func @softmax_unchecked({{.*}}) attributes {sym_visibility = "private"}
func.func @softmax(%x: tensor<?x?x!x>) -> tensor<?x?x!x> {
  %y = nlq.softmax %x {max_row_length = 300 : i64, method = #nlq.table<>}
      : tensor<?x?x!x> -> tensor<?x?x!x>
  return %y : tensor<?x?x!x>
}

// Rows that lie apart, as far as the last parameters say; nothing is copied.
// CHECK: llvm.func @strided(%{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: i64, %{{.*}}: i64)
// CHECK-NOT: {{malloc|memcpy}}
// CHECK: llvm.return
func.func @strided(%x: tensor<8x64x!x> {nlq.strided}) -> (tensor<8x64x!x> {nlq.strided}) {
  %y = nlq.gelu %x erf {method = #nlq.table<>} : tensor<8x64x!x> -> tensor<8x64x!x>
  return %y : tensor<8x64x!x>
}
