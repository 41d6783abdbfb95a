// RUN: nlq-opt %s -convert-nlq-to-vector=features=neon,dotprod -canonicalize -cse \
// RUN:   | FileCheck %s --check-prefix=DOT
// RUN: nlq-opt %s -convert-nlq-to-vector=features=neon -canonicalize -cse \
// RUN:   | FileCheck %s --check-prefix=PAIRS

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
func.func @statistics(%x: memref<3x1024xi8>, %w: memref<3x1024xi16>, %y: memref<3x1024xi32>) {
  nlq.kernel #statistics ins(%x, %w : memref<3x1024xi8>, memref<3x1024xi16>)
      outs(%y : memref<3x1024xi32>)
  return
}
