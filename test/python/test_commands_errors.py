# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""What the commands say when they cannot, and that they leave nothing behind."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from commands_fixtures import SLOTS, nlq
from nlq import cli
from nlq.cli import main
from nlq.native import list_methods
from onnx_models import single_line

# --- Modules ---------------------------------------------------------------------------------


def step(command, module, chain, output):
    """The command line of a step on a module, all else being well."""
    options = {
        "calibrate": ["--samples", chain / "five.npz", "-o", output / "new.json"],
        "quantize": ["--profile", chain / "profile.json", "-o", output / "new.mlir"],
        "measure": ["--profile", chain / "profile.json", "-o", output / "new.json"],
        "assign": ["--scores", chain / "scores.json", "-o", output / "new.mlirbc"],
        "compile": ["-o", output / "new.o"],
        "run": ["--samples", chain / "five.npz", "-o", output / "new.npz"],
    }
    return [command, module, *options[command]]


STEPS = ["calibrate", "quantize", "measure", "assign", "compile", "run"]


@pytest.mark.parametrize("command", STEPS)
def test_missing_module(command, chain, tmp_path, fail):
    module = tmp_path / "absent.mlir"
    message = f"cannot read '{module}': No such file or directory\n"
    single_line(fail(*step(command, module, chain, tmp_path)), message)


@pytest.mark.parametrize("command", STEPS)
def test_malformed_module(command, chain, tmp_path, fail):
    module = tmp_path / "bad.mlir"
    module.write_text("module {\n  func.func @main() { return }\n  hello\n}\n")
    message = f"{module}:3:3: custom op 'hello' is unknown"
    single_line(fail(*step(command, module, chain, tmp_path)), message)


@pytest.mark.parametrize("command", [step for step in STEPS if step != "compile"])
def test_module_without_main(command, chain, tmp_path, fail):
    module = tmp_path / "bad.mlir"
    module.write_text("module {}\n")
    error = fail(*step(command, module, chain, tmp_path))
    assert error.count("\n") == 1
    assert "no function 'main'" in error or "hash" in error


def test_module_that_is_no_text(chain, tmp_path, fail):
    module = tmp_path / "bad.mlir"
    module.write_bytes(b'func.func @main() {\n  func.call @"\xff\xfe"() : () -> ()\n  return\n}\n')
    error = fail(*step("compile", module, chain, tmp_path))
    single_line(error, f"{module}:2:3: ")
    assert "does not reference a valid function" in error


def test_truncated_bytecode(chain, tmp_path, fail):
    content = (chain / "assigned.mlirbc").read_bytes()
    for length in [*range(1, 300, 7), *range(300, len(content), 1999)]:
        (tmp_path / "m.mlirbc").write_bytes(content[:length])
        assert fail(*step("compile", tmp_path / "m.mlirbc", chain, tmp_path)).count("\n") == 1


@pytest.mark.parametrize("command", STEPS)
def test_output_folder_does_not_exist(command, chain, tmp_path, fail):
    names = {"assign": "quantized.mlir", "measure": "quantized.mlir"}
    names |= {"compile": "assigned.mlirbc", "run": "assigned.mlirbc"}
    module = chain / names.get(command, "model.mlir")
    error = fail(*step(command, module, chain, tmp_path / "no"))
    single_line(error, f"cannot write '{tmp_path}/no/new.")
    assert error.endswith("': No such file or directory\n")


@pytest.mark.parametrize(("command", "beside"), [("calibrate", "new.bin"), ("compile", "new.h")])
def test_second_output_cannot_be_written(command, beside, chain, tmp_path, fail):
    (tmp_path / beside).mkdir()
    module = chain / ("model.mlir" if command == "calibrate" else "assigned.mlirbc")
    error = fail(*step(command, module, chain, tmp_path))
    single_line(error, f"cannot write '{tmp_path / beside}': it is a folder\n")


def test_failure_keeps_old_outputs(chain, tmp_path, fail):
    for name in ("new.json", "new.bin", "new.o", "new.h", "new.npz", "new.mlir", "new.mlirbc"):
        (tmp_path / name).write_text("old")
    for command in STEPS:
        fail(*step(command, tmp_path / "absent.mlir", chain, tmp_path))
    fail(*step("compile", chain / "quantized.mlir", chain, tmp_path))
    fail(*step("measure", chain / "model.mlir", chain, tmp_path))
    assert {path.read_text() for path in tmp_path.iterdir()} == {"old"}


