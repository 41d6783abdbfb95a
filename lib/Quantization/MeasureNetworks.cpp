//===- MeasureNetworks.cpp - Networks of one method -----------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `paper`: each slot's operand and result, inside of a network that has one
// method throughout, against their float values.
//
//===----------------------------------------------------------------------===//

#include "Measurers.h"
#include "nlq/Methods/Registry.h"
#include "nlq/Quantization/AssignCandidates.h"

using namespace mlir;
using namespace nlq;

namespace {

/// The model with one method.
struct Network {
  const methods::Method *method;
  /// The candidate of each slot.
  SmallVector<size_t> chosen;
  std::unique_ptr<ReferenceRunner> runner;
  SmallVector<Value> taps;
  llvm::DenseMap<Value, std::pair<const QuantizedValue *, MeanRatio>> ratios;

  llvm::Error add(ArrayRef<Array> sample, ArrayRef<Array> arguments);
};

class NetworkMeasurer : public Measurer {
public:
  explicit NetworkMeasurer(const MeasureContext &context) : context(context) {}

  LogicalResult prepare();
  llvm::Error addTasks(ArrayRef<Array> sample, ArrayRef<Array> arguments,
                       std::vector<Task> &tasks) override;
  void write(Scores &scores) const override;

private:
  LogicalResult prepare(Network &network);

  const MeasureContext &context;
  std::vector<Network> networks;
};

} // namespace

/// The candidate of a slot in the network of `method`: of the published form if
/// there is one. Where the method is not legal the first one is that is; none
/// if there is no such candidate either.
static std::optional<size_t> chooseInNetwork(const MeasuredSlot &slot,
                                             const methods::Method &method) {
  CandidateFilter filter;
  filter.set = methods::Profile::Seed;
  filter.form = methods::Form::Reference;
  if (std::optional<size_t> index = findUniform(slot.op, method.name, filter))
    return index;
  filter.form = std::nullopt;
  if (std::optional<size_t> index = findUniform(slot.op, method.name, filter))
    return index;
  NonlinearOpInterface op = slot.op;
  for (auto [index, candidate] : llvm::enumerate(op.getCandidatesAttr()))
    if (filter.allows(cast<MethodAttrInterface>(candidate), op.getFunction()))
      return index;
  return std::nullopt;
}

static MethodAttrInterface getCandidate(const MeasuredSlot &slot,
                                        size_t index) {
  NonlinearOpInterface op = slot.op;
  return cast<MethodAttrInterface>(op.getCandidatesAttr()[index]);
}

LogicalResult NetworkMeasurer::prepare() {
  for (const methods::Method *method : methods::allMethods()) {
    if (!hasSet(*method, methods::Profile::Seed))
      continue;
    Network network;
    network.method = method;
    for (const MeasuredSlot &slot : context.slots)
      if (std::optional<size_t> index = chooseInNetwork(slot, *method))
        network.chosen.push_back(*index);
    if (network.chosen.size() != context.slots.size())
      continue;
    if (failed(prepare(network)))
      return failure();
    networks.push_back(std::move(network));
  }
  return success();
}

LogicalResult NetworkMeasurer::prepare(Network &network) {
  MethodMap methods;
  for (auto [slot, index] : llvm::zip(context.slots, network.chosen)) {
    methods[slot.op] = getCandidate(slot, index);
    for (const QuantizedValue *value : {&slot.operand, &slot.result}) {
      network.taps.push_back(value->value);
      network.ratios[value->value] = {value, MeanRatio()};
    }
  }
  auto runner = ReferenceRunner::create(context.module, &methods);
  if (!runner)
    return failMeasuring(context.module, runner.takeError());
  network.runner = std::move(*runner);
  return success();
}

llvm::Error Network::add(ArrayRef<Array> sample, ArrayRef<Array> arguments) {
  auto results =
      runner->run(arguments, taps, [&](Value tap, const Array &array) {
        auto &[value, ratio] = ratios[tap];
        ratio.add(sample[*value->reference].as<float>(),
                  dequantizeArray(value->type, array));
      });
  return results ? llvm::Error::success() : results.takeError();
}

llvm::Error NetworkMeasurer::addTasks(ArrayRef<Array> sample,
                                      ArrayRef<Array> arguments,
                                      std::vector<Task> &tasks) {
  for (Network &network : networks)
    tasks.push_back([&network, sample, arguments] {
      return network.add(sample, arguments);
    });
  return llvm::Error::success();
}

void NetworkMeasurer::write(Scores &scores) const {
  for (const Network &network : networks)
    for (auto [slot, index, entry] :
         llvm::zip(context.slots, network.chosen, scores.slots)) {
      if (getCandidate(slot, index).getMethodName() != network.method->name)
        continue; // another method's, in its place
      auto getRatio = [&](const QuantizedValue &value) {
        return network.ratios.lookup(value.value).second.getDecibels();
      };
      entry.candidates[index].set(
          Metric::Paper,
          roundScore(getRatio(slot.operand) - getRatio(slot.result)));
    }
}

FailureOr<std::unique_ptr<Measurer>>
nlq::makeNetworkMeasurer(const MeasureContext &context) {
  auto measurer = std::make_unique<NetworkMeasurer>(context);
  if (failed(measurer->prepare()))
    return failure();
  return std::unique_ptr<Measurer>(std::move(measurer));
}
