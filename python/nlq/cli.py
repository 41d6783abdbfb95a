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
    _add_methods(commands)
    _add_import(commands)
    _add_calibrate(commands)
    _add_quantize(commands)
    _add_measure(commands)
    _add_assign(commands)
    _add_compile(commands)
    _add_run(commands)
    _add_compare(commands)
    _add_confirm(commands)
    _add_demo(commands)
    return parser


def _add_methods(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "methods",
        help="list the integer methods, or see which are legal and how good they are",
        description="Without --op, lists all methods with their operations, forms and widths. With "
        "it, tries every one on that operation: its lanes, its errors against the exact function "
        "on a fixed sample of bell-shaped rows, and its estimated cost, or why it is not legal.",
    )
    command.add_argument("--op", metavar="NAME", help="the operation, such as softmax")
    command.add_argument(
        "--bits", type=_count, metavar="N", help="bits of the operand, 2 to 32 (default: 8)"
    )
    command.add_argument(
        "--scale", type=_scale, metavar="S", help="scale of the operand (default: 0.05)"
    )
    command.add_argument(
        "--row", type=_count, metavar="N", help="elements of a row, 1 to 2^20 (default: 197)"
    )
    command.add_argument(
        "--result-bits",
        type=_count,
        metavar="N",
        help="bits of the result, 2 to 16 (default: 16 for softmax, else 8)",
    )
    command.add_argument("--json", action="store_true", help="print JSON instead of a table")

    def run(options: argparse.Namespace) -> None:
        from nlq.methods import print_registry, print_survey

        numbers = (options.bits, options.scale, options.row, options.result_bits)
        if options.op is None:
            if any(number is not None for number in numbers):
                command.error("--bits, --scale, --row and --result-bits are about an --op")
            print_registry(options.json)
            return
        bits, scale, row = (
            default if number is None else number
            for number, default in zip(numbers, (8, 0.05, 197), strict=False)
        )
        print_survey(options.op, bits, scale, row, options.result_bits, options.json)

    command.set_defaults(run=run)


def _add_import(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "import",
        help="turn an ONNX model into MLIR",
        description="Turns a float ONNX model (opset 13 or later) into an MLIR module: "
        "nlq.softmax, nlq.gelu and nlq.layer_norm, and upstream dialects for the rest.",
    )
    command.add_argument("model", type=Path, help="the ONNX file")
    _add_module_output(command)
    command.add_argument(
        "--dim",
        dest="dims",
        type=_dim,
        action="append",
        default=[],
        metavar="name=N",
        help="fix a symbolic dimension (may be repeated); an unnamed one is called INPUT:AXIS",
    )
    command.add_argument(
        "--output",
        dest="outputs",
        action="append",
        default=[],
        metavar="NAME",
        help="return this value instead of the model's outputs, and leave out all that does not "
        "lead to it (may be repeated)",
    )
    command.add_argument(
        "--input",
        dest="inputs",
        action="append",
        default=[],
        metavar="NAME",
        help="make this value an argument, and leave out what computes it (may be repeated)",
    )
    command.set_defaults(run=_run_import)


def _run_import(options: argparse.Namespace) -> None:
    # Imported here so that the other commands do not pay for onnx.
    from nlq.onnx_import import import_onnx, write_module

    module = import_onnx(options.model, dict(options.dims), options.inputs, options.outputs)
    if str(options.output) == "-":
        module.write(sys.stdout)
    else:
        write_module(module, options.output)


def _add_calibrate(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "calibrate",
        help="record the ranges of a float module's values",
        description="Runs a float module over samples and writes a profile: the ranges and "
        "histograms of its values and the arrays of some samples. Its arrays are in a .bin file "
        "beside the .json file.",
    )
    _add_model(command, "the float module")
    _add_samples(command)
    _add_output(command, "the profile", ".json")
    command.add_argument(
        "--kept",
        type=_count,
        default=8,
        metavar="N",
        help="samples to keep whole, for measuring (default: %(default)s)",
    )

    def run(options: argparse.Namespace) -> None:
        from nlq import commands

        commands.calibrate(options.model, options.samples, options.output, options.kept)

    command.set_defaults(run=run)


