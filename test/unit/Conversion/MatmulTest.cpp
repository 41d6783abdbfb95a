//===- MatmulTest.cpp - Compiled matrix products ------------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Products of odd and even shapes, in every type they occur in, against plain
// loops over 64-bit integers, which wrap to 32 bits at the end.
//
//===----------------------------------------------------------------------===//

#include "CompiledKernels.h"
#include "EmulatedInstructions.h"
#include "Kernel/RandomGraph.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "nlq/Execution/JitRunner.h"
#include "nlq/Execution/ObjectFile.h"
#include "nlq/Pipelines/Pipelines.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "gtest/gtest.h"

using namespace nlq;

namespace {

/// Where the right operand comes from.
enum class Right { Argument, TransposedArgument, Constant };
/// What the product starts from.
enum class Init { Argument, Zeros, Bias };

struct Product {
  int64_t batches; ///< 0: linalg.matmul
  int64_t rows, columns, depth;
  unsigned leftBits = 0, rightBits = 0;
  Right right = Right::Argument;
  Init init = Init::Argument;

  llvm::SmallVector<int64_t, 3> shape(int64_t first, int64_t second) const {
    if (batches)
      return {batches, first, second};
    return {first, second};
  }
};

std::string typeText(const Array &array) {
  return llvm::formatv("tensor<{0:$[x]}xi{1}>",
                       llvm::make_range(array.shape.begin(), array.shape.end()),
                       8 * getByteWidth(array.kind))
      .str();
}

Array makeArray(unsigned bits, llvm::ArrayRef<int64_t> shape,
                kernel::Random &random) {
  ElementKind kind = bits == 8    ? ElementKind::I8
                     : bits == 16 ? ElementKind::I16
                                  : ElementKind::I32;
  Array array(kind, shape);
  kernel::Interval range = kernel::storageRange(bits);
  for (int64_t i = 0; i < array.getNumElements(); ++i) {
    // Extremes often: pairs of -32768 are where instructions differ.
    int64_t value = random.oneIn(3) ? (random.oneIn(2) ? range.lo : range.hi)
                                    : random.in(range);
    std::memcpy(array.bytes.data() + i * getByteWidth(kind), &value,
                getByteWidth(kind));
  }
  return array;
}

int64_t at(const Array &array, int64_t index) {
  switch (array.kind) {
  case ElementKind::I8:
    return array.as<int8_t>()[index];
  case ElementKind::I16:
    return array.as<int16_t>()[index];
  default:
    return array.as<int32_t>()[index];
  }
}

/// A module that returns products of its arguments and of constants in it, with
/// the arguments and results of one run.
class Products {
public:
  void add(const Product &p, kernel::Random &random);
  std::string getModule() const {
    return llvm::formatv(
        "func.func @main({0}) -> ({1}) {{\n{2}return {3} : {1}\n}",
        llvm::join(parameters, ", "), llvm::join(types, ", "), body,
        llvm::join(values, ", "));
  }

  std::vector<Array> arguments;
  std::vector<std::vector<int32_t>> expected;

private:
  std::string addValue(const Array &array, bool isConstant);

  std::vector<std::string> parameters, types, values;
  std::string body;
  int64_t numValues = 0;
};

} // namespace

/// The name of an argument or of a constant.
std::string Products::addValue(const Array &array, bool isConstant) {
  std::string name = llvm::formatv("%v{0}", numValues++);
  if (isConstant) {
    llvm::StringRef bytes(reinterpret_cast<const char *>(array.bytes.data()),
                          array.bytes.size());
    body += llvm::formatv("{0} = arith.constant dense<\"0x{1}\"> : {2}\n", name,
                          llvm::toHex(bytes), typeText(array));
  } else {
    parameters.push_back(name + ": " + typeText(array));
    arguments.push_back(array);
  }
  return name;
}

