# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The project's compiled tools, as seen from Python."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import IO

from nlq.errors import NlqError

# python/nlq/tools.py -> the root of a source checkout.
_CHECKOUT = Path(__file__).resolve().parents[2]


def find_nlq_opt() -> Path:
    """The path of nlq-opt.

    It is the file that the environment variable NLQ_OPT names, else build/bin/nlq-opt of this
    checkout, else the first nlq-opt on PATH.

    Raises NlqError if there is none.
    """
    named = os.environ.get("NLQ_OPT")
    if named:
        if not os.access(named, os.X_OK) or not Path(named).is_file():
            raise NlqError(f"NLQ_OPT names '{named}', which is not an executable file")
        return Path(named)
    built = _CHECKOUT / "build" / "bin" / "nlq-opt"
    if built.is_file():
        return built
    on_path = shutil.which("nlq-opt")
    if on_path:
        return Path(on_path)
    raise NlqError(
        "nlq-opt was not found: build it with 'make build', put it on PATH, or name it in the "
        "environment variable NLQ_OPT"
    )


def run_nlq_opt(arguments: list[str], stdin: IO[str] | None = None) -> str:
    """Runs nlq-opt, on the file `stdin` if there is one, and returns its standard output.

    Raises NlqError, with the tool's own messages, if it fails.
    """
    tool = find_nlq_opt()
    try:
        done = subprocess.run(
            [tool, *arguments],
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise NlqError(f"cannot run '{tool}': {error.strerror}") from error
    if done.returncode != 0:
        message = done.stderr.strip() or "it gave no message"
        raise NlqError(f"nlq-opt failed with exit code {done.returncode}: {message}")
    return done.stdout


def find_c_compiler() -> str:
    """The path of a C compiler.

    Raises NlqError if there is none.
    """
    names = ("cc", "clang-22", "clang")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        raise NlqError(f"there is no C compiler ({', '.join(names)})")
    return found