def _add_quantize(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "quantize",
        help="turn a float module into integers by the ranges of a profile",
        description="Turns the linear part of a float module into integers, and its non-linear "
        "operations into quantized ones with the methods that may be assigned to them.",
    )
    _add_model(command, "the float module")
    command.add_argument("--profile", type=Path, required=True, help="what `calibrate` wrote")
    _add_module_output(command)
    command.add_argument("--act-bits", type=int, metavar="N", help="bits of activations, 4 to 8")
    command.add_argument("--weight-bits", type=int, metavar="N", help="bits of weights, 4 to 8")
    command.add_argument(
        "--residual-bits", type=int, metavar="N", help="bits of the residual stream, 8 to 16"
    )
    _add_quantize_recipe(command)
    command.add_argument(
        "--candidates",
        metavar="GROUPS",
        help="groups of methods that may be assigned, separated by commas: seed, standalone, "
        "extra, other, all (default: seed)",
    )
    names = ("profile", "act_bits", "weight_bits", "residual_bits", "candidates")
    names += tuple(option.replace("-", "_") for option in _QUANTIZE_RECIPE)
    command.set_defaults(run=lambda options: _run_step("quantize", options, names))


# How a model is quantized besides its widths: option, what argparse needs, meaning.
_QUANTIZE_RECIPE = {
    "argument-bits": (
        {"type": int, "metavar": "N"},
        "bits of the arguments that products read, 4 to 8 (default: 8)",
    ),
    "probability-bits": ({"type": int, "choices": [8, 16]}, "bits of probabilities (default: 16)"),
    "operand-bits": (
        {"type": int, "choices": [8, 16, 32]},
        "bits in which softmax and GELU get their operands; 32: accumulators as they are "
        "(default: 32)",
    ),
    "asymmetric": (
        {"choices": ["true", "false"]},
        "zero points where only products with constant weights read (default: true)",
    ),
    "norm-exponent": (
        {"type": float, "metavar": "E"},
        "exponent of channel factors after normalizations, 0 to 1 (default: 0.5)",
    ),
    "gelu-exponent": (
        {"type": float, "metavar": "E"},
        "exponent of channel factors after GELU and its like, 0 to 1 (default: 0.25)",
    ),
    "attention-exponent": (
        {"type": float, "metavar": "E"},
        "exponent of channel factors after attention, 0 to 1 (default: 0.25)",
    ),
    "value-exponent": (
        {"type": float, "metavar": "E"},
        "exponent of column factors of attention's values, 0 to 1 (default: 1)",
    ),
    "query-key-exponent": (
        {"type": float, "metavar": "E"},
        "how far channels of queries and keys are balanced, 0 to 1 (default: 0.5)",
    ),
    "ranges": (
        {"choices": ["extremes", "percentile", "least-squares"]},
        "what operands of products cover (default: extremes)",
    ),
    "percentile": (
        {"type": float, "metavar": "P"},
        "how many of a hundred values `percentile` covers (default: 99.99)",
    ),
    "weight-scales": (
        {"choices": ["extremes", "least-squares"]},
        "how scales of weights are chosen (default: least-squares)",
    ),
    "weight-rounding": (
        {"choices": ["nearest", "feedback"]},
        "round weights to nearest, or make up for the error that other weights leave "
        "(default: feedback)",
    ),
    "bias-correction": (
        {"choices": ["true", "false"]},
        "correct the means that rounding of weights shifts (default: true)",
    ),
}


