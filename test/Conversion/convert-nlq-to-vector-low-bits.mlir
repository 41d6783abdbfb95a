// RUN: nlq-opt %s -convert-nlq-to-vector=features=avx2 -canonicalize -cse | FileCheck %s

// A difference that fits 16 bits is made of the low 16 bits of a product that
// needs 19.
#fill = #nlq.graph<max_row_length = 32,
  inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0(), n1 : row = reduce_max(n0),
           n2 : uniform = constant 2000(), n3 : row = mul(n1, n2),
           n4 : element = mul(n0, n2), n5 : element = sub(n3, n4),
           n6 : element = assume [0, 32767](n5) "a narrow row"],
  result = n6 : i16>
// CHECK-LABEL: func @fill
// CHECK-NOT: vector<16xi32>
// CHECK: %[[P:.*]] = arith.muli %{{.*}} : vector<16xi16>
// CHECK: arith.subi %{{.*}}, %[[P]] : vector<16xi16>
// CHECK-NOT: vector<16xi32>
// CHECK: return
func.func @fill(%x: memref<32x32xi8>, %y: memref<32x32xi16>) {
  nlq.kernel #fill ins(%x : memref<32x32xi8>) outs(%y : memref<32x32xi16>)
  return
}

// The upper halves of distances are made of bytes, which look both bytes of the
// entries up.
#nibbles = #nlq.graph<max_row_length = 32,
  inputs = [x : element i8 in [-128, 127]],
  tables = [[32767, 20000, 10000, 5000, 2500, 1250, 600, 300, 150, 75, 37, 18, 9, 4, 2, 1]],
  nodes = [n0 : element = input 0(), n1 : row = reduce_max(n0),
           n2 : element = sub(n1, n0), n3 : uniform = constant 4(),
           n4 : element = shift_right floor(n2, n3),
           n5 : element = lookup 0(n4)],
  result = n5 : i16>
// CHECK-LABEL: func @nibbles
// CHECK: %[[D:.*]] = arith.subi %{{.*}}, %{{.*}} : vector<32xi8>
// CHECK: arith.shrui %[[D]], %{{.*}} : vector<32xi8>
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.x86.avx2.pshuf.b"
// CHECK: vector.shuffle %{{.*}} [0, 32, 1, 33, {{.*}}] : vector<32xi8>, vector<32xi8>
// CHECK: vector.shuffle %{{.*}} [0, 1, 2, 3, 4, 5, 6, 7, 16, {{.*}}] : vector<32xi16>, vector<32xi16>
// CHECK: return
func.func @nibbles(%x: memref<32x32xi8>, %y: memref<32x32xi16>) {
  nlq.kernel #nibbles ins(%x : memref<32x32xi8>) outs(%y : memref<32x32xi16>)
  return
}
