// RUN: nlq-opt %s -split-input-file \
// RUN:   -pass-pipeline="builtin.module(func.func(convert-product-to-vector{features=avx512bw,avx512vnni},canonicalize,cse))" \
// RUN:   | FileCheck %s
// RUN: nlq-opt %s -split-input-file \
// RUN:   -pass-pipeline="builtin.module(func.func(convert-product-to-vector{features=neon,dotprod},canonicalize,cse))" \
// RUN:   | FileCheck %s --check-prefix=DOT

// Six rows of 64 columns stay in registers over the depth: 24 accumulators that
// begin with `start`, four loads of weights, one word of each row.
// CHECK-LABEL: func @bytes
// CHECK-SAME: (%{{.*}}: memref<12x8xi8>, %[[W:.*]]: memref<1x2x64x4xi8>, %[[S:.*]]: memref<64xi32>, %[[C:.*]]: memref<12x64xi32>)
// CHECK-DAG: %[[COPY:.*]] = memref.alloc() {alignment = 64 : i64} : memref<12x8xi8>
// CHECK-DAG: %[[P:.*]] = memref.collapse_shape %[[W]] {{.*}} into memref<1x2x256xi8>
// The left operand's highest bits are inverted once.
// CHECK: arith.xori %{{.*}}, %{{.*}} : vector<8xi8>
// CHECK: vector.store %{{.*}}, %[[COPY]]
// CHECK-COUNT-4: vector.load %[[S]]
// CHECK: scf.for {{.*}} -> (vector<16xi32>, {{.*}}) {
// CHECK-COUNT-4: vector.load %[[P]][{{.*}}] : memref<1x2x256xi8>, vector<64xi8>
// CHECK-COUNT-24: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK-NOT: llvm.call_intrinsic
// CHECK: scf.yield
// CHECK-COUNT-24: vector.store %{{.*}}, %[[C]]
// CHECK: memref.dealloc %[[COPY]]
func.func @bytes(%a: memref<12x8xi8>, %w: memref<1x2x64x4xi8>, %s: memref<64xi32>, %c: memref<12x64xi32>) {
  nlq.product ins(%a, %w : memref<12x8xi8>, memref<1x2x64x4xi8>)
      start(%s : memref<64xi32>) outs(%c : memref<12x64xi32>) {shifted}
  return
}

// -----

// Pairs of i16 are read where they lie; the last of an odd depth is a pair with
// zero. 17 columns take two registers, the second stores one element.
// CHECK-LABEL: func @pairs
// CHECK-SAME: (%[[A:.*]]: memref<2x5x5xi16>, %[[B:.*]]: memref<2x5x17xi8>, %[[C:.*]]: memref<2x5x17xi32>)
// CHECK-NOT: memref.alloc() {{.*}}5x
// CHECK: %[[P:.*]] = memref.alloc() {{.*}} : memref<1x3x128xi16>
// CHECK: linalg.fill ins(%{{.*}} : i16) outs(%[[P]]
// CHECK: vector.interleave
// CHECK: vector.load %[[A]][{{.*}}] : memref<2x5x5xi16>, vector<2xi16>
// CHECK-COUNT-10: llvm.call_intrinsic "llvm.x86.avx512.vpdpwssd.512"
// CHECK: scf.yield
// CHECK-COUNT-5: arith.extui %{{.*}} : i16 to i32
// CHECK-COUNT-10: llvm.call_intrinsic "llvm.x86.avx512.vpdpwssd.512"
// CHECK: vector.store %{{.*}}, %[[C]][{{.*}}] : memref<2x5x17xi32>, vector<16xi32>
// CHECK: vector.store %{{.*}}, %[[C]][{{.*}}] : memref<2x5x17xi32>, vector<1xi32>
func.func @pairs(%a: memref<2x5x5xi16>, %b: memref<2x5x17xi8>, %c: memref<2x5x17xi32>) {
  nlq.product ins(%a, %b : memref<2x5x5xi16>, memref<2x5x17xi8>)
      outs(%c : memref<2x5x17xi32>)
  return
}

// -----

// AArch64's dot products read signed bytes, where they lie: there is no copy.
// DOT-LABEL: func @signed_bytes
// DOT-SAME: (%[[A:.*]]: memref<12x8xi8>, %{{.*}}: memref<1x2x16x4xi8>, %[[S:.*]]: memref<16xi32>,
// DOT-NOT: memref.alloc
// DOT-COUNT-4: vector.load %[[S]]
// DOT: scf.for {{.*}} -> (vector<4xi32>, {{.*}}) {
// DOT-COUNT-6: vector.load %[[A]][{{.*}}] : memref<12x8xi8>, vector<4xi8>
// DOT-COUNT-24: llvm.call_intrinsic "llvm.aarch64.neon.sdot.v4i32.v16i8"
// DOT-NOT: llvm.call_intrinsic
// DOT: scf.yield
func.func @signed_bytes(%a: memref<12x8xi8>, %w: memref<1x2x16x4xi8>, %s: memref<16xi32>, %c: memref<12x16xi32>) {
  nlq.product ins(%a, %w : memref<12x8xi8>, memref<1x2x16x4xi8>)
      start(%s : memref<16xi32>) outs(%c : memref<12x16xi32>)
  return
}

// -----

// A depth that fills no group is copied, for the padding; a right operand of
// the function is packed, and needs no sums.
// DOT-LABEL: func @padded
// DOT: %[[LEFT:.*]] = memref.alloc() {{.*}} : memref<3x8xi8>
// DOT: %[[RIGHT:.*]] = memref.alloc() {{.*}} : memref<1x2x64xi8>
// DOT-NOT: memref.alloc
// DOT-NOT: arith.xori
// DOT: llvm.call_intrinsic "llvm.aarch64.neon.sdot.v4i32.v16i8"
// DOT: memref.dealloc %[[LEFT]]
func.func @padded(%a: memref<3x7xi8>, %b: memref<7x5xi8>, %c: memref<3x5xi32>) {
  nlq.product ins(%a, %b : memref<3x7xi8>, memref<7x5xi8>) outs(%c : memref<3x5xi32>)
  return
}
