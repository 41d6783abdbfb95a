# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The steps of the demonstration; each reads and writes files, and runs in any process."""

import re
from pathlib import Path

import numpy as np

from nlq.demo.steps import width_note
from nlq.demo_vits.crops import CONFIRM, FIT, SELECT, TESTS, CropFile, read_inputs
from nlq.demo_vits.package import BATCH, TOKENS, find_model
from nlq.demo_vits.rows import MODEL, TokenRow, fill_row
from nlq.demo_vits.settings import Assignment, Choice, Setting, quantize_options
from nlq.demo_vits.sqnr import TokenSqnr, crop_decibels, measure_sqnr
from nlq.errors import NlqError
from nlq.native import Module, Runner
from nlq.onnx_import import import_onnx, write_module

# Arrays that the profile keeps; FQ-ViT's power-of-two factors are chosen by them.
_KEPT = 1
# Crops, each of another photograph, on which compiled code is compared with the reference.
EXACT_CROPS = 4
# Crops to measure on where the published methods are not compared, and with the metric that runs
# the model once more for each candidate of each slot.
_FEW_CROPS = 6
_LOGITS_CROPS = 4


def import_model(folder: Path) -> None:
    """Imports the backbone."""
    write_module(import_onnx(find_model(), {BATCH: 1}, [], [TOKENS]), float_path(folder))


def calibrate(folder: Path) -> None:
    """Records the ranges over the crops of the fit."""
    module = Module.parse(float_path(folder))
    module.calibrate([read_inputs(folder, FIT)], _KEPT, _profile(folder))


def run_float(folder: Path, file: CropFile) -> np.ndarray:
    """Saves the float tokens of a file; the CPU seconds of each crop."""
    runner = Runner.compile(Module.parse(float_path(folder)))
    tokens, seconds = run_tokens(runner, read_inputs(folder, file))
    np.save(_float_tokens(folder, file), tokens)
    return seconds


def float_row(seconds: np.ndarray) -> TokenRow:
    """The row of the float model."""
    row = TokenRow(MODEL, "float32", "float", "float32")
    row.us_per_image = round(float(np.median(seconds)) * 1e6, 1)
    return row


def try_choice(folder: Path, setting: Setting, choice: Choice) -> float:
    """The mean SQNR of single crops that neither ranges nor weights have seen, in dB.

    Functions are exact. The mean of decibels, as one picture must not decide alone.
    """
    runner = make_exact_runner(folder, quantize_options(setting, choice))
    tokens, _ = run_tokens(runner, read_inputs(folder, SELECT))
    return float(np.mean(crop_decibels(load_float_tokens(folder, SELECT), tokens)))


def make_exact_runner(folder: Path, options: str) -> Runner:
    """The model quantized with options of nlq-quantize, with exact functions."""
    module = _quantize(folder, options)
    module.run_passes("func.func(nlq-to-float)")
    return Runner.compile(module)


def measure_file(folder: Path, runner: Runner, file: CropFile) -> TokenSqnr:
    """The figures of a file's crops."""
    tokens, _ = run_tokens(runner, read_inputs(folder, file))
    return measure_sqnr(load_float_tokens(folder, file), tokens)


def quantize(folder: Path, setting: Setting, choice: Choice | None) -> None:
    """Writes the quantized module."""
    module = _quantize(folder, quantize_options(setting, choice))
    module.write(_quantized(folder, setting))


def measure(folder: Path, setting: Setting, kind: str) -> None:
    """Scores candidates on crops that calibration has not seen.

    `kind` is `local`, for the metrics own, consumer and (where the published methods are compared)
    paper, or `logits`, for that metric and the published methods only.
    """
    module = Module.parse(_quantized(folder, setting))
    inputs = read_inputs(folder, SELECT)
    options = {"metrics": "own,consumer,paper" if setting.is_studied else "own,consumer"}
    if not setting.is_studied:
        inputs = inputs[:_FEW_CROPS]
    if kind == "logits":
        inputs = inputs[:_LOGITS_CROPS]
        options = {"metrics": "logits", "form": "reference", "set": "seed"}
    module.measure(
        Module.parse(float_path(folder)), [inputs], _scores(folder, setting, kind), options
    )


