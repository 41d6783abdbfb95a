//===- RequantizeTest.cpp - Shared scaling expressions --------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Expected values come from exact rational arithmetic: on the dyadic ratio,
// which must be met exactly, and on the double ratio itself, within the one
// unit that the multiplier's rounding may cost.

#include "nlq/Kernel/Requantize.h"
#include "Kernel/RandomGraph.h"
#include "nlq/Kernel/Evaluate.h"
#include "nlq/Kernel/Rewrites.h"
#include "nlq/Kernel/Semantics.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <cmath>

using namespace nlq::kernel;

//===----------------------------------------------------------------------===//
// toDyadic
//===----------------------------------------------------------------------===//

/// The relative error of the dyadic number, exactly enough in long double.
static long double relativeError(Dyadic dyadic, double ratio) {
  long double value =
      std::ldexp((long double)dyadic.multiplier, -int(dyadic.shift));
  return std::fabs((value - ratio) / ratio);
}

TEST(Dyadic, IsTheNearest) {
  Random random(1);
  for (int i = 0; i < 20000; ++i) {
    double ratio = std::ldexp(double(random.in(1, int64_t(1) << 53)),
                              int(random.in(-110, 10)));
    if (random.oneIn(2))
      ratio = -ratio;
    Dyadic dyadic = toDyadic(ratio);
    int64_t magnitude = std::abs(dyadic.multiplier);
    ASSERT_GE(magnitude, int64_t(1) << 30) << ratio;
    ASSERT_LT(magnitude, int64_t(1) << 31) << ratio;
    ASSERT_EQ(dyadic.multiplier < 0, ratio < 0);
    // Half a unit of a multiplier of at least 2^30.
    ASSERT_LE(relativeError(dyadic, ratio), std::ldexp(1.0L, -31)) << ratio;
  }
}

TEST(Dyadic, RenormalisesAFullMantissa) {
  // Rounds up to 2^31 / 2^31.
  Dyadic dyadic = toDyadic(1 - std::ldexp(1.0, -33));
  EXPECT_EQ(dyadic.multiplier, int64_t(1) << 30);
  EXPECT_EQ(dyadic.shift, 30);
  dyadic = toDyadic(1 - std::ldexp(1.0, -31));
  EXPECT_EQ(dyadic.multiplier, (int64_t(1) << 31) - 1);
  EXPECT_EQ(dyadic.shift, 31);
  // Exactly half of a unit goes away from zero.
  dyadic = toDyadic(-(1 - std::ldexp(1.0, -32)));
  EXPECT_EQ(dyadic.multiplier, -(int64_t(1) << 30));
  EXPECT_EQ(dyadic.shift, 30);
}

TEST(Dyadic, Extremes) {
  EXPECT_EQ(toDyadic(0).multiplier, 0);
  EXPECT_EQ(toDyadic(1).multiplier, int64_t(1) << 30);
  EXPECT_EQ(toDyadic(1).shift, 30);
  EXPECT_EQ(toDyadic(std::ldexp(1.0, 40)).shift, -10);
  EXPECT_EQ(toDyadic(0.75, 8).multiplier, 192);
  EXPECT_EQ(toDyadic(0.75, 8).shift, 8);
  for (double tiny : {5e-324, 1e-300, 1e-30}) {
    EXPECT_EQ(toDyadic(-tiny).shift, 126);
    EXPECT_EQ(toDyadic(-tiny).multiplier, -1);
  }
}

//===----------------------------------------------------------------------===//
// requantize
//===----------------------------------------------------------------------===//

/// q(x * ratio) for a ratio that is numerator / 2^denominatorLog2.
static Int128 scaleExactly(int64_t x, double ratio, Rounding rounding) {
  int exponent;
  double fraction = std::frexp(ratio, &exponent);
  Int128 numerator = Int128(int64_t(std::ldexp(fraction, 53)));
  int shift = 53 - exponent;
  Int128 product = numerator * x;
  return shift >= 0 ? shiftRight(product, shift, rounding)
                    : product * (Int128(1) << -shift);
}

