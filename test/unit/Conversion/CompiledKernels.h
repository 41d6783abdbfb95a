//===- CompiledKernels.h - Kernels compiled and held to evaluate -*- C++
//-*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_TEST_UNIT_CONVERSION_COMPILEDKERNELS_H
#define NLQ_TEST_UNIT_CONVERSION_COMPILEDKERNELS_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "nlq/Execution/ModelRunner.h"
#include "nlq/Execution/Target.h"
#include "nlq/Kernel/Graph.h"
#include "nlq/Target/VectorFeatures.h"

namespace nlq {

/// One array of element values per Element input of a kernel, in their order.
using KernelRow = std::vector<std::vector<int64_t>>;

/// Several kernels, compiled together as the results of one function, and the
/// rows they are tried on. Compiling is what takes time: use few batches.
class KernelBatch {
public:
  /// Adds a kernel on rows of `columns` elements. `name` tells it in failures.
  void add(std::string name, const kernel::Kernel &kernel, int64_t columns,
           const std::vector<KernelRow> &rows);

  size_t size() const { return entries.size(); }

  /// What evaluate made of the latest kernel's rows.
  const std::vector<std::vector<int64_t>> &latestResults() const {
    return entries.back().expected;
  }

  /// Compiles the kernels through the whole lowering for `target`, which this
  /// machine must be able to run, and expects what evaluate gives. A failure is
  /// fatal for the test.
  void expectCompiledEqual(mlir::MLIRContext &context, int64_t lanes,
                           const Target &target) const;

  /// The same for `features` of another machine, on this one: its vector
  /// instructions are emulated. Returns how many there were.
  unsigned expectEmulatedEqual(mlir::MLIRContext &context,
                               const VectorFeatures &features) const;

  /// The same for the portable form: convert-nlq-to-linalg, and what follows
  /// is upstream's passes alone, compiled for this machine.
  void expectPortableEqual(mlir::MLIRContext &context) const;

private:
  void expectEqual(mlir::MLIRContext &context, int64_t lanes,
                   const VectorFeatures &features, const Target &target,
                   unsigned *emulated) const;
  void
  expectEqual(mlir::MLIRContext &context, const Target &target,
              llvm::StringRef what,
              llvm::function_ref<void(mlir::OpPassManager &)> buildLowering,
              llvm::function_ref<void(mlir::ModuleOp)> afterwards) const;

  struct Entry {
    std::string name;
    kernel::Graph graph;
    int64_t columns;
    std::vector<std::vector<int64_t>> expected;
  };
  std::vector<Entry> entries;
  std::vector<Array> arguments;
};

/// This machine, and where it is an x86-64 also one without AVX2, for which the
/// portable forms are emitted; with AVX-512 also one that has AVX2 only.
std::vector<Target> getTestTargets();

/// Loads every dialect the lowering needs.
void loadDialects(mlir::MLIRContext &context);

} // namespace nlq

#endif // NLQ_TEST_UNIT_CONVERSION_COMPILEDKERNELS_H
