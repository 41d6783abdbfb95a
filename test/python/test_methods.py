# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The command `nlq methods`."""

import json

import pytest

from nlq.cli import main
from nlq.native import list_methods
from onnx_models import single_line


def methods(capsys, *arguments):
    """What the command prints."""
    capsys.readouterr()
    assert main(["methods", *arguments]) == 0
    return capsys.readouterr().out


def test_registry(capsys):
    text = methods(capsys)
    for method in list_methods():
        for entry in method["implementations"]:
            line = f"{method['name']} {entry['function']} {entry['form']} "
            assert any(" ".join(each.split()).startswith(line) for each in text.splitlines())
    assert json.loads(methods(capsys, "--json")) == list_methods()


def test_survey(capsys):
    arguments = ("--op", "softmax", "--bits", "8", "--scale", "0.05", "--row", "197")
    answer = json.loads(methods(capsys, *arguments, "--json"))
    assert (answer["op"], answer["bits"], answer["scale"]) == ("softmax", 8, 0.05)
    assert (answer["row"], answer["result_bits"]) == (197, 16)
    entries = answer["methods"]
    assert {"ibert", "ivit", "fqvit", "table"} <= {each["method"] for each in entries}
    for entry in entries:
        assert entry["reason"] is None
        assert entry["element_lane"] in (8, 16, 32, 64)
        assert 0 < entry["rms"] <= entry["worst"]
    # The polynomials at 16 bits, and the powers of two, as far apart as they are said to be.
    sqnr = {(each["method"], each["form"], each["out_bits"]): each["sqnr"] for each in entries}
    assert sqnr["ibert", "corrected", 16] > 45
    assert 10 < sqnr["fqvit", "corrected", 4] < 16
    text = methods(capsys, *arguments)
    assert text.startswith("softmax of 8-bit operands, scale 0.05, rows of 197, 16-bit results\n")
    assert len([line for line in text.splitlines() if " -> " in line]) >= len(entries)
    # The defaults are those numbers.
    assert methods(capsys, "--op", "softmax") == text


def test_survey_of_what_is_not_legal(capsys):
    arguments = ("--op", "softmax", "--row", str(2**20))
    answer = json.loads(methods(capsys, *arguments, "--json"))
    refused = [each for each in answer["methods"] if each["reason"] is not None]
    assert refused
    for entry in refused:
        assert "worst" not in entry
        assert "; the largest safe row is " in entry["reason"]
        assert entry["reason"] in methods(capsys, *arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--op", "softmin"], "no method has the operation 'softmin': softmax, gelu"),
        (["--op", "gelu", "--bits", "33"], "operands of 33 bits, and 2 to 32 are allowed"),
        (["--op", "gelu", "--bits", "300"], "operands of 300 bits, and 2 to 32 are allowed"),
        (["--op", "gelu", "--row", "0"], "rows of 0 elements, and 1 to 2^20 are allowed"),
        (["--op", "gelu", "--result-bits", "1"], "results of 1 bits, and 2 to 16 are allowed"),
    ],
)
def test_numbers_out_of_range(arguments, message, fail):
    single_line(fail("methods", *arguments), message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--bits", "8"], "--bits, --scale, --row and --result-bits are about an --op"),
        (["--op", "gelu", "--scale", "0"], "'0' is not a positive number"),
        (["--op", "gelu", "--scale", "fine"], "'fine' is not a positive number"),
    ],
)
def test_usage(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["methods", *arguments])
    assert stop.value.code == 2
    assert message in capsys.readouterr().err
