//===- QuantizeCandidates.cpp - Methods that may be assigned ------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Quantization/QuantizeCandidates.h"
#include "mlir/AsmParser/AsmParser.h"
#include "nlq/Methods/Registry.h"
#include "nlq/Quantization/QuantizeTypes.h"
#include "llvm/ADT/SetVector.h"
#include <cmath>
#include <cstdio>
#include <cstdlib>

using namespace mlir;
using namespace nlq;

CandidateGroup nlq::getGroup(const methods::Implementation &implementation,
                             const methods::Candidate &candidate) {
  if (candidate.profile == methods::Profile::Other)
    return CandidateGroup::Other;
  if (implementation.form == methods::Form::Corrected)
    return CandidateGroup::Extra;
  switch (candidate.profile) {
  case methods::Profile::Seed:
    return CandidateGroup::Seed;
  case methods::Profile::Standalone:
    return CandidateGroup::Standalone;
  case methods::Profile::Extra:
    return CandidateGroup::Extra;
  case methods::Profile::Other:
    return CandidateGroup::Other;
  }
  llvm_unreachable("covered switch");
}

llvm::Expected<SmallVector<CandidateGroup, 4>>
nlq::parseCandidateGroups(StringRef list) {
  static constexpr std::pair<llvm::StringLiteral, CandidateGroup> groups[] = {
      {llvm::StringLiteral("seed"), CandidateGroup::Seed},
      {llvm::StringLiteral("standalone"), CandidateGroup::Standalone},
      {llvm::StringLiteral("extra"), CandidateGroup::Extra},
      {llvm::StringLiteral("other"), CandidateGroup::Other}};
  SmallVector<StringRef> names;
  list.split(names, ',');
  for (StringRef &name : names)
    name = name.trim();
  for (StringRef name : names)
    if (name != "all" && llvm::none_of(groups, [&](const auto &group) {
          return group.first == name;
        }))
      return llvm::createStringError("candidates must be seed, standalone, "
                                     "extra, other or all, or several of "
                                     "them separated by commas, found '" +
                                     name + "'");
  SmallVector<CandidateGroup, 4> chosen;
  for (auto [name, group] : groups)
    if (llvm::is_contained(names, name) || llvm::is_contained(names, "all"))
      chosen.push_back(group);
  return chosen;
}

//===----------------------------------------------------------------------===//
// Types to narrow to
//===----------------------------------------------------------------------===//

/// The storage that holds integers of `bits` bits.
static IntegerType getStorageType(MLIRContext *context, unsigned bits) {
  return IntegerType::get(context, bits <= 8 ? 8 : bits <= 16 ? 16 : 32);
}

/// Unsigned integers of `bits` bits from the least value to the largest one,
/// both at or beyond 0.
namespace {
struct AsymmetricGrid {
  double scale;
  int64_t zeroPoint;
  int64_t limit;
};
} // namespace

static AsymmetricGrid getAsymmetricGrid(const ValueProfile &input,
                                        unsigned bits) {
  double lo = std::min(0.0, double(input.min));
  double hi = std::max(0.0, double(input.max));
  AsymmetricGrid grid;
  grid.limit = (int64_t(1) << bits) - 1;
  grid.scale = lo == hi ? 1 : (hi - lo) / double(grid.limit);
  grid.zeroPoint = int64_t(std::nearbyint(-lo / grid.scale));
  return grid;
}

/// For each column the factor exponent, 0 to 3, with the least squared error
/// over the kept arrays; the least exponent of equally good ones. (FQ-ViT,
/// arXiv 2111.13824, section 3.2.)
static SmallVector<unsigned> choosePowers(const ValueProfile &input,
                                          int64_t columns, double leastScale,
                                          const AsymmetricGrid &grid) {
  constexpr unsigned numPowers = 4;
  std::vector<std::array<double, numPowers>> errors(columns);
  for (auto &error : errors)
    error.fill(0);
  for (const Array &array : input.kept)
    for (auto [index, value] : llvm::enumerate(array.as<float>()))
      for (unsigned power = 0; power < numPowers; ++power) {
        double scale = std::ldexp(leastScale, int(power));
        double q = std::clamp(std::nearbyint(value / scale) + grid.zeroPoint,
                              0.0, double(grid.limit));
        double error = value - (q - grid.zeroPoint) * scale;
        errors[index % columns][power] += error * error;
      }
  SmallVector<unsigned> powers;
  for (const auto &error : errors)
    powers.push_back(input.kept.empty()
                         ? numPowers - 1
                         : llvm::min_element(error) - error.begin());
  return powers;
}

static Type getFactorType(MLIRContext *context, unsigned bits,
                          const ValueProfile &input, int64_t rank,
                          int64_t columns) {
  AsymmetricGrid grid = getAsymmetricGrid(input, bits);
  // With five digits, all four scales have six at most (roundScale).
  char text[32];
  std::snprintf(text, sizeof(text), "%.4e", grid.scale / 8);
  double leastScale = std::strtod(text, nullptr);
  SmallVector<double> scales;
  for (unsigned power : choosePowers(input, columns, leastScale, grid))
    scales.push_back(std::ldexp(leastScale, int(power)));
  SmallVector<int64_t> zeroPoints(columns, grid.zeroPoint);
  return quant::UniformQuantizedPerAxisType::get(
      /*flags=*/0, getStorageType(context, bits), Float32Type::get(context),
      scales, zeroPoints, int32_t(rank - 1), 0, grid.limit);
}

