# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The steps from a float module to a program; each reads files and makes one."""

import contextlib
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

from nlq.c_header import is_c_name, make_header
from nlq.errors import NlqError
from nlq.files import replacing
from nlq.native import Module, Runner
from nlq.samples import read_extents, read_samples, write_samples


def calibrate(model: Path, samples: Path, output: Path, kept: int) -> None:
    """Runs a float module over samples and writes the profile: a .json file and its .bin file."""
    module = read_module(model)
    arrays = read_samples(samples, module.signature().arguments)
    if not arrays:
        raise NlqError(f"'{model}' has no arguments to calibrate with")
    with (
        replacing(output) as values,
        replacing(output.with_suffix(".bin")) as data,
        # Saved under names that belong together, which the temporary files do not have.
        tempfile.TemporaryDirectory(prefix=".nlq-", dir=output.absolute().parent) as folder,
    ):
        profile = Path(folder) / "profile.json"
        module.calibrate(arrays, kept, profile)
        os.replace(profile, values)
        os.replace(profile.with_suffix(".bin"), data)


def quantize(model: Path, output: Path, options: dict[str, object]) -> None:
    """Quantizes a float module; `options` are those of the pass nlq-quantize."""
    module = read_module(model)
    _run_pass("quantize", model, module, "nlq-quantize", options)
    write_module(module, output)


def measure(model: Path, output: Path, options: dict[str, object]) -> None:
    """Measures the candidates of a quantized module on the samples that a profile keeps.

    `options` are those of the pass nlq-measure.
    """
    module = read_module(model)
    with replacing(output) as scores:
        _run_pass("measure", model, module, "nlq-measure", options | {"scores": scores})


def measure_on_samples(
    model: Path, float_model: Path, samples: Path, output: Path, options: dict[str, object]
) -> None:
    """Measures the candidates of a quantized module against its float module, run on samples.

    `options` are those of the pass nlq-measure that restrict candidates, metrics and threads.
    """
    module = read_module(model)
    original = read_module(float_model)
    arrays = read_samples(samples, original.signature().arguments)
    if not arrays:
        raise NlqError(f"'{float_model}' has no arguments to run on samples")
    with replacing(output) as scores, listing(f"cannot measure '{model}'"):
        module.measure(original, arrays, scores, options)


def assign(model: Path, output: Path, options: dict[str, object]) -> None:
    """Assigns methods and prints a line per operation; `options` are those of nlq-assign."""
    module = read_module(model)
    report = options.get("report")
    # The report takes its place after the module has: both are there or none.
    with replacing(report) if report else contextlib.nullcontext() as path:
        remarks = _run_pass(
            "assign methods in", model, module, "nlq-assign", options | {"report": path}
        )
        if not remarks:
            raise NlqError(f"'{model}' has no quantized non-linear operation; quantize it first")
        write_module(module, output)
    # A remark names its operation itself; where it is, and who says so, is no news here.
    lines = [remark.split("nlq-assign: ", 1)[-1] for remark in remarks]
    print("\n".join(lines), file=sys.stderr if str(output) == "-" else sys.stdout)


def compile_module(
    model: Path,
    output: Path,
    target: str,
    entry: str | None = None,
    method: str | None = None,
    threads: str = "none",
) -> None:
    """Compiles a module's public functions to an object file or shared library, by its suffix.

    A C header is written beside it. `main` becomes `entry`. Quantized operations that have no
    method get `method`, where it is given: what the pass nlq-set-method takes. `threads` is none
    or openmp.
    """
    module = read_module(model)
    if method is not None:
        _run_pass("set methods in", model, module, "nlq-set-method", {"method": method})
    signatures = module.functions()
    if entry is not None and "main" not in signatures:
        raise NlqError(f"'{model}' has no function main that could be called {entry}")
    entry = entry or "nlq_main"
    functions = {entry if name == "main" else name: signatures[name] for name in signatures}
    if not functions:
        raise NlqError(f"'{model}' has no public function to compile")
    for name in functions:
        if not is_c_name(name):
            raise NlqError(f"'{model}' has a function '{name}', which is not a name in C")
    if len(functions) != len(signatures):
        raise NlqError(f"'{model}' has a function '{entry}' and main, which is to be called so")
    with replacing(output) as code, replacing(output.with_suffix(".h")) as header:
        header.write_text(make_header(functions))
        with listing(f"cannot compile '{model}'"):
            if output.suffix == ".so":
                module.emit_library(target, entry, output.name, code, threads)
            else:
                module.emit_object(target, entry, code, threads)


def run(model: Path, samples: Path, output: Path, reference: bool) -> None:
    """Runs a module on samples, compiled or by the reference runner; writes its results.

    Dynamic extents are those of the samples.
    """
    module = read_module(model)
    main = module.functions().get("main")
    if main and any(None in argument.shape for argument in main.arguments):
        extents = ",".join(map(str, read_extents(samples, main.arguments)))
        with listing(f"cannot run '{model}'"):
            module.run_passes(f"nlq-fix-extents{{extents={extents}}}")
    signature = module.signature()
    arrays = read_samples(samples, signature.arguments)
    if not arrays:
        raise NlqError(f"'{model}' has no arguments to run on samples")
    with replacing(output) as path:
        with listing(f"cannot run '{model}'"):
            runner = Runner.reference(module) if reference else Runner.compile(module)
            results, seconds = runner.run(arrays)
        write_samples(path, signature.results, results)
    print(f"{len(seconds)} samples, median {np.median(seconds) * 1e6:.1f} us each")


def read_module(path: Path) -> Module:
    """Reads a module from a file, text or bytecode."""
    try:
        path.open("rb").close()
    except OSError as error:
        raise NlqError(f"cannot read '{path}': {error.strerror}") from error
    with listing(f"cannot read '{path}'"):
        return Module.parse(path)


def write_module(module: Module, path: Path) -> None:
    """Writes text or bytecode as the file's name ends, or text on the terminal for `-`."""
    if str(path) == "-":
        print(module.text(elide=False))
        return
    with replacing(path) as temporary:
        if path.suffix == ".mlirbc":
            module.write(temporary)
        else:
            temporary.write_text(module.text(elide=False), encoding="utf-8")


def _run_pass(
    what: str, model: Path, module: Module, name: str, options: dict[str, object]
) -> list[str]:
    """Runs one pass; options that are None are left out."""
    words = [f"{key}={_quote(value)}" for key, value in options.items() if value is not None]
    with listing(f"cannot {what} '{model}'"):
        return module.run_passes(f"{name}{{{' '.join(words)}}}")


def _quote(value: object) -> str:
    """A value in the syntax of pass options, which knows quotes but no escapes."""
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    if any(character in text for character in "\"'{}"):
        raise NlqError(f"'{text}' holds a quote or a brace, which names of files may not here")
    return f'"{text}"'


class listing:
    """Gives an error of several lines, one per operation, a first line that says what failed."""

    def __init__(self, what: str):
        self._what = what

    def __enter__(self) -> None:
        pass

    def __exit__(self, _, error, __) -> None:
        if isinstance(error, NlqError) and "\n" in str(error):
            lines = "".join(f"\n  {line}" for line in str(error).splitlines())
            raise NlqError(f"{self._what}:{lines}") from error
