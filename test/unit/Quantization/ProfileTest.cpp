//===- ProfileTest.cpp - Profiles and their files
//--------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Quantization/Profile.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace nlq;

/// Magnitudes over many powers of two, zeros and powers of two among them.
static std::vector<float> drawValues(unsigned seed, int count) {
  std::mt19937 random(seed);
  std::vector<float> values = {0.0f, -0.0f, 1.0f, -1.0f, 0.5f, -4.0f};
  for (int index = 0; index < count; ++index) {
    float mantissa = float(int(random() % 2001) - 1000) / 1000;
    values.push_back(std::ldexp(mantissa, int(random() % 24) - 16));
  }
  return values;
}

/// The counts by the definition: bins of equal width over [-limit, limit).
static std::vector<uint64_t> countBins(llvm::ArrayRef<float> values,
                                       double limit) {
  std::vector<uint64_t> bins(Histogram::kNumBins, 0);
  for (float value : values) {
    int found = -1;
    for (int bin = 0; bin < Histogram::kNumBins; ++bin) {
      double lower = -limit + 2 * limit * bin / Histogram::kNumBins;
      double upper = -limit + 2 * limit * (bin + 1) / Histogram::kNumBins;
      if (lower <= value && value < upper)
        found = bin;
    }
    EXPECT_NE(found, -1) << value;
    ++bins[found];
  }
  return bins;
}

TEST(Histogram, CountsByDefinition) {
  std::vector<float> values = drawValues(1, 300);
  Histogram histogram;
  histogram.add(values);
  // The largest magnitude is below 2^8 and, 4 being drawn, at least 4.
  double limit = std::ldexp(1.0, histogram.getExponent());
  float largest = 0;
  for (float value : values)
    largest = std::max(largest, std::fabs(value));
  EXPECT_GT(limit, largest);
  EXPECT_LE(limit / 2, largest);
  EXPECT_EQ(histogram.getBins().vec(), countBins(values, limit));
  EXPECT_EQ(histogram.getCount(), values.size());
  EXPECT_EQ(histogram.getEdge(0), -limit);
  EXPECT_EQ(histogram.getEdge(Histogram::kNumBins / 2), 0);
  EXPECT_EQ(histogram.getEdge(Histogram::kNumBins), limit);
}

TEST(Histogram, GrowsAsIfTheRangeWereKnown) {
  std::vector<float> values = drawValues(2, 2000);
  Histogram whole;
  whole.add(values);
  // Smallest magnitudes first: the range grows again and again.
  std::vector<float> sorted = values;
  std::sort(sorted.begin(), sorted.end(),
            [](float a, float b) { return std::fabs(a) < std::fabs(b); });
  Histogram piecewise;
  for (float value : sorted)
    piecewise.add(value);
  EXPECT_EQ(piecewise.getExponent(), whole.getExponent());
  EXPECT_EQ(piecewise.getBins(), whole.getBins());

  llvm::ArrayRef<float> all = values;
  Histogram first, second;
  first.add(all.take_front(700));
  second.add(all.drop_front(700));
  Histogram merged = second;
  merged.merge(first);
  first.merge(second);
  EXPECT_EQ(first.getBins(), whole.getBins());
  EXPECT_EQ(merged.getBins(), whole.getBins());
}

TEST(Histogram, ZerosOnly) {
  Histogram histogram;
  histogram.add({0.0f, -0.0f});
  EXPECT_EQ(histogram.getBins()[Histogram::kNumBins / 2], 2u);
  histogram.add(3.0e38f);
  EXPECT_EQ(histogram.getExponent(), 128);
  EXPECT_EQ(histogram.getCount(), 3u);
  EXPECT_EQ(histogram.getBins()[Histogram::kNumBins / 2], 2u);
}

static Array makeArray(llvm::ArrayRef<float> values) {
  Array array(ElementKind::F32, {int64_t(values.size())});
  llvm::copy(values, array.as<float>().begin());
  return array;
}

static Profile makeProfile(llvm::ArrayRef<float> values, uint64_t numKept) {
  Profile profile;
  profile.numSamples = 1;
  profile.numKept = numKept;
  ValueProfile x;
  x.shape = {int64_t(values.size())};
  x.min = *std::min_element(values.begin(), values.end());
  x.max = *std::max_element(values.begin(), values.end());
  x.histogram.add(values);
  x.channels.add(values, int64_t(values.size()));
  x.moments.add(values, values.size());
  x.kept.push_back(makeArray(values));
  profile.values.insert({"x \"quoted\"", x});
  x.kept.clear();
  profile.values.insert({"/blocks.0/Add#2", x});
  return profile;
}