namespace {
struct Case {
  Interval in;
  unsigned inBits;
  double ratio;
  int64_t zeroPointIn;
  int64_t zeroPointOut;
  Interval out;
  Rounding rounding = Rounding::HalfEven;
};
} // namespace

static Kernel build(const Case &c) {
  Builder b(4096);
  Value x = b.element("x", c.inBits, c.in);
  return b.finish(
      requantize(x, c.ratio, c.zeroPointIn, c.zeroPointOut, c.out, c.rounding),
      32);
}

/// Inputs around everything that can matter: the ends, zero, the zero point,
/// and where the result reaches its ends; and any.
static std::vector<int64_t> probes(const Case &c, Random &random) {
  std::vector<int64_t> xs;
  auto around = [&](long double centre) {
    for (int64_t step = -20; step <= 20; ++step) {
      long double x = std::floor(centre) + step;
      if (x >= c.in.lo && x <= c.in.hi)
        xs.push_back(int64_t(x));
    }
  };
  around(c.in.lo);
  around(c.in.hi);
  around(0);
  around(c.zeroPointIn);
  for (int64_t end : {c.out.lo, c.out.hi})
    around((end - c.zeroPointOut) / (long double)c.ratio + c.zeroPointIn);
  for (int i = 0; i < 500; ++i)
    xs.push_back(random.in(c.in));
  return xs;
}

/// Holds a case to exact arithmetic, in lanes of 32 bits.
static void tryCase(const Case &c, Random &random) {
  SCOPED_TRACE(testing::Message()
               << "ratio " << c.ratio << " zero points " << c.zeroPointIn << ' '
               << c.zeroPointOut << ' ' << stringify(c.rounding));
  Kernel kernel = build(c);
  BoundOptions options;
  options.maxElementBits = 32;
  llvm::Expected<Bounds> bounds = bound(kernel.graph, options);
  ASSERT_TRUE(bool(bounds)) << llvm::toString(bounds.takeError()) << '\n'
                            << kernel.graph.str();
  std::vector<int64_t> xs = probes(c, random), out(xs.size());
  Evaluator evaluator(kernel, int64_t(xs.size()));
  llvm::Error error = evaluator.runChecked({xs}, 0, out, *bounds);
  ASSERT_FALSE(bool(error)) << llvm::toString(std::move(error));
  for (size_t i = 0; i < xs.size(); ++i) {
    int64_t centred = xs[i] - c.zeroPointIn;
    // The multiplier is off by at most 2^-31 of itself, which moves the result
    // by less than one as long as it has 31 bits: between the exact results of
    // the two ends.
    auto clamped = [&](Int128 value) {
      return int64_t(
          std::clamp<Int128>(value + c.zeroPointOut, c.out.lo, c.out.hi));
    };
    Dyadic dyadic = toDyadic(c.ratio);
    double rounded = std::ldexp(double(dyadic.multiplier), -int(dyadic.shift));
    ASSERT_EQ(out[i], clamped(scaleExactly(centred, rounded, c.rounding)))
        << xs[i];
    ASSERT_LE(
        std::abs(out[i] - clamped(scaleExactly(centred, c.ratio, c.rounding))),
        1)
        << xs[i];
  }
}

TEST(Requantize, EightBitsExhaustively) {
  Random random(3);
  for (unsigned rounding = 0; rounding < 5; ++rounding)
    for (double ratio : {0.5, 1.0, 0.37, 2.5, -0.75, 100.0, 1e-3, -1e6, 1e-40})
      for (int64_t zeroPoint : {0, -128, 5})
        tryCase({{-128, 127},
                 8,
                 ratio,
                 zeroPoint,
                 3,
                 {-128, 127},
                 Rounding(rounding)},
                random);
}

