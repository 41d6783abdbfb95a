// RUN: split-file %s %t
// RUN: %python %t/arrays.py %t/profile.bin
// RUN: nlq-opt %t/model.mlir \
// RUN:   --nlq-measure="profile=%t/profile.json scores=%t/scores.json" \
// RUN:   | FileCheck %t/model.mlir
// RUN: FileCheck %t/model.mlir --check-prefix=SCORES < %t/scores.json

// The bytes depend on module, samples and options only.
// RUN: nlq-opt %t/model.mlir -o %t/out.mlir \
// RUN:   --nlq-measure="profile=%t/profile.json scores=%t/again.json"
// RUN: cmp %t/scores.json %t/again.json

// RUN: nlq-opt %t/model.mlir -o %t/out.mlir \
// RUN:   --nlq-measure="profile=%t/profile.json scores=%t/own.json metrics=own"
// RUN: FileCheck %t/model.mlir --check-prefix=OWN < %t/own.json
// RUN: nlq-opt %t/model.mlir -o %t/out.mlir \
// RUN:   --nlq-measure="profile=%t/profile.json scores=%t/logits.json metrics=logits methods=ivit threads=2"
// RUN: FileCheck %t/model.mlir --check-prefix=LOGITS < %t/logits.json

// Where no product follows, `own` is measured in place of `consumer`.
// RUN: nlq-opt %t/last.mlir -o %t/out.mlir \
// RUN:   --nlq-measure="profile=%t/profile.json scores=%t/last.json metrics=consumer"
// RUN: FileCheck %t/last.mlir --check-prefix=LAST < %t/last.json
// RUN: nlq-opt %t/last.mlir --nlq-assign="scores=%t/last.json" 2>&1 \
// RUN:   | FileCheck %t/last.mlir

// RUN: nlq-opt %t/model.mlir -o %t/out.mlir 2>&1 \
// RUN:   --nlq-assign="scores=%t/scores.json" \
// RUN:   | FileCheck %t/model.mlir --check-prefix=REMARK
// RUN: FileCheck %t/model.mlir --check-prefix=BEST < %t/out.mlir
// Assigning again starts from the candidates, unless it is told not to.
// RUN: nlq-opt %t/out.mlir 2>&1 \
// RUN:   --nlq-assign="scores=%t/scores.json set=seed metric=own" \
// RUN:   | FileCheck %t/model.mlir --check-prefix=AGAIN
// RUN: nlq-opt %t/out.mlir 2>&1 \
// RUN:   --nlq-assign="scores=%t/scores.json set=seed keep-assigned" \
// RUN:   | FileCheck %t/model.mlir --check-prefix=KEPT
// RUN: nlq-opt %t/model.mlir 2>&1 \
// RUN:   --nlq-assign="scores=%t/scores.json policy=paper" \
// RUN:   | FileCheck %t/model.mlir --check-prefix=PAPER

// Scores of another module and what is no file of scores are refused.
// RUN: sed "s/127, -50/126, -50/" %t/model.mlir > %t/other.mlir
// RUN: not nlq-opt %t/other.mlir --nlq-assign="scores=%t/scores.json" 2>&1 \
// RUN:   | FileCheck %t/model.mlir --check-prefix=STALE
// RUN: not nlq-opt %t/model.mlir --nlq-assign="scores=%t/profile.json" 2>&1 \
// RUN:   | FileCheck %t/model.mlir --check-prefix=FORMAT
// RUN: not nlq-opt %t/model.mlir --nlq-assign="scores=%t/none.json" 2>&1 \
// RUN:   | FileCheck %t/model.mlir --check-prefix=NONE
// RUN: not nlq-opt %t/model.mlir 2>&1 \
// RUN:   --nlq-assign="scores=%t/own.json metric=consumer" \
// RUN:   | FileCheck %t/model.mlir --check-prefix=UNMEASURED

//--- arrays.py
# The float model: x, fc1 = x * [[1.27, -0.5], [0.3, 1]], gelu(fc1) and
# fc2 = gelu(fc1) * [[1.27, 0], [0, -1.27]].
import struct
import sys

