//===- RegistryTest.cpp - The registry of methods -------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Support.h"
#include "nlq/Kernel/Bound.h"
#include "gtest/gtest.h"
#include <cmath>
#include <set>

using namespace nlq;
using namespace nlq::methods;
using namespace nlq::methods::test;

TEST(Registry, EntriesAreComplete) {
  std::set<std::string> names;
  for (const Method *method : allMethods()) {
    EXPECT_TRUE(names.insert(method->name.str()).second);
    EXPECT_EQ(lookup(method->name), method);
    EXPECT_FALSE(method->title.empty() || method->summary.empty() ||
                 method->source.empty());
    std::set<std::pair<std::string, Form>> implemented;
    for (const Implementation &implementation : method->implementations) {
      EXPECT_NE(lookupFunction(implementation.function), nullptr);
      EXPECT_TRUE(
          implemented
              .insert({implementation.function.str(), implementation.form})
              .second);
      EXPECT_EQ(method->find(implementation.function, implementation.form),
                &implementation);
      EXPECT_FALSE(implementation.candidates.empty());
      for (const Candidate &candidate : implementation.candidates)
        EXPECT_TRUE(candidate.outBits >= 1 && candidate.outBits <= 16);
    }
  }
  EXPECT_EQ(lookup("unheard_of"), nullptr);
}

/// Whatever a method lacks is named, and its replacement has it.
TEST(Registry, EveryFunctionIsImplementedOrReplaced) {
  for (const Method *method : allMethods())
    for (const Function &function : allFunctions())
      for (Form form : {Form::Reference, Form::Corrected}) {
        bool hasForm = false;
        for (const Implementation &other : method->implementations)
          hasForm |= other.form == form;
        if (!hasForm || method->find(function.name, form))
          continue;
        if (form == Form::Reference && !isPublished(function.name))
          form = Form::Corrected; // takes the place in all protocols
        llvm::StringRef name = method->fallback(function.name);
        ASSERT_NE(lookup(name), nullptr) << method->name.str();
        EXPECT_NE(lookup(name)->find(function.name, form), nullptr);
      }
}

TEST(Registry, PublishedFunctions) {
  for (llvm::StringRef name : {"softmax", "gelu", "layer_norm"})
    EXPECT_TRUE(isPublished(name)) << name.str();
  for (llvm::StringRef name : {"silu", "sigmoid", "tanh", "exp", "rms_norm"})
    EXPECT_FALSE(isPublished(name)) << name.str();
}

/// A protocol has reference forms, or replacements of them, for all published
/// functions; that of the seed is of three methods.
TEST(Registry, SeedAndStandaloneProtocols) {
  size_t published = 0;
  for (const Function &function : allFunctions())
    published += isPublished(function.name);
  for (Profile profile : {Profile::Seed, Profile::Standalone}) {
    size_t methods = 0;
    for (const Method *method : allMethods()) {
      size_t count = 0;
      for (const Implementation &implementation : method->implementations)
        for (const Candidate &candidate : implementation.candidates)
          if (candidate.profile == profile &&
              implementation.form == Form::Reference)
            ++count;
      if (count == 0)
        continue;
      ++methods;
      EXPECT_EQ(count + method->fallbacks.size(), published)
          << method->name.str();
    }
    if (profile == Profile::Seed)
      EXPECT_EQ(methods, 3u);
    else
      EXPECT_GE(methods, 3u);
  }
}

//===----------------------------------------------------------------------===//
// All candidates on the types of a small vision transformer
//===----------------------------------------------------------------------===//

