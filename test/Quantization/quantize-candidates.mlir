// RUN: split-file %s %t

// Scores of this range leave I-BERT's and FQ-ViT's polynomials no integers.
// RUN: nlq-opt %t/model.mlir \
// RUN:   --nlq-quantize="asymmetric=false weight-scales=extremes bias-correction=false profile=%t/coarse.json candidates=seed" \
// RUN:   | FileCheck %t/model.mlir --check-prefix=COARSE
// RUN: nlq-opt %t/model.mlir \
// RUN:   --nlq-quantize="asymmetric=false weight-scales=extremes bias-correction=false profile=%t/good.json candidates=standalone" \
// RUN:   | FileCheck %t/model.mlir --check-prefix=STANDALONE
// RUN: nlq-opt %t/model.mlir \
// RUN:   --nlq-quantize="asymmetric=false weight-scales=extremes bias-correction=false profile=%t/good.json candidates=extra,seed act-bits=6" \
// RUN:   | FileCheck %t/model.mlir --check-prefix=SIX
// RUN: not nlq-opt %t/model.mlir \
// RUN:   --nlq-quantize="asymmetric=false weight-scales=extremes bias-correction=false profile=%t/fine.json candidates=seed" 2>&1 \
// RUN:   | FileCheck %t/model.mlir --check-prefix=NOTHING

//--- good.json
{"format": "nlq-profile", "version": 1, "samples": 1, "kept": 0, "values": [
  {"name": "arg0", "shape": [3, 4], "min": -12.7, "max": 2},
  {"name": "probabilities", "shape": [3, 4], "min": 0, "max": 1}
]}
//--- coarse.json
{"format": "nlq-profile", "version": 1, "samples": 1, "kept": 0, "values": [
  {"name": "arg0", "shape": [3, 4], "min": -1e9, "max": 1e9},
  {"name": "probabilities", "shape": [3, 4], "min": 0, "max": 1}
]}
//--- fine.json
{"format": "nlq-profile", "version": 1, "samples": 1, "kept": 0, "values": [
  {"name": "arg0", "shape": [3, 4], "min": -1e-12, "max": 1e-12},
  {"name": "probabilities", "shape": [3, 4], "min": 0, "max": 1}
]}

//--- model.mlir
// COARSE: candidates = [#nlq.ivit<form = reference, in = !quant.uniform<i8<-127:127>:f32, 7.874020e+06>>], nlq.slot

// STANDALONE: candidates = [
// STANDALONE-SAME: #nlq.ibert<form = reference, in = !quant.uniform<i8<-127:127>:f32, 1.000000e-01>, out_bits = 8>,
// STANDALONE-SAME: #nlq.ivit<form = reference, in = !quant.uniform<i8<-127:127>:f32, 1.000000e-01>, out_bits = 8>,
// 14.7 / 255, and 12.7 of it below zero:
// STANDALONE-SAME: #nlq.fqvit<form = reference, in = !quant.uniform<u8:f32, 5.764710e-02:220>, out_bits = 4>

// SIX: candidates = [
// SIX-SAME: #nlq.ibert<form = reference, in = !quant.uniform<i8<-31:31>:f32, 4.096770e-01>>,
// SIX-SAME: #nlq.ibert<in = !quant.uniform<i8<-31:31>:f32, 4.096770e-01>>,
// SIX-SAME: #nlq.ibert<in = !quant.uniform<i16<-32767:32767>:f32, 3.875850e-04>>,
// SIX-SAME: #nlq.table<

// NOTHING: error: loc("probabilities"): 'nlq.softmax' op has no method that is legal here
// NOTHING: note: {{.*}}ibert (reference): {{.+}}
// NOTHING: note: {{.*}}ivit (reference): {{.+}}
// NOTHING: note: {{.*}}fqvit (reference): {{.+}}
func.func @main(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  %0 = nlq.softmax %x : tensor<3x4xf32> -> tensor<3x4xf32> loc("probabilities")
  return %0 : tensor<3x4xf32>
}
