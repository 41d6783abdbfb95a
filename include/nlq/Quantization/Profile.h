//===- Profile.h - What calibration learns of a model ---------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A profile holds, for every named float value of a model (ValueNames.h), its
// range and histogram over all calibration samples, and for some values the
// whole arrays of the first samples.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_QUANTIZATION_PROFILE_H
#define NLQ_QUANTIZATION_PROFILE_H

#include "nlq/Execution/ModelRunner.h"
#include "nlq/Quantization/Moments.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringRef.h"
#include <algorithm>
#include <array>
#include <map>
#include <string>

namespace nlq {

/// Counts of values in 2048 bins of equal width over [-limit, limit), where
/// limit = 2^exponent is the least power of two, of those from 2^-64 up, that
/// is larger than every magnitude seen. Bin edges of a smaller limit are bin
/// edges of a larger one, so neither the order of the values nor how they were
/// split over histograms that are merged changes any count.
class Histogram {
public:
  static constexpr int kNumBins = 2048;
  static constexpr int kLeastExponent = -64;

  Histogram() { bins.fill(0); }
  Histogram(int exponent, const std::array<uint64_t, kNumBins> &bins)
      : exponent(exponent), bins(bins) {}

  /// Counts finite values.
  void add(llvm::ArrayRef<float> values);
  void merge(const Histogram &other);

  int getExponent() const { return exponent; }
  llvm::ArrayRef<uint64_t> getBins() const { return bins; }
  uint64_t getCount() const;
  /// The lower edge of a bin; that of bin kNumBins is the limit.
  double getEdge(int bin) const;

private:
  /// Makes limit at least 2^newExponent, joining bins.
  void grow(int newExponent);

  int exponent = kLeastExponent;
  std::array<uint64_t, kNumBins> bins;
};

/// What is known of each entry of a value's last dimension, over all others and
/// all samples.
struct ChannelProfile {
  /// Extremes.
  std::vector<float> min, max;
  /// Sums of the values and of their squares.
  std::vector<double> sums, squares;

  size_t size() const { return min.size(); }
  bool empty() const { return min.empty(); }
  /// Counts rows of as many finite values as there are channels; their number
  /// is set by the first ones.
  void add(llvm::ArrayRef<float> rows, int64_t channels);
  /// Both have as many channels. Sums are those of one count over all rows up
  /// to rounding.
  void merge(const ChannelProfile &other);
};

/// What is known of one value.
struct ValueProfile {
  llvm::SmallVector<int64_t, 4> shape;
  /// Extremes over all samples, as they occur.
  float min = 0;
  float max = 0;
  Histogram histogram;
  /// Empty where channels are not looked at.
  ChannelProfile channels;
  /// Empty but for what products with constant weights read.
  Moments moments;
  /// The value in the first samples, one F32 array each; empty where arrays of
  /// this value are not kept.
  std::vector<Array> kept;

  /// The largest magnitude.
  double getAbsMax() const { return std::max(-double(min), double(max)); }
};

struct Profile {
  /// Samples seen, and for how many of them arrays are kept at most.
  uint64_t numSamples = 0;
  uint64_t numKept = 0;
  /// By name, in the order of the function.
  llvm::MapVector<std::string, ValueProfile, std::map<std::string, unsigned>>
      values;

  /// The value of that name, or null.
  const ValueProfile *lookup(llvm::StringRef name) const;

  /// Adds what another profile of the same model has seen after this one: the
  /// result is that of one calibration over all samples in order, but kept
  /// arrays past `numKept` are dropped. Fails, changing nothing, if the two do
  /// not have the same values, shapes and kept arrays.
  llvm::Error merge(const Profile &other);

  /// Writes `path`, whose name ends in .json, and the arrays into the file of
  /// the same name that ends in .bin. Each is written beside its place first
  /// and renamed, so no half-written file is left. The bytes depend on the
  /// profile only; floats in the .bin file are little endian.
  llvm::Error save(llvm::StringRef path) const;

  /// Reads what save wrote. A file that is missing, cut off or not a profile
  /// gives an error that names the file.
  static llvm::Expected<Profile> load(llvm::StringRef path);
};

} // namespace nlq

#endif // NLQ_QUANTIZATION_PROFILE_H
