//===- MeasureNetworks.cpp - Networks of one method -----------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MeasureNetworks.h"
#include "nlq/Methods/Registry.h"
#include "nlq/Quantization/AssignCandidates.h"

using namespace mlir;
using namespace nlq;

/// The candidate of a slot in the network of `method`: of the published form if
/// there is one. None if the network has no legal method there.
static std::optional<size_t> chooseInNetwork(const MeasuredSlot &slot,
                                             const methods::Method &method) {
  CandidateFilter filter;
  filter.set = methods::Profile::Seed;
  filter.form = methods::Form::Reference;
  if (std::optional<size_t> index = findUniform(slot.op, method.name, filter))
    return index;
  filter.form = std::nullopt;
  return findUniform(slot.op, method.name, filter);
}

/// Adds the scores of one network.
static llvm::Error
measureNetwork(ModuleOp module, const std::vector<MeasuredSlot> &slots,
               const std::vector<std::vector<Array>> &samples,
               const methods::Method &method, ArrayRef<size_t> chosen,
               std::vector<NetworkScore> &scores) {
  MethodMap methods;
  SmallVector<Value> taps;
  llvm::DenseMap<Value, std::pair<const QuantizedValue *, MeanRatio>> ratios;
  for (auto [slot, index] : llvm::zip(slots, chosen)) {
    NonlinearOpInterface op = slot.op;
    methods[op] = cast<MethodAttrInterface>(op.getCandidatesAttr()[index]);
    for (const QuantizedValue *value : {&slot.operand, &slot.result}) {
      taps.push_back(value->value);
      ratios[value->value] = {value, MeanRatio()};
    }
  }
  auto runner = ReferenceRunner::create(module, &methods);
  if (!runner)
    return runner.takeError();
  for (auto [sample, arguments] : llvm::enumerate(samples)) {
    auto results = (*runner)->run(
        arguments, taps, [&, sample = sample](Value tap, const Array &array) {
          auto &[value, ratio] = ratios[tap];
          ratio.add(value->reference->kept[sample].as<float>(),
                    dequantizeArray(value->type, array));
        });
    if (!results)
      return results.takeError();
  }
  for (auto [index, slot] : llvm::enumerate(slots)) {
    NonlinearOpInterface op = slot.op;
    auto candidate =
        cast<MethodAttrInterface>(op.getCandidatesAttr()[chosen[index]]);
    if (candidate.getMethodName() != method.name)
      continue; // another method's, in its place
    double before = ratios[slot.operand.value].second.getDecibels();
    double after = ratios[slot.result.value].second.getDecibels();
    scores.push_back({index, chosen[index], before - after});
  }
  return llvm::Error::success();
}

llvm::Expected<std::vector<NetworkScore>>
nlq::measureNetworks(ModuleOp module, const std::vector<MeasuredSlot> &slots,
                     const std::vector<std::vector<Array>> &samples) {
  std::vector<NetworkScore> scores;
  for (const methods::Method *method : methods::allMethods()) {
    if (!hasSet(*method, methods::Profile::Seed))
      continue;
    SmallVector<size_t> chosen;
    for (const MeasuredSlot &slot : slots)
      if (std::optional<size_t> index = chooseInNetwork(slot, *method))
        chosen.push_back(*index);
    if (chosen.size() != slots.size())
      continue;
    if (llvm::Error error =
            measureNetwork(module, slots, samples, *method, chosen, scores))
      return error;
  }
  return scores;
}
