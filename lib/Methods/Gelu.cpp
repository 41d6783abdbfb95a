//===- Gelu.cpp - What corrected GELUs share ------------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Gelu.h"
#include "nlq/Kernel/Bound.h"
#include <algorithm>

using namespace nlq;
using namespace nlq::methods;
using kernel::Value;

Scaled nlq::methods::narrowForGelu(kernel::Builder &builder,
                                   const Problem &problem, double reachBelow,
                                   double finest) {
  const Quantized &from = problem.narrowed, &to = problem.result;
  const kernel::Interval fits = {-32768, 32767}, working = {-32767, 32767};
  if (from.isPerTensor() && from.scales[0] >= finest &&
      fits.contains(from.range.lo - from.zeroPoints[0]) &&
      fits.contains(from.range.hi - from.zeroPoints[0]))
    return {narrowAndCentre(builder, problem), from.scales[0]};

  // GELU(x) >= x - 0.17 for all x, and the approximations are off by less than
  // 0.03 and, their factor of x having 14 bits, 2^-14 of x, so that 0.25 above
  // the result's largest value saturates it; from 3600 on to within 2^-14.
  double reach = std::max(reachBelow, finest * double(working.hi));
  int64_t columns = std::max(from.scales.size(), to.scales.size());
  for (int64_t i = 0; i < columns; ++i)
    reach = std::max(reach, to.dequantize(to.range.hi, i) + 0.25);
  double scale = reach / double(working.hi);
  Value x = narrowOperand(builder, problem);
  Value q =
      kernel::requantize(x, ratiosOfScales(from.scales, {scale}),
                         from.zeroPoints, 0, working, kernel::Rounding::HalfUp);
  return {q.named("working"), scale};
}
