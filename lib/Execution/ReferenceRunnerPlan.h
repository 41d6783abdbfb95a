//===- ReferenceRunnerPlan.h - Prepared operations ------------*- C++ -*-===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a rule makes of an operation, and the registry of rules. A value is a
// buffer with a kind and a shape; values that only look at another's elements
// in another shape or type share its buffer: no step writes a buffer twice.
//
//===----------------------------------------------------------------------===//

#ifndef NLQ_EXECUTION_REFERENCERUNNERPLAN_H
#define NLQ_EXECUTION_REFERENCERUNNERPLAN_H

#include "nlq/Execution/ReferenceRunner.h"
#include "llvm/ADT/StringMap.h"
#include <functional>

namespace nlq::reference {

/// Where a value lies, and as what.
struct Place {
  unsigned buffer = 0;
  ElementKind kind = ElementKind::I8;
  llvm::SmallVector<int64_t, 4> shape;

  int64_t getNumElements() const {
    int64_t count = 1;
    for (int64_t extent : shape)
      count *= extent;
    return count;
  }
};

/// The buffers of one run. Copies share what is known when they are made: no
/// buffer is written twice.
class Frame {
public:
  Frame(const Plan &plan);

  template <typename T> const T *read(const Place &place) const {
    return reinterpret_cast<const T *>(pointers[place.buffer]);
  }
  template <typename T> T *write(const Place &place) {
    return reinterpret_cast<T *>(writeBytes(place.buffer));
  }
  void bind(const Place &place, const Array &array) {
    pointers[place.buffer] = array.bytes.data();
  }
  /// Makes `bytes` the contents of a buffer.
  void adopt(const Place &place, std::vector<char> bytes);
  void release(unsigned buffer) {
    storage[buffer].reset();
    pointers[buffer] = nullptr;
  }
  bool isKnown(const Place &place) const { return pointers[place.buffer]; }
  Array toArray(const Place &place) const;

private:
  char *writeBytes(unsigned buffer);

  const Plan *plan;
  std::vector<const char *> pointers;
  std::vector<std::shared_ptr<std::vector<char>>> storage;
};

/// What an operation does in a run. Runs of one program may overlap in time, so
/// that an action keeps nothing between them.
using Action = std::function<void(Frame &)>;

struct Step {
  Action action;
  /// Buffers that no later step reads.
  llvm::SmallVector<unsigned, 2> lastUses;
  /// Values known after this step.
  llvm::SmallVector<mlir::Value, 2> results;
};

struct Plan {
  llvm::DenseMap<mlir::Value, Place> places;
  /// Bytes of each buffer.
  std::vector<int64_t> bufferBytes;
  /// Contents of the buffers that are constants; null for others.
  std::vector<std::shared_ptr<const Array>> constants;
  std::vector<Step> steps;
  std::vector<mlir::Value> inputs;
  std::vector<mlir::Value> outputs;
};

/// Makes the plan; what rules work on.
class Planner {
public:
  explicit Planner(Plan &plan, const MethodMap *methods)
      : plan(plan), methods(methods) {}

  /// Where an operand lies. Constants outside of the program are fetched.
  llvm::Expected<Place> lookup(mlir::Value value);
  /// A new buffer for a result.
  llvm::Expected<Place> define(mlir::Value result);
  /// `result` has the elements of `operand`, in the same order.
  llvm::Error alias(mlir::Value result, mlir::Value operand);
  /// `result` is always `array`.
  llvm::Error defineConstant(mlir::Value result, Array array);
  /// The array of a value known before the run, or null.
  const Array *getConstant(mlir::Value value);
  /// The method an operation is to be run with; null: exactly.
  MethodAttrInterface getMethod(NonlinearOpInterface op) const;

private:
  llvm::Expected<Place> makePlace(mlir::Value value);

  Plan &plan;
  const MethodMap *methods;
};

/// Prepares an operation: defines its results and returns what a run must do,
/// or an empty action where it has nothing to do.
using Rule = llvm::Expected<Action> (*)(mlir::Operation *, Planner &);
using Rules = llvm::StringMap<Rule>;

/// The rules by topic.
void addShapeRules(Rules &rules);
void addLinearRules(Rules &rules);
void addQuantRules(Rules &rules);
void addKernelRules(Rules &rules);

/// "'name' (location): message".
llvm::Error makeError(mlir::Operation *op, const llvm::Twine &message);

/// Calls `f` with a value of the C++ type of `kind`, integers only.
template <typename F> auto dispatchInteger(ElementKind kind, F f) {
  switch (kind) {
  case ElementKind::I8:
    return f(int8_t());
  case ElementKind::I16:
    return f(int16_t());
  case ElementKind::F32: // callers have checked
  case ElementKind::I32:
    return f(int32_t());
  case ElementKind::I64:
    return f(int64_t());
  }
  llvm_unreachable("covered switch");
}

} // namespace nlq::reference

#endif // NLQ_EXECUTION_REFERENCERUNNERPLAN_H
