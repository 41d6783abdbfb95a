//===- AssignReport.cpp - Choices as a file -------------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Quantization/Assign.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

using namespace nlq;
namespace json = llvm::json;

/// With the four decimals that scores and costs have; null for none.
static void write(json::OStream &stream, llvm::StringRef key,
                  std::optional<double> number) {
  stream.attributeBegin(key);
  if (number)
    stream.rawValue(llvm::formatv("{0:F4}", *number).str());
  else
    stream.value(nullptr);
  stream.attributeEnd();
}

static std::string print(MethodAttrInterface method) {
  std::string text;
  llvm::raw_string_ostream(text) << method;
  return text;
}

/// The method of a candidate by index; null for none.
static json::Value nameOf(const SlotAssignment &slot,
                          std::optional<size_t> index) {
  if (!index)
    return nullptr;
  return print(slot.candidates[*index].method);
}

static void write(json::OStream &stream, const SlotAssignment &slot) {
  stream.object([&] {
    stream.attribute("name", slot.name);
    stream.attribute("op", slot.op);
    stream.attribute("chosen", nameOf(slot, slot.chosen));
    stream.attribute("metric", slot.metric
                                   ? json::Value(stringify(*slot.metric))
                                   : json::Value(nullptr));
    stream.attribute("runner_up", nameOf(slot, slot.runnerUp));
    write(stream, "margin", slot.margin);
    stream.attribute("reason", slot.reason);
    stream.attributeArray("candidates", [&] {
      for (const SlotAssignment::Choice &choice : slot.candidates)
        stream.object([&] {
          stream.attribute("method", print(choice.method));
          stream.attribute("text", describe(choice.method));
          write(stream, "score", choice.score);
          write(stream, "cost", choice.cost);
          stream.attribute("allowed", choice.isAllowed);
        });
    });
  });
}

std::string AssignReport::toJSON() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  json::OStream stream(os, /*IndentSize=*/2);
  stream.object([&] {
    stream.attribute("format", "nlq-assignment");
    stream.attribute("version", 1);
    stream.attributeArray("slots", [&] {
      for (const SlotAssignment &slot : slots)
        write(stream, slot);
    });
  });
  os << "\n";
  return text;
}

llvm::Error AssignReport::save(llvm::StringRef path) const {
  return llvm::writeToOutput(path, [&](llvm::raw_ostream &os) {
    os << toJSON();
    return llvm::Error::success();
  });
}