TEST(ProfileMerge, SumsExtremesAndKeptArrays) {
  Profile profile = makeProfile({-1, 0.25f, 2}, 2);
  ASSERT_FALSE(bool(profile.merge(makeProfile({-8, 1, 1}, 2))));
  ASSERT_FALSE(bool(profile.merge(makeProfile({0, 0, 3}, 2))));
  EXPECT_EQ(profile.numSamples, 3u);
  const ValueProfile &x = *profile.lookup("x \"quoted\"");
  EXPECT_EQ(x.min, -8);
  EXPECT_EQ(x.max, 3);
  EXPECT_EQ(x.getAbsMax(), 8);
  EXPECT_EQ(x.histogram.getCount(), 9u);
  EXPECT_EQ(x.channels.min, (std::vector<float>{-8, 0, 1}));
  EXPECT_EQ(x.channels.max, (std::vector<float>{0, 1, 3}));
  EXPECT_EQ(x.channels.sums, (std::vector<double>{-9, 1.25, 6}));
  EXPECT_EQ(x.channels.squares, (std::vector<double>{65, 1.0625, 14}));
  EXPECT_EQ(x.moments.getSums().vec(),
            (std::vector<double>{65, -8.25, 1.0625, -10, 1.5, 14}));
  ASSERT_EQ(x.kept.size(), 2u);
  EXPECT_EQ(x.kept[1].as<float>()[0], -8);
  EXPECT_TRUE(profile.lookup("/blocks.0/Add#2")->kept.empty());
}

TEST(ProfileMerge, RefusesAnotherModel) {
  Profile profile = makeProfile({1, 2}, 1);
  EXPECT_EQ(llvm::toString(profile.merge(makeProfile({1, 2, 3}, 1))),
            "cannot merge profiles: the value 'x \"quoted\"' does not have the "
            "same shape in both");
  Profile other = profile;
  other.values.insert({"y", ValueProfile()});
  EXPECT_EQ(llvm::toString(profile.merge(other)),
            "cannot merge profiles: the first has no value 'y'");
  EXPECT_EQ(llvm::toString(other.merge(profile)),
            "cannot merge profiles: the second has no value 'y'");
  EXPECT_EQ(profile.numSamples, 1u);
}

namespace {
class ProfileFile : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("nlq-profile", folder));
  }
  void TearDown() override { llvm::sys::fs::remove_directories(folder); }

  std::string path(llvm::StringRef name) const {
    llvm::SmallString<128> file(folder);
    llvm::sys::path::append(file, name);
    return file.str().str();
  }
  std::string read(llvm::StringRef name) const {
    auto buffer = llvm::MemoryBuffer::getFile(path(name));
    return buffer ? (*buffer)->getBuffer().str() : "";
  }
  void write(llvm::StringRef name, llvm::StringRef text) const {
    std::error_code error;
    llvm::raw_fd_ostream os(path(name), error);
    os << text;
  }
  /// The error of loading p.json, less the folder.
  std::string loadError() const {
    auto profile = Profile::load(path("p.json"));
    if (profile)
      return "";
    std::string text = llvm::toString(profile.takeError());
    for (size_t at;
         (at = text.find(folder.str().str() + "/")) != std::string::npos;)
      text.erase(at, folder.size() + 1);
    return text;
  }

  llvm::SmallString<128> folder;
};
} // namespace

TEST_F(ProfileFile, SavesAndLoads) {
  Profile profile = makeProfile({-0.1f, 1e-30f, 3.14159274f}, 4);
  ASSERT_FALSE(bool(profile.save(path("p.json"))));
  auto loaded = Profile::load(path("p.json"));
  ASSERT_TRUE(bool(loaded)) << llvm::toString(loaded.takeError());
  EXPECT_EQ(loaded->numSamples, 1u);
  EXPECT_EQ(loaded->numKept, 4u);
  ASSERT_EQ(loaded->values.size(), 2u);
  for (auto [mine, theirs] : llvm::zip(profile.values, loaded->values)) {
    EXPECT_EQ(mine.first, theirs.first);
    EXPECT_EQ(mine.second.shape, theirs.second.shape);
    EXPECT_EQ(mine.second.min, theirs.second.min);
    EXPECT_EQ(mine.second.max, theirs.second.max);
    EXPECT_EQ(mine.second.histogram.getBins(),
              theirs.second.histogram.getBins());
    EXPECT_EQ(mine.second.histogram.getExponent(),
              theirs.second.histogram.getExponent());
    EXPECT_EQ(mine.second.channels.min, theirs.second.channels.min);
    EXPECT_EQ(mine.second.channels.max, theirs.second.channels.max);
    EXPECT_EQ(mine.second.channels.sums, theirs.second.channels.sums);
    EXPECT_EQ(mine.second.channels.squares, theirs.second.channels.squares);
    EXPECT_EQ(mine.second.moments.getSums(), theirs.second.moments.getSums());
    EXPECT_EQ(theirs.second.moments.size(), 3u);
    EXPECT_EQ(mine.second.kept, theirs.second.kept);
  }

  // The same profile has the same bytes.
  ASSERT_FALSE(bool(loaded->save(path("q.json"))));
  EXPECT_EQ(read("p.json"), read("q.json"));
  EXPECT_EQ(read("p.bin"), read("q.bin"));
  EXPECT_FALSE(read("p.bin").empty());
}

