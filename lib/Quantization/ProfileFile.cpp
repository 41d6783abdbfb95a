//===- ProfileFile.cpp - Saving and loading profiles --------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A profile is two files. The .json file holds what a person may want to read
// and says where in the .bin file the arrays are: histograms as 64-bit counts,
// channels as 32-bit extremes and 64-bit sums, moments as 64-bit sums, kept
// arrays as 32-bit floats, little endian. It also holds the size and a hash of
// the .bin file, so that two files that do not belong together are refused.
//
// A profile written by hand may hold ranges only: without "arrays" there is no
// .bin file, without "histogram", "channels", "moments" and "kept" a value has
// none.
//
//===----------------------------------------------------------------------===//

#include "nlq/Quantization/Profile.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Support/xxhash.h"
#include <cmath>

using namespace nlq;
namespace json = llvm::json;
namespace endian = llvm::support::endian;

static constexpr llvm::StringLiteral kFormat = "nlq-profile";
static constexpr int64_t kVersion = 1;
static constexpr size_t kHistogramBytes = Histogram::kNumBins * 8;

static std::string getArraysPath(llvm::StringRef path) {
  llvm::SmallString<128> arrays(path);
  llvm::sys::path::replace_extension(arrays, ".bin");
  return arrays.str().str();
}

static llvm::Error checkPath(llvm::StringRef path) {
  if (llvm::sys::path::extension(path) == ".json")
    return llvm::Error::success();
  return llvm::createStringError(path +
                                 ": the name of a profile must end in '.json'");
}

static std::string hashOf(llvm::StringRef bytes) {
  return llvm::utohexstr(llvm::xxh3_64bits(bytes), /*LowerCase=*/true,
                         /*Width=*/16);
}

//===----------------------------------------------------------------------===//
// Saving
//===----------------------------------------------------------------------===//

static void appendHistogram(std::string &arrays, const Histogram &histogram) {
  for (uint64_t count : histogram.getBins()) {
    char bytes[8];
    endian::write64le(bytes, count);
    arrays.append(bytes, sizeof(bytes));
  }
}

static void appendFloats(std::string &arrays, llvm::ArrayRef<float> values) {
  for (float value : values) {
    char bytes[4];
    endian::write32le(bytes, llvm::bit_cast<uint32_t>(value));
    arrays.append(bytes, sizeof(bytes));
  }
}

static void appendDoubles(std::string &arrays, llvm::ArrayRef<double> values) {
  for (double value : values) {
    char bytes[8];
    endian::write64le(bytes, llvm::bit_cast<uint64_t>(value));
    arrays.append(bytes, sizeof(bytes));
  }
}

static void writeValue(json::OStream &stream, llvm::StringRef name,
                       const ValueProfile &value, std::string &arrays) {
  stream.objectBegin();
  stream.attribute("name", name);
  stream.attributeArray("shape", [&] {
    for (int64_t extent : value.shape)
      stream.value(extent);
  });
  stream.attribute("min", value.min);
  stream.attribute("max", value.max);
  stream.attributeObject("histogram", [&] {
    stream.attribute("exponent", value.histogram.getExponent());
    stream.attribute("offset", int64_t(arrays.size()));
    appendHistogram(arrays, value.histogram);
  });
  if (!value.channels.empty())
    stream.attributeObject("channels", [&] {
      stream.attribute("offset", int64_t(arrays.size()));
      appendFloats(arrays, value.channels.min);
      appendFloats(arrays, value.channels.max);
      appendDoubles(arrays, value.channels.sums);
      appendDoubles(arrays, value.channels.squares);
    });
  if (!value.moments.empty())
    stream.attributeObject("moments", [&] {
      stream.attribute("offset", int64_t(arrays.size()));
      appendDoubles(arrays, value.moments.getSums());
    });
  stream.attributeObject("kept", [&] {
    stream.attribute("count", int64_t(value.kept.size()));
    stream.attribute("offset", int64_t(arrays.size()));
    for (const Array &array : value.kept)
      appendFloats(arrays, array.as<float>());
  });
  stream.objectEnd();
}

