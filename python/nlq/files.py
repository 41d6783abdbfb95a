# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Output files that are whole or absent, and their folders."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from nlq.errors import NlqError


def make_folder(path: Path) -> None:
    """Makes a folder and those above it, where they are missing.

    Raises NlqError where that is not possible.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NlqError(f"cannot make the folder '{path}': {error.strerror}") from error


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside `path` that takes its place when the block succeeds.

    When the block raises, `path` is as it was before and nothing is left beside it. The temporary
    file exists and is empty at first, and ends as `path` does, so that tools that look at the
    extension see the right one.

    Raises NlqError where the folder cannot be written.
    """
    if path.is_dir():
        raise NlqError(f"cannot write '{path}': it is a folder")
    try:
        handle, name = tempfile.mkstemp(prefix=".nlq-", suffix=path.suffix, dir=path.parent)
    except OSError as error:
        raise NlqError(f"cannot write '{path}': {error.strerror}") from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as error:
        raise NlqError(f"cannot write '{path}': {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    """The process's file mode mask; mkstemp ignores it and makes private files."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
