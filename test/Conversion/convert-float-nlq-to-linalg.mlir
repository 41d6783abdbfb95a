// RUN: nlq-opt %s -convert-float-nlq-to-linalg | FileCheck %s

// CHECK-DAG: #[[$ALL:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG: #[[$ROW:.*]] = affine_map<(d0, d1) -> (d0)>
// CHECK-DAG: #[[$COLUMN:.*]] = affine_map<(d0, d1) -> (d1)>

// CHECK-LABEL: func @softmax
// CHECK-SAME: (%[[X:.*]]: tensor<4x?xf32>)
// CHECK-NOT: nlq.softmax
// CHECK-DAG: %[[LOWEST:.*]] = arith.constant -3.40282347E+38 : f32
// CHECK: %[[START:.*]] = linalg.fill ins(%[[LOWEST]] : f32)
// CHECK: %[[MAX:.*]] = linalg.generic {indexing_maps = [#[[$ALL]], #[[$ROW]]], iterator_types = ["parallel", "reduction"]} ins(%[[X]] : tensor<4x?xf32>) outs(%[[START]] : tensor<4xf32>)
// CHECK: arith.maxnumf
// CHECK: %[[EXP:.*]] = linalg.generic {indexing_maps = [#[[$ALL]], #[[$ROW]], #[[$ALL]]], iterator_types = ["parallel", "parallel"]} ins(%[[X]], %[[MAX]] :
// CHECK-NEXT: ^bb0(%[[E:[a-z0-9_]*]]: f32, %[[M:[a-z0-9_]*]]: f32,
// CHECK-NEXT: arith.subf %[[E]], %[[M]]
// exp as a polynomial.
// CHECK-NOT: math.exp
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}} ins(%[[EXP]] :
// CHECK: arith.addf %{{.*}}, %{{.*}} fastmath<reassoc> : f32
// CHECK: linalg.generic {{.*}} ins(%[[EXP]], %[[SUM]] :
// CHECK: arith.divf
// CHECK: return
func.func @softmax(%x: tensor<4x?xf32>) -> tensor<4x?xf32> {
  %0 = nlq.softmax %x : tensor<4x?xf32> -> tensor<4x?xf32>
  return %0 : tensor<4x?xf32>
}

// erf as a rational function; x / sqrt 2 and x / 2.
// CHECK-LABEL: func @gelu_erf
// CHECK-NOT: nlq.gelu
// CHECK-NOT: math.erf
// CHECK-DAG: %[[ROOT:.*]] = arith.constant 0.707106769 : f32
// CHECK-DAG: %[[HALF:.*]] = arith.constant 5.000000e-01 : f32
// CHECK: linalg.generic
// CHECK-NEXT: ^bb0(%[[IN:[a-z0-9_]*]]: f32,
// CHECK-DAG: arith.mulf %[[IN]], %[[ROOT]]
// CHECK-DAG: arith.mulf %[[IN]], %[[HALF]]
// CHECK-NOT: math.erf
// CHECK: return
func.func @gelu_erf(%x: tensor<8xf32>) -> tensor<8xf32> {
  %0 = nlq.gelu %x erf : tensor<8xf32> -> tensor<8xf32>
  return %0 : tensor<8xf32>
}

// CHECK-LABEL: func @layer_norm
// CHECK-SAME: (%[[X:.*]]: tensor<2x8xf32>, %[[G:.*]]: tensor<8xf32>, %[[B:.*]]: tensor<8xf32>)
// CHECK-DAG: %[[EPSILON:.*]] = arith.constant 5.000000e-01 : f32
// CHECK-DAG: %[[COLUMNS:.*]] = arith.constant 8.000000e+00 : f32
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}} ins(%[[X]] : tensor<2x8xf32>)
// CHECK: %[[CENTRED:.*]] = linalg.generic {{.*}} ins(%[[X]], %[[SUM]] :
// CHECK: %[[SQUARES:.*]] = linalg.generic {{.*}} ins(%[[CENTRED]] :
// CHECK: %[[SQUARE_SUM:.*]] = linalg.generic {{.*}} ins(%[[SQUARES]] :
// CHECK: linalg.generic {indexing_maps = [#[[$ALL]], #[[$ROW]], #[[$COLUMN]], #[[$COLUMN]], #[[$ALL]]], {{.*}} ins(%[[CENTRED]], %[[SQUARE_SUM]], %[[G]], %[[B]] :
// CHECK: arith.divf %{{.*}}, %[[COLUMNS]]
// CHECK: arith.addf %{{.*}}, %[[EPSILON]]
// CHECK: math.sqrt
func.func @layer_norm(%x: tensor<2x8xf32>, %g: tensor<8xf32>, %b: tensor<8xf32>)
    -> tensor<2x8xf32> {
  %0 = nlq.layer_norm %x, %g, %b {epsilon = 0.5}
      : tensor<2x8xf32>, tensor<8xf32>, tensor<8xf32> -> tensor<2x8xf32>
  return %0 : tensor<2x8xf32>
}

// Gamma and beta may have another float type.
// CHECK-LABEL: func @layer_norm_types
// CHECK: ^bb0(%{{.*}}: f16, %{{.*}}: f16, %[[G:.*]]: f32, %[[B:.*]]: f64, %{{.*}}: f16):
// CHECK-DAG: arith.truncf %[[G]] : f32 to f16
// CHECK-DAG: arith.truncf %[[B]] : f64 to f16
func.func @layer_norm_types(%x: tensor<2x8xf16>, %g: tensor<8xf32>, %b: tensor<8xf64>)
    -> tensor<2x8xf16> {
  %0 = nlq.layer_norm %x, %g, %b {epsilon = 0.5}
      : tensor<2x8xf16>, tensor<8xf32>, tensor<8xf64> -> tensor<2x8xf16>
  return %0 : tensor<2x8xf16>
}

// Quantized operations are not float operations, and a mean over a row of
// unknown length is not made.
// CHECK-LABEL: func @left
// CHECK: nlq.softmax
// CHECK: nlq.layer_norm
func.func @left(%q: tensor<2x!quant.uniform<i8:f32, 0.1>>, %x: tensor<?xf32>)
    -> (tensor<2x!quant.uniform<i8:f32, 0.1>>, tensor<?xf32>) {
  %0 = nlq.softmax %q {method = #nlq.ibert<>}
      : tensor<2x!quant.uniform<i8:f32, 0.1>> -> tensor<2x!quant.uniform<i8:f32, 0.1>>
  %1 = nlq.layer_norm %x, %x, %x {epsilon = 0.5}
      : tensor<?xf32>, tensor<?xf32>, tensor<?xf32> -> tensor<?xf32>
  return %0, %1 : tensor<2x!quant.uniform<i8:f32, 0.1>>, tensor<?xf32>
}
