//===- DrawnKernels.cpp - Random legal uses of methods --------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Methods/DrawnKernels.h"
#include "nlq/Methods/Functions.h"
#include <algorithm>
#include <cmath>
#include <cstdlib>

using namespace nlq;
using namespace nlq::methods;
using namespace nlq::methods::test;
using kernel::Interval;
using kernel::Random;

std::string Subject::name() const {
  std::string name =
      (method->name + "_" + implementation->function + "_" +
       stringify(implementation->form) + "_" +
       llvm::Twine(candidate - implementation->candidates.begin()))
          .str();
  return name;
}

std::vector<Subject> nlq::methods::test::allSubjects() {
  std::vector<Subject> subjects;
  for (const Method *method : allMethods())
    for (const Implementation &implementation : method->implementations)
      for (const Candidate &candidate : implementation.candidates)
        subjects.push_back({method, &implementation, &candidate});
  return subjects;
}

bool nlq::methods::test::sweepsAreLong() {
  return std::getenv("NLQ_LONG_SWEEPS") != nullptr;
}

namespace {
/// Draws the parts of one problem.
class Drawing {
public:
  Drawing(const Subject &subject, int64_t longestRow, uint64_t seed)
      : subject(subject), longestRow(longestRow), random(seed) {}

  Problem draw();

private:
  double uniform(double lo, double hi) {
    return lo + (hi - lo) * double(random.next() >> 11) * 0x1p-53;
  }
  /// 2^x for a uniform x.
  double power(double lo, double hi) { return std::exp2(uniform(lo, hi)); }
  double signedPower(double lo, double hi) {
    return random.oneIn(2) ? power(lo, hi) : -power(lo, hi);
  }
  bool hasColumnParameters() const;
  Interval subrange(Interval range);
  Quantized type(unsigned bits, double scale, bool perColumn,
                 bool mayBeUnsigned);
  Quantized operand();
  Quantized narrowed();
  std::vector<double> parameter(double lo, double hi);

  const Subject &subject;
  const int64_t longestRow;
  Random random;
  int64_t columns = 1;
};
} // namespace

/// Whether validation asks for gamma: then rows have one length.
bool Drawing::hasColumnParameters() const {
  Problem problem;
  problem.maxRowLength = 1;
  llvm::Error error = validate(subject.implementation->function, problem);
  bool has = bool(error);
  llvm::consumeError(std::move(error));
  return has;
}

/// All of it mostly, else some of it.
Interval Drawing::subrange(Interval range) {
  if (!random.oneIn(3))
    return range;
  Interval part = {random.in(range), random.in(range)};
  return {std::min(part.lo, part.hi), std::max(part.lo, part.hi)};
}

/// Values of `bits` bits in the narrowest storage.
Quantized Drawing::type(unsigned bits, double scale, bool perColumn,
                        bool mayBeUnsigned) {
  Quantized type;
  type.bits = bits <= 8 ? 8 : bits <= 16 ? 16 : 32;
  type.isSigned = !(mayBeUnsigned && random.oneIn(3));
  Interval values = kernel::storageRange(bits, type.isSigned);
  if (type.isSigned && random.oneIn(2))
    values.lo = -values.hi;
  type.range = subrange(values);
  // Mostly symmetric, else a zero among the values, else far from them.
  int64_t zero = 0;
  if (random.oneIn(2))
    zero = random.oneIn(8) ? random.in(values.lo * 2, values.hi * 2)
                           : random.in(values);
  zero = std::clamp<int64_t>(zero, INT32_MIN, INT32_MAX);
  type.scales = {scale};
  type.zeroPoints = {zero};
  if (perColumn) {
    type.scales.resize(columns);
    type.zeroPoints.assign(columns, zero);
    for (double &each : type.scales)
      each = scale * power(-2, 2);
  }
  return type;
}

/// An activation of 4 to 16 bits, or an accumulator of up to 32.
Quantized Drawing::operand() {
  bool perColumn = columns <= longestRow && random.oneIn(3);
  if (random.oneIn(2))
    return type(unsigned(random.in(4, 16)), power(-12, 3), perColumn, true);
  unsigned bits = unsigned(random.in(17, 32));
  // The largest value is about 2^-2 to 2^8.
  return type(bits, power(-2, 8) / std::exp2(int(bits) - 1), perColumn, false);
}

