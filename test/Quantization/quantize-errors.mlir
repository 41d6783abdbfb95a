// RUN: split-file %s %t

// RUN: not nlq-opt %t/good.mlir \
// RUN:   --nlq-quantize="profile=%t/good.json act-bits=9" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=ACT
// ACT: error: act-bits must be 4 to 8, found 9
// RUN: not nlq-opt %t/good.mlir \
// RUN:   --nlq-quantize="profile=%t/good.json weight-bits=3" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=WEIGHT
// WEIGHT: error: weight-bits must be 4 to 8, found 3
// RUN: not nlq-opt %t/good.mlir \
// RUN:   --nlq-quantize="profile=%t/good.json residual-bits=17" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=RESIDUAL
// RESIDUAL: error: residual-bits must be 8 to 16, found 17
// RUN: not nlq-opt %t/good.mlir \
// RUN:   --nlq-quantize="profile=%t/good.json candidates=seed,best" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=GROUP
// GROUP: error: candidates must be seed, standalone, extra, other or all, or several of them separated by commas, found 'best'

// RUN: not nlq-opt %t/good.mlir \
// RUN:   --nlq-quantize="profile=%t/good.json probability-bits=12" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=PROBABILITY
// PROBABILITY: error: probability-bits must be 8 or 16, found 12
// RUN: not nlq-opt %t/good.mlir \
// RUN:   --nlq-quantize="profile=%t/good.json operand-bits=4" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=OPERAND
// OPERAND: error: operand-bits must be 8 or 16 or 32, found 4
// RUN: not nlq-opt %t/good.mlir \
// RUN:   --nlq-quantize="profile=%t/good.json gelu-exponent=1.5" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=EXPONENT
// EXPONENT: error: gelu-exponent must be 0{{.*}} to 1{{.*}}, found 1.5
// RUN: not nlq-opt %t/good.mlir \
// RUN:   --nlq-quantize="profile=%t/good.json percentile=49" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=PERCENTILE
// PERCENTILE: error: percentile must be 5{{.*}} to 1{{.*}}, found 4.9
// RUN: not nlq-opt %t/good.mlir \
// RUN:   --nlq-quantize="profile=%t/good.json ranges=all" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=RANGES
// RANGES: error: ranges must be extremes, percentile or least-squares, found 'all'
// RUN: not nlq-opt %t/good.mlir \
// RUN:   --nlq-quantize="profile=%t/good.json weight-scales=best" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=SCALES
// SCALES: error: weight-scales must be extremes or least-squares, found 'best'

// RUN: not nlq-opt %t/good.mlir \
// RUN:   --nlq-quantize="profile=%t/good.json weight-rounding=up" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=ROUNDING
// ROUNDING: error: weight-rounding must be nearest or feedback, found 'up'

// RUN: not nlq-opt %t/good.mlir \
// RUN:   --nlq-quantize="profile=%t/none.json" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=NONE
// NONE: error: cannot read the profile '{{.*}}none.json': {{.*}}none.json: No such file or directory
// RUN: not nlq-opt %t/good.mlir --nlq-quantize 2>&1 \
// RUN:   | FileCheck %s --check-prefix=UNNAMED
// UNNAMED: error: : the name of a profile must end in '.json'
// RUN: not nlq-opt %t/good.mlir \
// RUN:   --nlq-quantize="profile=%t/malformed.json" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=MALFORMED
// MALFORMED: error: cannot read the profile '{{.*}}malformed.json': expected array at profile.values
// RUN: not nlq-opt %t/good.mlir \
// RUN:   --nlq-quantize="profile=%t/stale.json" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=STALE
// STALE: error: {{.*}}the profile has no value 'add': it is not of this module, or stale
// RUN: not nlq-opt %t/good.mlir \
// RUN:   --nlq-quantize="profile=%t/shape.json" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=SHAPE
// SHAPE: error: {{.*}}the value 'add' has the shape [3, 2] here and [3, 4] in the profile: it is not of this module, or stale

