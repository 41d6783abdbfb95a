//===- ReferenceRunner.cpp - Running a quantized model exactly ------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "nlq/Execution/ReferenceRunner.h"
#include "ReferenceRunnerPlan.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace nlq;
using namespace nlq::reference;

llvm::Error reference::makeError(Operation *op, const Twine &message) {
  std::string location;
  llvm::raw_string_ostream(location) << op->getLoc();
  return llvm::createStringError("'" + op->getName().getStringRef() + "' (" +
                                 location + "): " + message);
}

//===----------------------------------------------------------------------===//
// Frame
//===----------------------------------------------------------------------===//

Frame::Frame(const Plan &plan)
    : plan(&plan), pointers(plan.bufferBytes.size()),
      storage(plan.bufferBytes.size()) {
  for (auto [pointer, constant] : llvm::zip(pointers, plan.constants))
    if (constant)
      pointer = constant->bytes.data();
}

void Frame::adopt(const Place &place, std::vector<char> bytes) {
  storage[place.buffer] = std::make_shared<std::vector<char>>(std::move(bytes));
  pointers[place.buffer] = storage[place.buffer]->data();
}

char *Frame::writeBytes(unsigned buffer) {
  storage[buffer] =
      std::make_shared<std::vector<char>>(plan->bufferBytes[buffer]);
  pointers[buffer] = storage[buffer]->data();
  return storage[buffer]->data();
}

Array Frame::toArray(const Place &place) const {
  Array array(place.kind, place.shape);
  llvm::copy(ArrayRef(read<char>(place), array.bytes.size()),
             array.bytes.begin());
  return array;
}

//===----------------------------------------------------------------------===//
// Planner
//===----------------------------------------------------------------------===//

/// The kind of an element as arrays hold it.
static std::optional<ElementKind> getElementKind(Type element) {
  if (auto quantized = dyn_cast<quant::QuantizedType>(element))
    element = IntegerType::get(element.getContext(),
                               quantized.getStorageTypeIntegralWidth());
  if (element.isF32())
    return ElementKind::F32;
  for (ElementKind kind :
       {ElementKind::I8, ElementKind::I16, ElementKind::I32, ElementKind::I64})
    if (element.isSignlessInteger(8 * getByteWidth(kind)))
      return kind;
  return std::nullopt;
}

llvm::Expected<Place> Planner::makePlace(Value value) {
  Place place;
  Type element = value.getType();
  bool isStatic = true;
  if (auto tensor = dyn_cast<RankedTensorType>(element)) {
    isStatic = tensor.hasStaticShape();
    place.shape.assign(tensor.getShape().begin(), tensor.getShape().end());
    element = tensor.getElementType();
  }
  std::optional<ElementKind> kind = getElementKind(element);
  if (!kind || !isStatic) {
    std::string text;
    llvm::raw_string_ostream(text)
        << "the type " << value.getType()
        << " can't be run; static tensors of f32, i8, i16, i32, i64 and of "
           "quantized types stored in these can";
    if (Operation *op = value.getDefiningOp())
      return makeError(op, text);
    return llvm::createStringError(text);
  }
  place.kind = *kind;
  return place;
}

llvm::Expected<Place> Planner::define(Value result) {
  llvm::Expected<Place> place = makePlace(result);
  if (!place)
    return place.takeError();
  place->buffer = plan.bufferBytes.size();
  plan.bufferBytes.push_back(place->getNumElements() *
                             getByteWidth(place->kind));
  plan.constants.push_back(nullptr);
  plan.places[result] = *place;
  return *place;
}

llvm::Error Planner::alias(Value result, Value operand) {
  llvm::Expected<Place> from = lookup(operand);
  if (!from)
    return from.takeError();
  llvm::Expected<Place> place = makePlace(result);
  if (!place)
    return place.takeError();
  place->buffer = from->buffer;
  plan.places[result] = *place;
  return llvm::Error::success();
}

llvm::Error Planner::defineConstant(Value result, Array array) {
  llvm::Expected<Place> place = define(result);
  if (!place)
    return place.takeError();
  plan.constants[place->buffer] =
      std::make_shared<const Array>(std::move(array));
  return llvm::Error::success();
}

