//===- ProductOp.cpp - nlq.product: verification, effects ---------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Dialect/NLQ/IR/NLQOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace nlq;

/// Fails unless `type` has elements of one of the widths and a static shape.
static LogicalResult verifyOperand(ProductOp op, StringRef name, Value value,
                                   ArrayRef<unsigned> widths) {
  auto type = cast<ShapedType>(value.getType());
  if (!type.hasStaticShape())
    return op->emitOpError()
           << name << " must have a static shape, found " << type;
  for (unsigned width : widths)
    if (type.getElementType().isSignlessInteger(width))
      return success();
  return op->emitOpError() << name << " must have elements of "
                           << (widths.size() == 1 ? "i32" : "i8 or i16")
                           << ", found " << type;
}

/// The shapes of a packed `rhs` and of `start`.
static LogicalResult verifyPacked(ProductOp op, int64_t depth,
                                  int64_t columns) {
  ArrayRef<int64_t> packed = op.getRhsType().getShape();
  int64_t lanes = packed[2], group = packed[3];
  if (group != 2 && group != 4)
    return op->emitOpError("rhs must be packed in groups of 2 or 4, found ")
           << group;
  if (group == 4 && (!op.getLhsType().getElementType().isInteger(8) ||
                     !op.getRhsType().getElementType().isInteger(8)))
    return op->emitOpError("groups of 4 must be of i8, found ")
           << op.getLhsType() << " and " << op.getRhsType();
  if (lanes < 1 || packed[0] != int64_t(llvm::divideCeil(columns, lanes)) ||
      packed[1] != int64_t(llvm::divideCeil(depth, group)))
    return op->emitOpError("rhs has type ")
           << op.getRhsType() << ", which is no packed form of " << depth
           << " rows and " << columns << " columns";
  if (op.getTransposed())
    return op->emitOpError("a packed rhs can't be transposed");
  if (op.getShifted() && group != 4)
    return op->emitOpError("a shifted lhs must come with groups of 4, found ")
           << group;
  if (!op.getStart())
    return success();
  auto start = cast<ShapedType>(op.getStart().getType());
  if (start.getShape() != ArrayRef<int64_t>{packed[0] * lanes})
    return op->emitOpError("start must have ")
           << packed[0] * lanes << " entries, found " << start;
  return success();
}

LogicalResult ProductOp::verify() {
  if (failed(verifyOperand(*this, "lhs", getLhs(), {8, 16})) ||
      failed(verifyOperand(*this, "rhs", getRhs(), {8, 16})) ||
      failed(verifyOperand(*this, "output", getOutput(), {32})) ||
      (getStart() && failed(verifyOperand(*this, "start", getStart(), {32}))))
    return failure();
  if (!hasPureTensorSemantics() && !hasPureBufferSemantics())
    return emitOpError("operands must be all tensors or all buffers");
  ArrayRef<int64_t> lhs = getLhsType().getShape();
  ArrayRef<int64_t> rhs = getRhsType().getShape();
  ArrayRef<int64_t> output = getOutputType().getShape();
  if ((lhs.size() != 2 && lhs.size() != 3) || output.size() != lhs.size() ||
      output.drop_back() != lhs.drop_back())
    return emitOpError("lhs has type ")
           << getLhsType() << ", which does not fit the output, "
           << getOutputType();
  int64_t depth = lhs.back(), columns = output.back();
  if (isPacked() && lhs.size() == 2)
    return verifyPacked(*this, depth, columns);
  SmallVector<int64_t> expected(lhs.drop_back(2));
  if (getTransposed())
    expected.append({columns, depth});
  else
    expected.append({depth, columns});
  if (rhs != ArrayRef(expected))
    return emitOpError("rhs has type ")
           << getRhsType() << ", which does not fit lhs, " << getLhsType()
           << ", and output, " << getOutputType();
  if (getStart())
    return emitOpError("start must come with a packed rhs");
  if (getShifted())
    return emitOpError("a shifted lhs must come with a packed rhs");
  return success();
}

void ProductOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  if (!hasPureBufferSemantics())
    return;
  for (OpOperand &operand : getOperation()->getOpOperands()) {
    if (&operand == &getOutputMutable())
      effects.emplace_back(MemoryEffects::Write::get(), &operand,
                           SideEffects::DefaultResource::get());
    else
      effects.emplace_back(MemoryEffects::Read::get(), &operand,
                           SideEffects::DefaultResource::get());
  }
}
