//===- Scores.cpp - What measuring found ----------------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Quantization/Scores.h"
#include "nlq/Dialect/NLQ/IR/NLQOps.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace nlq;
namespace json = llvm::json;

static constexpr llvm::StringLiteral kFormat = "nlq-scores";
static constexpr int64_t kVersion = 2;

//===----------------------------------------------------------------------===//
// Hashes
//===----------------------------------------------------------------------===//

static std::string hashOf(llvm::StringRef bytes) {
  return llvm::utohexstr(llvm::xxh3_64bits(bytes), /*LowerCase=*/true,
                         /*Width=*/16);
}

std::string nlq::hashModule(ModuleOp module) {
  OwningOpRef<ModuleOp> copy = module.clone();
  copy->walk([](NonlinearOpInterface op) { op->removeAttr("method"); });
  std::string text;
  llvm::raw_string_ostream os(text);
  copy->print(os);
  return hashOf(text);
}

const SlotScores *Scores::lookup(llvm::StringRef name) const {
  for (const SlotScores &slot : slots)
    if (slot.name == name)
      return &slot;
  return nullptr;
}

llvm::Error Scores::checkFresh(ModuleOp module) const {
  std::string found = hashModule(module);
  if (found != moduleHash)
    return llvm::createStringError(
        "the scores are stale: they were measured on a module with the hash " +
        moduleHash + ", this one has " + found + "; measure again");
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

/// With the decimals that scores have, and no more digits than these.
static void write(json::OStream &stream, llvm::StringRef key,
                  std::optional<double> number) {
  if (!number)
    return stream.attribute(key, nullptr);
  stream.attributeBegin(key);
  stream.rawValue(llvm::formatv("{0:F4}", *number).str());
  stream.attributeEnd();
}

static void write(json::OStream &stream, const SlotScores &slot) {
  stream.objectBegin();
  stream.attribute("name", slot.name);
  stream.attribute("op", slot.op);
  stream.attributeArray("consumers", [&] {
    for (const std::string &name : slot.consumers)
      stream.value(name);
  });
  stream.attribute("elements", slot.numElements);
  stream.attributeArray("candidates", [&] {
    for (const CandidateScores &candidate : slot.candidates)
      stream.object([&] {
        stream.attribute("method", candidate.method);
        for (unsigned index = 0; index < kNumMetrics; ++index)
          write(stream, stringify(Metric(index)), candidate.decibels[index]);
        write(stream, "cost", candidate.cost);
      });
  });
  stream.objectEnd();
}

std::string Scores::toJSON() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  json::OStream stream(os, /*IndentSize=*/2);
  stream.object([&] {
    stream.attribute("format", kFormat);
    stream.attribute("version", kVersion);
    stream.attributeObject("hashes", [&] {
      stream.attribute("module", moduleHash);
      stream.attribute("samples", samplesHash);
      stream.attribute("options", optionsHash);
    });
    stream.attribute("samples", int64_t(numSamples));
    stream.attributeArray("slots", [&] {
      for (const SlotScores &slot : slots)
        write(stream, slot);
    });
  });
  os << "\n";
  return text;
}

namespace nlq {
/// Found by llvm::json through the types' namespace.
static bool fromJSON(const json::Value &value, CandidateScores &candidate,
                     json::Path path) {
  json::ObjectMapper map(value, path);
  if (!map || !map.map("method", candidate.method) ||
      !map.map("cost", candidate.cost))
    return false;
  for (unsigned index = 0; index < kNumMetrics; ++index)
    if (!map.map(stringify(Metric(index)), candidate.decibels[index]))
      return false;
  return true;
}

static bool fromJSON(const json::Value &value, SlotScores &slot,
                     json::Path path) {
  json::ObjectMapper map(value, path);
  return map && map.map("name", slot.name) && map.map("op", slot.op) &&
         map.map("consumers", slot.consumers) &&
         map.map("elements", slot.numElements) &&
         map.map("candidates", slot.candidates);
}
} // namespace nlq

llvm::Expected<Scores> Scores::fromJSON(llvm::StringRef text) {
  llvm::Expected<json::Value> value = json::parse(text);
  if (!value)
    return value.takeError();
  const json::Object *object = value->getAsObject();
  if (!object || object->getString("format") != kFormat)
    return llvm::createStringError("is no scores file: 'format' must be '" +
                                   kFormat + "'");
  if (object->getInteger("version") != kVersion)
    return llvm::createStringError("has a version that is not known; " +
                                   llvm::Twine(kVersion) + " is");
  Scores scores;
  json::Path::Root root("scores");
  json::Path path(root);
  json::ObjectMapper map(*value, path);
  const json::Object *hashes = object->getObject("hashes");
  int64_t numSamples = 0;
  if (!hashes) {
    path.field("hashes").report("expected object");
    return root.getError();
  }
  json::Value hashesValue = json::Object(*hashes);
  json::ObjectMapper hashMap(hashesValue, path.field("hashes"));
  if (!hashMap.map("module", scores.moduleHash) ||
      !hashMap.map("samples", scores.samplesHash) ||
      !hashMap.map("options", scores.optionsHash) ||
      !map.map("samples", numSamples) || !map.map("slots", scores.slots))
    return root.getError();
  scores.numSamples = uint64_t(numSamples);
  return scores;
}

llvm::Error Scores::save(llvm::StringRef path) const {
  return llvm::writeToOutput(path, [&](llvm::raw_ostream &os) {
    os << toJSON();
    return llvm::Error::success();
  });
}

llvm::Expected<Scores> Scores::load(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!buffer)
    return llvm::createStringError(path + ": " + buffer.getError().message());
  llvm::Expected<Scores> scores = fromJSON((*buffer)->getBuffer());
  if (!scores)
    return llvm::createStringError(path + ": " +
                                   llvm::toString(scores.takeError()));
  return scores;
}