/// What the candidate starts from, of the width it has or of 4 to 16 bits.
Quantized Drawing::narrowed() {
  const Candidate &candidate = *subject.candidate;
  unsigned bits =
      candidate.inBits ? candidate.inBits : unsigned(random.in(4, 16));
  double scale = power(-10, 2);
  Quantized type;
  type.bits = bits <= 8 ? 8 : 16;
  type.scales = {scale};
  type.zeroPoints = {0};
  Interval values = kernel::storageRange(bits);
  if (candidate.narrowing == Narrowing::Symmetric) {
    type.range = {-values.hi, values.hi};
    return type;
  }
  type.isSigned = false;
  type.range = kernel::storageRange(bits, false);
  type.zeroPoints = {random.in(type.range)};
  if (candidate.narrowing == Narrowing::PowerOfTwoFactors) {
    type.scales.resize(columns);
    for (double &each : type.scales)
      each = std::ldexp(scale, int(random.in(0, 3)));
    type.zeroPoints.assign(columns, type.zeroPoints[0]);
  }
  return type;
}

/// Any sign; in some problems the same everywhere, in some with zeros.
std::vector<double> Drawing::parameter(double lo, double hi) {
  std::vector<double> values(columns, signedPower(lo, hi));
  if (random.oneIn(5))
    return values;
  bool zeros = random.oneIn(3);
  for (double &value : values)
    value = zeros && random.oneIn(5) ? 0.0 : signedPower(lo, hi);
  return values;
}

Problem Drawing::draw() {
  bool perColumn = hasColumnParameters();
  columns = random.oneIn(6) ? 1 : random.in(1, longestRow);
  if (!perColumn && random.oneIn(3))
    columns = int64_t(power(0, 20));
  Problem problem;
  problem.maxRowLength = columns;
  problem.form = subject.implementation->form;
  problem.outBits =
      random.oneIn(3) ? unsigned(random.in(1, 16)) : subject.candidate->outBits;
  problem.operand = operand();
  problem.narrowed = problem.operand;
  if (subject.candidate->narrowing != Narrowing::None) {
    problem.narrowed = narrowed();
    if (random.oneIn(2))
      problem.operand = problem.narrowed;
  } else {
    // The methods subtract one zero point.
    int64_t zero = problem.operand.zeroPoints[0];
    problem.narrowed.zeroPoints.assign(problem.narrowed.scales.size(), zero);
  }
  problem.result = type(unsigned(random.in(4, 16)), power(-15, 2),
                        columns <= longestRow && random.oneIn(4), false);
  if (perColumn) {
    problem.gamma = parameter(-8, 4);
    problem.beta = parameter(-10, 4);
    problem.epsilon = random.oneIn(3) ? 0.0 : power(-40, 0);
  }
  problem.gelu = random.oneIn(3) ? GeluKind::Tanh : GeluKind::Erf;
  if (lookupFunction(subject.implementation->function)->kind ==
      FunctionKind::Probabilities) {
    problem.hasMask = random.oneIn(3);
    problem.isCausal = random.oneIn(3);
  }
  return problem;
}

Problem nlq::methods::test::drawProblem(const Subject &subject,
                                        int64_t longestRow, uint64_t seed) {
  return Drawing(subject, longestRow, seed).draw();
}

std::optional<DrawnKernel>
nlq::methods::test::drawKernel(const Subject &subject, int64_t longestRow,
                               uint64_t &seed) {
  for (unsigned attempt = 0; attempt < 1000; ++attempt) {
    Problem problem = drawProblem(subject, longestRow, seed);
    Random random(~seed++);
    llvm::Expected<kernel::Kernel> built =
        build(*subject.method, subject.implementation->function, problem);
    if (!built) {
      llvm::consumeError(built.takeError());
      continue;
    }
    kernel::Bounds bounds = llvm::cantFail(kernel::bound(built->graph));
    int64_t length = problem.maxRowLength;
    bool isFixed = !problem.gamma.empty() || !built->columns.empty();
    if (!isFixed && (length > longestRow || random.oneIn(2)))
      length = random.in(1, std::min(length, longestRow));
    return DrawnKernel{std::move(problem), std::move(*built), std::move(bounds),
                       length};
  }
  return std::nullopt;
}
