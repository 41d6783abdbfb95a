# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The steps of the demonstration; each reads and writes files, and runs in any process."""

import json
import math
import re
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from nlq.demo.settings import CANDIDATES, RECIPE, Assignment, Setting
from nlq.errors import NlqError
from nlq.native import Module, Runner
from nlq.onnx_import import import_onnx, write_module

_EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "digits"

# Samples that profiles keep whole, for measuring.
_KEPT = 16


@dataclass
class Row:
    """A row of the results, as results.json has it.

    `logit_sqnr_db` is against the float model, over the logits of all test images;
    `us_per_image` the median; `bit_exact` whether compiled logits equal the reference's (None
    where there is none); `note` what a reader must know, or why there are no numbers.
    """

    model: str
    setting: str
    assignment: str
    widths: str
    correct: int | None = None
    total: int | None = None
    logit_sqnr_db: float | None = None
    us_per_image: float | None = None
    bit_exact: bool | None = None
    exact_images: int | None = None
    note: str = ""

    def to_json(self) -> dict:
        """The row as JSON values."""
        return asdict(self)


def prepare_model(model: str, directory: Path) -> Row:
    """Imports and calibrates a model; the row of the float model."""
    float_path = directory / f"{model}.mlir"
    write_module(import_onnx(_EXAMPLES / f"{model}.onnx"), float_path)
    module = Module.parse(float_path)
    with np.load(_EXAMPLES / f"{model}-calib.npz") as calibration:
        module.calibrate([calibration["image"]], _KEPT, directory / f"{model}-profile.json")
    images, labels = _load_test(model)
    logits, seconds = _run(Runner.compile(module), images)
    np.save(directory / f"{model}-float-logits.npy", logits)
    row = Row(model, "float32", "float", "float32")
    _fill(row, logits, seconds, labels, logits)
    return row


def prepare_setting(setting: Setting, directory: Path) -> dict:
    """Quantizes a model and measures every candidate; the scores."""
    module = Module.parse(directory / f"{setting.model}.mlir")
    profile = directory / f"{setting.model}-profile.json"
    scores = directory / f"{setting.key}-scores.json"
    module.run_passes(
        f"nlq-quantize{{profile={profile} act-bits={setting.bits} weight-bits={setting.bits} "
        f"argument-bits={setting.bits} candidates={CANDIDATES} {RECIPE}}}"
    )
    module.write(directory / f"{setting.key}.mlirbc")
    module.run_passes(f"nlq-measure{{profile={profile} scores={scores}}}")
    return json.loads(scores.read_text())


def run_assignment(
    setting: Setting, assignment: Assignment, exact_images: int, directory: Path
) -> tuple[Row, dict[str, str]]:
    """Assigns, compiles, runs the test images and compares with the reference.

    Returns the row and the method chosen for each slot.
    """
    row = Row(setting.model, setting.name, assignment.title, assignment.widths)
    module = Module.parse(directory / f"{setting.key}.mlirbc")
    chosen = {}
    try:
        if assignment.options is None:
            module.run_passes("func.func(nlq-to-float)")
        else:
            scores = directory / f"{setting.key}-scores.json"
            remarks = module.run_passes(f"nlq-assign{{scores={scores} {assignment.options}}}")
            chosen = _chosen_methods(remarks)
            row.note = width_note(module)
        runner = Runner.compile(module)
    except NlqError as error:
        row.note = f"refused: {error}"
        return row, chosen
    images, labels = _load_test(setting.model)
    logits, seconds = _run(runner, images)
    _fill(row, logits, seconds, labels, np.load(directory / f"{setting.model}-float-logits.npy"))
    if assignment.options is not None:
        reference, _ = _run(Runner.reference(module), images[:exact_images])
        row.exact_images = len(reference)
        row.bit_exact = bool(np.array_equal(reference, logits[: len(reference)]))
    return row, chosen


def _load_test(model: str) -> tuple[np.ndarray, np.ndarray]:
    with np.load(_EXAMPLES / f"{model}-test.npz") as test:
        return test["image"], test["label"]


def _run(runner: Runner, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    (logits,), seconds = runner.run([images])
    return logits.reshape(len(images), -1), seconds


def _fill(row: Row, logits, seconds, labels, float_logits) -> None:
    row.correct = int((logits.argmax(axis=1) == labels).sum())
    row.total = len(labels)
    row.us_per_image = round(float(np.median(seconds)) * 1e6, 1)
    error = float(((logits - float_logits).astype(np.float64) ** 2).sum())
    signal = float((float_logits.astype(np.float64) ** 2).sum())
    row.logit_sqnr_db = round(10 * math.log10(signal / error), 2) if error else None


def _chosen_methods(remarks: list[str]) -> dict[str, str]:
    """Slot name to the short form of its method, from nlq-assign's remarks."""
    pattern = re.compile(r"nlq-assign: '(.*?)' chosen (#nlq\.[^>]*>)")
    return dict(match.groups() for match in map(pattern.search, remarks) if match)


def width_note(module: Module) -> str:
    """Which operations need 64-bit lanes, by nlq-to-integer's remarks."""
    wide = module.clone().run_passes("nlq-to-integer")
    return f"64-bit lanes: {len(wide)} ops" if wide else ""
