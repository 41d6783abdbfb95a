//===- IptqViT.cpp - A fourth-order polynomial for erf --------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// G. Kim, J. Lee, H. Kim: "IPTQ-ViT: Post-Training Quantization of Non-linear
// Functions for Integer-only Vision Transformers", WACV 2026, arXiv 2511.15369:
// i-GELU (I-BERT) with erf by a polynomial of degree 4 instead of 2,
//   erf(u) ~ sgn(u) (a (min(|u|, -b) + b)^4 + 1)
// with a = -0.019913 and b = -2.698088, fitted to what vision transformers feed
// it (coefficients as in its data-aware Poly-GELU). Off by 0.0093 at most, half
// of i-GELU's error.
//
// No code of it is published, hence no reference form.
//
//===----------------------------------------------------------------------===//

#include "AllMethods.h"
#include "Gelu.h"
#include <cmath>

using namespace nlq;
using namespace nlq::methods;
using kernel::Builder;
using kernel::Predicate;
using kernel::Rounding;
using kernel::Value;

static constexpr double kA = 0.019913, kB = 2.698088;
/// The finest scale of x at which kB has 15 bits.
static constexpr double kFinest = kB * M_SQRT2 / 32767;

//   u = |q| << k, k such that B has 10 bits or more;  se = s / 2^k / sqrt 2
//   t = B - min(u, B);  v = rnd(t^2 / 2^m), 15 bits
//   y = rnd(v^2 a se^4 2^(2m) 2^14);  out = q (2^14 + sgn(q) (2^14 - y))
// on the scale s 2^-15.
static llvm::Expected<MethodKernel> buildGelu(const Problem &problem) {
  Builder builder(problem.maxRowLength);
  auto [q, s] =
      narrowForGelu(builder, problem, kB * M_SQRT2, /*finest=*/kFinest);
  int64_t k = 0;
  while (std::ldexp(kB * M_SQRT2 / s, int(k)) < 512)
    ++k;
  const double se = std::ldexp(s, int(-k)) / M_SQRT2;
  const int64_t b = std::llround(kB / se);
  int64_t m = 0;
  while ((b * b) >> m >= (int64_t(1) << 15))
    ++m;
  constexpr int64_t one = int64_t(1) << 14;

  // Clamped before the shift, which it must survive in 32 bits, and after.
  Value u = builder.shiftLeft(builder.min(builder.abs(q), (b >> k) + 1), k);
  Value t = b - builder.min(u, b);
  Value v = builder.shiftRight(t * t, m, Rounding::HalfUp).named("square");
  kernel::Dyadic factor =
      kernel::toDyadic(kA * std::pow(se, 4) * std::ldexp(one, int(2 * m)), 15);
  Value y = builder.mulShift(v * v, factor.multiplier, factor.shift,
                             Rounding::HalfUp);
  Value erf = (one - y).named("erf");
  Value out = q * builder.select(builder.compare(Predicate::LT, q, 0),
                                 one - erf, erf + one);
  return storeResult(builder, out, {s / double(2 * one)}, problem);
}

static const Candidate kWidths[] = {
    {Profile::Other, Narrowing::None, 0, 16},
    {Profile::Other, Narrowing::Symmetric, 0, 16},
};
static const Implementation kImplementations[] = {
    {"gelu", Form::Corrected, buildGelu, kWidths},
};
static const Fallback kFallbacks[] = {{"softmax", "ivit"},
                                      {"layer_norm", "ibert"}};

const Method nlq::methods::kIptqViT = {
    "iptqvit",
    "IPTQ-ViT",
    "a fourth-order polynomial for GELU",
    "Kim et al., WACV 2026, arXiv 2511.15369",
    kImplementations,
    kFallbacks};
