//===- EmitTest.cpp - Emitted code equals evaluate ----------------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Random kernels of every node kind, built by no method, are compiled through
// the whole lowering and run beside `evaluate` on random and adversarial rows.
//
//===----------------------------------------------------------------------===//

#include "Kernel/RandomGraph.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Verifier.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Pass/PassManager.h"
#include "nlq/Dialect/NLQ/IR/NLQOps.h"
#include "nlq/Execution/JitRunner.h"
#include "nlq/InitAll.h"
#include "nlq/Kernel/Evaluate.h"
#include "nlq/Pipelines/Pipelines.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace nlq;
using kernel::Rate;

namespace {

constexpr int64_t kRows = kernel::kNumInputPatterns;
constexpr unsigned kKernelsPerModule = 16;

ElementKind kindOf(unsigned bits) {
  switch (bits) {
  case 8:
    return ElementKind::I8;
  case 16:
    return ElementKind::I16;
  case 32:
    return ElementKind::I32;
  default:
    return ElementKind::I64;
  }
}

void store(Array &array, int64_t index, int64_t value) {
  std::memcpy(array.bytes.data() + index * getByteWidth(array.kind), &value,
              getByteWidth(array.kind)); // little endian
}

int64_t load(const Array &array, int64_t index) {
  switch (array.kind) {
  case ElementKind::I8:
    return array.as<int8_t>()[index];
  case ElementKind::I16:
    return array.as<int16_t>()[index];
  case ElementKind::I32:
    return array.as<int32_t>()[index];
  default:
    return array.as<int64_t>()[index];
  }
}

/// Several kernels as one function, with the arguments and the results that
/// evaluate gives for them.
struct Batch {
  explicit Batch(MLIRContext *context)
      : module(ModuleOp::create(UnknownLoc::get(context))) {}

  void add(uint64_t seed, const kernel::RandomKernel &random);
  void finish();

