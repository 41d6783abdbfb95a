//===- FloatSamples.cpp - What a float model makes of samples -------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Quantization/FloatSamples.h"

using namespace nlq;

std::optional<size_t> FloatSamples::find(llvm::StringRef name) const {
  auto it = llvm::find(names, name);
  if (it == names.end())
    return std::nullopt;
  return size_t(it - names.begin());
}

KeptSamples::KeptSamples(const Profile &profile, uint64_t maxSamples) {
  count = maxSamples ? maxSamples : UINT64_MAX;
  for (const auto &[name, value] : profile.values) {
    if (value.kept.empty())
      continue;
    names.push_back(name);
    values.push_back(&value);
    count = std::min<uint64_t>(count, value.kept.size());
  }
  if (values.empty())
    count = 0;
}

llvm::Expected<std::optional<std::vector<Array>>> KeptSamples::next() {
  if (position == count)
    return std::nullopt;
  std::vector<Array> sample;
  for (const ValueProfile *value : values)
    sample.push_back(value->kept[position]);
  ++position;
  return sample;
}

ModelSamples::ModelSamples(const ExposedModel &model, ModelRunner &runner,
                           SampleSource source)
    : runner(runner), source(source) {
  for (const ExposedValue &value : model.arguments)
    names.push_back(value.name);
  for (const ExposedValue &value : model.results)
    names.push_back(value.name);
}

llvm::Expected<std::optional<std::vector<Array>>> ModelSamples::next() {
  auto arguments = source();
  if (!arguments)
    return arguments.takeError();
  if (!*arguments)
    return std::nullopt;
  std::vector<Array> sample = std::move(**arguments);
  llvm::Expected<std::vector<Array>> results = runner.run(sample);
  if (!results)
    return results.takeError();
  for (Array &array : *results)
    sample.push_back(std::move(array));
  if (sample.size() != names.size())
    return llvm::createStringError(
        "the float model gives " + llvm::Twine(sample.size()) +
        " values, expected " + llvm::Twine(names.size()));
  return sample;
}
