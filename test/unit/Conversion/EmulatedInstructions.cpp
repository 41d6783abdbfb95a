//===- EmulatedInstructions.cpp - Instructions for any machine ----------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EmulatedInstructions.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;

namespace {
/// What a call becomes. Operands and result are those of the instruction.
using Emulation = Value (*)(ImplicitLocOpBuilder &, ValueRange operands,
                            VectorType result);
} // namespace

static int64_t lanesOf(Value vector) {
  return cast<VectorType>(vector.getType()).getDimSize(0);
}

static Value constantOf(ImplicitLocOpBuilder &builder, unsigned width,
                        int64_t value) {
  return LLVM::ConstantOp::create(builder, builder.getIntegerType(width),
                                  value);
}

static Value splatOf(ImplicitLocOpBuilder &builder, VectorType type,
                     int64_t value) {
  return LLVM::ConstantOp::create(
      builder, type,
      SplatElementsAttr::get(
          type, builder.getIntegerAttr(type.getElementType(), value)));
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// Elements first, first + stride, ... of `a` followed by `b`.
static Value everyNth(ImplicitLocOpBuilder &builder, Value a, Value b,
                      int64_t count, int32_t first, int32_t stride) {
  SmallVector<int32_t> mask;
  for (int32_t i = first; i < count; i += stride)
    mask.push_back(i);
  return LLVM::ShuffleVectorOp::create(builder, a, b, mask);
}

static Value everyNth(ImplicitLocOpBuilder &builder, Value vector,
                      int32_t first, int32_t stride) {
  return everyNth(builder, vector, vector, lanesOf(vector), first, stride);
}

/// The sum of products of `count` neighbours, the left ones unsigned where
/// `isUnsigned`, added to `sum`.
static Value addProducts(ImplicitLocOpBuilder &builder, Value sum, Value left,
                         Value right, int32_t count, bool isUnsigned) {
  Type type = sum.getType();
  for (int32_t i = 0; i < count; ++i) {
    Value l = everyNth(builder, left, i, count);
    Value r = everyNth(builder, right, i, count);
    l = isUnsigned ? LLVM::ZExtOp::create(builder, type, l).getResult()
                   : LLVM::SExtOp::create(builder, type, l).getResult();
    r = LLVM::SExtOp::create(builder, type, r);
    sum = LLVM::AddOp::create(builder, sum, LLVM::MulOp::create(builder, l, r));
  }
  return sum;
}

static Value vpdpbusd(ImplicitLocOpBuilder &builder, ValueRange operands,
                      VectorType) {
  return addProducts(builder, operands[0], operands[1], operands[2],
                     /*count=*/4, /*isUnsigned=*/true);
}

static Value sdot(ImplicitLocOpBuilder &builder, ValueRange operands,
                  VectorType) {
  return addProducts(builder, operands[0], operands[1], operands[2],
                     /*count=*/4, /*isUnsigned=*/false);
}

static Value vpdpwssd(ImplicitLocOpBuilder &builder, ValueRange operands,
                      VectorType) {
  return addProducts(builder, operands[0], operands[1], operands[2],
                     /*count=*/2, /*isUnsigned=*/false);
}

static Value pmaddwd(ImplicitLocOpBuilder &builder, ValueRange operands,
                     VectorType result) {
  return addProducts(builder, splatOf(builder, result, 0), operands[0],
                     operands[1], /*count=*/2, /*isUnsigned=*/false);
}

static Value smull(ImplicitLocOpBuilder &builder, ValueRange operands,
                   VectorType result) {
  return addProducts(builder, splatOf(builder, result, 0), operands[0],
                     operands[1], /*count=*/1, /*isUnsigned=*/false);
}

static Value addp(ImplicitLocOpBuilder &builder, ValueRange operands,
                  VectorType result) {
  int64_t count = 2 * result.getDimSize(0);
  return LLVM::AddOp::create(
      builder, everyNth(builder, operands[0], operands[1], count, 0, 2),
      everyNth(builder, operands[0], operands[1], count, 1, 2));
}

/// (a * b + 2^14) >> 15, of which pmulhrsw keeps the low 16 bits; sqrdmulh
/// saturates.
static Value roundedProduct(ImplicitLocOpBuilder &builder, ValueRange operands,
                            VectorType result, bool saturates) {
  auto wide = VectorType::get({result.getDimSize(0)}, builder.getI32Type());
  Value product = addProducts(builder, splatOf(builder, wide, 1 << 14),
                              operands[0], operands[1], /*count=*/1,
                              /*isUnsigned=*/false);
  product = LLVM::AShrOp::create(builder, product, splatOf(builder, wide, 15));
  if (saturates)
    product = LLVM::SMinOp::create(builder, product,
                                   splatOf(builder, wide, INT16_MAX));
  return LLVM::TruncOp::create(builder, result, product);
}

static Value pmulhrsw(ImplicitLocOpBuilder &builder, ValueRange operands,
                      VectorType result) {
  return roundedProduct(builder, operands, result, /*saturates=*/false);
}

static Value sqrdmulh(ImplicitLocOpBuilder &builder, ValueRange operands,
                      VectorType result) {
  return roundedProduct(builder, operands, result, /*saturates=*/true);
}

//===----------------------------------------------------------------------===//
// Permutations
//===----------------------------------------------------------------------===//

static Value element(ImplicitLocOpBuilder &builder, Value vector,
                     int64_t lane) {
  return LLVM::ExtractElementOp::create(builder, vector,
                                        constantOf(builder, 32, lane));
}

/// `a` followed by `b`, which has as many elements.
static Value concatenate(ImplicitLocOpBuilder &builder, Value a, Value b) {
  return everyNth(builder, a, b, 2 * lanesOf(a), 0, 1);
}

/// A vector, lane by lane.
static Value laneByLane(ImplicitLocOpBuilder &builder, VectorType type,
                        llvm::function_ref<Value(int64_t lane)> makeElement) {
  Value result = LLVM::PoisonOp::create(builder, type);
  for (int64_t lane = 0; lane < type.getDimSize(0); ++lane)
    result = LLVM::InsertElementOp::create(builder, result, makeElement(lane),
                                           constantOf(builder, 32, lane));
  return result;
}

/// vpermi2b: the index's low seven bits choose among the bytes of the first
/// table and of the second.
static Value vpermi2b(ImplicitLocOpBuilder &builder, ValueRange operands,
                      VectorType result) {
  Value bytes = concatenate(builder, operands[0], operands[2]);
  return laneByLane(builder, result, [&](int64_t lane) -> Value {
    Value index =
        LLVM::AndOp::create(builder, element(builder, operands[1], lane),
                            constantOf(builder, 8, 127));
    return LLVM::ExtractElementOp::create(builder, bytes, index);
  });
}

/// vpermb, vpermw: the index's low bits choose a byte or a word.
static Value vperm(ImplicitLocOpBuilder &builder, ValueRange operands,
                   VectorType result) {
  return laneByLane(builder, result, [&](int64_t lane) -> Value {
    Value index =
        LLVM::AndOp::create(builder, element(builder, operands[1], lane),
                            constantOf(builder, result.getElementTypeBitWidth(),
                                       result.getDimSize(0) - 1));
    return LLVM::ExtractElementOp::create(builder, operands[0], index);
  });
}

/// vpshufb: the control's low four bits choose within the same 16 bytes, its
/// highest one makes the byte 0.
static Value vpshufb(ImplicitLocOpBuilder &builder, ValueRange operands,
                     VectorType result) {
  return laneByLane(builder, result, [&](int64_t lane) -> Value {
    Value control = element(builder, operands[1], lane);
    Value index =
        LLVM::AndOp::create(builder, control, constantOf(builder, 8, 15));
    index = LLVM::AddOp::create(builder, index,
                                constantOf(builder, 8, lane / 16 * 16));
    Value byte = LLVM::ExtractElementOp::create(builder, operands[0], index);
    Value zero = constantOf(builder, 8, 0);
    Value isCleared =
        LLVM::ICmpOp::create(builder, LLVM::ICmpPredicate::slt, control, zero);
    return LLVM::SelectOp::create(builder, isCleared, zero, byte);
  });
}

/// vpacksswb, vpackuswb: words saturated to bytes, within every 16 bytes of the
/// operands first those of one, then those of the other.
static Value pack(ImplicitLocOpBuilder &builder, ValueRange operands,
                  VectorType result, int64_t least, int64_t most) {
  return laneByLane(builder, result, [&](int64_t lane) -> Value {
    Value word =
        element(builder, operands[lane % 16 / 8], lane / 16 * 8 + lane % 8);
    word = LLVM::SMaxOp::create(builder, word, constantOf(builder, 16, least));
    word = LLVM::SMinOp::create(builder, word, constantOf(builder, 16, most));
    return LLVM::TruncOp::create(builder, result.getElementType(), word);
  });
}

static Value vpacksswb(ImplicitLocOpBuilder &builder, ValueRange operands,
                       VectorType result) {
  return pack(builder, operands, result, INT8_MIN, INT8_MAX);
}

static Value vpackuswb(ImplicitLocOpBuilder &builder, ValueRange operands,
                       VectorType result) {
  return pack(builder, operands, result, 0, UINT8_MAX);
}

/// tbl and tbx: bytes of one to four tables of 16, and the fallback's byte
/// where the index lies beyond these.
static Value lookUp(ImplicitLocOpBuilder &builder, Value fallback,
                    ValueRange tables, Value index, VectorType result) {
  int64_t size = 16 * tables.size();
  SmallVector<Value> padded(tables);
  padded.resize(4, tables.front());
  Value bytes = concatenate(builder, concatenate(builder, padded[0], padded[1]),
                            concatenate(builder, padded[2], padded[3]));
  return laneByLane(builder, result, [&](int64_t lane) -> Value {
    Value at = element(builder, index, lane);
    Value isWithin = LLVM::ICmpOp::create(builder, LLVM::ICmpPredicate::ult, at,
                                          constantOf(builder, 8, size));
    Value known = LLVM::AndOp::create(builder, at, constantOf(builder, 8, 63));
    return LLVM::SelectOp::create(
        builder, isWithin,
        LLVM::ExtractElementOp::create(builder, bytes, known),
        element(builder, fallback, lane));
  });
}

static Value tbl(ImplicitLocOpBuilder &builder, ValueRange operands,
                 VectorType result) {
  return lookUp(builder, splatOf(builder, result, 0), operands.drop_back(),
                operands.back(), result);
}

static Value tbx(ImplicitLocOpBuilder &builder, ValueRange operands,
                 VectorType result) {
  return lookUp(builder, operands.front(), operands.drop_front().drop_back(),
                operands.back(), result);
}

//===----------------------------------------------------------------------===//
// All of them
//===----------------------------------------------------------------------===//

/// By the beginnings of the intrinsics' names.
static const std::pair<StringRef, Emulation> kEmulations[] = {
    {"llvm.x86.avx512.vpdpbusd.", vpdpbusd},
    {"llvm.x86.avx512.vpdpwssd.", vpdpwssd},
    {"llvm.x86.avx512.pmaddw.d.", pmaddwd},
    {"llvm.x86.avx2.pmadd.wd", pmaddwd},
    {"llvm.x86.sse2.pmadd.wd", pmaddwd},
    {"llvm.x86.avx512.pmul.hr.sw.", pmulhrsw},
    {"llvm.x86.avx2.pmul.hr.sw", pmulhrsw},
    {"llvm.x86.avx512.vpermi2var.qi.", vpermi2b},
    {"llvm.x86.avx512.permvar.qi.", vperm},
    {"llvm.x86.avx512.permvar.hi.", vperm},
    {"llvm.x86.avx512.packsswb.", vpacksswb},
    {"llvm.x86.avx512.packuswb.", vpackuswb},
    {"llvm.x86.avx512.pshuf.b.", vpshufb},
    {"llvm.x86.avx2.pshuf.b", vpshufb},
    {"llvm.x86.ssse3.pshuf.b.", vpshufb},
    {"llvm.aarch64.neon.sdot.", sdot},
    {"llvm.aarch64.neon.smull.", smull},
    {"llvm.aarch64.neon.addp.", addp},
    {"llvm.aarch64.neon.sqrdmulh.", sqrdmulh},
    {"llvm.aarch64.neon.tbl", tbl},
    {"llvm.aarch64.neon.tbx", tbx},
};

/// A function of the module that does what the intrinsic does: one for all of
/// its calls, which take long to compile otherwise.
static LLVM::LLVMFuncOp makeFunction(ModuleOp module, LLVM::CallIntrinsicOp op,
                                     Emulation emulate) {
  std::string name = ("emulated." + op.getIntrin()).str();
  if (auto known = module.lookupSymbol<LLVM::LLVMFuncOp>(name))
    return known;
  ImplicitLocOpBuilder builder(op.getLoc(), module.getContext());
  builder.setInsertionPointToStart(module.getBody());
  SmallVector<Type> arguments(op.getArgs().getTypes());
  auto result = cast<VectorType>(op.getType(0));
  auto function = LLVM::LLVMFuncOp::create(
      builder, name, LLVM::LLVMFunctionType::get(result, arguments),
      LLVM::Linkage::Internal);
  function.setNoInline(true);
  builder.setInsertionPointToStart(function.addEntryBlock(builder));
  LLVM::ReturnOp::create(builder,
                         emulate(builder, function.getArguments(), result));
  return function;
}

unsigned nlq::emulateInstructions(ModuleOp module) {
  SmallVector<std::pair<LLVM::CallIntrinsicOp, Emulation>> calls;
  module.walk([&](LLVM::CallIntrinsicOp op) {
    for (const auto &[prefix, emulate] : kEmulations)
      if (op.getIntrin().starts_with(prefix))
        calls.emplace_back(op, emulate);
  });
  for (auto [op, emulate] : calls) {
    LLVM::LLVMFuncOp function = makeFunction(module, op, emulate);
    ImplicitLocOpBuilder builder(op.getLoc(), op);
    auto call = LLVM::CallOp::create(builder, function, op.getArgs());
    op.getResult(0).replaceAllUsesWith(call.getResult());
    op.erase();
  }
  return calls.size();
}
