//===- Published.cpp - The published arithmetic ---------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Published.h"
#include <algorithm>
#include <cmath>

using namespace nlq::methods::test;

/// torch.round.
static double roundEven(double x) { return std::nearbyint(x); }

static Row toRow(const Reals &values) {
  Row row;
  for (double value : values)
    row.push_back(int64_t(value));
  return row;
}

static double maxOf(const Row &q) {
  return double(*std::max_element(q.begin(), q.end()));
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

/// int_exp of I-BERT's and FQ-ViT's IntSoftmax, x_int <= 0, n = 30.
static double ibertIntExp(double xInt, double s) {
  const double n = 30;
  double coef0 = 0.35815147, coef1 = 0.96963238 / coef0, coef2 = 1.0 / coef0;
  double x0Int = std::floor(-0.6931 / s);
  xInt = std::max(xInt, n * x0Int);
  double q = std::floor(xInt / x0Int);
  double r = xInt - x0Int * q;
  double bInt = std::floor(coef1 / s);
  double cInt = std::floor(coef2 / (s * s));
  double z = r + bInt;
  z = r * z;
  z = z + cInt;
  return std::max(std::floor(z * std::exp2(n - q)), 0.0);
}

Row published::ibertSoftmax(const Row &q, double s, int outBits) {
  double largest = maxOf(q);
  Reals exp;
  for (int64_t x : q)
    exp.push_back(ibertIntExp(double(x) - largest, s));
  // QuantAct(16): fixedpoint_mul from the exponentials' scale to that of their
  // maximum, a float32; frexp with a 31-bit mantissa rounded half up, then
  // torch.round and a clamp.
  double expScale = 0.35815147 * (s * s) / 0x1p30;
  double actScale = float(ibertIntExp(0, s) / 32767.0);
  int exponent;
  double fraction = std::frexp(expScale / actScale, &exponent);
  double m = std::floor(fraction * 0x1p31 + 0.5);
  double e = 31 - exponent;
  double sum = 0;
  for (double &x : exp) {
    x = roundEven(roundEven(x / expScale) * m / std::exp2(e));
    x = std::clamp(x, -32768.0, 32767.0);
    sum += x;
  }
  double factor = std::floor(0x1p32 / sum);
  for (double &x : exp)
    x = std::floor(x * factor / std::exp2(32 - outBits));
  return toRow(exp);
}

/// int_exp_shift of I-ViT.
static double ivitIntExp(double xInt, double s, double n) {
  xInt = xInt + std::floor(xInt / 2) - std::floor(xInt / 16);
  double x0Int = std::floor(-1.0 / s);
  xInt = std::max(xInt, n * x0Int);
  double q = std::floor(xInt / x0Int);
  double r = xInt - x0Int * q;
  double expInt = r / 2 - x0Int;
  return std::max(std::floor(expInt * std::exp2(n - q)), 0.0);
}

Row published::ivitSoftmax(const Row &q, double s, int outBits) {
  double largest = maxOf(q), sum = 0;
  Reals exp;
  for (int64_t x : q) {
    exp.push_back(ivitIntExp(double(x) - largest, s, 15));
    sum += exp.back();
  }
  sum = std::min(sum, 2147483647.0);
  double factor = std::floor(2147483647.0 / sum);
  for (double &x : exp)
    x = std::floor(x * factor / std::exp2(31 - outBits + 1));
  return toRow(exp);
}

Row published::fqvitSoftmax(const Row &q, double s, int bits) {
  double largest = maxOf(q), sum = 0;
  Reals exp;
  for (int64_t x : q) {
    exp.push_back(ibertIntExp(double(x) - largest, s));
    sum += exp.back();
  }
  Row row;
  for (double x : exp) {
    double quotient = roundEven(sum / x);
    // log_round
    double big = std::floor(std::log2(quotient));
    if (quotient - std::exp2(big) >= std::exp2(big - 1))
      big = big + 1;
    double levels = std::exp2(bits);
    row.push_back(big >= levels ? int64_t(levels)
                                : int64_t(std::clamp(big, 0.0, levels - 1)));
  }
  return row;
}

static Row recipeShares(const Row &exp, int outBits) {
  uint64_t sum = 0;
  for (int64_t e : exp)
    sum += uint64_t(e);
  uint64_t factor =
      ((uint64_t(1) << 31) * ((uint64_t(1) << outBits) - 1)) / sum;
  Row row;
  for (int64_t e : exp)
    row.push_back(int64_t((uint64_t(e) * factor + (uint64_t(1) << 30)) >> 31));
  return row;
}

Row published::recipePolynomialSoftmax(const Row &q, double s, int outBits) {
  int k = 0;
  while (double(q.size()) * (2.79212 / std::pow(s / std::exp2(k + 1), 2) + 2) <
         0x1p31)
    ++k;
  double fine = s / std::exp2(k);
  int64_t b = std::llround(2.70733 / fine);
  int64_t c = std::llround(2.79212 / (fine * fine));
  int64_t l = std::llround(std::log(2.0) / fine);
  Row exp;
  for (int64_t x : q) {
    int64_t d = (int64_t(maxOf(q)) - x) << k;
    int64_t z = std::min<int64_t>(d / l, 31), r = z * l - d;
    exp.push_back(d < 32 * l ? (r * (r + b) + c) >> z : 0);
  }
  return recipeShares(exp, outBits);
}

Row published::recipeShiftSoftmax(const Row &q, double s, int outBits) {
  int64_t m = std::llround(s * std::log2(std::exp(1.0)) * 4096);
  Row exp;
  for (int64_t x : q) {
    int64_t t = (int64_t(maxOf(q)) - x) * m;
    int64_t z = std::min<int64_t>(t >> 12, 31), f = t & 4095;
    exp.push_back(((8192 - f) << 8) >> (z + 1));
  }
  return recipeShares(exp, outBits);
}

//===----------------------------------------------------------------------===//
// GELU
//===----------------------------------------------------------------------===//

Row published::ibertGelu(const Row &q, const Reals &scales) {
  const double a = -0.2888, b = -1.769, c = 1 / a, n = 14;
  Reals out;
  for (size_t i = 0; i < q.size(); ++i) {
    double x = double(q[i]);
    double se = scales[scales.size() == 1 ? 0 : i] / 1.4142;
    double bInt = std::floor(b / se);
    double cInt = std::floor(c / (se * se));
    double sign = x > 0 ? 1 : x < 0 ? -1 : 0;
    double absInt = std::min(std::fabs(x), -bInt);
    double y = sign * ((absInt + bInt) * (absInt + bInt) + cInt);
    double yScale = se * se * a;
    y = std::floor(y / std::exp2(n));
    yScale = yScale * std::exp2(n);
    out.push_back(x * (y + std::floor(1.0 / yScale)));
  }
  return toRow(out);
}

Row published::ivitGelu(const Row &q, double s, int outBits) {
  double sigScale = s * 1.702, largest = maxOf(q);
  Reals out;
  for (int64_t x : q) {
    double exp = ivitIntExp(double(x) - largest, sigScale, 23);
    double expMax = ivitIntExp(-largest, sigScale, 23);
    double sum = std::min(exp + expMax, 2147483647.0);
    double factor = std::floor(2147483647.0 / sum);
    double sigmoid = std::floor(exp * factor / std::exp2(31 - outBits + 1));
    out.push_back(double(x) * sigmoid);
  }
  return toRow(out);
}

//===----------------------------------------------------------------------===//
// Layer normalization
//===----------------------------------------------------------------------===//

static Reals subtractMean(const Row &q) {
  double mean = 0;
  for (int64_t x : q)
    mean += double(x);
  mean = roundEven(mean / double(q.size()));
  Reals y;
  for (int64_t x : q)
    y.push_back(double(x) - mean);
  return y;
}

static Row scaleAndShift(Reals y, double factor, const Reals &gamma,
                         const Reals &beta) {
  double step = double(std::sqrt(float(y.size()))) / 0x1p30;
  for (size_t i = 0; i < y.size(); ++i)
    y[i] =
        std::floor(y[i] * factor / 2) + std::floor(beta[i] / gamma[i] / step);
  return toRow(y);
}

Row published::ibertLayerNorm(const Row &q, const Reals &gamma,
                              const Reals &beta, int shift) {
  Reals y = subtractMean(q);
  double variance = 0;
  for (double x : y)
    variance += std::pow(std::floor(x / std::exp2(shift)), 2);
  double deviation = std::floor(std::sqrt(variance)) * std::exp2(shift);
  return scaleAndShift(y, std::floor(0x1p31 / deviation), gamma, beta);
}

Row published::ivitLayerNorm(const Row &q, const Reals &gamma,
                             const Reals &beta) {
  Reals y = subtractMean(q);
  double variance = 0;
  for (double x : y)
    variance += x * x;
  double k = 0x1p16;
  for (int i = 0; i < 10; ++i)
    k = std::floor((k + std::floor(variance / k)) / 2);
  return scaleAndShift(y, std::floor(2147483647.0 / k), gamma, beta);
}

Row published::fqvitLayerNorm(const Row &q, const Reals &scales,
                              const Reals &gamma, const Reals &beta,
                              double outScale) {
  double channels = double(q.size());
  double scale1 = *std::min_element(scales.begin(), scales.end());
  Reals x;
  double sum = 0, squares = 0;
  for (size_t i = 0; i < q.size(); ++i) {
    x.push_back(double(q[i]) *
                roundEven(scales[scales.size() == 1 ? 0 : i] / scale1));
    sum += x.back();
    squares += x.back() * x.back();
  }
  double mean = sum / channels * scale1;
  double deviation =
      scale1 / channels * std::sqrt(channels * squares - sum * sum);
  Row out;
  for (size_t i = 0; i < q.size(); ++i) {
    double a = scale1 / deviation * gamma[i] / outScale;
    double n = std::clamp(7 - std::floor(std::log2(std::fabs(a))), 0.0, 31.0);
    double m = std::clamp(std::floor(std::fabs(a) * std::exp2(n)), 0.0, 255.0);
    double b = roundEven((beta[i] - mean / deviation * gamma[i]) / outScale *
                         std::exp2(n));
    double sign = a > 0 ? 1 : a < 0 ? -1 : 0;
    out.push_back(int64_t(roundEven((sign * m * x[i] + b) / std::exp2(n))));
  }
  return out;
}