/// `in` as a quantizer would choose it for values in [-range, range].
static Quantized narrow(const Candidate &candidate, unsigned activationBits,
                        double range, const Quantized &operand,
                        int64_t columns) {
  unsigned bits = candidate.inBits ? candidate.inBits : activationBits;
  double levels = double((1 << bits) - 1);
  Quantized type = symmetric(bits, range / double((1 << (bits - 1)) - 1));
  switch (candidate.narrowing) {
  case Narrowing::None:
    return operand;
  case Narrowing::Symmetric:
    return type;
  case Narrowing::Asymmetric:
  case Narrowing::PowerOfTwoFactors:
    type.isSigned = false;
    type.range = {0, int64_t(levels)};
    type.scales = {2 * range / levels};
    type.zeroPoints = {int64_t(levels) / 2};
    break;
  }
  if (candidate.narrowing == Narrowing::PowerOfTwoFactors) {
    type.scales.assign(columns, 0);
    type.zeroPoints.assign(columns, type.zeroPoints[0]);
    for (int64_t i = 0; i < columns; ++i)
      type.scales[i] = 2 * range / levels / double(8 >> (i % 4));
  }
  return type;
}

/// Elements of at most 32 bits, whose widened products need at most 64: what
/// vector code does without 128-bit arithmetic.
static void expectNarrowProducts(const kernel::Kernel &kernel) {
  auto bounds = kernel::bound(kernel.graph);
  ASSERT_TRUE(bool(bounds)) << llvm::toString(bounds.takeError());
  auto bits = [&](kernel::NodeId id) {
    return kernel::signedBits(bounds->intervals[id]);
  };
  for (kernel::NodeId id = 0; id < kernel.graph.nodes.size(); ++id) {
    const kernel::Node &node = kernel.graph.nodes[id];
    if (node.rate != kernel::Rate::Element)
      continue;
    EXPECT_LE(bits(id), 32u) << kernel.graph.str();
    if (node.opcode == kernel::Opcode::MulShift)
      EXPECT_LE(bits(node.operands[0]) + bits(node.operands[1]), 64u)
          << kernel.graph.str();
  }
}

/// Builds, stays within its bounds on all rows, and, if corrected, is near the
/// exact function of what the operand was narrowed to.
static void check(const Method &method, const Implementation &implementation,
                  const Candidate &candidate, Problem problem, double range,
                  double sigma, unsigned activationBits) {
  SCOPED_TRACE(method.name.str() + " " + implementation.function.str() + " " +
               stringify(implementation.form).str() + " columns " +
               std::to_string(problem.maxRowLength) + " activations " +
               std::to_string(activationBits) + " out " +
               std::to_string(candidate.outBits));
  problem.form = implementation.form;
  problem.outBits = candidate.outBits;
  problem.narrowed = narrow(candidate, activationBits, range, problem.operand,
                            problem.maxRowLength);
  Rows rows = gaussianRows(problem.operand, 4, problem.maxRowLength, sigma, 0,
                           activationBits);
  std::vector<Reals> wanted =
      exact(implementation.function, problem, problem.operand, rows);
  size_t random = rows.size();
  for (Row &row : adversarialRows(problem.operand, problem.maxRowLength))
    rows.push_back(row);
  Outcome outcome = run(method.name, implementation.function, problem, rows);
  ASSERT_EQ(outcome.result.size(), rows.size());
  for (const Row &row : outcome.result)
    for (int64_t value : row)
      ASSERT_TRUE(problem.result.range.contains(value));
  if (implementation.form == Form::Reference)
    return;
  auto kernel = build(method, implementation.function, problem);
  ASSERT_TRUE(bool(kernel)) << llvm::toString(kernel.takeError());
  expectNarrowProducts(*kernel);
  std::vector<Reals> got = dequantize(problem.result, outcome.result);
  got.resize(random);
  EXPECT_GT(sqnr(wanted, got), activationBits == 6 ? 8 : 10);
}