TEST(Requantize, AccumulatorsOf32Bits) {
  Random random(4);
  Interval accumulator = storageRange(32);
  for (unsigned rounding = 0; rounding < 5; ++rounding)
    for (Interval out : {storageRange(8), storageRange(16), Interval{-31, 31},
                         Interval{0, 255}, Interval{-1000000000, 1000000000}})
      for (double ratio :
           {1.0, 0.9999999999, 1.0000000001, 0.001, 1.7, 2.0, 3.3, 1e3, 65536.5,
            1e9, -1.0, -0.3, -1.5, -7e8, 1e-9, 1e-12, 0.25})
        tryCase({accumulator, 32, ratio, 0, out.lo < 0 ? 0 : 17, out,
                 Rounding(rounding)},
                random);
}

TEST(Requantize, RandomRatios) {
  Random random(5);
  for (int i = 0; i < 400; ++i) {
    double ratio = std::ldexp(double(random.in(1, int64_t(1) << 53)),
                              int(random.in(-85, -25)));
    int64_t a = random.in(-40000, 40000), b = random.in(-40000, 40000);
    tryCase({storageRange(random.oneIn(2) ? 32 : 16),
             32,
             random.oneIn(2) ? ratio : -ratio,
             0,
             random.in(-100, 100),
             {std::min(a, b), std::max(a, b)},
             Rounding(random.in(0, 4))},
            random);
  }
}

/// 32-bit zero points, which take a difference of 33 bits, and ratios of which
/// one step saturates or the whole range is one step: in 64 bits, exactly.
TEST(Requantize, ExtremesOf32Bits) {
  const Interval all = storageRange(32);
  std::vector<int64_t> edges = {all.lo, all.lo + 1, -1,    0,
                                1,      all.hi - 1, all.hi};
  std::vector<double> ratios;
  // The mantissa that rounds up to 2^31, at many exponents.
  for (int exponent : {-120, -64, -33, -32, -31, -2, -1, 0, 1, 15, 30, 31})
    for (double mantissa :
         {1 - 0x1p-53, 1 - 0x1p-33, 1 - 0x1p-32, 1 - 0x1p-31, 1.0, 1 + 0x1p-31})
      ratios.push_back(std::ldexp(mantissa, exponent));
  for (double ratio : ratios)
    for (double sign : {1.0, -1.0})
      for (int64_t zeroPointIn : {all.lo, int64_t(0), all.hi})
        for (int64_t zeroPointOut : {int64_t(0), int64_t(-128), all.hi})
          for (unsigned rounding = 0; rounding < 5; ++rounding) {
            Interval out = zeroPointOut == all.hi ? all : storageRange(8);
            Case c{all,          32,  sign * ratio,      zeroPointIn,
                   zeroPointOut, out, Rounding(rounding)};
            Kernel kernel = build(c);
            Dyadic dyadic = toDyadic(c.ratio);
            ASSERT_LT(std::abs(dyadic.multiplier), int64_t(1) << 31);
            Evaluator evaluator(kernel, int64_t(edges.size()));
            std::vector<int64_t> got(edges.size());
            Bounds bounds = llvm::cantFail(bound(kernel.graph));
            llvm::cantFail(evaluator.runChecked({edges}, 0, got, bounds));
            double rounded =
                std::ldexp(double(dyadic.multiplier), -int(dyadic.shift));
            for (size_t i = 0; i < edges.size(); ++i) {
              Int128 exact =
                  scaleExactly(edges[i] - zeroPointIn, rounded, c.rounding) +
                  zeroPointOut;
              ASSERT_EQ(got[i],
                        int64_t(std::clamp<Int128>(exact, out.lo, out.hi)))
                  << edges[i] << " ratio " << c.ratio << " zero points "
                  << zeroPointIn << ' ' << zeroPointOut << ' '
                  << stringify(c.rounding);
            }
          }
}