void Products::add(const Product &p, kernel::Random &random) {
  bool isTransposed = p.right == Right::TransposedArgument;
  Array a = makeArray(p.leftBits, p.shape(p.rows, p.depth), random);
  Array b = makeArray(p.rightBits,
                      isTransposed ? p.shape(p.columns, p.depth)
                                   : p.shape(p.depth, p.columns),
                      random);
  Array c = makeArray(32, p.shape(p.rows, p.columns), random);
  Array bias = makeArray(32, p.columns, random);

  std::string id = std::to_string(values.size());
  std::string type = typeText(c);
  std::string left = addValue(a, false);
  std::string right = addValue(b, p.right == Right::Constant);
  std::string rightType = typeText(b);
  if (isTransposed) {
    rightType = typeText(Array(b.kind, p.shape(p.depth, p.columns)));
    body += llvm::formatv(
        "%e{0} = tensor.empty() : {1}\n"
        "%t{0} = linalg.transpose ins({2} : {3}) outs(%e{0} : {1}) "
        "permutation = [{4}]\n",
        id, rightType, right, typeText(b), p.batches ? "0, 2, 1" : "1, 0");
    right = "%t" + id;
  }
  std::string init;
  if (p.init == Init::Argument) {
    init = addValue(c, false);
  } else {
    init = "%i" + id;
    body += llvm::formatv("%n{0} = tensor.empty() : {1}\n", id, type);
    if (p.init == Init::Zeros)
      body += llvm::formatv(
          "%z{0} = arith.constant 0 : i32\n"
          "%i{0} = linalg.fill ins(%z{0} : i32) outs(%n{0} : {1}) -> {1}\n",
          id, type);
    else
      body += llvm::formatv("%i{0} = linalg.broadcast ins({1} : {2}) "
                            "outs(%n{0} : {3}) dimensions = [0]\n",
                            id, addValue(bias, true), typeText(bias), type);
  }
  body += llvm::formatv(
      "%r{0} = linalg.{1} ins({2}, {3} : {4}, {5}) outs({6} : {7}) -> {7}\n",
      id, p.batches ? "batch_matmul" : "matmul", left, right, typeText(a),
      rightType, init, type);
  types.push_back(type);
  values.push_back("%r" + id);

  std::vector<int32_t> result;
  for (int64_t m = 0; m < std::max<int64_t>(p.batches, 1); ++m)
    for (int64_t i = 0; i < p.rows; ++i)
      for (int64_t j = 0; j < p.columns; ++j) {
        int64_t first = p.init == Init::Argument
                            ? at(c, (m * p.rows + i) * p.columns + j)
                        : p.init == Init::Bias ? at(bias, j)
                                               : 0;
        uint64_t sum = first;
        for (int64_t k = 0; k < p.depth; ++k) {
          int64_t index = isTransposed ? (m * p.columns + j) * p.depth + k
                                       : (m * p.depth + k) * p.columns + j;
          sum += uint64_t(at(a, (m * p.rows + i) * p.depth + k) * at(b, index));
        }
        result.push_back(int32_t(uint32_t(sum)));
      }
  expected.push_back(std::move(result));
}

static void lower(mlir::ModuleOp module,
                  const std::vector<std::string> &features) {
  mlir::PassManager manager(module.getContext());
  LoweringOptions options;
  for (const std::string &name : features)
    options.features.push_back(name);
  buildLowerToLLVMPipeline(manager, options);
  ASSERT_TRUE(mlir::succeeded(manager.run(module)));
}

/// Runs the products as compiled for `features`, those of another machine
/// emulated.
static void expectCompiledEqual(const Products &products,
                                mlir::MLIRContext &context,
                                const std::vector<std::string> &features,
                                bool isEmulated) {
  std::string text = products.getModule();
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  ASSERT_TRUE(bool(module)) << text;
  Signature signature = llvm::cantFail(getSignature(*module));
  lower(*module, features);
  if (isEmulated)
    ASSERT_GT(emulateInstructions(*module), 0u);
  auto runner = createJitRunner(*module, signature, getHostTarget());
  ASSERT_TRUE(bool(runner)) << llvm::toString(runner.takeError());
  std::vector<Array> results =
      llvm::cantFail((*runner)->run(products.arguments));
  for (size_t i = 0; i < products.expected.size(); ++i)
    EXPECT_EQ(results[i].as<int32_t>().vec(), products.expected[i])
        << "product " << i << " with features '" << llvm::join(features, ",")
        << "'";
}

