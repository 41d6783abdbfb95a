//===- ModelRunner.h - Running a model on arrays --------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_EXECUTION_MODELRUNNER_H
#define NLQ_EXECUTION_MODELRUNNER_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <vector>

namespace nlq {

/// Element types of arrays: f32 and signless two's complement integers.
enum class ElementKind : uint8_t { F32, I8, I16, I32, I64 };

/// Bytes of one element.
unsigned getByteWidth(ElementKind kind);

/// A dense row-major tensor in host memory.
struct Array {
  ElementKind kind = ElementKind::F32;
  llvm::SmallVector<int64_t, 4> shape;
  std::vector<char> bytes;

  Array() = default;
  /// An array of zeros.
  Array(ElementKind kind, llvm::ArrayRef<int64_t> shape);

  int64_t getNumElements() const {
    int64_t count = 1;
    for (int64_t extent : shape)
      count *= extent;
    return count;
  }
  template <typename T> llvm::MutableArrayRef<T> as() {
    return {reinterpret_cast<T *>(bytes.data()), bytes.size() / sizeof(T)};
  }
  template <typename T> llvm::ArrayRef<T> as() const {
    return {reinterpret_cast<const T *>(bytes.data()),
            bytes.size() / sizeof(T)};
  }
  bool operator==(const Array &other) const {
    return kind == other.kind && shape == other.shape && bytes == other.bytes;
  }
};

/// Runs the function `main` of a model. Calibration and measuring know models
/// through this interface only; an embedder may bring its own.
class ModelRunner {
public:
  virtual ~ModelRunner() = default;

  /// The results of the model for one set of arguments. Fails if the arguments
  /// do not have the types of the function.
  virtual llvm::Expected<std::vector<Array>>
  run(llvm::ArrayRef<Array> arguments) = 0;
};

} // namespace nlq

#endif // NLQ_EXECUTION_MODELRUNNER_H
