// RUN: nlq-opt %s -nlq-set-method | FileCheck %s
// RUN: nlq-opt %s -nlq-set-method=method=fqvit | FileCheck %s --check-prefix=FQVIT
// RUN: nlq-opt %s '-nlq-set-method=method="#nlq.ibert<out_bits = 8>"' \
// RUN:   | FileCheck %s --check-prefix=WHOLE
// RUN: not nlq-opt %s -nlq-set-method=method=best 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not nlq-opt %s '-nlq-set-method=method="#nlq.best<>"' 2>&1 \
// RUN:   | FileCheck %s --check-prefix=NONE

// Quantized operations without a method get the one that is asked for, or its
// fallback where it lacks the function; others stay as they are.

!x = !quant.uniform<i8:f32, 0.05>

// UNKNOWN: error: nlq-set-method: unknown method 'best'; {{.*}} are known
// NONE: error: nlq-set-method: '#nlq.best<>' is no method attribute: {{.+}}

// CHECK-LABEL: func @f
// CHECK: nlq.gelu %{{.*}} erf {method = #nlq.table<>}
// CHECK: nlq.softmax %{{.*}} {method = #nlq.table<>}
// CHECK: nlq.softmax %{{.*}} {method = #nlq.ivit<form = reference>}
// CHECK: nlq.gelu %{{.*}} erf : tensor<2x4xf32>
// FQVIT: nlq.gelu %{{.*}} erf {method = #nlq.ibert<>}
// FQVIT: nlq.softmax %{{.*}} {method = #nlq.fqvit<>}
// FQVIT: nlq.softmax %{{.*}} {method = #nlq.ivit<form = reference>}
// WHOLE: nlq.gelu %{{.*}} erf {method = #nlq.ibert<out_bits = 8>}
func.func @f(%x: tensor<2x4x!x>, %y: tensor<2x4xf32>) -> (tensor<2x4x!x>, tensor<2x4xf32>) {
  %0 = nlq.gelu %x erf : tensor<2x4x!x> -> tensor<2x4x!x>
  %1 = nlq.softmax %0 : tensor<2x4x!x> -> tensor<2x4x!x>
  %2 = nlq.softmax %1 {method = #nlq.ivit<form = reference>}
      : tensor<2x4x!x> -> tensor<2x4x!x>
  %3 = nlq.gelu %y erf : tensor<2x4xf32> -> tensor<2x4xf32>
  return %2, %3 : tensor<2x4x!x>, tensor<2x4xf32>
}
