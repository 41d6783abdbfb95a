//===- RowReductions.h - Sums and maxima of a row ---------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A phase's reductions are accumulated in vectors, one chunk of a row after the
// other, and reduced to scalars at the row's end. Sums take two or four
// neighbouring terms at a time where the target multiplies and adds so many.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_CONVERSION_NLQTOVECTOR_ROWREDUCTIONS_H
#define NLQ_LIB_CONVERSION_NLQTOVECTOR_ROWREDUCTIONS_H

#include "KernelEmitter.h"

namespace nlq {

/// The longest chunk whose terms are taken in groups of bytes: as many lanes as
/// a signed byte counts.
inline constexpr int64_t kMostGroupedLanes = 128;

/// Which lanes of a chunk count.
struct CountedLanes {
  enum class Kind {
    All,
    From, ///< from `lane` on: others were in an earlier chunk, which it
          ///< overlaps
    Below ///< below `lane`: others lie beyond the row's end
  };
  Kind kind = Kind::All;
  /// An index.
  mlir::Value lane;

  /// i1 for each of `lanes`, by a comparison in `width` bits that count them.
  mlir::Value emitMask(mlir::ImplicitLocOpBuilder &builder, int64_t lanes,
                       unsigned width) const;
};

class RowReductions {
public:
  RowReductions(mlir::ImplicitLocOpBuilder &builder, const kernel::Graph &graph,
                const kernel::Bounds &bounds, KernelEmitter &emitter,
                const VectorFeatures &features)
      : builder(builder), graph(graph), bounds(bounds), emitter(emitter),
        features(features) {}

  /// The neutral elements of the reductions, for chunks of `lanes`.
  llvm::SmallVector<mlir::Value> start(llvm::ArrayRef<kernel::NodeId> ids,
                                       int64_t lanes);

  /// `accumulator` and the terms of one chunk.
  mlir::Value add(kernel::NodeId id, mlir::Value accumulator,
                  const CountedLanes &counted, KernelEmitter::Chunk &chunk,
                  KernelEmitter::Scope &row);

  /// Accumulators for half the lanes that reduce to the same.
  llvm::SmallVector<mlir::Value> fold(llvm::ArrayRef<kernel::NodeId> ids,
                                      mlir::ValueRange accumulators);

  /// What the accumulators reduce to, as i64.
  llvm::SmallVector<mlir::Value> finish(llvm::ArrayRef<kernel::NodeId> ids,
                                        mlir::ValueRange accumulators);

  /// Whether the reduction takes its terms in lanes of bytes.
  bool takesBytes(kernel::NodeId id) const;

private:
  /// A sum's term as a product of two factors, 1 where there is none, of which
  /// `group` neighbours are multiplied and added at a time.
  struct Factors {
    std::optional<kernel::NodeId> left, right;
    bool isLeftUnsigned = false;
    int64_t group = 1;
  };
  Factors getFactors(kernel::NodeId id, int64_t lanes) const;
  std::optional<Factors> getByteFactors(kernel::NodeId term) const;
  unsigned getWidth(kernel::NodeId id) const;
  bool isByte(kernel::NodeId id, bool isUnsigned) const;
  bool isProductOfWords(kernel::NodeId id) const;
  mlir::Value addGroups(const Factors &factors, kernel::NodeId term,
                        mlir::Value accumulator, const CountedLanes &counted,
                        KernelEmitter::Chunk &chunk, KernelEmitter::Scope &row);
  mlir::Value replaceOthers(mlir::Value value, int64_t neutral,
                            const CountedLanes &counted);
  int64_t getNeutral(kernel::NodeId id) const;
  mlir::Value combine(kernel::NodeId id, mlir::Value a, mlir::Value b);
  mlir::Value slice(mlir::Value vector, int64_t begin, int64_t lanes);
  bool canJoin(kernel::NodeId id, mlir::Value accumulator) const;
  std::pair<mlir::Value, mlir::Value> finishTwo(mlir::Value a, mlir::Value b);

  mlir::ImplicitLocOpBuilder &builder;
  const kernel::Graph &graph;
  const kernel::Bounds &bounds;
  KernelEmitter &emitter;
  const VectorFeatures &features;
};

} // namespace nlq

#endif // NLQ_LIB_CONVERSION_NLQTOVECTOR_ROWREDUCTIONS_H