Type nlq::getNarrowedType(MLIRContext *context,
                          const methods::Candidate &candidate,
                          const ValueProfile &input, unsigned actBits,
                          int64_t rank, int64_t columns) {
  unsigned bits = candidate.inBits == 0 ? actBits : candidate.inBits;
  switch (candidate.narrowing) {
  case methods::Narrowing::None:
    return nullptr;
  case methods::Narrowing::Symmetric:
    return getSymmetricType(context, getStorageType(context, bits).getWidth(),
                            getSymmetricLimit(bits),
                            getSymmetricScale(input.getAbsMax(), bits));
  case methods::Narrowing::Asymmetric: {
    AsymmetricGrid grid = getAsymmetricGrid(input, bits);
    return quant::UniformQuantizedType::get(
        /*flags=*/0, getStorageType(context, bits), Float32Type::get(context),
        roundScale(grid.scale), grid.zeroPoint, 0, grid.limit);
  }
  case methods::Narrowing::PowerOfTwoFactors:
    return getFactorType(context, bits, input, rank, columns);
  }
  llvm_unreachable("covered switch");
}

//===----------------------------------------------------------------------===//
// Candidates
//===----------------------------------------------------------------------===//

/// The attribute of a method, by its spelling: methods are attributes of their
/// own, which only the dialect knows.
static MethodAttrInterface getMethodAttr(MLIRContext *context, StringRef method,
                                         methods::Form form, Type in,
                                         unsigned outBits,
                                         ArrayRef<int64_t> cuts = {}) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "#nlq." << method << "<form = " << methods::stringify(form);
  if (in)
    os << ", in = " << in;
  os << ", out_bits = " << outBits;
  if (!cuts.empty()) {
    os << ", cuts = [";
    llvm::interleaveComma(cuts, os);
    os << "]";
  }
  os << ">";
  return dyn_cast_or_null<MethodAttrInterface>(parseAttribute(text, context));
}

/// The method with segments cut for what the profile has seen, if it has
/// segments and the profile counts.
static MethodAttrInterface
cutSegments(NonlinearOpInterface op,
            const methods::Implementation &implementation,
            MethodAttrInterface attr, const Histogram &histogram) {
  if (!implementation.chooseCuts || histogram.getCount() == 0)
    return attr;
  FailureOr<methods::Problem> problem = op.getProblem(attr);
  if (failed(problem))
    return attr;
  if (llvm::Error error =
          methods::validate(implementation.function, *problem)) {
    llvm::consumeError(std::move(error)); // building the kernel fails, too
    return attr;
  }
  methods::Distribution distribution = {
      histogram.getEdge(0), histogram.getEdge(1) - histogram.getEdge(0),
      histogram.getBins()};
  return getMethodAttr(op->getContext(), attr.getMethodName(),
                       implementation.form, attr.getIn(), attr.getOutBits(),
                       implementation.chooseCuts(*problem, distribution));
}

FailureOr<ArrayAttr> nlq::getCandidates(NonlinearOpInterface op,
                                        const ValueProfile &input,
                                        unsigned actBits,
                                        ArrayRef<CandidateGroup> groups) {
  MLIRContext *context = op->getContext();
  auto operand = cast<ShapedType>(op.getOperandTensor().getType());
  llvm::SetVector<Attribute> legal;
  SmallVector<std::string> reasons;
  auto consider = [&](const methods::Method &method,
                      const methods::Implementation &implementation,
                      const methods::Candidate &candidate) {
    Type in = getNarrowedType(context, candidate, input, actBits,
                              operand.getRank(), operand.getShape().back());
    MethodAttrInterface attr = getMethodAttr(
        context, method.name, implementation.form, in, candidate.outBits);
    if (!attr) {
      reasons.push_back(
          (method.name + ": the dialect has no such method").str());
      return;
    }
    attr = cutSegments(op, implementation, attr, input.histogram);
    if (legal.contains(attr))
      return;
    if (llvm::Error error = op.buildKernel(attr).takeError())
      reasons.push_back((method.name + " (" +
                         methods::stringify(implementation.form) +
                         "): " + llvm::toString(std::move(error)))
                            .str());
    else
      legal.insert(attr);
  };
  const bool isPublished = methods::isPublished(op.getFunction());
  auto isAsked = [&](CandidateGroup group) {
    return llvm::is_contained(groups, group) ||
           (!isPublished && group != CandidateGroup::Other);
  };
  for (const methods::Method *method : methods::allMethods())
    for (const methods::Implementation &implementation :
         method->implementations)
      if (implementation.function == op.getFunction())
        for (const methods::Candidate &candidate : implementation.candidates)
          if (isAsked(getGroup(implementation, candidate)))
            consider(*method, implementation, candidate);
  if (!legal.empty())
    return ArrayAttr::get(context, legal.getArrayRef());

  auto diag = op->emitOpError("has no method that is legal here");
  for (const std::string &reason : reasons)
    diag.attachNote() << reason;
  return failure();
}
