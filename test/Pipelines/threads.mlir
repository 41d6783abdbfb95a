// RUN: nlq-opt %s -nlq-compile=threads=openmp | FileCheck %s
// RUN: nlq-opt %s -nlq-compile | FileCheck %s --check-prefix=NONE

// Parts of the rows are an OpenMP loop. The buffers that a part needs are the
// thread's.
!x = !quant.uniform<i8:f32, 0.05>

// NONE-NOT: omp.
// CHECK: llvm.func @softmax(
// CHECK-NOT: llvm.alloca
// CHECK: omp.parallel {
// CHECK: llvm.alloca
// CHECK: omp.wsloop {
// CHECK: omp.loop_nest
// CHECK-NOT: llvm.alloca
// CHECK: omp.yield
// CHECK: omp.terminator
func.func @softmax(%x: tensor<?x64x!x>) -> tensor<?x64x!x> {
  %y = nlq.softmax %x {method = #nlq.table<>} : tensor<?x64x!x> -> tensor<?x64x!x>
  return %y : tensor<?x64x!x>
}
