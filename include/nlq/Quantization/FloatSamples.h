//===- FloatSamples.h - What a float model makes of samples -----*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Measuring and comparing hold quantized values to float ones, a sample at a
// time. The float values come from a profile that keeps some, or from the float
// model itself, run on each sample as it is needed: then no more than one
// sample is in memory, and none on disk.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_QUANTIZATION_FLOATSAMPLES_H
#define NLQ_QUANTIZATION_FLOATSAMPLES_H

#include "nlq/Quantization/Calibration.h"

namespace nlq {

/// A stream of samples: the named values (ValueNames.h) of a float model, its
/// arguments among them.
class FloatSamples {
public:
  virtual ~FloatSamples() = default;

  /// Names of the values, in the order of the function.
  llvm::ArrayRef<std::string> getNames() const { return names; }
  /// The index of a name; none if there is no such value.
  std::optional<size_t> find(llvm::StringRef name) const;

  /// The next sample, an F32 array per name; nothing after the last.
  virtual llvm::Expected<std::optional<std::vector<Array>>> next() = 0;

protected:
  std::vector<std::string> names;
};

/// The arrays that a profile keeps.
class KeptSamples : public FloatSamples {
public:
  /// At most `maxSamples` of them, the first ones; 0 is all. The profile must
  /// outlive the stream.
  explicit KeptSamples(const Profile &profile, uint64_t maxSamples = 0);

  llvm::Expected<std::optional<std::vector<Array>>> next() override;

private:
  std::vector<const ValueProfile *> values;
  uint64_t count = 0, position = 0;
};

/// The values that an exposed model computes.
class ModelSamples : public FloatSamples {
public:
  /// `runner` runs the model that exposeValues described as `model`, on the
  /// arguments that `source` gives. Both must outlive the stream.
  ModelSamples(const ExposedModel &model, ModelRunner &runner,
               SampleSource source);

  llvm::Expected<std::optional<std::vector<Array>>> next() override;

private:
  ModelRunner &runner;
  SampleSource source;
};

} // namespace nlq

#endif // NLQ_QUANTIZATION_FLOATSAMPLES_H