# --- Calibrate and quantize ------------------------------------------------------------------


@pytest.mark.parametrize("bits", [-8, 0, 3, 9, 16])
@pytest.mark.parametrize("option", ["act-bits", "weight-bits"])
def test_bits_out_of_range(option, bits, chain, tmp_path, fail):
    words = step("quantize", chain / "model.mlir", chain, tmp_path)
    error = fail(*words, f"--{option}={bits}")
    single_line(error, f"{option} must be 4 to 8, found {bits}\n")


def test_residual_bits_out_of_range(chain, tmp_path, fail):
    words = step("quantize", chain / "model.mlir", chain, tmp_path)
    error = fail(*words, "--residual-bits", 17)
    single_line(error, "residual-bits must be 8 to 16, found 17\n")


@pytest.mark.parametrize("groups", ["", "every", "seed,", "seed,every"])
def test_unknown_groups_of_candidates(groups, chain, tmp_path, fail):
    words = step("quantize", chain / "model.mlir", chain, tmp_path)
    error = fail(*words, "--candidates", groups)
    single_line(error, "candidates must be seed, standalone, extra, other or all, ")
    assert error.endswith(f"found '{groups.split(',')[-1]}'\n")


def test_missing_profile(chain, tmp_path, fail):
    profile = tmp_path / "absent.json"
    error = fail(
        *("quantize", chain / "model.mlir", "--profile", profile, "-o", tmp_path / "q.mlir")
    )
    single_line(error, f"cannot read the profile '{profile}': ")
    assert error.endswith("No such file or directory\n")


@pytest.mark.parametrize("content", ["", "{", "{}", "[]", '{"format": "other"}'])
def test_malformed_profile(content, chain, tmp_path, fail):
    profile = tmp_path / "bad.json"
    profile.write_text(content)
    for command, module in (("quantize", "model.mlir"), ("measure", "quantized.mlir")):
        words = step(command, chain / module, chain, tmp_path)
        error = fail(*[profile if word == chain / "profile.json" else word for word in words])
        assert error.count("\n") == 1 and f"cannot read the profile '{profile}': " in error


def test_profile_with_foreign_arrays(chain, tmp_path, fail):
    profile = tmp_path / "p.json"
    profile.write_bytes((chain / "profile.json").read_bytes())
    profile.with_suffix(".bin").write_bytes((chain / "profile.bin").read_bytes()[:-4])
    words = ["quantize", chain / "model.mlir", "--profile", profile, "-o", tmp_path / "q.mlir"]
    error = fail(*words)
    single_line(error, f"cannot read the profile '{profile}': it does not belong to the .bin file")


def test_profile_of_another_model(chain, tmp_path, fail):
    text = (chain / "model.mlir").read_text().replace("/blocks.1/mlp/", "/other/mlp/")
    (tmp_path / "m.mlir").write_text(text)
    error = fail(*step("quantize", tmp_path / "m.mlir", chain, tmp_path))
    assert "the profile has no value '/other/mlp/" in error


def test_names_that_pass_options_cannot_hold(chain, tmp_path, fail):
    profile = tmp_path / 'a "b" {c}.json'
    words = ["quantize", chain / "model.mlir", "--profile", profile, "-o", tmp_path / "q.mlir"]
    single_line(fail(*words), f"'{profile}' holds a quote or a brace")


# --- Measure and assign ----------------------------------------------------------------------


def test_profile_without_samples(chain, tmp_path, fail):
    samples = ("--samples", chain / "five.npz", "--kept", 0)
    nlq("calibrate", chain / "model.mlir", *samples, "-o", tmp_path / "p.json")
    words = ["measure", chain / "quantized.mlir", "--profile", tmp_path / "p.json"]
    error = fail(*words, "-o", tmp_path / "s.json")
    assert error.count("\n") == 1
    assert "the samples have no values of the argument 'image'" in error


def test_unknown_metric(chain, tmp_path, fail):
    error = fail(*step("measure", chain / "quantized.mlir", chain, tmp_path), "--metrics", "own,x")
    assert error.count("\n") == 1
    assert "unknown metric 'x'; own, consumer, paper and logits are known" in error