llvm::Error Profile::save(llvm::StringRef path) const {
  if (llvm::Error error = checkPath(path))
    return error;
  std::string arrays, values;
  {
    llvm::raw_string_ostream os(values);
    json::OStream stream(os, 1);
    stream.array([&] {
      for (const auto &[name, value] : this->values)
        writeValue(stream, name, value, arrays);
    });
  }

  // The arrays first: a .json file is only there once its arrays are.
  auto write =
      [](llvm::StringRef file,
         llvm::function_ref<void(llvm::raw_ostream &)> print) -> llvm::Error {
    llvm::Error error =
        llvm::writeToOutput(file, [&](llvm::raw_ostream &os) -> llvm::Error {
          print(os);
          return llvm::Error::success();
        });
    if (!error)
      return error;
    return llvm::createStringError("cannot write '" + file +
                                   "': " + llvm::toString(std::move(error)));
  };
  if (llvm::Error error =
          write(getArraysPath(path), [&](auto &os) { os << arrays; }))
    return error;
  return write(path, [&](llvm::raw_ostream &os) {
    json::OStream stream(os, 1);
    stream.object([&] {
      stream.attribute("format", kFormat);
      stream.attribute("version", kVersion);
      stream.attribute("samples", numSamples);
      stream.attribute("kept", numKept);
      stream.attributeObject("arrays", [&] {
        stream.attribute("bytes", int64_t(arrays.size()));
        stream.attribute("hash", hashOf(arrays));
      });
      stream.attributeBegin("values");
      stream.rawValue(values);
      stream.attributeEnd();
    });
    os << "\n";
  });
}

//===----------------------------------------------------------------------===//
// Loading
//===----------------------------------------------------------------------===//

namespace {
/// What the .json file says, as it stands there.
struct HistogramEntry {
  int64_t exponent, offset;
};
struct ChannelsEntry {
  int64_t offset;
};
struct MomentsEntry {
  int64_t offset;
};
struct KeptEntry {
  int64_t count, offset;
};
struct ValueEntry {
  std::string name;
  std::vector<int64_t> shape;
  double min, max;
  std::optional<HistogramEntry> histogram;
  std::optional<ChannelsEntry> channels;
  std::optional<MomentsEntry> moments;
  std::optional<KeptEntry> kept;
};
struct ArraysEntry {
  int64_t bytes;
  std::string hash;
};
struct ProfileEntry {
  std::string format;
  int64_t version;
  uint64_t samples, kept;
  std::optional<ArraysEntry> arrays;
  std::vector<ValueEntry> values;
};

bool fromJSON(const json::Value &json, HistogramEntry &entry, json::Path path) {
  json::ObjectMapper map(json, path);
  return map && map.map("exponent", entry.exponent) &&
         map.map("offset", entry.offset);
}

bool fromJSON(const json::Value &json, ChannelsEntry &entry, json::Path path) {
  json::ObjectMapper map(json, path);
  return map && map.map("offset", entry.offset);
}

bool fromJSON(const json::Value &json, MomentsEntry &entry, json::Path path) {
  json::ObjectMapper map(json, path);
  return map && map.map("offset", entry.offset);
}

bool fromJSON(const json::Value &json, KeptEntry &entry, json::Path path) {
  json::ObjectMapper map(json, path);
  return map && map.map("count", entry.count) &&
         map.map("offset", entry.offset);
}

bool fromJSON(const json::Value &json, ArraysEntry &entry, json::Path path) {
  json::ObjectMapper map(json, path);
  return map && map.map("bytes", entry.bytes) && map.map("hash", entry.hash);
}

bool fromJSON(const json::Value &json, ValueEntry &entry, json::Path path) {
  json::ObjectMapper map(json, path);
  return map && map.map("name", entry.name) && map.map("shape", entry.shape) &&
         map.map("min", entry.min) && map.map("max", entry.max) &&
         map.map("histogram", entry.histogram) &&
         map.map("channels", entry.channels) &&
         map.map("moments", entry.moments) && map.map("kept", entry.kept);
}

bool fromJSON(const json::Value &json, ProfileEntry &entry, json::Path path) {
  json::ObjectMapper map(json, path);
  return map && map.map("format", entry.format) &&
         map.map("version", entry.version) &&
         map.map("samples", entry.samples) && map.map("kept", entry.kept) &&
         map.map("arrays", entry.arrays) && map.map("values", entry.values);
}
} // namespace

