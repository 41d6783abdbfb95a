# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""`nlq compare`: figures of every slot, and where two runs part."""

import json
import re

import numpy as np
import pytest

from commands_fixtures import SLOTS, load, nlq, sqnr
from nlq.native import Module, Runner, list_methods
from onnx_models import single_line


@pytest.fixture
def compare(chain, tmp_path, capsys):
    """Runs the command on the assigned module; returns its lines and its JSON."""

    def run(*options, model=chain / "assigned.mlirbc"):
        words = ("compare", model, "--samples", chain / "five.npz", "--json", tmp_path / "c.json")
        nlq(*words, *options)
        lines = capsys.readouterr().out.splitlines()
        return lines, json.loads((tmp_path / "c.json").read_text())

    return run


def assign_one(chain, output, slot, index):
    """The assigned module with another candidate at one slot, by hand."""
    uniform = ("--policy", "uniform", "--method", list_methods()[0]["name"])
    nlq("assign", chain / "quantized.mlir", *uniform, "-o", output)
    text = output.read_text()
    scores = json.loads((chain / "scores.json").read_text())["slots"]
    (entry,) = [entry for entry in scores if entry["name"] == slot]
    method = entry["candidates"][index]["method"]
    line = next(line for line in text.splitlines() if f'nlq.slot = "{slot}"' in line)
    changed = re.sub(r"method = #nlq\.(\w+<.*?>|\w+)(?=, nlq\.slot)", f"method = {method}", line)
    output.write_text(text.replace(line, changed))


def test_compiled_code_and_reference_do_not_differ(compare, chain):
    lines, result = compare("--with", "reference", "--float", chain / "model.mlir")
    assert lines[-1] == "no difference on 5 samples"
    assert len(lines) == 1 + SLOTS + 1 + 1
    assert lines[0].split() == ["slot", "op", "SQNR", "dB", "other", "dB", "different", "largest"]
    assert result["samples"] == 5 and result["first_difference"] is None
    names = [slot["name"] for slot in json.loads((chain / "scores.json").read_text())["slots"]]
    assert [value["name"] for value in result["values"]] == [*names, "logits"]
    for value, line in zip(result["values"], lines[1:], strict=False):
        assert value["different"] == 0 and value["sqnr_db"] == value["other_sqnr_db"]
        assert line.split()[:3] == [
            value["name"],
            value["op"].removeprefix("nlq."),
            f"{value['sqnr_db']:.1f}",
        ]


def test_ratio_of_the_result(compare, chain, tmp_path):
    """As two runs give it."""
    lines, result = compare("--float", chain / "model.mlir")
    assert len(lines) == 1 + SLOTS + 1
    for name in ("model.mlir", "assigned.mlirbc"):
        output = tmp_path / f"{name}.npz"
        nlq("run", chain / name, "--samples", chain / "five.npz", "-o", output)
    expected = sqnr(load(tmp_path / "model.mlir.npz"), load(tmp_path / "assigned.mlirbc.npz"))
    assert result["values"][-1]["op"] == "result"
    assert result["values"][-1]["sqnr_db"] == pytest.approx(expected, abs=1e-3)
    assert "different" not in result["values"][0] and "first_difference" not in result


def test_targets(compare):
    lines, result = compare("--with", "x86-64-v3", "--target", "reference")
    assert lines[-1] == "no difference on 5 samples"
    assert all(value["sqnr_db"] is None for value in result["values"])


