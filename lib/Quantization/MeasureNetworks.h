//===- MeasureNetworks.h - Networks of one method ---------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_LIB_QUANTIZATION_MEASURENETWORKS_H
#define NLQ_LIB_QUANTIZATION_MEASURENETWORKS_H

#include "MeasureSlots.h"
#include "nlq/Quantization/Metric.h"

namespace nlq {

/// The score `paper` of one candidate of one slot, both by index.
struct NetworkScore {
  size_t slot = 0;
  size_t candidate = 0;
  double decibels = 0;
};

/// Runs the model with each method of the mixed method's set throughout, and
/// compares each slot's operand and result with their float values. Networks
/// that lack a legal candidate at some slot
/// give no scores.
llvm::Expected<std::vector<NetworkScore>>
measureNetworks(mlir::ModuleOp module, const std::vector<MeasuredSlot> &slots,
                const std::vector<std::vector<Array>> &samples);

} // namespace nlq

#endif // NLQ_LIB_QUANTIZATION_MEASURENETWORKS_H
