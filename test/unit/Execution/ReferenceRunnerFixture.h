//===- ReferenceRunnerFixture.h - Running modules in tests ----*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_TEST_UNIT_EXECUTION_REFERENCERUNNERFIXTURE_H
#define NLQ_TEST_UNIT_EXECUTION_REFERENCERUNNERFIXTURE_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "nlq/Execution/ReferenceRunner.h"
#include "gtest/gtest.h"
#include <random>

namespace nlq::testing_support {

using namespace mlir;

class ReferenceRunnerTest : public ::testing::Test {
protected:
  ReferenceRunnerTest() {
    context.loadDialect<NLQDialect, arith::ArithDialect, func::FuncDialect,
                        linalg::LinalgDialect, math::MathDialect,
                        quant::QuantDialect, tensor::TensorDialect>();
  }

  /// The module of one function `main`, whose text is that after its name.
  void parse(const std::string &main, const std::string &after = "") {
    module = parseSourceString<ModuleOp>(
        "module { func.func @main" + main + " }" + after, &context);
    ASSERT_TRUE(module) << "the test's own module does not parse";
  }

  /// The results; after a failure some empty ones.
  std::vector<Array> run(ArrayRef<Array> arguments) {
    auto runner = ReferenceRunner::create(*module);
    if (!runner) {
      ADD_FAILURE() << llvm::toString(runner.takeError());
      return std::vector<Array>(8);
    }
    auto results = (*runner)->run(arguments);
    if (!results) {
      ADD_FAILURE() << llvm::toString(results.takeError());
      return std::vector<Array>(8);
    }
    return std::move(*results);
  }

  std::string createError() {
    auto runner = ReferenceRunner::create(*module);
    return runner ? "" : llvm::toString(runner.takeError());
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

template <typename T> ElementKind kindOf();
template <> inline ElementKind kindOf<float>() { return ElementKind::F32; }
template <> inline ElementKind kindOf<int8_t>() { return ElementKind::I8; }
template <> inline ElementKind kindOf<int16_t>() { return ElementKind::I16; }
template <> inline ElementKind kindOf<int32_t>() { return ElementKind::I32; }
template <> inline ElementKind kindOf<int64_t>() { return ElementKind::I64; }

template <typename T>
Array makeArray(ArrayRef<int64_t> shape, ArrayRef<T> values) {
  Array array(kindOf<T>(), shape);
  EXPECT_EQ(array.getNumElements(), int64_t(values.size()));
  llvm::copy(values, array.as<T>().begin());
  return array;
}
template <typename T>
Array makeArray(ArrayRef<int64_t> shape, std::initializer_list<T> values) {
  return makeArray<T>(shape, ArrayRef<T>(values.begin(), values.size()));
}

template <typename T> Array makeRandom(ArrayRef<int64_t> shape, unsigned seed) {
  std::mt19937_64 random(seed);
  Array array(kindOf<T>(), shape);
  for (T &value : array.as<T>())
    value = T(random());
  return array;
}

template <typename T> std::vector<T> toVector(const Array &array) {
  EXPECT_EQ(array.kind, kindOf<T>());
  return array.as<T>().vec();
}

} // namespace nlq::testing_support

#endif // NLQ_TEST_UNIT_EXECUTION_REFERENCERUNNERFIXTURE_H