TEST(Registry, SoftmaxCandidatesOnScores) {
  for (int64_t length : {17, 65, 197})
    for (double scale : {0.002, 0.05})
      for (unsigned bits : {8u, 6u})
        for (const Method *method : allMethods())
          for (const Implementation &implementation : method->implementations)
            for (const Candidate &candidate : implementation.candidates) {
              if (implementation.function != "softmax")
                continue;
              Problem problem;
              problem.operand = symmetric(32, scale);
              // 16 products of 8-bit numbers.
              problem.operand.range = {-16 * 127 * 127, 16 * 127 * 127};
              problem.result = symmetric(16, 0x1p-15);
              problem.maxRowLength = length;
              check(*method, implementation, candidate, problem, 8, 2, bits);
            }
}

TEST(Registry, ElementwiseCandidatesOnAccumulators) {
  const int64_t columns = 128;
  for (unsigned bits : {8u, 6u})
    for (const Method *method : allMethods())
      for (const Implementation &implementation : method->implementations)
        for (const Candidate &candidate : implementation.candidates) {
          if (!getFunction(implementation.function).isElementwise())
            continue;
          Problem problem;
          problem.operand = symmetric(32, 1);
          problem.operand.range = {-64 * 127 * 127, 64 * 127 * 127};
          problem.operand.scales.clear();
          for (int64_t i = 0; i < columns; ++i)
            problem.operand.scales.push_back(2e-4 * (1 + double(i % 9)));
          problem.operand.zeroPoints.assign(columns, 0);
          // What 5 is mapped to, or more.
          double y;
          getFunction(implementation.function).evaluate(5.0, problem, y);
          problem.result = symmetric(bits, y / double((1 << (bits - 1)) - 1));
          problem.maxRowLength = columns;
          check(*method, implementation, candidate, problem, 6, 1.5, bits);
        }
}

TEST(Registry, NormalizationCandidatesOnResiduals) {
  for (int64_t columns : {32, 64})
    for (unsigned bits : {8u, 6u})
      for (const Method *method : allMethods())
        for (const Implementation &implementation : method->implementations)
          for (const Candidate &candidate : implementation.candidates) {
            if (!getFunction(implementation.function).isNormalization())
              continue;
            Problem problem;
            problem.operand = symmetric(16, 6.0 / 32767);
            problem.result =
                symmetric(bits, 4.0 / double((1 << (bits - 1)) - 1));
            problem.maxRowLength = columns;
            problem.epsilon = 1e-6;
            for (int64_t i = 0; i < columns; ++i) {
              problem.gamma.push_back(0.7 + 0.05 * double(i % 11));
              problem.beta.push_back(0.02 * double(i % 13) - 0.1);
            }
            check(*method, implementation, candidate, problem, 4, 0.7, bits);
          }
}

//===----------------------------------------------------------------------===//
// Errors and widths
//===----------------------------------------------------------------------===//

TEST(Registry, MalformedProblems) {
  Quantized in = symmetric(8, 0.05);
  Problem good = softmaxProblem(in, 17, 16, Form::Corrected);
  auto because = [](const Problem &problem, const char *text) {
    std::string got = reason("ibert", "softmax", problem);
    EXPECT_NE(got.find(text), std::string::npos) << got;
    EXPECT_EQ(got.find("ibert softmax (corrected): "), 0u) << got;
  };
  Problem problem = good;
  problem.outBits = 17;
  because(problem, "out_bits is 17");
  problem = good;
  problem.maxRowLength = 0;
  because(problem, "rows of 0");
  problem = good;
  problem.operand.scales = {-0.1};
  because(problem, "'operand' has the scale -0.1");
  problem = good;
  problem.result.zeroPoints = {1, 2};
  because(problem, "'result' has 2 zero points and 1 scales");
  problem = good;
  problem.narrowed.range.lo = -300;
  because(problem, "'in' has values in [-300, 127]");

  Problem norm = good;
  norm.gamma.assign(16, 1.0);
  norm.beta.assign(17, 0.0);
  EXPECT_NE(reason("ibert", "layer_norm", norm)
                .find("gamma has 16 values for rows of 17"),
            std::string::npos);
  norm.gamma.assign(17, NAN);
  EXPECT_NE(reason("ibert", "layer_norm", norm).find("not finite"),
            std::string::npos);
  norm.gamma.assign(17, 1.0);
  norm.epsilon = -1;
  EXPECT_NE(reason("ibert", "layer_norm", norm).find("epsilon is -1"),
            std::string::npos);
}

