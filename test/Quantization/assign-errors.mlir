// Each error names the operation, what was asked for and what there is.

// RUN: split-file %s %t
// RUN: nlq-opt %t/model.mlir -verify-diagnostics -o %t/out.mlir \
// RUN:   --nlq-assign="policy=uniform method=ivit methods=table form=reference"
// RUN: not nlq-opt %t/plain.mlir 2>&1 \
// RUN:   --nlq-assign="policy=uniform method=ibert form=corrected" \
// RUN:   | FileCheck %t/plain.mlir --check-prefix=FORM
// RUN: not nlq-opt %t/plain.mlir 2>&1 \
// RUN:   --nlq-assign="policy=uniform method=ibert in-bits=8 out-bits=4" \
// RUN:   | FileCheck %t/plain.mlir --check-prefix=WIDTHS
// RUN: not nlq-opt %t/plain.mlir 2>&1 \
// RUN:   --nlq-assign="policy=uniform method=ivit" \
// RUN:   | FileCheck %t/plain.mlir --check-prefix=LACKS
// RUN: not nlq-opt %t/plain.mlir --nlq-assign="policy=uniform" 2>&1 \
// RUN:   | FileCheck %t/plain.mlir --check-prefix=NOMETHOD
// RUN: not nlq-opt %t/plain.mlir --nlq-assign 2>&1 \
// RUN:   | FileCheck %t/plain.mlir --check-prefix=NOSCORES
// RUN: not nlq-opt %t/plain.mlir --nlq-assign="policy=worst" 2>&1 \
// RUN:   | FileCheck %t/plain.mlir --check-prefix=POLICY
// RUN: not nlq-opt %t/plain.mlir --nlq-assign="metric=tokens" 2>&1 \
// RUN:   | FileCheck %t/plain.mlir --check-prefix=METRIC
// RUN: not nlq-opt %t/plain.mlir --nlq-assign="methods=ibert,magic" 2>&1 \
// RUN:   | FileCheck %t/plain.mlir --check-prefix=METHODS
// RUN: not nlq-opt %t/plain.mlir --nlq-assign="form=best" 2>&1 \
// RUN:   | FileCheck %t/plain.mlir --check-prefix=WORD
// RUN: not nlq-opt %t/plain.mlir --nlq-assign="set=paper" 2>&1 \
// RUN:   | FileCheck %t/plain.mlir --check-prefix=SET
// RUN: not nlq-opt %t/plain.mlir --nlq-measure="profile=p.json" 2>&1 \
// RUN:   | FileCheck %t/plain.mlir --check-prefix=FILES
// RUN: not nlq-opt %t/plain.mlir 2>&1 \
// RUN:   --nlq-measure="profile=p.json scores=s.json threads=-1" \
// RUN:   | FileCheck %t/plain.mlir --check-prefix=THREADS
// RUN: not nlq-opt %t/plain.mlir 2>&1 \
// RUN:   --nlq-measure="profile=p.json scores=s.json set=paper" \
// RUN:   | FileCheck %t/plain.mlir --check-prefix=MEASURED

//--- model.mlir
// `methods` does not matter to policy 'uniform': its method, and its fallback,
// are the ones allowed.
!a = !quant.uniform<i32<-100000:100000>:f32, 2.000000e-04>
!b = !quant.uniform<i8<-127:127>:f32, 1.500000e-02>
func.func @main(%arg0: tensor<2x2xi32>) -> tensor<2x2xi8> {
  %0 = quant.scast %arg0 : tensor<2x2xi32> to tensor<2x2x!a>
  // expected-remark @+1 {{nlq-assign: 'gelu' chosen #nlq.ivit<form = reference, in = i8, out_bits = 8> by policy 'uniform'}}
  %1 = nlq.gelu %0 erf {candidates = [
      #nlq.ibert<form = reference>,
      #nlq.ivit<form = corrected, in = !quant.uniform<i8<-127:127>:f32, 1.500000e-02>, out_bits = 8>,
      #nlq.ivit<form = reference, in = !quant.uniform<i8<-127:127>:f32, 1.500000e-02>, out_bits = 8>],
      nlq.slot = "gelu"} : tensor<2x2x!a> -> tensor<2x2x!b>
  %2 = quant.scast %1 : tensor<2x2x!b> to tensor<2x2xi8>
  return %2 : tensor<2x2xi8>
}

//--- plain.mlir
// FORM: error: 'nlq.gelu' op 'gelu' has no candidate that policy 'uniform' may choose (methods = ibert, form = corrected)
// FORM: note: available: #nlq.ibert<form = reference, out_bits = 16>
// WIDTHS: (methods = ibert, in-bits = 8, out-bits = 4)
// LACKS: (methods = ivit)
// NOMETHOD: error: policy 'uniform' needs a method of the registry, found ''; known are ibert
// NOSCORES: error: policy 'best' needs scores; measure first
// POLICY: error: nlq-assign: unknown policy 'worst'; paper, best and uniform are known
// METRIC: error: nlq-assign: unknown metric 'tokens'; own, consumer, paper and logits are known
// METHODS: error: nlq-assign: unknown method 'magic'; ibert,
// WORD: error: nlq-assign: unknown form 'best'; reference and corrected are known
// SET: error: nlq-assign: unknown set 'paper'; seed, standalone, extra and other are known
// THREADS: error: nlq-measure: the option 'threads' must not be negative, found -1
// MEASURED: error: nlq-measure: unknown set 'paper'; seed, standalone, extra and other are known
// FILES: error: nlq-measure needs the options 'profile' and 'scores'
!a = !quant.uniform<i32<-100000:100000>:f32, 2.000000e-04>
!b = !quant.uniform<i8<-127:127>:f32, 1.500000e-02>
func.func @main(%arg0: tensor<2x2xi32>) -> tensor<2x2xi8> {
  %0 = quant.scast %arg0 : tensor<2x2xi32> to tensor<2x2x!a>
  %1 = nlq.gelu %0 erf {candidates = [#nlq.ibert<form = reference>],
      nlq.slot = "gelu"} : tensor<2x2x!a> -> tensor<2x2x!b>
  %2 = quant.scast %1 : tensor<2x2x!b> to tensor<2x2xi8>
  return %2 : tensor<2x2xi8>
}
