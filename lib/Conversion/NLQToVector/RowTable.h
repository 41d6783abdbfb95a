//===- RowTable.h - Results looked up in tables of rows ------- -*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// A row's result that is a function of one byte (nlq/Kernel/Tabulate.h) is
// computed for all values of the byte, in vectors as other chunks are, and then
// looked up for each element by AVX-512 VBMI's permutations of bytes.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_CONVERSION_NLQTOVECTOR_ROWTABLE_H
#define NLQ_LIB_CONVERSION_NLQTOVECTOR_ROWTABLE_H

#include "KernelEmitter.h"
#include "nlq/Kernel/Tabulate.h"

namespace nlq {

/// The row's results for all entries of `function`, in vectors of 64 bytes.
llvm::SmallVector<mlir::Value>
makeRowTable(const kernel::RowFunction &function, const kernel::Graph &graph,
             const kernel::Bounds &bounds, KernelEmitter &emitter,
             mlir::ImplicitLocOpBuilder &builder, KernelEmitter::Scope &row);

/// The results of one chunk, from that table.
mlir::Value lookUpInRow(const kernel::RowFunction &function,
                        llvm::ArrayRef<mlir::Value> table,
                        const kernel::Bounds &bounds, KernelEmitter &emitter,
                        mlir::ImplicitLocOpBuilder &builder,
                        KernelEmitter::Chunk &chunk, KernelEmitter::Scope &row);

} // namespace nlq

#endif // NLQ_LIB_CONVERSION_NLQTOVECTOR_ROWTABLE_H