def run_assignment(folder: Path, setting: Setting, assignment: Assignment) -> TokenRow:
    """Assigns, compiles, runs the crops to confirm with and to test with, compares bit for bit.

    Saves the assigned module and what it makes of the crops to confirm with.
    """
    row = TokenRow(MODEL, setting.name, assignment.title, assignment.widths)
    module = Module.parse(_quantized(folder, setting))
    try:
        if assignment.options is None:
            module.run_passes("func.func(nlq-to-float)")
        else:
            scores = (
                f"scores={_scores(folder, setting, assignment.scores)} "
                if assignment.scores
                else ""
            )
            module.run_passes(f"nlq-assign{{{scores}{assignment.options}}}")
            row.note = width_note(module)
            module.write(assigned_path(folder, setting, assignment))
        runner = Runner.compile(module)
    except NlqError as error:
        row.note = f"refused: {_shorten(str(error))}"
        return row
    confirmed, _ = run_tokens(runner, read_inputs(folder, CONFIRM))
    np.save(_tokens(folder, setting, assignment), confirmed)
    figures, seconds = [], []
    for file in TESTS:
        tokens, times = run_tokens(runner, read_inputs(folder, file))
        figures.append(measure_sqnr(load_float_tokens(folder, file), tokens))
        seconds.append(times)
        if file is TESTS[0] and assignment.options is not None:
            reference, _ = run_tokens(
                Runner.reference(module), read_inputs(folder, file)[:EXACT_CROPS]
            )
            row.exact_images = EXACT_CROPS
            row.bit_exact = bool(np.array_equal(reference, tokens[:EXACT_CROPS]))
    fill_row(row, figures, np.concatenate(seconds))
    return row


def run_alone(folder: Path, path: Path) -> tuple[np.ndarray, float]:
    """The tokens of the first test crops, and the median CPU seconds of one."""
    runner = Runner.compile(Module.parse(path))
    tokens, seconds = run_tokens(runner, read_inputs(folder, TESTS[0]))
    return tokens, float(np.median(seconds))


def run_tokens(runner: Runner, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tokens [N, 257, 384] and the CPU seconds of each crop."""
    (tokens,), seconds = runner.run([inputs])
    return tokens.reshape(len(inputs), *tokens.shape[-2:]), seconds


def load_float_tokens(folder: Path, file: CropFile) -> np.ndarray:
    """What run_float saved."""
    return np.load(_float_tokens(folder, file))


def load_confirmed(folder: Path, setting: Setting, assignment: Assignment) -> np.ndarray:
    """What an assignment made of the crops to confirm with."""
    return np.load(_tokens(folder, setting, assignment))


def float_path(folder: Path) -> Path:
    """The float module."""
    return folder / "float.mlirbc"


def assigned_path(folder: Path, setting: Setting, assignment: Assignment) -> Path:
    """An assigned module."""
    return folder / f"{setting.key}-{_slug(assignment.title)}.mlirbc"


def _quantize(folder: Path, options: str) -> Module:
    module = Module.parse(float_path(folder))
    module.run_passes(f"nlq-quantize{{profile={_profile(folder)} {options}}}")
    return module


def _slug(title: str) -> str:
    words = "".join(c if c.isalnum() else " " for c in title.lower()).split()
    return "-".join(words)


def _shorten(error: str) -> str:
    """Of an operation that no candidate is left for its name; else the first line."""
    refused = re.search(r"'([^']+)' has no candidate", error)
    return f"not legal at {refused[1]}" if refused else error.splitlines()[0]


def _profile(folder: Path) -> Path:
    return folder / "profile.json"


def _quantized(folder: Path, setting: Setting) -> Path:
    return folder / f"{setting.key}.mlirbc"


def _scores(folder: Path, setting: Setting, kind: str) -> Path:
    return folder / f"{setting.key}-{kind}.json"


def _float_tokens(folder: Path, file: CropFile) -> Path:
    return folder / f"float-{Path(file.name).stem}.npy"


def _tokens(folder: Path, setting: Setting, assignment: Assignment) -> Path:
    return folder / f"{setting.key}-{_slug(assignment.title)}-confirm.npy"
