# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""What `make bench` runs: `python -m nlq.bench FOLDER`.

Builds libnlq_kernels.so in the folder, prints nlq-bench's table of its kernels, then the same
beside memcpy and ONNX Runtime, and writes both as results.json and results.md.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from nlq.bench.kernels import read_kernels
from nlq.bench.library import make_library
from nlq.bench.measure import Row, compare
from nlq.bench.tables import print_rows, to_markdown
from nlq.errors import NlqError
from nlq.files import make_folder, replacing
from nlq.tools import find_nlq_opt


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs it; returns the exit code as `nlq` does."""
    parser = argparse.ArgumentParser(prog="python -m nlq.bench", description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder to write into")
    parser.add_argument(
        "--target", default="native", metavar="NAME", help="what the kernels are compiled for"
    )
    parser.add_argument(
        "--sizes",
        default="image",
        metavar="NAMES",
        help="tile, image, batch, or several separated by commas (default: %(default)s)",
    )
    parser.add_argument("ops", nargs="*", metavar="op", help="operations (default: all)")
    options = parser.parse_args(arguments)
    try:
        _run(options.folder, options.target, options.sizes, options.ops)
    except NlqError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _run(folder: Path, target: str, sizes: str, ops: list[str]) -> None:
    make_folder(folder)
    module = folder / "kernels.mlir"
    # A library has all sizes of columns that there are.
    _nlq_bench([*ops, "--sizes=tile,image,batch", f"--save-module={module}"])
    kernels = read_kernels(module)
    library = make_library(module, kernels, folder, target)
    print(f"{library}: {len(kernels)} kernels, {library.stat().st_size / 1024:.0f} KiB\n")

    figures = folder / "nlq-bench.json"
    text = _nlq_bench([*ops, f"--target={target}", f"--sizes={sizes}", f"--json={figures}"])
    print(text)
    measured = json.loads(figures.read_text())
    figures.unlink()
    rows: list[Row] = []
    if measured["run"]:
        by_name = {kernel.function: kernel for kernel in kernels}
        for entry in measured["results"]:
            if entry["function"] in by_name:
                kernel = by_name[entry["function"]]
                rows += compare(kernel, entry["results"][0][0], library)
        print_rows(rows)
        with replacing(folder / "results.md") as path:
            path.write_text(to_markdown(rows, measured["results"]))
    results = {"nlq_bench": measured, "beside": [row.to_json() for row in rows]}
    with replacing(folder / "results.json") as path:
        path.write_text(json.dumps(results, indent=2) + "\n")
    print(f"written to {folder / 'results.json'}")


def _nlq_bench(arguments: list[str]) -> str:
    """Runs nlq-bench and returns its output."""
    tool = find_nlq_opt().with_name("nlq-bench")
    try:
        done = subprocess.run([tool, *arguments], capture_output=True, text=True, check=False)
    except OSError as error:
        raise NlqError(f"cannot run '{tool}': {error.strerror}; build it with make") from error
    if done.returncode != 0:
        raise NlqError(done.stderr.removeprefix("error: ").strip())
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
