//===- Methods.cpp - C interface: the registry of methods ---------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Handles.h"
#include "nlq/Methods/Survey.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include <algorithm>
#include <cmath>

using namespace nlq;
using namespace nlq::methods;
namespace json = llvm::json;

static llvm::StringRef stringify(Profile profile) {
  switch (profile) {
  case Profile::Seed:
    return "seed";
  case Profile::Standalone:
    return "standalone";
  case Profile::Extra:
    return "extra";
  case Profile::Other:
    return "other";
  }
  llvm_unreachable("covered switch");
}

static json::Object toJson(const Candidate &candidate) {
  json::Value inBits = nullptr;
  if (candidate.narrowing != Narrowing::None)
    inBits = candidate.inBits;
  return json::Object{{"set", stringify(candidate.profile)},
                      {"in_bits", std::move(inBits)},
                      {"out_bits", candidate.outBits}};
}

static json::Value toJson(const Implementation &implementation) {
  json::Array candidates;
  for (const Candidate &candidate : implementation.candidates)
    candidates.push_back(toJson(candidate));
  return json::Object{{"function", implementation.function},
                      {"form", methods::stringify(implementation.form)},
                      {"candidates", std::move(candidates)}};
}

char *nlqListMethods() {
  json::Array all;
  for (const Method *method : allMethods()) {
    json::Object fallbacks;
    for (const Fallback &fallback : method->fallbacks)
      fallbacks[fallback.function] = fallback.method;
    json::Array implementations;
    for (const Implementation &implementation : method->implementations)
      implementations.push_back(toJson(implementation));
    all.push_back(
        json::Object{{"name", method->name},
                     {"title", method->title},
                     {"summary", method->summary},
                     {"source", method->source},
                     {"fallbacks", std::move(fallbacks)},
                     {"implementations", std::move(implementations)}});
  }
  return capi::copyString(
      llvm::formatv("{0}", json::Value(std::move(all))).str());
}

static json::Value orNull(const std::string &text) {
  return text.empty() ? json::Value(nullptr) : json::Value(text);
}

static json::Object toJson(const SurveyEntry &entry) {
  json::Object object = toJson(*entry.candidate);
  object["method"] = entry.method->name;
  object["form"] = methods::stringify(entry.implementation->form);
  object["reason"] = orNull(entry.reason);
  if (!entry.reason.empty())
    return object;
  object["element_lane"] = entry.elementLane;
  object["row_lane"] = entry.rowLane;
  object["widths"] = orNull(entry.widths);
  object["worst"] = entry.errors.worst;
  object["rms"] = entry.errors.rms;
  object["sqnr"] = std::isfinite(entry.errors.sqnr)
                       ? json::Value(entry.errors.sqnr)
                       : json::Value(nullptr);
  object["cost"] = entry.cost;
  object["table_bytes"] = entry.tableBytes;
  return object;
}

/// A number of bits, or one that no query may have if it is beyond all.
static unsigned toBits(int64_t bits) {
  return unsigned(std::clamp<int64_t>(bits, 0, UINT32_MAX));
}

char *nlqSurveyMethods(const char *function, int64_t bits, double scale,
                       int64_t rowLength, int64_t resultBits, int limits,
                       char **error) {
  SurveyQuery query{function, toBits(bits), scale, rowLength,
                    toBits(resultBits)};
  llvm::Expected<std::vector<SurveyEntry>> entries = survey(query);
  if (!entries) {
    capi::fail(error, entries.takeError());
    return nullptr;
  }
  json::Array all;
  for (const SurveyEntry &entry : *entries) {
    json::Object object = toJson(entry);
    if (limits) {
      SurveyLimits found = surveyLimits(query, entry);
      object["finest_scale"] = found.finestScale;
      object["coarsest_scale"] = found.coarsestScale;
      object["longest_row"] = found.longestRow;
    }
    all.push_back(std::move(object));
  }
  return capi::copyString(
      llvm::formatv("{0}", json::Value(std::move(all))).str());
}