TEST_F(ProfileFile, ErrorsNameTheFile) {
  EXPECT_EQ(loadError(), "cannot read the profile 'p.json': p.json: No such "
                         "file or directory");
  write("p.json", "{\"format\": ");
  EXPECT_NE(loadError().find("cannot read the profile 'p.json': "),
            std::string::npos);
  write("p.json", R"({"format": "other", "version": 1, "samples": 1,
                      "kept": 0, "values": []})");
  EXPECT_EQ(loadError(), "cannot read the profile 'p.json': it is not a "
                         "profile: its format is 'other', not 'nlq-profile'");
  write("p.json", R"({"format": "nlq-profile", "version": 7, "samples": 1,
                      "kept": 0, "values": []})");
  EXPECT_EQ(loadError(), "cannot read the profile 'p.json': its version is 7, "
                         "only 1 can be read");
  write("p.json", R"({"format": "nlq-profile", "version": 1, "samples": 1,
                      "kept": 0, "values": [{"name": "x", "shape": [2],
                      "min": 2, "max": 1}]})");
  EXPECT_EQ(loadError(), "cannot read the profile 'p.json': the value 'x' has "
                         "no valid range");
  EXPECT_EQ(llvm::toString(makeProfile({1}, 1).save("x.txt")),
            "x.txt: the name of a profile must end in '.json'");
}

TEST_F(ProfileFile, ArraysMustBelongToIt) {
  ASSERT_FALSE(bool(makeProfile({1, 2}, 1).save(path("p.json"))));
  std::string arrays = read("p.bin");
  write("p.bin", llvm::StringRef(arrays).drop_back());
  std::string expected = "cannot read the profile 'p.json': it does not belong "
                         "to the .bin file beside it";
  EXPECT_EQ(loadError(), expected);
  ++arrays.back();
  write("p.bin", arrays);
  EXPECT_EQ(loadError(), expected);
  llvm::sys::fs::remove(path("p.bin"));
  EXPECT_EQ(loadError(), "cannot read the profile 'p.json': p.bin: No such "
                         "file or directory");
}

TEST_F(ProfileFile, RangesOnly) {
  write("p.json", R"({"format": "nlq-profile", "version": 1, "samples": 1,
                      "kept": 0, "values": [{"name": "x", "shape": [2],
                      "min": -3, "max": 1.5}]})");
  auto profile = Profile::load(path("p.json"));
  ASSERT_TRUE(bool(profile)) << llvm::toString(profile.takeError());
  EXPECT_EQ(profile->lookup("x")->getAbsMax(), 3);
  EXPECT_EQ(profile->lookup("x")->histogram.getCount(), 0u);
}

TEST_F(ProfileFile, ChannelsMustFit) {
  std::string json = R"({"format": "nlq-profile", "version": 1, "samples": 1,
                         "kept": 0, "values": [{"name": "x", "shape": [2],
                         "min": -3, "max": 1, "channels": {"offset": 0}}]})";
  write("p.json", json);
  EXPECT_EQ(loadError(), "cannot read the profile 'p.json': the value 'x' has "
                         "no valid channels");
}

TEST_F(ProfileFile, MomentsMustFit) {
  for (const char *shape : {"[2]", "[2, 1099511627776]", "[]"}) {
    write("p.json",
          R"({"format": "nlq-profile", "version": 1, "samples": 1,
                        "kept": 0, "values": [{"name": "x", "shape": )" +
              std::string(shape) +
              R"(, "min": -3, "max": 1, "moments": {"offset": 0}}]})");
    EXPECT_TRUE(llvm::StringRef(loadError())
                    .starts_with("cannot read the profile 'p.json': the value "
                                 "'x' has no valid "))
        << loadError();
  }
}

TEST_F(ProfileFile, OffsetsOutsideOfTheArrays) {
  for (const char *offset : {"0", "-4", "9223372036854775807"}) {
    write("p.json", R"({"format": "nlq-profile", "version": 1, "samples": 1,
                        "kept": 1, "values": [{"name": "x", "shape": [2],
                        "min": -3, "max": 1, "kept": {"count": 1, "offset": )" +
                        std::string(offset) + "}}]}");
    EXPECT_EQ(loadError(), "cannot read the profile 'p.json': the value 'x' "
                           "has kept arrays that are not all in the .bin file");
  }
}
