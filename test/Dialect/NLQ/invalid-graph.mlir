// RUN: nlq-opt %s -split-input-file -verify-diagnostics

// Graphs that are not well-formed are errors where they are read.

// Not an operator of graphs.
// expected-error @+2 {{unknown opcode 'exp' in a kernel graph}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = exp(n0)], result = n0 : i8>}

// -----

// expected-error @+2 {{unknown rate 'matrix' in a kernel graph}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : matrix = input 0()], result = n0 : i8>}

// -----

// expected-error @+2 {{unknown rounding mode 'up' in a kernel graph}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0(), n1 : element = div up(n0, n0)], result = n0 : i8>}

// -----

// expected-error @+2 {{unknown predicate 'ult' in a kernel graph}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0(), n1 : element = compare ult(n0, n0)], result = n0 : i8>}

// -----

// Nodes are numbered in their order.
// expected-error @+2 {{expected node n1, found n2}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0(), n2 : element = max(n0, n0)], result = n2 : i8>}

// -----

// expected-error @+2 {{expected a node such as n0, found 'x'}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [x : element = input 0()], result = n0 : i8>}

// -----

// expected-error @+2 {{expected a node such as n0, found 'nx'}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0(), n1 : element = max(n0, nx)], result = n0 : i8>}

// -----

// expected-error @+1 {{expected a storage type such as i8 or u8}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [x : element f32 in [0, 1]],
  nodes = [n0 : element = input 0()], result = n0 : i8>}

// -----

// expected-error @+1 {{expected a storage type such as i8 or u8}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [x : element si8 in [0, 1]],
  nodes = [n0 : element = input 0()], result = n0 : i8>}

// -----

// expected-error @+1 {{expected a storage type such as i8 or u8}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [x : element byte in [0, 1]],
  nodes = [n0 : element = input 0()], result = n0 : i8>}

// -----

// Storage of the result is signed.
// expected-error @+2 {{the result of a kernel is stored signed, as i8 for example}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0()], result = n0 : u8>}

// -----

// expected-error @+1 {{integer value too large}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [x : element i64 in [-9223372036854775808, 9223372036854775808]],
  nodes = [n0 : element = input 0()], result = n0 : i8>}

// -----

// expected-error @+1 {{expected 'nodes'}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [], result = n0 : i8>}

// -----

// Structure.
// expected-error @+1 {{malformed kernel graph: node 1 (max) has 1 operands and must have 2}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0(), n1 : element = max(n0)], result = n0 : i8>}

// -----

// expected-error @+1 {{malformed kernel graph: node 1 (max) uses node 1, which does not come before it}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0(), n1 : element = max(n0, n1)], result = n0 : i8>}

// -----

// expected-error @+1 {{malformed kernel graph: node 1 (max) uses node 4294967295, which does not come before it}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0(), n1 : element = max(n0, n4294967295)], result = n0 : i8>}

// -----

// expected-error @+1 {{malformed kernel graph: node 0 reads input 1 of 1}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 1()], result = n0 : i8>}

// -----

// expected-error @+1 {{malformed kernel graph: node 0 reads input -1 of 1}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input -1()], result = n0 : i8>}

// -----

// expected-error @+1 {{malformed kernel graph: node 1 reads table 0 of 0}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0(), n1 : element = lookup 0(n0)], result = n0 : i8>}

// -----

// expected-error @+1 {{malformed kernel graph: a table has no entries}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  tables = [[1], []], nodes = [n0 : element = input 0()], result = n0 : i8>}

// -----

// expected-error @+1 {{malformed kernel graph: the result is node 1 of 1}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0()], result = n1 : i8>}

// -----

// expected-error @+1 {{malformed kernel graph: the result is node 0 of 0}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [], result = n0 : i8>}

// -----

// Rates.
// expected-error @+1 {{malformed kernel graph: node 0 (input) has rate row and its operands make it element}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : row = input 0()], result = n0 : i8>}

// -----

// expected-error @+1 {{malformed kernel graph: node 1 (add) has rate uniform and its operands make it element}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0(), n1 : uniform = add(n0, n0)], result = n0 : i8>}

// -----

// expected-error @+1 {{malformed kernel graph: node 1 (reduce_sum) has rate element and its operands make it row}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0(), n1 : element = reduce_sum(n0)], result = n0 : i8>}

// -----

// expected-error @+1 {{malformed kernel graph: node 1 (reduce_max) reduces a value of row rate; only element and column rate are allowed}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [r : row i8 in [0, 1]],
  nodes = [n0 : row = input 0(), n1 : row = reduce_max(n0)], result = n0 : i8>}

// -----

// expected-error @+1 {{malformed kernel graph: node 1 takes a root of element rate; only uniform and row rate are allowed}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [0, 127]],
  nodes = [n0 : element = input 0(), n1 : element = sqrt(n0)], result = n0 : i8>}

// -----

// Ranges and widths.
// expected-error @+1 {{malformed kernel graph: input 'x' has values in [-129, 127], which is not an interval within its 8 bits}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-129, 127]],
  nodes = [n0 : element = input 0()], result = n0 : i8>}

// -----

// expected-error @+1 {{malformed kernel graph: input 'x' has values in [1, 0], which is not an interval within its 8 bits}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [1, 0]],
  nodes = [n0 : element = input 0()], result = n0 : i8>}

// -----

// expected-error @+1 {{malformed kernel graph: input 'x' has values in [-1, 3], which is not an interval within its 8 bits}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [x : element u8 in [-1, 3]],
  nodes = [n0 : element = input 0()], result = n0 : i8>}

// -----

// expected-error @+1 {{malformed kernel graph: input 'x' has 65 bits and 1 to 64 are allowed}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [x : element i65 in [0, 1]],
  nodes = [n0 : element = input 0()], result = n0 : i8>}

// -----

// expected-error @+1 {{malformed kernel graph: input 'x' has 64 bits and 1 to 63 are allowed}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [x : element u64 in [0, 1]],
  nodes = [n0 : element = input 0()], result = n0 : i8>}

// -----

// expected-error @+1 {{malformed kernel graph: input 'x' has 0 bits and 1 to 63 are allowed}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [x : element u0 in [0, 0]],
  nodes = [n0 : element = input 0()], result = n0 : i8>}

// -----

// expected-error @+1 {{malformed kernel graph: the result is stored in 128 bits and 1 to 64 are allowed}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0()], result = n0 : i128>}

// -----

// expected-error @+1 {{malformed kernel graph: node 1 assumes an empty interval}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 8, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0(), n1 : element = assume [1, 0](n0) "no"], result = n0 : i8>}

// -----

// expected-error @+1 {{malformed kernel graph: the longest row must have at least one element}}
func.func private @graph() attributes {g = #nlq.graph<max_row_length = 0, inputs = [x : element i8 in [-128, 127]],
  nodes = [n0 : element = input 0()], result = n0 : i8>}