/// The part of the .bin file at `offset`; empty if it is not all there.
static llvm::StringRef slice(llvm::StringRef arrays, uint64_t offset,
                             uint64_t size) {
  if (offset > arrays.size() || size > arrays.size() - offset)
    return {};
  return arrays.substr(offset, size);
}

static bool readHistogram(const HistogramEntry &entry, llvm::StringRef arrays,
                          Histogram &histogram) {
  llvm::StringRef bytes = slice(arrays, entry.offset, kHistogramBytes);
  if (bytes.empty() || entry.exponent < Histogram::kLeastExponent ||
      entry.exponent > 128)
    return false;
  std::array<uint64_t, Histogram::kNumBins> bins;
  for (auto [index, bin] : llvm::enumerate(bins))
    bin = endian::read64le(bytes.data() + 8 * index);
  histogram = Histogram(int(entry.exponent), bins);
  return true;
}

/// False if the channels are not all there, or hold what no value has.
static bool readChannels(const ChannelsEntry &entry, llvm::StringRef arrays,
                         const ValueProfile &value, ChannelProfile &channels) {
  if (value.shape.empty())
    return false;
  uint64_t count = value.shape.back();
  llvm::StringRef bytes = slice(arrays, entry.offset, count * 24);
  if (bytes.empty())
    return false;
  const char *next = bytes.data();
  for (std::vector<float> *floats : {&channels.min, &channels.max}) {
    for (uint64_t index = 0; index < count; ++index, next += 4)
      floats->push_back(llvm::bit_cast<float>(endian::read32le(next)));
  }
  for (std::vector<double> *sums : {&channels.sums, &channels.squares}) {
    for (uint64_t index = 0; index < count; ++index, next += 8)
      sums->push_back(llvm::bit_cast<double>(endian::read64le(next)));
  }
  for (uint64_t index = 0; index < count; ++index)
    if (!(value.min <= channels.min[index] &&
          channels.min[index] <= channels.max[index] &&
          channels.max[index] <= value.max) ||
        !std::isfinite(channels.sums[index]) ||
        !std::isfinite(channels.squares[index]))
      return false;
  return true;
}

/// False if the moments are not all there, or not finite.
static bool readMoments(const MomentsEntry &entry, llvm::StringRef arrays,
                        const ValueProfile &value, Moments &moments) {
  // More channels would need more bytes than there can be.
  constexpr uint64_t mostChannels = uint64_t(1) << 24;
  if (value.shape.empty() || uint64_t(value.shape.back()) > mostChannels)
    return false;
  uint64_t channels = value.shape.back();
  uint64_t count = channels * (channels + 1) / 2;
  llvm::StringRef bytes = slice(arrays, entry.offset, count * 8);
  if (bytes.empty())
    return false;
  std::vector<double> sums(count);
  for (auto [index, sum] : llvm::enumerate(sums)) {
    sum = llvm::bit_cast<double>(endian::read64le(bytes.data() + 8 * index));
    if (!std::isfinite(sum))
      return false;
  }
  moments = Moments(channels, std::move(sums));
  return true;
}

