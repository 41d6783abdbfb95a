//===- AssignCandidates.cpp - Choosing among candidates by name -----------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Quantization/AssignCandidates.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "nlq/Methods/Registry.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace nlq;

static constexpr std::pair<llvm::StringLiteral, methods::Profile> kSets[] = {
    {"seed", methods::Profile::Seed},
    {"standalone", methods::Profile::Standalone},
    {"extra", methods::Profile::Extra},
    {"other", methods::Profile::Other}};

static methods::Form getForm(MethodAttrInterface candidate) {
  return candidate.getForm() == MethodForm::Reference
             ? methods::Form::Reference
             : methods::Form::Corrected;
}

unsigned nlq::getInBits(MethodAttrInterface candidate) {
  auto type = dyn_cast_or_null<quant::QuantizedType>(candidate.getIn());
  if (!type)
    return 0;
  // Symmetric types leave the least integer out.
  uint64_t count =
      uint64_t(type.getStorageTypeMax()) - uint64_t(type.getStorageTypeMin());
  return llvm::Log2_64_Ceil(count + 1);
}

/// True if the registry declares the widths of `candidate` for its method in
/// `set`.
static bool isInSet(MethodAttrInterface candidate, StringRef function,
                    methods::Profile set) {
  const methods::Method *method = methods::lookup(candidate.getMethodName());
  const methods::Implementation *implementation =
      method ? method->find(function, getForm(candidate)) : nullptr;
  if (!implementation)
    return false;
  unsigned inBits = getInBits(candidate);
  auto fits = [&](const methods::Candidate &widths) {
    if (widths.profile != set || widths.outBits != candidate.getOutBits())
      return false;
    if (widths.narrowing == methods::Narrowing::None || inBits == 0)
      return widths.narrowing == methods::Narrowing::None && inBits == 0;
    bool isSigned = cast<quant::QuantizedType>(candidate.getIn()).isSigned();
    if (isSigned != (widths.narrowing == methods::Narrowing::Symmetric))
      return false;
    // 0 is the width of activations, at most 8.
    return widths.inBits == 0 ? inBits <= 8 : inBits == widths.inBits;
  };
  return llvm::any_of(implementation->candidates, fits);
}

bool CandidateFilter::allows(MethodAttrInterface candidate,
                             StringRef function) const {
  if (!methods.empty() &&
      !llvm::is_contained(methods, candidate.getMethodName()))
    return false;
  if (methods::isPublished(function)) {
    if (form && *form != getForm(candidate))
      return false;
    if (set && !isInSet(candidate, function, *set))
      return false;
  }
  if (inBits && *inBits != getInBits(candidate))
    return false;
  return !outBits || *outBits == candidate.getOutBits();
}

std::string CandidateFilter::str() const {
  SmallVector<std::string> parts;
  if (!methods.empty())
    parts.push_back("methods = " + llvm::join(methods, ","));
  if (form)
    parts.push_back(("form = " + methods::stringify(*form)).str());
  for (auto [word, value] : kSets)
    if (set == value)
      parts.push_back(("set = " + word).str());
  if (inBits)
    parts.push_back("in-bits = " + std::to_string(*inBits));
  if (outBits)
    parts.push_back("out-bits = " + std::to_string(*outBits));
  return parts.empty() ? "no filter" : llvm::join(parts, ", ");
}

llvm::Expected<CandidateFilter>
CandidateFilter::parse(StringRef methodList, StringRef form, StringRef set,
                       int64_t inBits, int64_t outBits) {
  CandidateFilter filter;
  SmallVector<StringRef> names;
  methodList.split(names, ',', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  for (StringRef name : names) {
    name = name.trim();
    if (!methods::lookup(name)) {
      SmallVector<StringRef> known;
      for (const methods::Method *method : methods::allMethods())
        known.push_back(method->name);
      return llvm::createStringError("unknown method '" + name + "'; " +
                                     llvm::join(known, ", ") + " are known");
    }
    filter.methods.push_back(name.str());
  }
  if (!form.empty()) {
    for (methods::Form known :
         {methods::Form::Reference, methods::Form::Corrected})
      if (methods::stringify(known) == form)
        filter.form = known;
    if (!filter.form)
      return llvm::createStringError("unknown form '" + form +
                                     "'; reference and corrected are known");
  }
  if (!set.empty()) {
    for (auto [word, value] : kSets)
      if (word == set)
        filter.set = value;
    if (!filter.set)
      return llvm::createStringError("unknown set '" + set +
                                     "'; seed, standalone, extra and other are "
                                     "known");
  }
  if (inBits >= 0)
    filter.inBits = unsigned(inBits);
  if (outBits >= 0)
    filter.outBits = unsigned(outBits);
  return filter;
}

bool nlq::hasSet(const methods::Method &method, methods::Profile set) {
  return llvm::any_of(
      method.implementations, [&](const methods::Implementation &entry) {
        return llvm::any_of(entry.candidates,
                            [&](const methods::Candidate &candidate) {
                              return candidate.profile == set;
                            });
      });
}

StringRef nlq::getMethodFor(const methods::Method &method, StringRef function) {
  if (method.find(function, methods::Form::Reference) ||
      method.find(function, methods::Form::Corrected))
    return method.name;
  return method.fallback(function);
}

std::optional<size_t> nlq::findUniform(NonlinearOpInterface op,
                                       StringRef method,
                                       CandidateFilter filter) {
  const methods::Method *entry = methods::lookup(method);
  StringRef name = entry ? getMethodFor(*entry, op.getFunction()) : StringRef();
  ArrayAttr candidates = op.getCandidatesAttr();
  if (name.empty() || !candidates)
    return std::nullopt;
  filter.methods = {name.str()};
  for (auto [index, candidate] : llvm::enumerate(candidates))
    if (filter.allows(cast<MethodAttrInterface>(candidate), op.getFunction()))
      return index;
  return std::nullopt;
}

std::string nlq::describe(MethodAttrInterface candidate) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "#nlq." << candidate.getMethodName()
     << "<form = " << methods::stringify(getForm(candidate));
  if (auto type = dyn_cast_or_null<quant::QuantizedType>(candidate.getIn()))
    os << ", in = " << (type.isSigned() ? "i" : "u") << getInBits(candidate);
  os << ", out_bits = " << candidate.getOutBits() << ">";
  return text;
}
