# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Fixtures of the tests."""

import functools
import io
import re
import subprocess

import pytest

from c_compiler import compiler  # noqa: F401
from commands_fixtures import chain  # noqa: F401
from nlq.cli import main
from nlq.errors import NlqError
from nlq.onnx_import import import_onnx
from nlq.tools import find_nlq_opt
from vits_fixtures import miniature  # noqa: F401


@pytest.fixture(scope="session")
def nlq_opt():
    """The path of nlq-opt; a test that needs it is skipped where it is not built."""
    try:
        return find_nlq_opt()
    except NlqError as error:
        pytest.skip(str(error))


@pytest.fixture
def fail(tmp_path, capsys):
    """Runs a command that must fail with exit code 1 and leave no file; returns the message."""

    def run(*arguments):
        before = sorted(tmp_path.rglob("*"))
        capsys.readouterr()
        assert main([str(argument) for argument in arguments]) == 1
        streams = capsys.readouterr()
        assert streams.out == ""
        assert streams.err.startswith("error: ")
        assert sorted(tmp_path.rglob("*")) == before
        return streams.err

    return run


@pytest.fixture
def text_of(tmp_path):
    """A function from a ModelBuilder and its outputs to the imported module's text.

    Where nlq-opt is built, it must take the module.
    """

    def run(builder, *outputs, dims=None, shape=None):
        path = builder.save(tmp_path / "model.onnx", *outputs, shape=shape)
        stream = io.StringIO()
        import_onnx(path, dims).write(stream)
        text = stream.getvalue()
        verify(re.sub(r" loc\(.*?\)", "", text))
        return text

    return run


@functools.cache
def verify(text):
    """nlq-opt takes the module. Cached: many spellings end in the same text."""
    try:
        tool = find_nlq_opt()
    except NlqError:
        return
    done = subprocess.run([tool, "-"], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def body_of(text_of):
    """As text_of, but only the operations, one per line, without locations."""

    def run(*arguments, **options):
        text = text_of(*arguments, **options)
        lines = (line.strip() for line in text.split("\n{-#")[0].splitlines())
        return [re.sub(r" loc\(.*\)$", "", line) for line in lines if line.startswith("%")]

    return run


@pytest.fixture
def run(tmp_path, capsys):
    """Runs the import of a file into out.mlir; returns the exit code and the error text.

    Whatever happens, the folder must hold nothing new but the output, and that only on success.
    """

    def import_file(model, *arguments, output="out.mlir"):
        before = set(tmp_path.iterdir())
        code = main(["import", str(model), "-o", str(tmp_path / output), *arguments])
        new = {path.name for path in set(tmp_path.iterdir()) - before}
        assert new == ({output} if code == 0 else set())
        return code, capsys.readouterr().err

    return import_file