x = [1.0, -0.5, 0.24, 2.0]
fc1 = [1.12, -1.0, 0.9048, 1.88]
gelu = [0.972880, -0.158655, 0.739416, 1.823498]
fc2 = [1.235558, 0.201492, 0.939058, -2.315843]
with open(sys.argv[1], "wb") as file:
    file.write(struct.pack("<16f", *x, *fc1, *gelu, *fc2))

//--- profile.json
{"format": "nlq-profile", "version": 1, "samples": 1, "kept": 1,
 "arrays": {"bytes": 64, "hash": "25e85f4b616e23df"}, "values": [
  {"name": "x", "shape": [2, 2], "min": -0.5, "max": 2,
   "kept": {"count": 1, "offset": 0}},
  {"name": "fc1", "shape": [2, 2], "min": -1, "max": 1.88,
   "kept": {"count": 1, "offset": 16}},
  {"name": "gelu", "shape": [2, 2], "min": -0.17, "max": 1.83,
   "kept": {"count": 1, "offset": 32}},
  {"name": "fc2", "shape": [2, 2], "min": -2.32, "max": 1.24,
   "kept": {"count": 1, "offset": 48}}
]}

//--- model.mlir
// Measuring changes nothing.
// CHECK: nlq.gelu
// CHECK-NOT: method =
// CHECK: return

!x = !quant.uniform<i8<-127:127>:f32, 2.000000e-02>
!acc1 = !quant.uniform<i32<-100000:100000>:f32:1, {2.000000e-04, 2.000000e-04}>
!act = !quant.uniform<i8<-127:127>:f32, 1.500000e-02>
!acc2 = !quant.uniform<i32<-100000:100000>:f32:1, {1.500000e-04, 1.500000e-04}>
!out = !quant.uniform<i32<-16777215:16777215>:f32, 1.000000e-04>

