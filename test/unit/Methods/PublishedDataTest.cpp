//===- PublishedDataTest.cpp - What the published code itself gave --------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The reference forms against integers that the published PyTorch code gave on
// float64 tensors: published/METHOD.json, which docs/methods/published.md
// describes. An array is a string, KIND:BASE64, of little-endian elements.
//
//===----------------------------------------------------------------------===//

#include "Support.h"
#include "llvm/Support/Base64.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "gtest/gtest.h"

using namespace nlq;
using namespace nlq::methods;
using namespace nlq::methods::test;
namespace json = llvm::json;

template <typename Element, typename Out>
static void appendElements(llvm::ArrayRef<char> bytes, std::vector<Out> &out) {
  for (size_t i = 0; i + sizeof(Element) <= bytes.size(); i += sizeof(Element))
    out.push_back(
        Out(llvm::support::endian::read<Element, llvm::endianness::little>(
            bytes.data() + i)));
}

/// Reads an array of integers or reals; fails the test if it is none.
template <typename Out> static std::vector<Out> decode(llvm::StringRef text) {
  auto [kind, data] = text.split(':');
  std::vector<char> bytes;
  std::vector<Out> out;
  if (llvm::Error error = llvm::decodeBase64(data, bytes))
    ADD_FAILURE() << llvm::toString(std::move(error));
  else if (kind == "i8")
    appendElements<int8_t>(bytes, out);
  else if (kind == "u8")
    appendElements<uint8_t>(bytes, out);
  else if (kind == "i16")
    appendElements<int16_t>(bytes, out);
  else if (kind == "u16")
    appendElements<uint16_t>(bytes, out);
  else if (kind == "i32")
    appendElements<int32_t>(bytes, out);
  else if (kind == "i64")
    appendElements<int64_t>(bytes, out);
  else if (kind == "f32")
    appendElements<float>(bytes, out);
  else
    ADD_FAILURE() << "unknown kind '" << kind.str() << "'";
  return out;
}

static Rows decodeRows(llvm::StringRef text, int64_t length) {
  Row all = decode<int64_t>(text);
  Rows rows;
  for (size_t i = 0; i + length <= all.size(); i += length)
    rows.emplace_back(all.begin() + i, all.begin() + i + length);
  return rows;
}

/// The reals of a field: a list of numbers, an array, or nothing.
static Reals reals(const json::Object &object, llvm::StringRef key) {
  if (auto text = object.getString(key))
    return decode<double>(*text);
  Reals result;
  if (const json::Array *list = object.getArray(key))
    for (const json::Value &value : *list)
      result.push_back(value.getAsNumber().value_or(0));
  return result;
}

static Problem toProblem(const json::Object &object) {
  Problem problem;
  Quantized in;
  const json::Array &range = *object.getArray("range");
  in.range = {*range[0].getAsInteger(), *range[1].getAsInteger()};
  in.isSigned = in.range.lo < 0;
  for (in.bits = 8;
       !kernel::storageRange(in.bits, in.isSigned).contains(in.range);)
    in.bits *= 2;
  in.scales = reals(object, "scales");
  in.zeroPoints.assign(in.scales.size(),
                       object.getInteger("zero_point").value_or(0));
  problem.operand = problem.narrowed = in;
  problem.result = symmetric(32, 0x1p-15);
  if (auto scale = object.getNumber("result_scale"))
    problem.result.scales = {*scale};
  problem.maxRowLength = *object.getInteger("length");
  problem.outBits = *object.getInteger("out_bits");
  problem.form = Form::Reference;
  problem.gamma = reals(object, "gamma");
  problem.beta = reals(object, "beta");
  return problem;
}

/// All cases of METHOD.json: as many integers as published, and equal.
static void expectPublished(llvm::StringRef method, size_t elements) {
  std::string path =
      (llvm::Twine(NLQ_PUBLISHED_DATA) + "/" + method + ".json").str();
  auto file = llvm::MemoryBuffer::getFile(path);
  ASSERT_TRUE(file) << path << ": " << file.getError().message();
  auto parsed = json::parse((*file)->getBuffer());
  ASSERT_TRUE(bool(parsed)) << llvm::toString(parsed.takeError());
  size_t compared = 0;
  for (const json::Value &value : *parsed->getAsArray()) {
    const json::Object &object = *value.getAsObject();
    llvm::StringRef function = *object.getString("function");
    Problem problem = toProblem(object);
    Rows rows = decodeRows(*object.getString("rows"), problem.maxRowLength);
    Rows wanted = decodeRows(*object.getString("grid"), problem.maxRowLength);
    ASSERT_EQ(rows.size(), wanted.size());
    Outcome outcome = run(method, function, problem, rows);
    ASSERT_EQ(outcome.grid.size(), rows.size());
    for (size_t i = 0; i < rows.size(); ++i)
      ASSERT_EQ(outcome.grid[i], wanted[i])
          << function.str() << " of " << problem.narrowed.bits
          << " bits, scale " << problem.narrowed.scales[0] << ", to "
          << problem.outBits << " bits, rows of " << problem.maxRowLength
          << ": row " << i;
    compared += rows.size() * problem.maxRowLength;
  }
  EXPECT_EQ(compared, elements);
}

TEST(PublishedData, IBert) { expectPublished("ibert", 60464); }

TEST(PublishedData, IViT) { expectPublished("ivit", 57032); }

TEST(PublishedData, FQViT) { expectPublished("fqvit", 42935); }