def test_measure_against_another_model(chain, tmp_path, fail):
    """The float module must have the values of the quantized one."""
    text = (chain / "model.mlir").read_text().replace("/blocks.1/mlp/act", "/other/act")
    (tmp_path / "m.mlir").write_text(text)
    options = ("--float", tmp_path / "m.mlir", "--samples", chain / "five.npz")
    error = fail("measure", chain / "quantized.mlir", *options, "-o", tmp_path / "s.json")
    assert error.count("\n") == 1
    assert "can't be measured: the samples have no values of its result" in error


def test_measure_of_a_float_module(chain, tmp_path, fail):
    error = fail(*step("measure", chain / "model.mlir", chain, tmp_path))
    assert error.count("\n") == 1 and "only integers can be run, found f32" in error


def test_assign_to_a_float_module(chain, tmp_path, fail):
    words = ["assign", chain / "model.mlir", "-o", tmp_path / "a.mlir", "--policy", "uniform"]
    error = fail(*words, "--method", list_methods()[0]["name"])
    message = f"'{chain}/model.mlir' has no quantized non-linear operation; quantize it first\n"
    single_line(error, message)


@pytest.mark.parametrize(
    "options",
    [
        ["--form", "corrected"],
        ["--policy", "paper", "--form", "corrected"],
        ["--out-bits", "3"],
        ["--policy", "uniform", "--form", "corrected"],
    ],
)
def test_empty_set_of_candidates(options, chain, tmp_path, fail):
    """Every operation without a candidate is named, with what there is."""
    words = step("assign", chain / "quantized.mlir", chain, tmp_path)
    if "uniform" in options:
        options = [*options, "--method", list_methods()[0]["name"]]
    lines = fail(*words, *options).splitlines()
    assert lines[0] == f"error: cannot assign methods in '{chain}/quantized.mlir':"
    assert len(lines) == 1 + SLOTS
    slots = json.loads((chain / "scores.json").read_text())["slots"]
    for line, slot in zip(lines[1:], slots, strict=True):
        assert f"'{slot['name']}' has no candidate that policy '" in line
        assert "; available: #nlq." in line


def test_candidates_of_one_operation_missing(chain, tmp_path, fail):
    """The stand-alone widths of softmax are not among the candidates of the seed."""
    words = step("assign", chain / "quantized.mlir", chain, tmp_path)
    lines = fail(*words, "--set", "standalone").splitlines()
    assert len(lines) == 3 and all("'nlq.softmax' op '" in line for line in lines[1:])


def test_report_that_cannot_be_written(chain, tmp_path, fail):
    words = step("assign", chain / "quantized.mlir", chain, tmp_path)
    error = fail(*words, "--report", tmp_path / "no" / "r.json")
    single_line(error, f"cannot write '{tmp_path}/no/r.json': No such file or directory\n")


def test_stale_scores(chain, tmp_path, fail):
    profile = ("--profile", chain / "profile.json", "--act-bits", 7)
    nlq("quantize", chain / "model.mlir", *profile, "-o", tmp_path / "q.mlir")
    error = fail(*step("assign", tmp_path / "q.mlir", chain, tmp_path))
    assert error.count("\n") == 1
    assert "the scores are stale: " in error and error.endswith("; measure again\n")


def test_missing_scores(chain, tmp_path, fail):
    words = ["assign", chain / "quantized.mlir", "-o", tmp_path / "a.mlir"]
    error = fail(*words, "--scores", tmp_path / "no.json")
    assert error.count("\n") == 1 and f"{tmp_path}/no.json: No such file or directory" in error
    error = fail(*words, "--policy", "paper")
    single_line(error, "policy 'paper' needs scores; measure first\n")


@pytest.mark.parametrize("content", ["", "{", "{}", "[]", '{"format": "nlq-scores"}'])
def test_malformed_scores(content, chain, tmp_path, fail):
    (tmp_path / "bad.json").write_text(content)
    words = ["assign", chain / "quantized.mlir", "-o", tmp_path / "a.mlir"]
    error = fail(*words, "--scores", tmp_path / "bad.json")
    assert error.count("\n") == 1 and f"{tmp_path}/bad.json: " in error


def test_metric_that_was_not_measured(chain, tmp_path, fail):
    options = ("--profile", chain / "profile.json", "--metrics", "own")
    nlq("measure", chain / "quantized.mlir", *options, "-o", tmp_path / "s.json")
    words = ["assign", chain / "quantized.mlir", "-o", tmp_path / "a.mlir"]
    lines = fail(*words, "--scores", tmp_path / "s.json").splitlines()
    assert len(lines) == 1 + SLOTS
    assert all("has no score by 'consumer': it was not measured" in line for line in lines[1:])