// RUN: not nlq-opt %t/unsupported.mlir \
// RUN:   --nlq-quantize="profile=%t/good.json" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=NOFORM
// NOFORM: error: loc("logarithm"): 'math.log' op cannot be quantized: it has no integer form
// NOFORM: error: loc("sine"): 'math.sin' op cannot be quantized: it has no integer form
// RUN: not nlq-opt %t/negative.mlir \
// RUN:   --nlq-quantize="profile=%t/good.json" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=NEGATIVE
// NEGATIVE: error: {{.*}}'arith.mulf' op cannot be quantized: its constant must be one positive number in all elements
// RUN: not nlq-opt %t/overflow.mlir \
// RUN:   --nlq-quantize="profile=%t/overflow.json" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=OVERFLOW
// OVERFLOW: error: {{.*}}'linalg.matmul' op cannot be quantized: its accumulator may reach 2293620000, which overflows 32 bits
// RUN: not nlq-opt %t/call.mlir \
// RUN:   --nlq-quantize="profile=%t/good.json" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=CALL
// CALL: error: {{.*}}'func.call' op cannot be quantized: it has no integer form
// RUN: not nlq-opt %t/nomain.mlir \
// RUN:   --nlq-quantize="profile=%t/good.json" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=NOMAIN
// NOMAIN: error: the module has no function 'main'
// RUN: not nlq-opt %t/levels.mlir \
// RUN:   --nlq-quantize="profile=%t/levels.json" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=LEVELS
// LEVELS: error: {{.*}}'nlq.softmax' op cannot be quantized: its mask holds -3; only 0 and values of at most -64 can be told from integers
// RUN: not nlq-opt %t/above.mlir \
// RUN:   --nlq-quantize="profile=%t/levels.json" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=ABOVE
// ABOVE: error: {{.*}}'nlq.softmax' op cannot be quantized: its mask has had values in the samples about 1; only 0 and values of at most -64 can be told from integers

//--- good.json
{"format": "nlq-profile", "version": 1, "samples": 1, "kept": 0, "values": [
  {"name": "arg0", "shape": [3, 2], "min": -1, "max": 1},
  {"name": "add", "shape": [3, 2], "min": -2, "max": 2}
]}
//--- malformed.json
{"format": "nlq-profile", "version": 1, "samples": 1, "kept": 0, "values": 3}
//--- stale.json
{"format": "nlq-profile", "version": 1, "samples": 1, "kept": 0, "values": [
  {"name": "arg0", "shape": [3, 2], "min": -1, "max": 1}
]}
//--- shape.json
{"format": "nlq-profile", "version": 1, "samples": 1, "kept": 0, "values": [
  {"name": "arg0", "shape": [3, 2], "min": -1, "max": 1},
  {"name": "add", "shape": [3, 4], "min": -2, "max": 2}
]}
//--- overflow.json
{"format": "nlq-profile", "version": 1, "samples": 1, "kept": 0, "values": [
  {"name": "arg0", "shape": [1, 140000], "min": -1, "max": 1},
  {"name": "product", "shape": [1, 1], "min": -2, "max": 2}
]}

//--- levels.json
{"format": "nlq-profile", "version": 1, "samples": 1, "kept": 0, "values": [
  {"name": "arg0", "shape": [3, 2], "min": -1, "max": 1},
  {"name": "shares", "shape": [3, 2], "min": 0, "max": 1}
]}
//--- levels.mlir
func.func @main(%x: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %m = arith.constant dense<[0.0, -3.0]> : tensor<2xf32>
  %0 = nlq.softmax %x mask(%m : tensor<2xf32>)
      : tensor<3x2xf32> -> tensor<3x2xf32> loc("shares")
  return %0 : tensor<3x2xf32>
}
//--- above.mlir
func.func @main(%x: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %0 = nlq.softmax %x mask(%x : tensor<3x2xf32>)
      : tensor<3x2xf32> -> tensor<3x2xf32> loc("shares")
  return %0 : tensor<3x2xf32>
}

//--- good.mlir
func.func @main(%x: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %0 = arith.addf %x, %x : tensor<3x2xf32> loc("add")
  return %0 : tensor<3x2xf32>
}
//--- unsupported.mlir
func.func @main(%x: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %0 = math.log %x : tensor<3x2xf32> loc("logarithm")
  %1 = math.sin %0 : tensor<3x2xf32> loc("sine")
  return %1 : tensor<3x2xf32>
}
//--- negative.mlir
func.func @main(%x: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %c = arith.constant dense<-1.0> : tensor<3x2xf32>
  %0 = arith.mulf %x, %c : tensor<3x2xf32>
  return %0 : tensor<3x2xf32>
}
//--- overflow.mlir
func.func @main(%x: tensor<1x140000xf32>) -> tensor<1x1xf32> {
  %w = arith.constant dense<1.0> : tensor<140000x1xf32>
  %init = arith.constant dense<0.0> : tensor<1x1xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<1x140000xf32>, tensor<140000x1xf32>)
      outs(%init : tensor<1x1xf32>) -> tensor<1x1xf32> loc("product")
  return %0 : tensor<1x1xf32>
}
//--- nomain.mlir
func.func @other(%x: tensor<3x2xf32>) -> tensor<3x2xf32> {
  return %x : tensor<3x2xf32>
}
//--- call.mlir
func.func private @observe(tensor<3x2xf32>)
func.func @main(%x: tensor<3x2xf32>) -> tensor<3x2xf32> {
  func.call @observe(%x) : (tensor<3x2xf32>) -> ()
  %0 = arith.addf %x, %x : tensor<3x2xf32> loc("add")
  return %0 : tensor<3x2xf32>
}