static Products makeProducts() {
  kernel::Random random(3);
  Products products;
  for (unsigned leftBits : {8, 16})
    for (unsigned rightBits : {8, 16}) {
      auto add = [&](Product p) {
        p.leftBits = leftBits;
        p.rightBits = rightBits;
        products.add(p, random);
      };
      add({0, 9, 67, 3});
      add({0, 6, 33, 5, 0, 0, Right::Constant, Init::Argument});
      if (rightBits == 16)
        continue;
      add({0, 1, 1, 1});
      add({2, 17, 16, 17, 0, 0, Right::Argument, Init::Zeros});
      add({2, 7, 65, 18, 0, 0, Right::TransposedArgument, Init::Zeros});
      add({0, 3, 5, 7, 0, 0, Right::TransposedArgument, Init::Argument});
      add({0, 1, 1, 1, 0, 0, Right::Constant, Init::Bias});
      add({0, 13, 64, 16, 0, 0, Right::Constant, Init::Bias});
      add({0, 4, 32, 6, 0, 0, Right::Constant, Init::Zeros});
    }
  // More rows than are done at once.
  products.add({0, 53, 17, 4099, 8, 8, Right::Constant, Init::Bias}, random);
  // Products that are not added up in groups.
  products.add({0, 7, 21, 5, 32, 32}, random);
  return products;
}

TEST(MatmulTest, AllShapesAndTypes) {
  mlir::MLIRContext context;
  loadDialects(context);
  Products products = makeProducts();
  expectCompiledEqual(products, context, {}, /*isEmulated=*/false);
  const std::vector<std::string> others[] = {
      {"avx512bw"}, {"avx512vnni"}, {"neon"}, {"neon", "dotprod"}};
  for (const std::vector<std::string> &features : others)
    expectCompiledEqual(products, context, features, /*isEmulated=*/true);
  for (const Target &target : getTestTargets()) {
    VectorFeatures features = llvm::cantFail(getVectorFeatures(target));
    if (!features.getNames().empty())
      expectCompiledEqual(products, context, features.getNames(),
                          /*isEmulated=*/false);
  }
}

// The instructions of a target are those that it has: LLVM aborts on others.
TEST(MatmulTest, EveryTargetCompiles) {
  mlir::MLIRContext context;
  loadDialects(context);
  std::pair<const char *, std::vector<std::string>> targets[] = {
      {"x86-64", {}},
      {"haswell", {"avx2"}},
      {"skylake-avx512", {"avx2", "avx512bw"}},
      {"znver4", {"avx2", "avx512bw", "avx512vnni", "avx512vbmi"}},
      {"aarch64", {"neon", "dotprod"}},
      {"cortex-a72", {"neon"}},
      {"riscv64", {}}};
  kernel::Random random(4);
  Products products;
  products.add({0, 7, 65, 9, 8, 8, Right::Constant, Init::Bias}, random);
  products.add({2, 7, 9, 9, 8, 8, Right::TransposedArgument, Init::Zeros},
               random);
  products.add({2, 7, 9, 9, 16, 8, Right::Argument, Init::Zeros}, random);
  for (const auto &[name, features] : targets) {
    Target target = llvm::cantFail(parseTarget(name));
    EXPECT_EQ(llvm::cantFail(getVectorFeatures(target)).getNames(), features)
        << name;
    auto module =
        mlir::parseSourceString<mlir::ModuleOp>(products.getModule(), &context);
    lower(*module, features);
    llvm::SmallString<64> path;
    ASSERT_FALSE(llvm::sys::fs::createTemporaryFile("product", "o", path));
    if (llvm::Error error = emitObjectFile(*module, target, "entry", path))
      ADD_FAILURE() << name << ": " << llvm::toString(std::move(error));
    llvm::sys::fs::remove(path);
  }
}
