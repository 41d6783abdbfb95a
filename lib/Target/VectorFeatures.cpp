//===- VectorFeatures.cpp - What vector instructions a target has -------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Target/VectorFeatures.h"

using namespace nlq;

namespace {
struct NamedFeature {
  const char *name;
  bool VectorFeatures::*member;
};
constexpr NamedFeature kFeatures[] = {
    {"avx2", &VectorFeatures::avx2},
    {"avx512bw", &VectorFeatures::avx512bw},
    {"avx512vnni", &VectorFeatures::avx512vnni},
    {"avx512vbmi", &VectorFeatures::avx512vbmi},
    {"neon", &VectorFeatures::neon},
    {"dotprod", &VectorFeatures::dotprod},
};
} // namespace

llvm::Expected<VectorFeatures>
VectorFeatures::parse(llvm::ArrayRef<std::string> names) {
  VectorFeatures features;
  for (const std::string &name : names) {
    bool known = false;
    for (const NamedFeature &feature : kFeatures)
      if (name == feature.name)
        features.*feature.member = known = true;
    if (!known)
      return llvm::createStringError(
          "unknown vector feature '" + name +
          "'; avx2, avx512bw, avx512vnni, avx512vbmi, neon and dotprod are "
          "known");
  }
  return features;
}

std::vector<std::string> VectorFeatures::getNames() const {
  std::vector<std::string> names;
  for (const NamedFeature &feature : kFeatures)
    if (this->*feature.member)
      names.push_back(feature.name);
  return names;
}