/// Ratios of which every input but the zero point saturates, however large.
TEST(Requantize, HugeRatios) {
  for (double ratio : {0x1p32, 0x1p62, 1e30, 1e300})
    for (double sign : {1.0, -1.0})
      for (int64_t zeroPoint : {int64_t(0), int64_t(-7), int64_t(INT32_MAX)}) {
        Kernel kernel = build({storageRange(32), 32, sign * ratio, zeroPoint, 3,
                               storageRange(8)});
        std::vector<int64_t> xs = {INT32_MIN, zeroPoint - 1, zeroPoint,
                                   std::min<int64_t>(zeroPoint + 1, INT32_MAX),
                                   INT32_MAX};
        std::vector<int64_t> got(xs.size());
        Bounds bounds = llvm::cantFail(bound(kernel.graph));
        llvm::cantFail(Evaluator(kernel, int64_t(xs.size()))
                           .runChecked({xs}, 0, got, bounds));
        for (size_t i = 0; i < xs.size(); ++i) {
          int64_t above = sign > 0 ? 127 : -128, below = sign > 0 ? -128 : 127;
          EXPECT_EQ(got[i], xs[i] == zeroPoint  ? 3
                            : xs[i] > zeroPoint ? above
                                                : below)
              << xs[i] << " ratio " << sign * ratio << " zero point "
              << zeroPoint;
        }
      }
}

TEST(Requantize, NeedsNoClampForRatiosBelowOne) {
  Kernel kernel = build({storageRange(32), 32, 0.8, 0, 0, {-128, 127}});
  for (const Node &node : kernel.graph.nodes)
    if (node.opcode == Opcode::MulShift) {
      EXPECT_EQ(kernel.graph.nodes[node.operands[0]].opcode, Opcode::Input);
    }
}

/// Ratios of many magnitudes and both signs beside each other, where intervals
/// alone would pair the widest column with the largest ratio.
TEST(Requantize, PerColumn) {
  Random random(6);
  for (int trial = 0; trial < 50; ++trial) {
    std::vector<double> ratios;
    std::vector<int64_t> zeroPoints;
    for (int i = 0; i < 40; ++i) {
      ratios.push_back(std::ldexp(double(random.in(1, int64_t(1) << 53)),
                                  int(random.in(-75, -40))));
      if (random.oneIn(4))
        ratios.back() = -ratios.back();
      zeroPoints.push_back(trial % 2 == 0 ? 0 : random.in(-9, 9));
    }
    Interval in = trial % 2 == 0 ? storageRange(32) : storageRange(16);
    Interval out = trial % 3 == 0 ? storageRange(16) : storageRange(8);
    Rounding rounding = Rounding(trial % 5);
    Builder b(40);
    Value x = b.element("x", 32, in);
    Kernel kernel =
        b.finish(requantize(x, ratios, zeroPoints, 2, out, rounding), 16);
    BoundOptions options;
    options.maxElementBits = 32;
    llvm::Expected<Bounds> bounds = bound(kernel.graph, options);
    ASSERT_TRUE(bool(bounds)) << llvm::toString(bounds.takeError()) << '\n'
                              << kernel.graph.str();
    Evaluator evaluator(kernel, 40);
    std::vector<int64_t> got(40);
    for (unsigned pattern = 0; pattern < kNumInputPatterns; ++pattern) {
      auto xs = randomInputs(kernel, 40, InputPattern(pattern), trial)[0];
      // Near saturation, too.
      if (pattern == 0)
        for (int i = 0; i < 40; ++i)
          xs[i] = int64_t(std::clamp<double>(
              (random.oneIn(2) ? out.lo : out.hi) / ratios[i] +
                  double(random.in(-3, 3)),
              double(in.lo), double(in.hi)));
      llvm::Error error = evaluator.runChecked({xs}, 0, got, *bounds);
      ASSERT_FALSE(bool(error)) << llvm::toString(std::move(error));
      for (int i = 0; i < 40; ++i) {
        Dyadic d = toDyadic(ratios[i]);
        double ratio = std::ldexp(double(d.multiplier), -int(d.shift));
        Int128 exact = scaleExactly(xs[i] - zeroPoints[i], ratio, rounding) + 2;
        ASSERT_EQ(got[i], int64_t(std::clamp<Int128>(exact, out.lo, out.hi)))
            << "column " << i << " ratio " << ratios[i] << " x " << xs[i];
      }
    }
  }
}