llvm::Expected<Place> Planner::lookup(Value value) {
  auto it = plan.places.find(value);
  if (it != plan.places.end())
    return it->second;
  Attribute constant;
  Operation *op = value.getDefiningOp();
  if (!op)
    return llvm::createStringError(
        "a block argument is used that is no input of the program");
  if (!matchPattern(op, m_Constant(&constant)))
    return makeError(op, "is used, but is neither in the program nor among its "
                         "inputs nor a constant");
  llvm::Expected<Array> array = getConstantArray(constant);
  if (!array)
    return makeError(op, llvm::toString(array.takeError()));
  if (llvm::Error error = defineConstant(value, std::move(*array)))
    return error;
  return plan.places.lookup(value);
}

const Array *Planner::getConstant(Value value) {
  llvm::Expected<Place> place = lookup(value);
  if (!place) {
    llvm::consumeError(place.takeError());
    return nullptr;
  }
  return plan.constants[place->buffer].get();
}

MethodAttrInterface Planner::getMethod(NonlinearOpInterface op) const {
  if (methods) {
    auto it = methods->find(op);
    if (it != methods->end())
      return it->second;
  }
  return op.getMethodAttr();
}

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

static const Rules &getRules() {
  static const Rules rules = [] {
    Rules all;
    addShapeRules(all);
    addLinearRules(all);
    addQuantRules(all);
    addKernelRules(all);
    return all;
  }();
  return rules;
}

/// Marks the last step that reads each buffer made by a step. `uses` holds the
/// buffers each step reads; those of outputs stay.
static void markLastUses(Plan &plan, ArrayRef<SmallVector<unsigned, 4>> uses) {
  llvm::DenseSet<unsigned> done;
  for (Value output : plan.outputs)
    done.insert(plan.places.lookup(output).buffer);
  for (Value input : plan.inputs)
    done.insert(plan.places.lookup(input).buffer);
  for (size_t i = plan.steps.size(); i-- > 0;)
    for (unsigned buffer : uses[i])
      if (!plan.constants[buffer] && done.insert(buffer).second)
        plan.steps[i].lastUses.push_back(buffer);
}

ReferenceProgram::ReferenceProgram(std::unique_ptr<Plan> plan)
    : plan(std::move(plan)) {}
ReferenceProgram::~ReferenceProgram() = default;

llvm::Expected<std::unique_ptr<ReferenceProgram>>
ReferenceProgram::create(ArrayRef<Operation *> operations, ValueRange inputs,
                         ValueRange outputs, const MethodMap *methods) {
  auto plan = std::make_unique<Plan>();
  Planner planner(*plan, methods);
  for (Value input : inputs) {
    if (llvm::Expected<Place> place = planner.define(input); !place)
      return place.takeError();
    plan->inputs.push_back(input);
  }
  std::vector<SmallVector<unsigned, 4>> uses;
  for (Operation *op : operations) {
    auto rule = getRules().find(op->getName().getStringRef());
    if (rule == getRules().end())
      return makeError(op, "the reference runner has no rule for it");
    llvm::Expected<Action> action = rule->second(op, planner);
    if (!action)
      return action.takeError();
    Step &step = plan->steps.emplace_back();
    step.action = std::move(*action);
    llvm::append_range(step.results, op->getResults());
    SmallVector<unsigned, 4> &read = uses.emplace_back();
    for (Value value :
         llvm::concat<Value>(SmallVector<Value>(op->getOperands()),
                             SmallVector<Value>(op->getResults())))
      if (auto it = plan->places.find(value); it != plan->places.end())
        read.push_back(it->second.buffer);
  }
  for (Value output : outputs) {
    if (llvm::Expected<Place> place = planner.lookup(output); !place)
      return place.takeError();
    plan->outputs.push_back(output);
  }
  markLastUses(*plan, uses);
  return std::unique_ptr<ReferenceProgram>(
      new ReferenceProgram(std::move(plan)));
}

llvm::Expected<std::vector<Array>>
ReferenceProgram::run(ArrayRef<Array> inputs) const {
  return run(inputs, {}, [](Value, const Array &) {});
}

llvm::Expected<std::vector<Array>>
ReferenceProgram::run(ArrayRef<Array> inputs, ValueRange taps,
                      Observer observer) const {
  llvm::DenseSet<Value> tapped;
  for (Value tap : taps) {
    if (!plan->places.contains(tap))
      return llvm::createStringError(
          "a value to be shown is not computed by the program");
    tapped.insert(tap);
  }
  llvm::Expected<ReferenceRun> run = ReferenceRun::start(*this, inputs);
  if (!run)
    return run.takeError();
  auto show = [&](Value value) {
    if (tapped.contains(value))
      observer(value, run->frame->toArray(plan->places.lookup(value)));
  };
  for (Value value : plan->inputs)
    show(value);
  while (run->next < plan->steps.size())
    run->runStep(show);
  return run->finish();
}

