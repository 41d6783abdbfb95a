//===- Methods.cpp - C interface: the registry of methods ---------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Handles.h"
#include "nlq/Methods/Registry.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

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
  }
  llvm_unreachable("covered switch");
}

static json::Value toJson(const Implementation &implementation) {
  json::Array candidates;
  for (const Candidate &candidate : implementation.candidates) {
    json::Value inBits = nullptr;
    if (candidate.narrowing != Narrowing::None)
      inBits = candidate.inBits;
    candidates.push_back(json::Object{{"set", stringify(candidate.profile)},
                                      {"in_bits", std::move(inBits)},
                                      {"out_bits", candidate.outBits}});
  }
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