func.func @main(%arg0: tensor<2x2xf32> {nlq.name = "x"}) -> tensor<2x2xf32> {
  %w1 = arith.constant dense<[[127, -50], [30, 100]]> : tensor<2x2xi8>
  %w2 = arith.constant dense<[[127, 0], [0, -127]]> : tensor<2x2xi8>
  %zeros = arith.constant dense<0> : tensor<2x2xi32>
  %0 = quant.qcast %arg0 : tensor<2x2xf32> to tensor<2x2x!x>
  %1 = quant.scast %0 : tensor<2x2x!x> to tensor<2x2xi8>
  %2 = linalg.matmul ins(%1, %w1 : tensor<2x2xi8>, tensor<2x2xi8>)
      outs(%zeros : tensor<2x2xi32>) -> tensor<2x2xi32> loc("fc1")
  %3 = quant.scast %2 : tensor<2x2xi32> to tensor<2x2x!acc1>
  %4 = nlq.gelu %3 erf {
      candidates = [
        #nlq.ibert<form = reference>,
        #nlq.ivit<form = reference, in = !quant.uniform<i8<-127:127>:f32, 1.500000e-02>, out_bits = 8>,
        #nlq.table<in = !quant.uniform<i8<-127:127>:f32, 1.500000e-02>>],
      nlq.slot = "gelu"} : tensor<2x2x!acc1> -> tensor<2x2x!act> loc("gelu")
  %5 = quant.scast %4 : tensor<2x2x!act> to tensor<2x2xi8>
  %6 = linalg.matmul ins(%5, %w2 : tensor<2x2xi8>, tensor<2x2xi8>)
      outs(%zeros : tensor<2x2xi32>) -> tensor<2x2xi32> loc("fc2")
  %7 = quant.scast %6 : tensor<2x2xi32> to tensor<2x2x!acc2>
  %8 = nlq.requantize %7 half_up : tensor<2x2x!acc2> -> tensor<2x2x!out>
  %9 = quant.dcast %8 : tensor<2x2x!out> to tensor<2x2xf32>
  return %9 : tensor<2x2xf32>
}

// SCORES: "format": "nlq-scores",
// SCORES-NEXT: "version": 2,
// SCORES-NEXT: "hashes": {
// SCORES-NEXT: "module": "{{[0-9a-f]+}}",
// SCORES-NEXT: "samples": "{{[0-9a-f]+}}",
// SCORES-NEXT: "options": "{{[0-9a-f]+}}"
// SCORES: "samples": 1,
// SCORES: "name": "gelu",
// SCORES-NEXT: "op": "nlq.gelu",
// SCORES-NEXT: "consumers": [
// SCORES-NEXT: "fc2"
// SCORES: "elements": 4,
// SCORES: "method": "#nlq.ibert<form = reference>",
// SCORES-NEXT: "own": {{[0-9.]+}},
// SCORES-NEXT: "consumer": {{[0-9.]+}},
// SCORES-NEXT: "paper": {{-?[0-9.]+}},
// SCORES-NEXT: "logits": null,
// SCORES-NEXT: "cost": {{[0-9.]+}}
// SCORES: "method": "#nlq.ivit<form = reference, in = !quant.uniform<i8<-127:127>:f32, 1.500000e-02>, out_bits = 8>",
// SCORES: "paper": {{-?[0-9.]+}},
// Tables are not of the mixed method's paper.
// SCORES: "method": "#nlq.table<in = !quant.uniform<i8<-127:127>:f32, 1.500000e-02>>",
// SCORES: "paper": null,

// OWN: "own": {{[0-9.]+}},
// OWN-NEXT: "consumer": null,
// OWN-NEXT: "paper": null,

// One candidate is of I-ViT.
// LOGITS: "logits": null,
// LOGITS: "own": null,
// LOGITS-NEXT: "consumer": null,
// LOGITS-NEXT: "paper": null,
// LOGITS-NEXT: "logits": {{[0-9.]+}},
// LOGITS: "logits": null,

// REMARK: remark: loc("gelu"): nlq-assign: 'gelu' chosen #nlq.table<form = corrected, in = i8, out_bits = 16> by consumer 45.5 dB, 2.9 dB over #nlq.ibert<form = reference, out_bits = 16>
// BEST: nlq.gelu {{.*}}method = #nlq.table<
// AGAIN: remark: nlq-assign: 'gelu' chosen #nlq.ibert<form = reference, out_bits = 16> by own
// AGAIN: nlq.gelu {{.*}}method = #nlq.ibert<
// KEPT: remark: nlq-assign: 'gelu' chosen #nlq.table<form = corrected, in = i8, out_bits = 16> kept, it was assigned before
// PAPER: remark: loc("gelu"): nlq-assign: 'gelu' chosen #nlq.i{{.*}} by paper {{.*}} dB, {{.*}} dB under #nlq.i

// STALE: error: the scores are stale: they were measured on a module with the hash
// FORMAT: error: nlq-assign: {{.*}}profile.json: is no scores file: 'format' must be 'nlq-scores'
// NONE: error: nlq-assign: {{.*}}none.json: No such file or directory
// UNMEASURED: error: loc("gelu"): 'nlq.gelu' op 'gelu' has no score by 'consumer': it was not measured

//--- last.mlir
// LAST: "consumers": [],
// LAST: "own": {{[0-9.]+}},
// LAST-NEXT: "consumer": null,
// CHECK: 'gelu' chosen #nlq.{{.*}} by own

!x = !quant.uniform<i8<-127:127>:f32, 2.000000e-02>
!acc = !quant.uniform<i32<-100000:100000>:f32:1, {2.000000e-04, 2.000000e-04}>
!act = !quant.uniform<i8<-127:127>:f32, 1.500000e-02>

func.func @main(%arg0: tensor<2x2xf32> {nlq.name = "x"}) -> tensor<2x2xf32> {
  %w = arith.constant dense<[[127, -50], [30, 100]]> : tensor<2x2xi8>
  %zeros = arith.constant dense<0> : tensor<2x2xi32>
  %0 = quant.qcast %arg0 : tensor<2x2xf32> to tensor<2x2x!x>
  %1 = quant.scast %0 : tensor<2x2x!x> to tensor<2x2xi8>
  %2 = linalg.matmul ins(%1, %w : tensor<2x2xi8>, tensor<2x2xi8>)
      outs(%zeros : tensor<2x2xi32>) -> tensor<2x2xi32> loc("fc1")
  %3 = quant.scast %2 : tensor<2x2xi32> to tensor<2x2x!acc>
  %4 = nlq.gelu %3 erf {candidates = [#nlq.ibert<form = reference>],
      nlq.slot = "gelu"} : tensor<2x2x!acc> -> tensor<2x2x!act> loc("gelu")
  %5 = quant.dcast %4 : tensor<2x2x!act> to tensor<2x2xf32>
  return %5 : tensor<2x2xf32>
}
