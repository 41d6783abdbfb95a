//===- Profile.cpp - What calibration learns of a model -----------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Quantization/Profile.h"
#include <cmath>
#include <limits>

using namespace nlq;

//===----------------------------------------------------------------------===//
// Histogram
//===----------------------------------------------------------------------===//

void Histogram::grow(int newExponent) {
  if (newExponent <= exponent)
    return;
  constexpr int half = kNumBins / 2;
  // More than this many doublings join each half into its innermost bin.
  int shift = std::min(newExponent - exponent, 11);
  std::array<uint64_t, kNumBins> joined;
  joined.fill(0);
  for (int bin = 0; bin < kNumBins; ++bin)
    joined[((bin - half) >> shift) + half] += bins[bin];
  bins = joined;
  exponent = newExponent;
}

void Histogram::add(llvm::ArrayRef<float> values) {
  float largest = 0;
  for (float value : values)
    largest = std::max(largest, std::fabs(value));
  // frexp: largest = m * 2^e with m in [1/2, 1), so 2^e is larger than it.
  int needed = kLeastExponent;
  if (largest > 0)
    std::frexp(largest, &needed);
  grow(needed);
  // The width of a bin is a power of two, so this division is exact.
  double perWidth = std::ldexp(kNumBins / 2, -exponent);
  for (float value : values)
    ++bins[int(std::floor(value * perWidth)) + kNumBins / 2];
}

void Histogram::merge(const Histogram &other) {
  Histogram addend = other;
  addend.grow(exponent);
  grow(addend.exponent);
  for (int bin = 0; bin < kNumBins; ++bin)
    bins[bin] += addend.bins[bin];
}

uint64_t Histogram::getCount() const {
  uint64_t count = 0;
  for (uint64_t bin : bins)
    count += bin;
  return count;
}

double Histogram::getEdge(int bin) const {
  return std::ldexp(double(bin - kNumBins / 2) / (kNumBins / 2), exponent);
}

//===----------------------------------------------------------------------===//
// Channels
//===----------------------------------------------------------------------===//

void ChannelProfile::add(llvm::ArrayRef<float> rows, int64_t channels) {
  if (empty()) {
    min.assign(channels, std::numeric_limits<float>::infinity());
    max.assign(channels, -std::numeric_limits<float>::infinity());
    sums.assign(channels, 0);
    squares.assign(channels, 0);
  }
  for (; !rows.empty(); rows = rows.drop_front(channels))
    for (int64_t channel = 0; channel < channels; ++channel) {
      float value = rows[channel];
      min[channel] = std::min(min[channel], value);
      max[channel] = std::max(max[channel], value);
      sums[channel] += value;
      squares[channel] += double(value) * value;
    }
}

void ChannelProfile::merge(const ChannelProfile &other) {
  for (size_t channel = 0; channel < size(); ++channel) {
    min[channel] = std::min(min[channel], other.min[channel]);
    max[channel] = std::max(max[channel], other.max[channel]);
    sums[channel] += other.sums[channel];
    squares[channel] += other.squares[channel];
  }
}

//===----------------------------------------------------------------------===//
// Profile
//===----------------------------------------------------------------------===//

const ValueProfile *Profile::lookup(llvm::StringRef name) const {
  auto it = values.find(name.str());
  return it == values.end() ? nullptr : &it->second;
}

llvm::Error Profile::merge(const Profile &other) {
  for (const auto &[name, value] : values) {
    const ValueProfile *addend = other.lookup(name);
    if (!addend)
      return llvm::createStringError(
          "cannot merge profiles: the second has no value '" + name + "'");
    if (addend->shape != value.shape)
      return llvm::createStringError("cannot merge profiles: the value '" +
                                     name +
                                     "' does not have the same shape in both");
    if (addend->channels.size() != value.channels.size())
      return llvm::createStringError(
          "cannot merge profiles: only one knows the channels of the value '" +
          name + "'");
    if (addend->moments.size() != value.moments.size())
      return llvm::createStringError(
          "cannot merge profiles: only one knows the moments of the value '" +
          name + "'");
    if (addend->kept.empty() != value.kept.empty())
      return llvm::createStringError(
          "cannot merge profiles: only one keeps arrays of the value '" + name +
          "'");
  }
  for (const auto &[name, value] : other.values)
    if (!lookup(name))
      return llvm::createStringError(
          "cannot merge profiles: the first has no value '" + name + "'");

  numSamples += other.numSamples;
  for (auto &[name, value] : values) {
    const ValueProfile &addend = *other.lookup(name);
    value.min = std::min(value.min, addend.min);
    value.max = std::max(value.max, addend.max);
    value.histogram.merge(addend.histogram);
    value.channels.merge(addend.channels);
    value.moments.merge(addend.moments);
    for (const Array &array : addend.kept)
      if (value.kept.size() < numKept)
        value.kept.push_back(array);
  }
  return llvm::Error::success();
}
