//===- GraphAttr.cpp - Printing and parsing kernel graphs ---------------===//
//
// Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/Builders.h"
#include "nlq/Dialect/NLQ/IR/NLQAttrs.h"
#include "nlq/Kernel/Verify.h"

using namespace mlir;
using namespace nlq;
using namespace nlq::kernel;

llvm::hash_code nlq::kernel::hash_value(const Graph &graph) {
  llvm::hash_code hash =
      llvm::hash_combine(graph.nodes.size(), graph.inputs.size(), graph.result,
                         graph.resultBits, graph.maxRowLength);
  for (const Node &node : graph.nodes)
    hash = llvm::hash_combine(
        hash, unsigned(node.opcode), unsigned(node.rounding), node.imm,
        llvm::hash_combine_range(node.operands.begin(), node.operands.end()));
  for (const Table &table : graph.tables)
    hash = llvm::hash_combine(
        hash, llvm::hash_combine_range(table.begin(), table.end()));
  return hash;
}

//===----------------------------------------------------------------------===//
// Printing
//===----------------------------------------------------------------------===//

static void printInterval(AsmPrinter &printer, Interval range) {
  printer << "[" << range.lo << ", " << range.hi << "]";
}

static void printNode(AsmPrinter &printer, unsigned id, const Node &node) {
  const OpcodeInfo &info = getInfo(node.opcode);
  printer << "n" << id << " : " << stringify(node.rate) << " = "
          << info.mnemonic;
  if (info.hasRounding)
    printer << " " << stringify(node.rounding);
  if (info.hasPredicate)
    printer << " " << stringify(node.predicate);
  if (info.hasImmediate)
    printer << " " << node.imm;
  if (node.opcode == Opcode::Assume) {
    printer << " ";
    printInterval(printer, node.range);
  }
  printer << "(";
  llvm::interleaveComma(node.operands, printer,
                        [&](NodeId operand) { printer << "n" << operand; });
  printer << ")";
  if (!node.text.empty()) {
    printer << " ";
    printer.printString(node.text);
  }
}

void GraphAttr::print(AsmPrinter &printer) const {
  const Graph &graph = getGraph();
  printer << "<max_row_length = " << graph.maxRowLength << ", inputs = [";
  llvm::interleaveComma(graph.inputs, printer, [&](const Input &input) {
    printer.printKeywordOrString(input.name);
    printer << " : " << stringify(input.rate) << (input.isSigned ? " i" : " u")
            << input.bits << " in ";
    printInterval(printer, input.range);
  });
  printer << "]";
  if (!graph.tables.empty()) {
    printer << ", tables = [";
    llvm::interleaveComma(graph.tables, printer, [&](const Table &table) {
      printer << "[";
      llvm::interleaveComma(table, printer);
      printer << "]";
    });
    printer << "]";
  }
  printer << ", nodes = [";
  unsigned id = 0;
  llvm::interleaveComma(graph.nodes, printer, [&](const Node &node) {
    printNode(printer, id++, node);
  });
  printer << "], result = n" << graph.result << " : i" << graph.resultBits
          << ">";
}

//===----------------------------------------------------------------------===//
// Parsing
//===----------------------------------------------------------------------===//

namespace {
/// Parses the text that GraphAttr::print writes.
class GraphParser {
public:
  explicit GraphParser(AsmParser &parser) : parser(parser) {}
  FailureOr<Graph> parse();

private:
  ParseResult parseInterval(Interval &range);
  ParseResult parseInput();
  ParseResult parseTable();
  ParseResult parseNode();
  ParseResult parseNodeRef(NodeId &id);
  ParseResult parseStorage(unsigned &bits, bool &isSigned);

  /// Parses a keyword that `lookup` knows.
  template <typename T>
  ParseResult parseEnum(T &result, std::optional<T> (*lookup)(StringRef),
                        StringRef what) {
    SMLoc loc = parser.getCurrentLocation();
    StringRef keyword;
    if (parser.parseKeyword(&keyword))
      return failure();
    std::optional<T> value = lookup(keyword);
    if (!value)
      return parser.emitError(loc)
             << "unknown " << what << " '" << keyword << "' in a kernel graph";
    result = *value;
    return success();
  }

  AsmParser &parser;
  Graph graph;
};
} // namespace

ParseResult GraphParser::parseInterval(Interval &range) {
  return failure(parser.parseLSquare() || parser.parseInteger(range.lo) ||
                 parser.parseComma() || parser.parseInteger(range.hi) ||
                 parser.parseRSquare());
}

