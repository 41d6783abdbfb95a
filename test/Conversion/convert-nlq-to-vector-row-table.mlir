// RUN: nlq-opt %s -convert-nlq-to-vector=features=avx2,avx512bw,avx512vbmi,avx512vnni -canonicalize -cse \
// RUN:   | FileCheck %s
// RUN: nlq-opt %s -convert-nlq-to-vector=features=avx2 -canonicalize -cse \
// RUN:   | FileCheck %s --check-prefix=AVX2

// A share of the row's sum of 900 - d^2, at least 0, where d is the distance
// from the largest element. It is a function of d in each row, and 0 from 30 on.
#share = #nlq.graph<max_row_length = 512,
  inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0(), n1 : row = reduce_max(n0),
           n2 : element = sub(n1, n0), n3 : element = mul(n2, n2),
           n4 : uniform = constant 900(), n5 : element = sub(n4, n3),
           n6 : uniform = constant 0(), n7 : element = max(n5, n6),
           n8 : row = reduce_sum(n7),
           n9 : row = assume [900, 460800](n8) "the largest element adds 900",
           n10 : uniform = constant 65536(), n11 : row = div floor(n10, n9),
           n12 : uniform = constant 10(),
           n13 : element = mul_shift half_up(n7, n11, n12),
           n14 : uniform = constant 127(), n15 : element = min(n13, n14)],
  result = n15 : i8>

// Largest elements are found in bytes.
// CHECK-LABEL: func @share
// CHECK: scf.for {{.*}} -> (vector<64xi8>) {
// CHECK: arith.maxsi %{{.*}}, %{{.*}} : vector<64xi8>

// Both bytes of the terms are looked up by the distance, and summed.
// CHECK: scf.for {{.*}} -> (vector<16xi32>, vector<16xi32>) {
// CHECK: %[[X:.*]] = vector.load {{.*}} vector<64xi8>
// CHECK: %[[D:.*]] = arith.subi %{{.*}}, %[[X]] : vector<64xi8>
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpermi2var.qi.512"(%{{.*}}, %[[D]], %{{.*}})
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpermi2var.qi.512"(%{{.*}}, %[[D]], %{{.*}})
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK: scf.yield

// 64 results of each row, then one permutation for each element.
// CHECK: %[[TABLE:.*]] = llvm.call_intrinsic "llvm.x86.avx512.packsswb.512"
// CHECK: scf.for
// CHECK: %[[DISTANCE:.*]] = arith.subi
// CHECK: %[[INDEX:.*]] = arith.minui %[[DISTANCE]], %{{.*}} : vector<64xi8>
// CHECK: %[[Y:.*]] = llvm.call_intrinsic "llvm.x86.avx512.permvar.qi.512"(%[[TABLE]], %[[INDEX]])
// CHECK: vector.store %[[Y]]
// CHECK: return

// Without such instructions, element by element.
// AVX2-LABEL: func @share
// AVX2-NOT: llvm.x86.avx512
// AVX2: return
func.func @share(%x: memref<100x512xi8>, %y: memref<100x512xi8>) {
  nlq.kernel #share ins(%x : memref<100x512xi8>) outs(%y : memref<100x512xi8>)
  return
}
