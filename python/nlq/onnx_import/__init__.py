# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The ONNX front end: a float model becomes a module of nlq and upstream operations.

load       the file: decode, external data, dimensions, checks
cut        only what leads to named outputs, and from named inputs (cut_inputs)
fold       shape glue and constant subgraphs become constants
graph      the model as the rest sees it: nodes, constants, static shapes
patterns   node chains that mean one operation: layer norm, GELU, linear
emit       one small function per operator
builder    the operation forms the module consists of
mlir       the text of a module
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from nlq.files import replacing
from nlq.onnx_import.cut_inputs import make_inputs
from nlq.onnx_import.emit import emit_module
from nlq.onnx_import.fold import fold_constants
from nlq.onnx_import.graph import build_graph
from nlq.onnx_import.load import load_model
from nlq.onnx_import.mlir import Module
from nlq.onnx_import.patterns import recognize
from nlq.tools import find_nlq_opt, run_nlq_opt

__all__ = ["import_onnx", "write_module"]


def import_onnx(
    path: Path,
    dims: dict[str, int] | None = None,
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
) -> Module:
    """Imports the ONNX model at `path`, or the part of it between `inputs` and `outputs`.

    `dims` gives sizes to symbolic dimensions. The module has one function `main` with the model's
    inputs and outputs in their order; weights are dense_resource constants; locations are node
    names.

    `outputs` names values that are returned instead of the model's outputs; nodes, weights and
    inputs that do not lead to them are left out. `inputs` names values that become the first
    arguments, and what computes them is left out.

    Raises NlqError if the file is missing or malformed, a dimension stays dynamic, there is no such
    value, or any node is unsupported (all of them are listed).
    """
    model = load_model(path, dims or {}, outputs, inputs)
    make_inputs(model, inputs)
    fold_constants(model)
    graph = build_graph(model)
    recognize(graph)
    return emit_module(graph)


def write_module(module: Module, path: Path) -> None:
    """Writes `module` to `path`: as bytecode if it ends in .mlirbc, else as text.

    Bytecode is made by nlq-opt. Raises NlqError, and leaves no file, if anything fails.
    """
    if path.suffix != ".mlirbc":
        with replacing(path) as output, open(output, "w", encoding="utf-8") as stream:
            module.write(stream)
        return
    find_nlq_opt()  # Before the work, which may take a while.
    # The text goes through standard input: the bytecode would hold the name of a file.
    with replacing(path) as output, tempfile.TemporaryFile("w+", encoding="utf-8") as text:
        module.write(text)
        text.seek(0)
        run_nlq_opt(["--emit-bytecode", "-o", str(output)], text)
