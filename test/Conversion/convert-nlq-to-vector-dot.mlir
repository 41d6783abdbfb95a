// RUN: nlq-opt %s -convert-nlq-to-vector=features=neon,dotprod -canonicalize -cse \
// RUN:   | FileCheck %s --check-prefix=DOT
// RUN: nlq-opt %s -convert-nlq-to-vector=features=neon -canonicalize -cse \
// RUN:   | FileCheck %s --check-prefix=PAIRS
// RUN: nlq-opt %s -convert-nlq-to-vector=features=avx2,avx512bw,avx512vnni -canonicalize -cse \
// RUN:   | FileCheck %s --check-prefix=VNNI

// A layer normalization's sums of bytes and of their squares, as they are read:
// with dot products neither is widened. Products with words stay pairs.
#statistics = #nlq.graph<max_row_length = 4096,
  inputs = [x : element i8 in [-128, 127], w : element i16 in [-300, 300]],
  nodes = [n0 : element = input 0(), n1 : element = input 1(),
           n2 : element = mul(n0, n0), n3 : row = reduce_sum(n0),
           n4 : row = reduce_sum(n2), n5 : element = mul(n0, n1),
           n6 : row = reduce_sum(n5), n7 : row = add(n3, n4),
           n8 : row = add(n6, n7), n9 : element = add(n0, n8)],
  result = n9 : i32>

// DOT-LABEL: func @statistics
// DOT: scf.for {{.*}} -> (vector<4xi32>, vector<4xi32>, vector<8xi32>) {
// DOT: %[[X:.*]] = vector.load %{{.*}} : memref<3x1024xi8>, vector<16xi8>
// DOT: llvm.call_intrinsic "llvm.aarch64.neon.sdot.v4i32.v16i8"(%{{.*}}, %{{.*}}, %[[X]])
// DOT: llvm.call_intrinsic "llvm.aarch64.neon.sdot.v4i32.v16i8"(%{{.*}}, %[[X]], %[[X]])
// DOT-COUNT-4: llvm.call_intrinsic "llvm.aarch64.neon.smull.v4i32"
// DOT-NOT: llvm.call_intrinsic "llvm.aarch64.neon.smull.v4i32"
// DOT: scf.yield

// PAIRS-LABEL: func @statistics
// PAIRS: scf.for {{.*}} -> (vector<8xi32>, vector<8xi32>, vector<8xi32>) {
// PAIRS-NOT: sdot
// PAIRS-COUNT-12: llvm.call_intrinsic "llvm.aarch64.neon.smull.v4i32"
// PAIRS: scf.yield

// Unsigned by signed bytes: ones by x, and x + 128 by x, of which 128 times the
// sum is taken off again. Both sums share their last steps.
// VNNI-LABEL: func @statistics
// VNNI-DAG: %[[ONES:.*]] = arith.constant dense<1> : vector<64xi8>
// VNNI-DAG: %[[BIAS:.*]] = arith.constant dense<-128> : vector<64xi8>
// VNNI: scf.for {{.*}} -> (vector<16xi32>, vector<16xi32>, vector<32xi32>) {
// VNNI: %[[X:.*]] = vector.load %{{.*}} : memref<3x1024xi8>, vector<64xi8>
// VNNI: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%{{.*}}, %[[ONES]], %[[X]])
// VNNI: %[[U:.*]] = arith.addi %[[X]], %[[BIAS]]
// VNNI: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%{{.*}}, %[[U]], %[[X]])
// VNNI-COUNT-2: llvm.call_intrinsic "llvm.x86.avx512.vpdpwssd.512"
// VNNI: scf.yield
// VNNI: vector.shuffle %{{.*}}, %{{.*}} [0, 16, 1, 17, 4, 20, 5, 21,
// VNNI: vector.shuffle %{{.*}}, %{{.*}} [2, 18, 3, 19, 6, 22, 7, 23,
func.func @statistics(%x: memref<3x1024xi8>, %w: memref<3x1024xi16>, %y: memref<3x1024xi32>) {
  nlq.kernel #statistics ins(%x, %w : memref<3x1024xi8>, memref<3x1024xi16>)
      outs(%y : memref<3x1024xi32>)
  return
}
