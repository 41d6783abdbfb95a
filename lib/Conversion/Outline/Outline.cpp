//===- Outline.cpp - Operations on buffers into functions ---------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Transforms/RegionUtils.h"
#include "nlq/Conversion/Passes.h"
#include "nlq/Dialect/NLQ/IR/NLQOps.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringMap.h"

namespace nlq {
#define GEN_PASS_DEF_NLQOUTLINE
#include "nlq/Conversion/Passes.h.inc"
} // namespace nlq

using namespace mlir;
using namespace nlq;

/// Whether the type says all of a buffer but where it is.
static bool hasStaticLayout(MemRefType type) {
  SmallVector<int64_t> strides;
  int64_t offset;
  return type.hasStaticShape() &&
         succeeded(type.getStridesAndOffset(strides, offset)) &&
         !ShapedType::isDynamic(offset) && !ShapedType::isDynamicShape(strides);
}

/// Functions take static buffers only, which are passed as pointers.
static bool isOutlined(Operation *op) {
  return op->getNumResults() == 0 &&
         (isa<KernelOp, ProductOp>(op) || isa<linalg::LinalgOp>(op)) &&
         llvm::all_of(op->getOperandTypes(), [](Type type) {
           auto buffer = dyn_cast<MemRefType>(type);
           return !buffer || hasStaticLayout(buffer);
         });
}

/// Constants that are not buffers move along with the operation.
static bool isScalarConstant(Value value) {
  return !isa<ShapedType>(value.getType()) && matchPattern(value, m_Constant());
}

namespace {

/// An operation as the body of a function of its own.
struct Outlined {
  func::FuncOp function;
  /// What the function is called with.
  SmallVector<Value> arguments;
};

struct NLQOutlinePass : nlq::impl::NLQOutlineBase<NLQOutlinePass> {
  void runOnOperation() override;
};

} // namespace

/// A private function around a copy of `op`; all are called alike, so that
/// equal ones print alike.
static Outlined outline(Operation *op) {
  llvm::SetVector<Value> used(op->operand_begin(), op->operand_end());
  getUsedValuesDefinedAbove(op->getRegions(), used);
  Outlined result;
  SmallVector<Value> constants;
  for (Value value : used)
    (isScalarConstant(value) ? constants : result.arguments).push_back(value);

  auto type = FunctionType::get(op->getContext(),
                                TypeRange(ValueRange(result.arguments)), {});
  // Names and locations differ from layer to layer; the code does not.
  Location loc = UnknownLoc::get(op->getContext());
  result.function = func::FuncOp::create(loc, "outlined", type);
  result.function.setPrivate();
  // Inlined again, they would make one function of the whole model.
  result.function->setAttr(
      "passthrough",
      ArrayAttr::get(op->getContext(),
                     StringAttr::get(op->getContext(), "noinline")));
  Block *body = result.function.addEntryBlock();
  OpBuilder builder(op->getContext());
  builder.setInsertionPointToStart(body);
  IRMapping mapping;
  mapping.map(result.arguments, body->getArguments());
  for (Value constant : constants)
    builder.clone(*constant.getDefiningOp(), mapping);
  builder.clone(*op, mapping);
  func::ReturnOp::create(builder, loc);
  return result;
}

void NLQOutlinePass::runOnOperation() {
  SmallVector<Operation *> worklist;
  getOperation().walk([&](Operation *op) {
    if (isOutlined(op))
      worklist.push_back(op);
  });
  SymbolTable symbols(getOperation());
  llvm::StringMap<func::FuncOp> functions;
  for (Operation *op : worklist) {
    Outlined outlined = outline(op);
    std::string text;
    llvm::raw_string_ostream(text) << *outlined.function;
    func::FuncOp &function = functions[text];
    if (function) {
      outlined.function.erase();
    } else {
      function = outlined.function;
      std::string name = "__" + op->getName().getStringRef().str();
      std::replace(name.begin(), name.end(), '.', '_');
      function.setName(name);
      symbols.insert(function);
      ++numFunctions;
    }
    OpBuilder builder(op);
    func::CallOp::create(builder, op->getLoc(), function, outlined.arguments);
    op->erase();
  }
}
