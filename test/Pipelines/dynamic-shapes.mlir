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