static llvm::Expected<ValueProfile>
readValue(const ValueEntry &entry, llvm::StringRef arrays, uint64_t numKept) {
  auto fail = [&](const llvm::Twine &what) {
    return llvm::createStringError("the value '" + entry.name + "' " + what);
  };
  ValueProfile value;
  uint64_t elements = 1;
  for (int64_t extent : entry.shape) {
    constexpr uint64_t largest = uint64_t(1) << 40;
    if (extent < 1 || uint64_t(extent) > largest / elements)
      return fail("has no valid shape");
    elements *= extent;
    value.shape.push_back(extent);
  }
  value.min = float(entry.min);
  value.max = float(entry.max);
  if (!std::isfinite(value.min) || !std::isfinite(value.max) ||
      value.min > value.max)
    return fail("has no valid range");

  if (entry.histogram &&
      !readHistogram(*entry.histogram, arrays, value.histogram))
    return fail("has no valid histogram");
  if (entry.channels &&
      !readChannels(*entry.channels, arrays, value, value.channels))
    return fail("has no valid channels");
  if (entry.moments &&
      !readMoments(*entry.moments, arrays, value, value.moments))
    return fail("has no valid moments");
  if (!entry.kept)
    return value;
  if (entry.kept->count < 0 || uint64_t(entry.kept->count) > numKept)
    return fail("has no valid number of kept arrays");
  for (int64_t index = 0; index < entry.kept->count; ++index) {
    llvm::StringRef bytes =
        slice(arrays, entry.kept->offset + index * elements * 4, elements * 4);
    if (bytes.empty())
      return fail("has kept arrays that are not all in the .bin file");
    Array &array = value.kept.emplace_back(ElementKind::F32, value.shape);
    for (auto [element, target] : llvm::enumerate(array.as<float>())) {
      target =
          llvm::bit_cast<float>(endian::read32le(bytes.data() + 4 * element));
      if (!std::isfinite(target))
        return fail("has a kept array with a NaN or an infinity");
    }
  }
  return value;
}

static llvm::Expected<ProfileEntry> parseEntry(llvm::StringRef text) {
  auto entry = json::parse<ProfileEntry>(text, "profile");
  if (!entry)
    return entry.takeError();
  if (entry->format != kFormat)
    return llvm::createStringError("it is not a profile: its format is '" +
                                   entry->format + "', not '" + kFormat + "'");
  if (entry->version != kVersion)
    return llvm::createStringError("its version is " +
                                   llvm::Twine(entry->version) + ", only " +
                                   llvm::Twine(kVersion) + " can be read");
  return std::move(*entry);
}

static llvm::Expected<std::string> readFile(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!buffer)
    return llvm::createStringError(path + ": " + buffer.getError().message());
  return (*buffer)->getBuffer().str();
}

/// Everything but the file's name in an error.
static llvm::Expected<Profile> readProfile(llvm::StringRef path) {
  auto text = readFile(path);
  if (!text)
    return text.takeError();
  auto entry = parseEntry(*text);
  if (!entry)
    return entry.takeError();
  std::string arrays;
  if (entry->arrays) {
    auto read = readFile(getArraysPath(path));
    if (!read)
      return read.takeError();
    arrays = std::move(*read);
    if (uint64_t(entry->arrays->bytes) != arrays.size() ||
        entry->arrays->hash != hashOf(arrays))
      return llvm::createStringError(
          "it does not belong to the .bin file beside it");
  }

  Profile profile;
  profile.numSamples = entry->samples;
  profile.numKept = entry->kept;
  for (const ValueEntry &valueEntry : entry->values) {
    auto value = readValue(valueEntry, arrays, profile.numKept);
    if (!value)
      return value.takeError();
    if (!profile.values.insert({valueEntry.name, std::move(*value)}).second)
      return llvm::createStringError("it holds the value '" + valueEntry.name +
                                     "' twice");
  }
  return profile;
}

llvm::Expected<Profile> Profile::load(llvm::StringRef path) {
  if (llvm::Error error = checkPath(path))
    return error;
  llvm::Expected<Profile> profile = readProfile(path);
  if (profile)
    return profile;
  return llvm::createStringError("cannot read the profile '" + path +
                                 "': " + llvm::toString(profile.takeError()));
}
