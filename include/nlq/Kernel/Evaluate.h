//===- Evaluate.h - Exact evaluation of kernels -----------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Evaluation on the host, a row at a time, on 64-bit integers: the meaning that
// everything else is held to. The fast mode is a whole model's reference run;
// the checked mode is for tests.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_KERNEL_EVALUATE_H
#define NLQ_KERNEL_EVALUATE_H

#include "nlq/Kernel/Bound.h"
#include "nlq/Kernel/Graph.h"
#include "llvm/Support/Error.h"

namespace nlq::kernel {

/// Runs one kernel on rows of one length. Column and uniform nodes are computed
/// once, in the constructor; buffers are reused from row to row.
///
/// `bound` must accept the kernel and the inputs must lie in their declared
/// ranges; otherwise the values are unspecified (they wrap, quotients by zero
/// and reads outside of a table are 0), but nothing else goes wrong.
class Evaluator {
public:
  /// `kernel` must stay alive. `rowLength` is that of the columns, if there are
  /// any, and at most the longest row. `bounds`, if given, are those of
  /// `bound`.
  Evaluator(const Kernel &kernel, int64_t rowLength,
            const Bounds *bounds = nullptr);

  /// Computes the row `out`, of rowLength values. `inputs` has one array per
  /// input that is not a Column, in their order: a row of rowLength values, or
  /// one value for a Row input. They are read in place and must stay alive as
  /// long as `values` is used.
  void run(llvm::ArrayRef<llvm::ArrayRef<int64_t>> inputs, int64_t rowIndex,
           llvm::MutableArrayRef<int64_t> out);

  /// The same by the exact meaning of each node, holding every value to
  /// `bounds` and every assumption to its range. Fails on the first value that
  /// leaves its interval or is undefined, naming node, value and interval.
  llvm::Error runChecked(llvm::ArrayRef<llvm::ArrayRef<int64_t>> inputs,
                         int64_t rowIndex, llvm::MutableArrayRef<int64_t> out,
                         const Bounds &bounds);

  /// Values of a node in the latest run: rowLength of them for Element and
  /// Column nodes, one for the others.
  llvm::ArrayRef<int64_t> values(NodeId node) const {
    return {data[node], lengths[node]};
  }

private:
  void bindInputs(llvm::ArrayRef<llvm::ArrayRef<int64_t>> inputs,
                  bool columnsOnly);
  void computeFast(NodeId id, int64_t rowIndex);
  llvm::Error computeExact(NodeId id, int64_t rowIndex, const Bounds &bounds);
  void store(llvm::MutableArrayRef<int64_t> out) const;

  const Kernel &kernel;
  const int64_t rowLength;
  std::vector<std::vector<int64_t>> buffers;
  std::vector<const int64_t *> data;
  std::vector<size_t> lengths;
  /// MulShift nodes whose product fits in 64 bits.
  std::vector<bool> narrowProduct;
};

/// One row, without reusing anything: `inputs` as for Evaluator::run. The row's
/// length is that of the first Element input, or of the columns.
std::vector<int64_t> evaluateRow(const Kernel &kernel,
                                 llvm::ArrayRef<llvm::ArrayRef<int64_t>> inputs,
                                 int64_t rowIndex = 0);

} // namespace nlq::kernel

#endif // NLQ_KERNEL_EVALUATE_H
