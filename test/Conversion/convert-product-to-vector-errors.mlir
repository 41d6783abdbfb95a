// RUN: nlq-opt %s -split-input-file -verify-diagnostics \
// RUN:   -pass-pipeline="builtin.module(func.func(convert-product-to-vector))"
// RUN: not nlq-opt %s -split-input-file 2>&1 \
// RUN:   -pass-pipeline="builtin.module(func.func(convert-product-to-vector{features=mmx}))" \
// RUN:   | FileCheck %s
// CHECK: error: unknown vector feature 'mmx'; avx2, avx512bw, avx512vnni, avx512vbmi, neon and dotprod are known

func.func @tensors(%a: tensor<2x2xi8>, %c: tensor<2x2xi32>) -> tensor<2x2xi32> {
  // expected-error @below {{must be on buffers to become vector code}}
  %0 = nlq.product ins(%a, %a : tensor<2x2xi8>, tensor<2x2xi8>)
      outs(%c : tensor<2x2xi32>) -> tensor<2x2xi32>
  return %0 : tensor<2x2xi32>
}

// -----

func.func @strided(%a: memref<2x2xi8, strided<[4, 2]>>, %b: memref<2x2xi8>, %c: memref<2x2xi32>) {
  // expected-error @below {{has an operand whose rows are not dense: 'memref<2x2xi8, strided<[4, 2]>>'}}
  nlq.product ins(%a, %b : memref<2x2xi8, strided<[4, 2]>>, memref<2x2xi8>)
      outs(%c : memref<2x2xi32>)
  return
}
