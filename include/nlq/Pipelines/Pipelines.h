//===- Pipelines.h - Named pass pipelines ---------------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_PIPELINES_PIPELINES_H
#define NLQ_PIPELINES_PIPELINES_H

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

namespace nlq {

/// What runs the rows of kernels in parallel.
enum class Threads { None, OpenMP };

/// What `nlq-compile` and `nlq-lower-to-llvm` can be told.
struct LoweringOptions : mlir::PassPipelineOptions<LoweringOptions> {
  Option<int64_t> lanes{*this, "lanes",
                        llvm::cl::desc("elements per vector in kernels; 0: as "
                                       "the target's features suggest"),
                        llvm::cl::init(0)};
  Option<bool> allowFloat{
      *this, "allow-float",
      llvm::cl::desc("compile float operations between the boundary casts "
                     "instead of refusing them"),
      llvm::cl::init(false)};
  ListOption<std::string> features{
      *this, "features",
      llvm::cl::desc(
          "vector features of the target: avx2, avx512bw, avx512vnni, "
          "avx512vbmi, neon, dotprod")};
  Option<Threads> threads{
      *this, "threads",
      llvm::cl::desc("what runs the rows of kernels in parallel"),
      llvm::cl::init(Threads::None),
      llvm::cl::values(
          clEnumValN(Threads::None, "none", "nothing"),
          clEnumValN(Threads::OpenMP, "openmp",
                     "OpenMP; the program must have LLVM's runtime, libomp"))};
  Option<int64_t> matmulRows{
      *this, "matmul-rows",
      llvm::cl::desc("rows of a float matrix product's register block"),
      llvm::cl::init(4)};
  Option<int64_t> matmulLanes{
      *this, "matmul-lanes",
      llvm::cl::desc("columns of a float matrix product's register block"),
      llvm::cl::init(32)};
};

/// `nlq-to-kernels`: an assigned module to signless kernels, proved free of
/// floats between the boundary casts.
void buildToKernelsPipeline(mlir::OpPassManager &pm, bool allowFloat = false);

/// `nlq-lower-to-llvm`: a module of kernels, or a float module, to the LLVM
/// dialect through buffers and vector code. Functions take pointers to their
/// arguments and then to their results, dense and row-major, and then an i64
/// for every dynamic extent of the arguments, and for every argument and result
/// with the attribute nlq.strided the elements from a row to the next. Those
/// with rows of dynamic length that kernels have a longest one for return an
/// i32: 0, or 1 where rows are longer or empty.
void buildLowerToLLVMPipeline(mlir::OpPassManager &pm,
                              const LoweringOptions &options);

/// `nlq-compile`: the two above. With float islands (`nlq-to-float`) in it a
/// module passes only with `allow-float`.
void buildCompilePipeline(mlir::OpPassManager &pm,
                          const LoweringOptions &options);

void registerPipelines();

} // namespace nlq

#endif // NLQ_PIPELINES_PIPELINES_H