//===----------------------------------------------------------------------===//
// Runs
//===----------------------------------------------------------------------===//

ReferenceRun::ReferenceRun(const Plan &plan)
    : plan(&plan), frame(std::make_unique<Frame>(plan)) {}
ReferenceRun::ReferenceRun(const ReferenceRun &other)
    : plan(other.plan), frame(std::make_unique<Frame>(*other.frame)),
      next(other.next) {}
ReferenceRun::ReferenceRun(ReferenceRun &&) = default;
ReferenceRun::~ReferenceRun() = default;

llvm::Expected<ReferenceRun>
ReferenceRun::start(const ReferenceProgram &program, ArrayRef<Array> inputs) {
  const Plan &plan = *program.plan;
  if (inputs.size() != plan.inputs.size())
    return llvm::createStringError("the model takes " +
                                   Twine(plan.inputs.size()) +
                                   " arguments, found " + Twine(inputs.size()));
  ReferenceRun run(plan);
  for (auto [index, value, array] : llvm::enumerate(plan.inputs, inputs)) {
    Place place = plan.places.lookup(value);
    if (array.kind != place.kind ||
        ArrayRef(array.shape) != ArrayRef(place.shape))
      return llvm::createStringError("argument " + Twine(index) +
                                     " has the wrong shape or element type");
    run.frame->bind(place, array);
  }
  return run;
}

void ReferenceRun::runStep(llvm::function_ref<void(Value)> show) {
  const Step &step = plan->steps[next++];
  if (step.action)
    step.action(*frame);
  for (Value result : step.results)
    show(result);
  for (unsigned buffer : step.lastUses)
    frame->release(buffer);
}

void ReferenceRun::runBefore(Operation *op) {
  assert(op->getNumResults() > 0 && "operations are found by their results");
  while (next < plan->steps.size() &&
         !llvm::is_contained(plan->steps[next].results, op->getResult(0)))
    runStep([](Value) {});
}

void ReferenceRun::skip(Array result) {
  const Step &step = plan->steps[next++];
  Place place = plan->places.lookup(step.results.front());
  assert(result.kind == place.kind &&
         ArrayRef(result.shape) == ArrayRef(place.shape) &&
         "the result has another type");
  frame->adopt(place, std::move(result.bytes));
  for (unsigned buffer : step.lastUses)
    frame->release(buffer);
}

Array ReferenceRun::get(Value value) const {
  Place place = plan->places.lookup(value);
  assert(frame->isKnown(place) && "the value is not known here");
  return frame->toArray(place);
}

std::vector<Array> ReferenceRun::finish() {
  while (next < plan->steps.size())
    runStep([](Value) {});
  std::vector<Array> results;
  for (Value output : plan->outputs)
    results.push_back(frame->toArray(plan->places.lookup(output)));
  return results;
}

//===----------------------------------------------------------------------===//
// Runner
//===----------------------------------------------------------------------===//

llvm::Expected<std::unique_ptr<ReferenceRunner>>
ReferenceRunner::create(ModuleOp module, const MethodMap *methods) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main || main.isExternal())
    return llvm::createStringError("the module has no function 'main'");
  if (!main.getBody().hasOneBlock())
    return llvm::createStringError("'main' has more than one block");
  Block &body = main.getBody().front();
  auto terminator = dyn_cast<func::ReturnOp>(body.getTerminator());
  if (!terminator)
    return makeError(body.getTerminator(), "'main' must end in func.return");
  SmallVector<Operation *> operations;
  for (Operation &op : body.without_terminator())
    operations.push_back(&op);
  llvm::Expected<std::unique_ptr<ReferenceProgram>> program =
      ReferenceProgram::create(operations, body.getArguments(),
                               terminator.getOperands(), methods);
  if (!program)
    return program.takeError();
  return std::unique_ptr<ReferenceRunner>(
      new ReferenceRunner(std::move(*program)));
}

llvm::Expected<std::vector<Array>>
ReferenceRunner::run(ArrayRef<Array> arguments) {
  return program->run(arguments);
}

llvm::Expected<std::vector<Array>>
ReferenceRunner::run(ArrayRef<Array> arguments, ValueRange taps,
                     ReferenceProgram::Observer observer) {
  return program->run(arguments, taps, observer);
}