def _add_quantize_recipe(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("recipe", "docs/quantization.md explains each option")
    for option, (arguments, meaning) in _QUANTIZE_RECIPE.items():
        group.add_argument(f"--{option}", help=meaning, **arguments)


def _add_measure(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "measure",
        help="score every method that may be assigned",
        description="Scores the candidates of every non-linear operation of a quantized module: "
        "on the samples that its profile keeps, or against its float module, which is run on "
        "samples one at a time.",
    )
    _add_model(command, "the quantized module")
    command.add_argument("--profile", type=Path, help="what `calibrate` wrote, with samples kept")
    command.add_argument(
        "--kept", type=_count, metavar="N", help="kept samples of the profile to use (default: all)"
    )
    command.add_argument(
        "--float",
        dest="float_model",
        type=Path,
        metavar="MODEL",
        help="the float module, instead of a profile",
    )
    _add_samples(command, required=False)
    _add_output(command, "the scores", ".json")
    command.add_argument(
        "--metrics",
        help="own, consumer, paper, logits, or several separated by commas "
        "(default: all but logits)",
    )
    _add_filter(command)
    command.add_argument(
        "--threads", type=_count, default=0, metavar="N", help="threads (default: one per core)"
    )
    names = (*_FILTER, "metrics", "threads")

    def run(options: argparse.Namespace) -> None:
        from nlq import commands

        by_profile = options.profile is not None
        others = (options.float_model, options.samples)
        if any((other is None) != by_profile for other in others):
            command.error("either --profile or both of --float and --samples are needed")
        if not by_profile and options.kept is not None:
            command.error("--kept is about samples of a profile")
        chosen = _pass_options(options, names)
        if not by_profile:
            commands.measure_on_samples(
                options.model, options.float_model, options.samples, options.output, chosen
            )
        else:
            source = {"profile": options.profile, "samples": options.kept}
            commands.measure(options.model, options.output, chosen | source)

    command.set_defaults(run=run)


# What _add_filter adds.
_FILTER = ("methods", "form", "set", "in_bits", "out_bits")


def _add_filter(command: argparse.ArgumentParser) -> None:
    """Options that restrict candidates."""
    command.add_argument(
        "--methods", metavar="NAMES", help="restrict to these methods, separated by commas"
    )
    command.add_argument("--form", choices=["reference", "corrected"], help="restrict to this form")
    command.add_argument(
        "--set", choices=["seed", "standalone", "extra", "other"], help="restrict to these widths"
    )
    command.add_argument(
        "--in-bits", type=_count, metavar="N", help="the width of operands, 0 for as they are"
    )
    command.add_argument("--out-bits", type=_count, metavar="N", help="the width of results")


def _add_assign(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "assign",
        help="choose a method for every non-linear operation",
        description="Chooses one of its candidates for every non-linear operation of a quantized "
        "module, and prints a line for each: what was chosen, its score, and the margin to the "
        "runner-up.",
    )
    _add_model(command, "the quantized module")
    _add_module_output(command)
    command.add_argument(
        "--scores", type=Path, help="what `measure` wrote; not needed by the policy uniform"
    )
    command.add_argument(
        "--policy",
        choices=["best", "paper", "uniform"],
        help="best: the best score per operation; paper: the smallest SQNR difference in the set "
        "seed; uniform: one method everywhere (default: best)",
    )
    command.add_argument(
        "--metric",
        choices=["consumer", "own", "paper", "logits"],
        help="what the policy best goes by (default: consumer)",
    )
    command.add_argument(
        "--within",
        type=_decibels,
        metavar="DB",
        help="with the policy best: the cheapest candidate at most so many dB worse than the best",
    )
    command.add_argument("--method", metavar="NAME", help="the method of the policy uniform")
    _add_filter(command)
    command.add_argument(
        "--keep-assigned",
        action="store_true",
        help="leave operations alone that have a method",
    )
    command.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help="a JSON file to write: every choice with all candidates, scores and the reason",
    )
    names = ("scores", "policy", "metric", "within", "method", *_FILTER, "keep_assigned", "report")
    command.set_defaults(run=lambda options: _run_step("assign", options, names))


def _run_step(step: str, options: argparse.Namespace, names: tuple[str, ...]) -> None:
    """Runs a step whose options are those of a pass."""
    from nlq import commands

    getattr(commands, step)(options.model, options.output, _pass_options(options, names))


def _pass_options(options: argparse.Namespace, names: tuple[str, ...]) -> dict[str, object]:
    """Options of the command line under the names that the passes give them."""
    return {name.replace("_", "-"): getattr(options, name) for name in names}


def _add_compile(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "compile",
        help="make an object file or shared library, and a C header",
        description="Compiles the public functions of a module whose operations have methods, or "
        "of a float one, and declares them in a C header beside what it writes.",
    )
    _add_model(command, "the assigned module")
    _add_output(command, "the object file or the shared library", ".o", ".so")
    command.add_argument(
        "--target",
        default="native",
        metavar="NAME",
        help="native, aarch64, riscv64, or a processor such as x86-64-v3, znver4 or cortex-a72 "
        "(default: %(default)s)",
    )
    command.add_argument(
        "--entry",
        type=_c_name,
        metavar="NAME",
        help="what the function main is called (default: nlq_main); others keep their names",
    )
    command.add_argument(
        "--method",
        metavar="METHOD",
        help="the method of quantized operations that have none, such as table, or a whole "
        "attribute such as '#nlq.ibert<out_bits = 8>' (default: they are errors)",
    )
    command.add_argument(
        "--threads",
        choices=["none", "openmp"],
        default="none",
        help="what runs the rows of kernels in parallel; openmp needs LLVM's runtime, libomp, in "
        "the program (default: %(default)s)",
    )

    def run(options: argparse.Namespace) -> None:
        from nlq import commands

        commands.compile_module(
            options.model,
            options.output,
            options.target,
            options.entry,
            options.method,
            options.threads,
        )

    command.set_defaults(run=run)