/// The largest safe row that a refusal names; 0 if it names none.
static int64_t namedSafeRow(llvm::StringRef method, llvm::StringRef function,
                            const Problem &problem) {
  llvm::StringRef marker = "; the largest safe row is ";
  std::string text = reason(method, function, problem);
  size_t at = text.find(marker.str());
  return at == std::string::npos
             ? 0
             : std::strtoll(text.c_str() + at + marker.size(), nullptr, 10);
}

/// Where only the row is too long, the refusal says how long it may be.
TEST(Registry, RefusalsNameTheLargestSafeRow) {
  unsigned named = 0;
  for (const Method *method : allMethods())
    for (const Implementation &implementation : method->implementations) {
      if (implementation.function != "softmax")
        continue;
      for (double scale : {1e-7, 1e-4, 0.05})
        for (int64_t length : {int64_t(1) << 20, int64_t(INT32_MAX)}) {
          Problem problem = softmaxProblem(symmetric(16, scale), length, 16,
                                           implementation.form);
          int64_t safe = namedSafeRow(method->name, "softmax", problem);
          if (safe == 0)
            continue;
          ++named;
          problem.maxRowLength = safe;
          EXPECT_EQ(reason(method->name, "softmax", problem), "");
          problem.maxRowLength = safe + 1;
          EXPECT_EQ(namedSafeRow(method->name, "softmax", problem), safe);
        }
    }
  EXPECT_GE(named, 6u);
  // floor(2^31 / 4098) exponentials of 12 bits and more.
  EXPECT_EQ(
      reason("ibert", "softmax",
             softmaxProblem(symmetric(8, 0.05), 1 << 20, 16, Form::Corrected)),
      "ibert softmax (corrected): rows of 1048576 elements leave the "
      "exponentials less than 12 bits; the largest safe row is 524032 at "
      "this scale");
}

/// What is wrong with a parameter or with the scale alone has no safe row.
TEST(Registry, OtherRefusalsNameNoRow) {
  Problem norm = softmaxProblem(symmetric(8, 0.05), 64, 16, Form::Reference);
  norm.gamma.assign(64, 1.0);
  norm.beta.assign(64, 0.0);
  EXPECT_EQ(reason("ibert", "layer_norm", norm), "");
  norm.gamma[40] = 0;
  EXPECT_EQ(reason("ibert", "layer_norm", norm),
            "ibert layer_norm (reference): gamma[40] is 0, by which the "
            "published form divides beta");
  Problem coarse = softmaxProblem(symmetric(8, 2.0), 64, 16, Form::Reference);
  EXPECT_NE(reason("ibert", "softmax", coarse).find("every exponential"),
            std::string::npos);
  EXPECT_EQ(namedSafeRow("ibert", "softmax", coarse), 0);
}

TEST(Registry, WidthsAreDescribed) {
  auto widths = [](const char *method, double s, Form form) {
    auto kernel = build(*lookup(method), "softmax",
                        softmaxProblem(symmetric(8, s), 197, 6, form));
    EXPECT_TRUE(bool(kernel));
    return kernel ? describeWidths(*kernel) : "";
  };
  EXPECT_EQ(widths("ibert", 0.05, Form::Reference), "");
  EXPECT_EQ(widths("ivit", 0.05, Form::Reference), "");
  // E = polynomial << 30.
  EXPECT_NE(widths("fqvit", 0.05, Form::Reference).find("'exponential' may"),
            std::string::npos);
  for (const Method *method : allMethods())
    if (method->find("softmax", Form::Corrected))
      EXPECT_EQ(widths(method->name.data(), 0.05, Form::Corrected), "");
}