@pytest.mark.parametrize("method", ["", "no_such_method"])
def test_unknown_method(method, chain, tmp_path, fail):
    words = step("assign", chain / "quantized.mlir", chain, tmp_path)
    error = fail(*words, "--policy", "uniform", "--method", method)
    single_line(error, f"policy 'uniform' needs a method of the registry, found '{method}'; ")
    assert all(entry["name"] in error for entry in list_methods())


# --- Compile and run -------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["compile", "run"])
def test_module_without_methods(command, chain, tmp_path, fail):
    lines = fail(*step(command, chain / "quantized.mlir", chain, tmp_path)).splitlines()
    assert lines[0] == f"error: cannot {command} '{chain}/quantized.mlir':"
    assert len(lines) == 1 + SLOTS
    assert all(line.endswith("has no method; assign one first (nlq-assign)") for line in lines[1:])


def test_reference_of_a_float_module(chain, tmp_path, fail):
    error = fail(*step("run", chain / "model.mlir", chain, tmp_path), "--reference")
    assert error.count("\n") == 1 and "only integers can be run, found f32" in error


def test_unknown_target(chain, tmp_path, fail):
    words = step("compile", chain / "assigned.mlirbc", chain, tmp_path)
    error = fail(*words, "--target", "pdp11")
    single_line(error, "unknown processor 'pdp11' for x86_64-linux-gnu and aarch64-linux-gnu\n")


@pytest.mark.parametrize("name", ["malloc", "memset"])
def test_entry_that_is_taken(name, chain, tmp_path, fail):
    words = step("compile", chain / "assigned.mlirbc", chain, tmp_path)
    error = fail(*words, "--entry", name)
    single_line(error, f"the function 'main' can't be called '{name}': this name is taken\n")


# --- Usage -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ["calibrate", "m.mlir", "-o", "p.json"],
        ["calibrate", "m.mlir", "--samples", "x.npz"],
        ["calibrate", "m.mlir", "--samples", "x.npz", "-o", "p.txt"],
        ["calibrate", "m.mlir", "--samples", "x.npz", "-o", "p.json", "--kept", "-1"],
        ["quantize", "m.mlir", "-o", "q.mlir"],
        ["quantize", "m.mlir", "--profile", "p.json", "-o", "q.json"],
        ["quantize", "m.mlir", "--profile", "p.json", "-o", "q.mlir", "--act-bits", "x"],
        ["measure", "q.mlir", "--profile", "p.json"],
        ["measure", "q.mlir", "-o", "s.json"],
        ["measure", "q.mlir", "-o", "s.json", "--float", "m.mlir"],
        ["measure", "q.mlir", "-o", "s.json", "--profile", "p.json", "--samples", "x.npz"],
        ["measure", "q.mlir", "-o", "s.json", "--float", "m", "--samples", "x.npz", "--kept", "1"],
        ["assign", "q.mlir", "-o", "a.mlir", "--policy", "none"],
        ["assign", "q.mlir", "-o", "a.mlir", "--metric", "none"],
        ["assign", "q.mlir", "-o", "a.mlir", "--form", "none"],
        ["assign", "q.mlir", "-o", "a.mlir", "--within", "-1"],
        ["assign", "q.mlir", "-o", "a.mlir", "--within", "some"],
        ["compile", "a.mlir", "-o", "a.obj"],
        ["compile", "a.mlir", "-o", "a.o", "--entry", "a-b"],
        ["compile", "a.mlir", "-o", "a.o", "--entry", "int"],
        ["run", "a.mlir", "--samples", "x.npz", "-o", "y"],
        ["compare", "a.mlir", "--samples", "x.npz"],
        ["compare", "a.mlir", "--with", "reference"],
        ["confirm", "a.mlir", "--float", "m.mlir", "--samples", "x.npz", "-o", "c.mlir"],
        ["demo"],
    ],
    ids=" ".join,
)
def test_usage_errors(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert capsys.readouterr().err.startswith("usage: nlq ")
    assert not list(tmp_path.iterdir())


def test_exit_code_of_the_process(chain, tmp_path):
    environment = os.environ | {"PYTHONPATH": str(Path(cli.__file__).parents[1])}
    words = [sys.executable, "-m", "nlq", *step("run", "absent.mlir", chain, tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: cannot read 'absent.mlir': No such file or directory\n"