def test_where_two_assignments_part(compare, chain, tmp_path):
    """Only what comes after the changed slot differs; the figures are those of the logits."""
    slots = json.loads((chain / "scores.json").read_text())["slots"]
    name = slots[5]["name"]
    assign_one(chain, tmp_path / "a.mlir", name, 0)
    assign_one(chain, tmp_path / "b.mlir", name, 1)
    lines, result = compare("--with", tmp_path / "b.mlir", model=tmp_path / "a.mlir")
    assert result["first_difference"] == name
    values = {value["name"]: value for value in result["values"]}
    assert [values[slot["name"]]["different"] for slot in slots[:5]] == [0] * 5
    first = values[name]
    assert 0 < first["different"] <= 5 * first["elements"]
    assert lines[-1] == (
        f"first difference: '{name}', {first['different']} of {5 * first['elements']} elements, "
        f"the largest {first['largest_difference']:g}"
    )
    with np.load(chain / "five.npz") as archive:
        images = archive["image"]
    logits = [
        Runner.compile(Module.parse(tmp_path / f"{module}.mlir")).run([images])[0][0]
        for module in "ab"
    ]
    difference = np.abs(logits[0].astype(np.float64) - logits[1])
    assert values["logits"]["largest_difference"] == pytest.approx(difference.max())
    assert values["logits"]["different"] == (logits[0] != logits[1]).sum()


def test_some_slots(compare, chain):
    slots = json.loads((chain / "scores.json").read_text())["slots"]
    names = [slots[1]["name"], "logits"]
    options = [word for name in names for word in ("--slot", name)]
    lines, result = compare("--with", "reference", *options)
    assert [value["name"] for value in result["values"]] == names
    assert len(lines) == 4


# --- Errors ----------------------------------------------------------------------------------


@pytest.fixture
def refuse(chain, tmp_path, fail):
    """Runs a command that must fail; returns the error."""

    def run(*options, model=chain / "assigned.mlirbc"):
        words = ("compare", model, "--samples", chain / "five.npz")
        return fail(*words, "--json", tmp_path / "c.json", *options)

    return run


def test_unknown_slot(refuse, chain):
    error = refuse("--with", "reference", "--slot", "/blocks.0/attn/softmax")
    message = f"'{chain}/assigned.mlirbc' has no slot '/blocks.0/attn/softmax'; the nearest are "
    single_line(error, message + "'/blocks.0/attn/Softmax', ")


def test_modules_of_other_widths(refuse, chain, tmp_path):
    profile = ("--profile", chain / "profile.json", "--act-bits", 6)
    nlq("quantize", chain / "model.mlir", *profile, "-o", tmp_path / "q.mlir")
    uniform = ("--policy", "uniform", "--method", list_methods()[0]["name"])
    nlq("assign", tmp_path / "q.mlir", *uniform, "-o", tmp_path / "a.mlir")
    error = refuse("--with", tmp_path / "a.mlir")
    single_line(error, "the modules can't be compared: '/blocks.0/norm1/")
    assert error.endswith("has another quantized type in the second one\n")


def test_modules_of_other_slots(refuse, chain, tmp_path):
    text = (chain / "quantized.mlir").read_text().replace('"/blocks.1/attn/', '"/other/')
    (tmp_path / "q.mlir").write_text(text)
    error = refuse("--with", tmp_path / "q.mlir")
    single_line(error, "the modules can't be compared: '/blocks.1/attn/Softmax' of the first one ")
    assert "has '/other/Softmax'" in error


def test_float_module(refuse, chain):
    error = refuse("--with", "reference", model=chain / "model.mlir")
    assert error.count("\n") == 1
    assert "the module has no quantized non-linear operation" in error


def test_module_without_methods(refuse, chain):
    lines = refuse("--with", "reference", model=chain / "quantized.mlir").splitlines()
    assert lines[0] == f"error: cannot compare '{chain}/quantized.mlir':"
    assert len(lines) == 1 + SLOTS


def test_unknown_run(refuse):
    error = refuse("--with", "pdp11")
    single_line(error, "unknown processor 'pdp11' for x86_64-linux-gnu and aarch64-linux-gnu\n")


def test_float_model_of_other_arguments(refuse, chain, tmp_path):
    (tmp_path / "f.mlir").write_text(
        "func.func @main(%a: tensor<3xf32>) -> tensor<3xf32> {\n  return %a : tensor<3xf32>\n}\n"
    )
    single_line(refuse("--float", tmp_path / "f.mlir"), "argument 0 has the wrong shape or element")