/// Half up, columns of like ratios share a shift, which costs no more than
/// 2^-24 of a value with 31 bits, and 2^-12 with 15; unlike ones do not.
TEST(Requantize, ColumnsShareAShift) {
  Random random(8);
  for (unsigned bits : {31u, 15u})
    for (bool alike : {true, false}) {
      std::vector<double> ratios;
      double spread = bits == 31 ? 100 : 7;
      for (int i = 0; i < 64; ++i)
        ratios.push_back(std::ldexp(alike ? 1 + (spread - 1) * double(i) / 64
                                          : std::ldexp(1, i / 4),
                                    -14));
      Builder b(64);
      Value x = b.element("x", 16, storageRange(16));
      Kernel kernel = b.finish(requantize(x, ratios, {0}, 0, storageRange(16),
                                          Rounding::HalfUp, bits),
                               16);
      bool shared = true;
      for (const Input &input : kernel.graph.inputs)
        shared &= input.name != "shift";
      EXPECT_EQ(shared, alike);
      Evaluator evaluator(kernel, 64);
      std::vector<int64_t> out(64);
      for (unsigned pattern = 0; pattern < kNumInputPatterns; ++pattern) {
        auto xs = randomInputs(kernel, 64, InputPattern(pattern), 7)[0];
        evaluator.run({xs}, 0, out);
        for (int i = 0; i < 64; ++i) {
          double exact =
              std::clamp(ratios[i] * double(xs[i]), -32768.0, 32767.0);
          ASSERT_NEAR(double(out[i]), exact,
                      0.5 + std::fabs(exact) *
                                (bits == 31 || !alike ? 0x1p-24 : 0x1p-12));
        }
      }
    }
}

//===----------------------------------------------------------------------===//
// Quotients and shares
//===----------------------------------------------------------------------===//

TEST(Requantize, QuotientAndRest) {
  Builder b(4096);
  Value x = b.element("x", 16, {-700, 700});
  QuotientAndRest parts = divideWithRest(x, 7);
  EXPECT_TRUE((llvm::cantFail(boundNode(b.getGraph(), parts.rest.getId())) ==
               Interval{0, 6}));
  Kernel kernel = b.finish(parts.quotient * 7 + parts.rest, 16);
  Bounds bounds = llvm::cantFail(bound(kernel.graph, BoundOptions()));
  std::vector<int64_t> xs, out;
  for (int64_t x = -700; x <= 700; ++x)
    xs.push_back(x);
  out.resize(xs.size());
  llvm::cantFail(
      Evaluator(kernel, int64_t(xs.size())).runChecked({xs}, 0, out, bounds));
  EXPECT_EQ(out, xs);
}

TEST(Requantize, SharesOfARowSum) {
  Builder b(300);
  int64_t one = 32767;
  Value x = b.element("x", 16, {0, 30000});
  Value e = b.max(x, 1);
  Kernel kernel =
      b.finish(shareOfRowSum(e, 1, "every term is at least 1", one, 31), 16);
  BoundOptions options;
  options.maxElementBits = 32;
  Bounds bounds = llvm::cantFail(bound(kernel.graph, options));
  for (int64_t length : {1, 2, 65, 300}) {
    Evaluator evaluator(kernel, length);
    std::vector<int64_t> out(length);
    for (unsigned pattern = 0; pattern < kNumInputPatterns; ++pattern) {
      auto xs = randomInputs(kernel, length, InputPattern(pattern), 9)[0];
      llvm::Error error = evaluator.runChecked({xs}, 0, out, bounds);
      ASSERT_FALSE(bool(error)) << llvm::toString(std::move(error));
      int64_t sum = 0;
      for (int64_t &value : xs)
        sum += value = std::max<int64_t>(value, 1);
      for (int64_t i = 0; i < length; ++i) {
        // The floor of the reciprocal costs less than x / 2^31 more.
        double exact = double(one) * double(xs[i]) / double(sum);
        ASSERT_NEAR(double(out[i]), exact, 0.5 + 1e-4) << xs[i] << ' ' << sum;
      }
    }
  }
}