  OwningOpRef<ModuleOp> module;
  std::vector<kernel::RandomKernel> kernels;
  std::vector<uint64_t> seeds;
  std::vector<Array> arguments, expected;
};

/// Rows of every input pattern, and what evaluate makes of them.
void Batch::add(uint64_t seed, const kernel::RandomKernel &random) {
  const kernel::Graph &graph = random.kernel.graph;
  int64_t columns = random.rowLength;
  Array output(kindOf(graph.resultBits), {kRows, columns});
  std::vector<Array> inputs;
  size_t column = 0;
  for (const kernel::Input &input : graph.inputs) {
    if (input.rate == Rate::Column) {
      Array &array = inputs.emplace_back(kindOf(input.bits),
                                         llvm::ArrayRef<int64_t>(columns));
      for (int64_t j = 0; j < columns; ++j)
        store(array, j, random.kernel.columns[column][j]);
      ++column;
    } else {
      inputs.emplace_back(kindOf(input.bits),
                          llvm::ArrayRef<int64_t>({kRows, columns}));
    }
  }
  kernel::Evaluator evaluator(random.kernel, columns);
  std::vector<int64_t> out(columns);
  for (int64_t row = 0; row < kRows; ++row) {
    auto rows = kernel::randomInputs(random.kernel, columns,
                                     kernel::InputPattern(row), seed + row);
    std::vector<llvm::ArrayRef<int64_t>> refs(rows.begin(), rows.end());
    evaluator.run(refs, row, out);
    size_t next = 0;
    for (auto [array, input] : llvm::zip(inputs, graph.inputs)) {
      if (input.rate == Rate::Column)
        continue;
      for (int64_t j = 0; j < columns; ++j)
        store(array, row * columns + j, rows[next][j]);
      ++next;
    }
    for (int64_t j = 0; j < columns; ++j)
      store(output, row * columns + j, out[j]);
  }
  llvm::append_range(arguments, inputs);
  expected.push_back(std::move(output));
  kernels.push_back(random);
  seeds.push_back(seed);
}

RankedTensorType typeOf(OpBuilder &builder, const Array &array) {
  return RankedTensorType::get(
      array.shape, builder.getIntegerType(8 * getByteWidth(array.kind)));
}

void Batch::finish() {
  ImplicitLocOpBuilder builder(module->getLoc(), module->getContext());
  SmallVector<Type> argumentTypes, resultTypes;
  for (const Array &array : arguments)
    argumentTypes.push_back(typeOf(builder, array));
  for (const Array &array : expected)
    resultTypes.push_back(typeOf(builder, array));
  builder.setInsertionPointToStart(module->getBody());
  auto main = func::FuncOp::create(
      builder, "main", builder.getFunctionType(argumentTypes, resultTypes));
  builder.setInsertionPointToStart(main.addEntryBlock());
  ArrayRef<BlockArgument> rest = main.getArguments();
  SmallVector<Value> results;
  for (auto [random, type] : llvm::zip(kernels, resultTypes)) {
    auto tensorType = cast<RankedTensorType>(type);
    SmallVector<Value> inputs(
        rest.take_front(random.kernel.graph.inputs.size()));
    rest = rest.drop_front(inputs.size());
    Value init = tensor::EmptyOp::create(builder, tensorType.getShape(),
                                         tensorType.getElementType());
    results.push_back(KernelOp::create(builder, TypeRange(type), inputs, init,
                                       GraphAttr::get(module->getContext(),
                                                      random.kernel.graph))
                          .getResult(0));
  }
  func::ReturnOp::create(builder, results);
}

/// Compiles the batch with `lanes` elements a vector and compares.
void check(Batch &batch, int64_t lanes) {
  batch.finish();
  ASSERT_TRUE(succeeded(mlir::verify(*batch.module)));
  llvm::Expected<Signature> signature = getSignature(*batch.module);
  ASSERT_TRUE(bool(signature)) << llvm::toString(signature.takeError());
  PassManager manager(batch.module->getContext());
  LoweringOptions options;
  options.lanes = lanes;
  buildLowerToLLVMPipeline(manager, options);
  ASSERT_TRUE(succeeded(manager.run(*batch.module)));
  auto runner = createJitRunner(*batch.module, *signature, getHostTarget());
  ASSERT_TRUE(bool(runner)) << llvm::toString(runner.takeError());
  auto results = (*runner)->run(batch.arguments);
  ASSERT_TRUE(bool(results)) << llvm::toString(results.takeError());
  for (size_t i = 0; i < batch.kernels.size(); ++i) {
    const Array &actual = (*results)[i];
    int64_t columns = batch.kernels[i].rowLength;
    for (int64_t index = 0; index < actual.getNumElements(); ++index)
      ASSERT_EQ(load(actual, index), load(batch.expected[i], index))
          << "seed " << batch.seeds[i] << ", lanes " << lanes << ", row "
          << index / columns << ", column " << index % columns << " of "
          << columns << "\n"
          << batch.kernels[i].kernel.graph.str();
  }
}

class EmitTest : public ::testing::Test {
protected:
  EmitTest() {
    DialectRegistry registry;
    mlir::registerAllDialects(registry);
    mlir::registerAllExtensions(registry);
    nlq::registerAllDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    context.disableMultithreading();
  }

  /// Tries `count` kernels drawn with `options`.
  void run(uint64_t firstSeed, unsigned count,
           const kernel::RandomGraphOptions &options) {
    uint64_t seed = firstSeed;
    for (unsigned done = 0; done < count; done += kKernelsPerModule) {
      Batch batch(&context);
      for (unsigned i = 0; i < kKernelsPerModule; ++i, ++seed)
        batch.add(seed, kernel::randomKernel(seed, options));
      check(batch, /*lanes=*/int64_t(4) << (done / kKernelsPerModule % 3));
      if (HasFatalFailure())
        return;
    }
  }

  MLIRContext context;
};

} // namespace

/// What corrected methods use: elements of at most 32 bits.
TEST_F(EmitTest, NarrowElements) {
  kernel::RandomGraphOptions options;
  options.maxElementBits = 32;
  options.numNodes = 30;
  run(/*firstSeed=*/1, /*count=*/160, options);
}

/// What reference forms may need: elements of up to 62 bits.
TEST_F(EmitTest, WideElements) {
  kernel::RandomGraphOptions options;
  options.numNodes = 25;
  run(/*firstSeed=*/100001, /*count=*/96, options);
}

/// Rows that do not fill a vector.
TEST_F(EmitTest, ShortRows) {
  kernel::RandomGraphOptions options;
  options.maxRowLength = 5;
  options.numNodes = 20;
  run(/*firstSeed=*/200001, /*count=*/64, options);
}
