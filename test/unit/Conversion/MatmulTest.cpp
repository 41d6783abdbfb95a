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
#include "Kernel/RandomGraph.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "nlq/Execution/JitRunner.h"
#include "nlq/Pipelines/Pipelines.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "gtest/gtest.h"

using namespace nlq;

namespace {

struct Product {
  int64_t batches; ///< 0: linalg.matmul
  int64_t rows, columns, depth;
  unsigned leftBits, rightBits;
};

std::string typeText(int64_t batches, int64_t rows, int64_t columns,
                     unsigned bits) {
  std::string batch = batches ? std::to_string(batches) + "x" : "";
  return llvm::formatv("tensor<{0}{1}x{2}xi{3}>", batch, rows, columns, bits)
      .str();
}

/// A function that returns all products, accumulated onto its last arguments.
std::string makeModule(llvm::ArrayRef<Product> products) {
  std::string arguments, types, body, values;
  for (auto [i, p] : llvm::enumerate(products)) {
    std::string a = typeText(p.batches, p.rows, p.depth, p.leftBits);
    std::string b = typeText(p.batches, p.depth, p.columns, p.rightBits);
    std::string c = typeText(p.batches, p.rows, p.columns, 32);
    const char *comma = i ? ", " : "";
    arguments += llvm::formatv("{0}%a{1}: {2}, %b{1}: {3}, %c{1}: {4}", comma,
                               i, a, b, c);
    types += comma + c;
    values += llvm::formatv("{0}%r{1}", comma, i);
    body += llvm::formatv(
        "%r{0} = linalg.{1} ins(%a{0}, %b{0} : {2}, {3}) outs(%c{0} : {4}) -> "
        "{4}\n",
        i, p.batches ? "batch_matmul" : "matmul", a, b, c);
  }
  return llvm::formatv(
      "func.func @main({0}) -> ({1}) {{\n{2}return {3} : {1}\n}", arguments,
      types, body, values);
}

Array makeArray(unsigned bits, const Product &p, int64_t rows, int64_t columns,
                kernel::Random &random) {
  llvm::SmallVector<int64_t, 3> shape;
  if (p.batches)
    shape.push_back(p.batches);
  shape.append({rows, columns});
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

std::vector<int32_t> multiply(const Product &p, const Array &a, const Array &b,
                              const Array &c) {
  std::vector<int32_t> result;
  for (int64_t m = 0; m < std::max<int64_t>(p.batches, 1); ++m)
    for (int64_t i = 0; i < p.rows; ++i)
      for (int64_t j = 0; j < p.columns; ++j) {
        uint64_t sum = at(c, (m * p.rows + i) * p.columns + j);
        for (int64_t k = 0; k < p.depth; ++k)
          sum += uint64_t(at(a, (m * p.rows + i) * p.depth + k) *
                          at(b, (m * p.depth + k) * p.columns + j));
        result.push_back(int32_t(uint32_t(sum)));
      }
  return result;
}

} // namespace

TEST(MatmulTest, AllShapesAndTypes) {
  std::vector<Product> products;
  for (unsigned leftBits : {8, 16})
    for (unsigned rightBits : {8, 16})
      products.insert(products.end(), {{0, 1, 1, 1, leftBits, rightBits},
                                       {0, 5, 10, 64, leftBits, rightBits},
                                       {0, 9, 67, 3, leftBits, rightBits},
                                       {0, 4, 32, 7, leftBits, rightBits},
                                       {3, 6, 17, 16, leftBits, rightBits},
                                       {2, 17, 16, 17, leftBits, rightBits}});
  // Products that are not added up in pairs.
  products.push_back({0, 7, 21, 5, 32, 32});

  mlir::MLIRContext context;
  loadDialects(context);
  std::string text = makeModule(products);
  kernel::Random random(3);
  std::vector<Array> arguments;
  std::vector<std::vector<int32_t>> expected;
  for (const Product &p : products) {
    arguments.push_back(makeArray(p.leftBits, p, p.rows, p.depth, random));
    arguments.push_back(makeArray(p.rightBits, p, p.depth, p.columns, random));
    arguments.push_back(makeArray(32, p, p.rows, p.columns, random));
    llvm::ArrayRef<Array> last = llvm::ArrayRef(arguments).take_back(3);
    expected.push_back(multiply(p, last[0], last[1], last[2]));
  }

  std::vector<std::vector<std::string>> features = {{}};
  for (const Target &target : getTestTargets())
    features.push_back(llvm::cantFail(getVectorFeatures(target)).getNames());
  for (const std::vector<std::string> &names : features) {
    auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    ASSERT_TRUE(bool(module)) << text;
    Signature signature = llvm::cantFail(getSignature(*module));
    mlir::PassManager manager(&context);
    LoweringOptions options;
    for (const std::string &name : names)
      options.features.push_back(name);
    buildLowerToLLVMPipeline(manager, options);
    ASSERT_TRUE(mlir::succeeded(manager.run(*module)));
    auto runner = createJitRunner(*module, signature, getHostTarget());
    ASSERT_TRUE(bool(runner)) << llvm::toString(runner.takeError());
    std::vector<Array> results = llvm::cantFail((*runner)->run(arguments));
    for (size_t i = 0; i < products.size(); ++i)
      EXPECT_EQ(results[i].as<int32_t>().vec(), expected[i])
          << "product " << i << " with features '" << llvm::join(names, ",")
          << "'";
  }
}