def _add_run(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "run",
        help="run a module on samples",
        description="Compiles a module for this machine, runs it on samples and writes its "
        "results, an array each under its name.",
    )
    _add_model(command, "the assigned module, or a float one")
    _add_samples(command)
    _add_output(command, "the results", ".npz")
    command.add_argument(
        "--reference",
        action="store_true",
        help="interpret a quantized module instead; operations without a method are exact",
    )

    def run(options: argparse.Namespace) -> None:
        from nlq import commands

        commands.run(options.model, options.samples, options.output, options.reference)

    command.set_defaults(run=run)


def _add_compare(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "compare",
        help="look at every operation of a quantized module, and where two runs part",
        description="Runs a quantized module on samples and prints a line per non-linear "
        "operation and result: the signal-to-quantization-noise ratio against the float module, "
        "and how it differs from another run; then where the two runs differ first.",
    )
    _add_model(command, "the assigned module")
    _add_samples(command)
    command.add_argument(
        "--float", dest="float_model", type=Path, metavar="MODEL", help="the float module"
    )
    command.add_argument(
        "--with",
        dest="other",
        metavar="RUN",
        help="what to compare with: `reference`, a target to compile for, or a module file of the "
        "same operations",
    )
    command.add_argument(
        "--target",
        default="native",
        metavar="NAME",
        help="what the module is compiled for, or `reference` (default: %(default)s)",
    )
    command.add_argument(
        "--slot",
        dest="slots",
        action="append",
        default=[],
        metavar="NAME",
        help="an operation to show (may be repeated; default: all)",
    )
    command.add_argument("--json", type=Path, metavar="FILE", help="a JSON file to write too")

    def run(options: argparse.Namespace) -> None:
        from nlq.compare import compare

        if options.float_model is None and options.other is None:
            command.error("--float, --with or both are needed")
        compare(
            options.model,
            options.samples,
            options.target,
            options.float_model,
            options.other,
            options.slots,
            options.json,
        )

    command.set_defaults(run=run)


def _add_confirm(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "confirm",
        help="keep a mix of methods only if it holds on other samples",
        description="Runs an assigned module and uniform ones on samples that the choice of "
        "methods has not seen, and writes the one to use: the mix, or the best uniform one where "
        "the mix has not the larger signal-to-quantization-noise ratio against the float module.",
    )
    _add_model(command, "the assigned module, a mix of methods")
    command.add_argument(
        "--against",
        type=Path,
        nargs="+",
        required=True,
        metavar="MODEL",
        help="the same module with one method throughout, for each method",
    )
    command.add_argument(
        "--float",
        dest="float_model",
        type=Path,
        required=True,
        metavar="MODEL",
        help="the float module",
    )
    _add_samples(command)
    _add_module_output(command)
    command.add_argument(
        "--margin",
        type=_decibels,
        default=0.0,
        metavar="DB",
        help="what the mix must be better by (default: %(default)s)",
    )
    command.add_argument(
        "--json", type=Path, metavar="FILE", help="a JSON file to write the figures into"
    )

    def run(options: argparse.Namespace) -> None:
        from nlq.confirm import confirm_files

        confirm_files(
            options.model,
            options.against,
            options.float_model,
            options.samples,
            options.output,
            options.margin,
            options.json,
        )

    command.set_defaults(run=run)


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


def _add_model(command: argparse.ArgumentParser, what: str) -> None:
    command.add_argument("model", type=Path, help=f"{what}, a .mlir or .mlirbc file")


def _add_samples(command: argparse.ArgumentParser, required: bool = True) -> None:
    command.add_argument(
        "--samples",
        type=Path,
        required=required,
        metavar="FILE",
        help="an .npz file with an array [N, ...] for every argument, under its name",
    )


def _add_module_output(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "-o",
        dest="output",
        type=_module_path,
        required=True,
        help="the file to write: .mlir for text, .mlirbc for bytecode, - for text on the terminal",
    )


def _add_output(command: argparse.ArgumentParser, what: str, *suffixes: str) -> None:
    endings = " or ".join(suffixes)

    def path(text: str) -> Path:
        if Path(text).suffix not in suffixes:
            raise argparse.ArgumentTypeError(f"'{text}' does not end in {endings}")
        return Path(text)

    command.add_argument(
        "-o", dest="output", type=path, required=True, help=f"{what} to write, a {endings} file"
    )


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


def _scale(text: str) -> float:
    """Reads a positive number."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is not a positive number")
    return value


def _decibels(text: str) -> float:
    """Reads a number of dB of at least 0."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of dB of at least 0")
    return value


def _c_name(text: str) -> str:
    """Reads the name of a C function."""
    from nlq.c_header import is_c_name

    if not is_c_name(text):
        raise argparse.ArgumentTypeError(f"'{text}' is not a name for a C function")
    return text
