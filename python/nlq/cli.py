# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The `nlq` command."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from nlq import __version__
from nlq.errors import NlqError


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code (0 done, 1 bad input; argparse exits 2 on usage)."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except NlqError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read the output has seen enough. Python must not try to flush the rest at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nlq", description=__doc__)
    parser.add_argument("--version", action="version", version=f"nlq {__version__}")
    commands = parser.add_subparsers(metavar="command", required=True)
    _add_import(commands)
    _add_demo(commands)
    return parser


def _add_import(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "import",
        help="turn an ONNX model into MLIR",
        description="Turns a float ONNX model (opset 13 or later) into an MLIR module: "
        "nlq.softmax, nlq.gelu and nlq.layer_norm, and upstream dialects for the rest.",
    )
    command.add_argument("model", type=Path, help="the ONNX file")
    command.add_argument(
        "-o",
        dest="output",
        type=_module_path,
        required=True,
        help="the file to write: .mlir for text, .mlirbc for bytecode, - for text on the terminal",
    )
    command.add_argument(
        "--dim",
        dest="dims",
        type=_dim,
        action="append",
        default=[],
        metavar="name=N",
        help="fix a symbolic dimension (may be repeated); an unnamed one is called INPUT:AXIS",
    )
    command.set_defaults(run=_run_import)


def _run_import(options: argparse.Namespace) -> None:
    # Imported here so that the other commands do not pay for onnx.
    from nlq.onnx_import import import_onnx, write_module

    module = import_onnx(options.model, dict(options.dims))
    if str(options.output) == "-":
        module.write(sys.stdout)
    else:
        write_module(module, options.output)


def _add_demo(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "demo",
        help="compare assignments on the trained example models",
        description="Takes the trained example models the whole way under every assignment, prints "
        "accuracy, signal-to-quantization-noise ratio and time, and writes results.json.",
    )
    command.add_argument(
        "--output", type=Path, required=True, metavar="DIR", help="the folder to write into"
    )
    command.add_argument(
        "--exact-images",
        type=_count,
        default=20,
        metavar="N",
        help="test images to compare bit for bit with the reference (default: %(default)s)",
    )
    command.set_defaults(run=_run_demo)


def _run_demo(options: argparse.Namespace) -> None:
    from nlq.demo import run_demo

    run_demo(options.output, options.exact_images)


def _module_path(text: str) -> Path:
    """Reads the name of a module file."""
    if text != "-" and Path(text).suffix not in (".mlir", ".mlirbc"):
        raise argparse.ArgumentTypeError(f"'{text}' ends in neither .mlir nor .mlirbc")
    return Path(text)


def _dim(text: str) -> tuple[str, int]:
    """Reads name=N."""
    name, _, size = text.rpartition("=")
    if not name or not (size.isascii() and size.isdigit()) or int(size) == 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not of the form name=N with N of at least 1")
    return name, int(size)


def _count(text: str) -> int:
    """Reads a whole number of at least 0."""
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of at least 0")
    return int(text)