ParseResult GraphParser::parseStorage(unsigned &bits, bool &isSigned) {
  SMLoc loc = parser.getCurrentLocation();
  StringRef keyword;
  Type type;
  OptionalParseResult parsed = parser.parseOptionalType(type);
  if (parsed.has_value()) {
    if (failed(*parsed))
      return failure();
    auto integer = dyn_cast<IntegerType>(type);
    if (!integer || !integer.isSignless())
      return parser.emitError(loc, "expected a storage type such as i8 or u8");
    bits = integer.getWidth();
    isSigned = true;
    return success();
  }
  if (parser.parseKeyword(&keyword))
    return failure();
  if (!keyword.consume_front("u") || keyword.getAsInteger(10, bits))
    return parser.emitError(loc, "expected a storage type such as i8 or u8");
  isSigned = false;
  return success();
}

ParseResult GraphParser::parseInput() {
  Input input;
  return failure(parser.parseKeywordOrString(&input.name) ||
                 parser.parseColon() ||
                 parseEnum(input.rate, parseRate, "rate") ||
                 parseStorage(input.bits, input.isSigned) ||
                 parser.parseKeyword("in") || parseInterval(input.range) ||
                 (graph.inputs.push_back(std::move(input)), false));
}

ParseResult GraphParser::parseTable() {
  Table table;
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&]() {
        return parser.parseInteger(table.emplace_back());
      }))
    return failure();
  graph.tables.push_back(std::move(table));
  return success();
}

ParseResult GraphParser::parseNodeRef(NodeId &id) {
  SMLoc loc = parser.getCurrentLocation();
  StringRef keyword;
  if (parser.parseKeyword(&keyword))
    return failure();
  StringRef digits = keyword;
  if (!digits.consume_front("n") || digits.getAsInteger(10, id))
    return parser.emitError(loc)
           << "expected a node such as n0, found '" << keyword << "'";
  return success();
}

ParseResult GraphParser::parseNode() {
  Node node;
  NodeId id;
  size_t next = graph.nodes.size();
  SMLoc loc = parser.getCurrentLocation();
  if (parseNodeRef(id))
    return failure();
  if (id != next)
    return parser.emitError(loc)
           << "expected node n" << next << ", found n" << id;
  if (parser.parseColon() || parseEnum(node.rate, parseRate, "rate") ||
      parser.parseEqual() || parseEnum(node.opcode, parseOpcode, "opcode"))
    return failure();
  const OpcodeInfo &info = getInfo(node.opcode);
  if (info.hasRounding &&
      parseEnum(node.rounding, parseRounding, "rounding mode"))
    return failure();
  if (info.hasPredicate &&
      parseEnum(node.predicate, parsePredicate, "predicate"))
    return failure();
  if (info.hasImmediate && parser.parseInteger(node.imm))
    return failure();
  if (node.opcode == Opcode::Assume && parseInterval(node.range))
    return failure();
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Paren, [&]() {
        return parseNodeRef(node.operands.emplace_back());
      }))
    return failure();
  (void)parser.parseOptionalString(&node.text);
  graph.nodes.push_back(std::move(node));
  return success();
}

FailureOr<Graph> GraphParser::parse() {
  bool isSigned = true;
  if (parser.parseLess() || parser.parseKeyword("max_row_length") ||
      parser.parseEqual() || parser.parseInteger(graph.maxRowLength) ||
      parser.parseComma() || parser.parseKeyword("inputs") ||
      parser.parseEqual() ||
      parser.parseCommaSeparatedList(AsmParser::Delimiter::Square,
                                     [&]() { return parseInput(); }) ||
      parser.parseComma())
    return failure();
  if (succeeded(parser.parseOptionalKeyword("tables")) &&
      (parser.parseEqual() ||
       parser.parseCommaSeparatedList(AsmParser::Delimiter::Square,
                                      [&]() { return parseTable(); }) ||
       parser.parseComma()))
    return failure();
  if (parser.parseKeyword("nodes") || parser.parseEqual() ||
      parser.parseCommaSeparatedList(AsmParser::Delimiter::Square,
                                     [&]() { return parseNode(); }) ||
      parser.parseComma() || parser.parseKeyword("result") ||
      parser.parseEqual() || parseNodeRef(graph.result) || parser.parseColon())
    return failure();
  SMLoc loc = parser.getCurrentLocation();
  if (parseStorage(graph.resultBits, isSigned) || parser.parseGreater())
    return failure();
  if (!isSigned)
    return parser.emitError(loc, "the result of a kernel is stored signed, as "
                                 "i8 for example");
  return std::move(graph);
}

LogicalResult GraphAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                Graph graph) {
  if (llvm::Error error = kernel::verify(graph))
    return emitError() << "malformed kernel graph: "
                       << llvm::toString(std::move(error));
  return success();
}

Attribute GraphAttr::parse(AsmParser &parser, Type) {
  SMLoc loc = parser.getCurrentLocation();
  FailureOr<Graph> graph = GraphParser(parser).parse();
  if (failed(graph))
    return {};
  return parser.getChecked<GraphAttr>(loc, parser.getContext(),
                                      std::move(*graph));
}
