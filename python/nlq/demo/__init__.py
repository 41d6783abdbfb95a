# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""`nlq demo`: trained Vision Transformers become integer-only programs, compared."""

import json
import os
import time
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from nlq.demo import steps, tables
from nlq.demo.settings import SETTINGS, Assignment, Setting, make_assignments
from nlq.files import replacing
from nlq.native import list_methods


def run_demo(output: Path, exact_images: int = 20) -> None:
    """Runs every step, prints the tables, writes results.json and slots.json into `output`.

    `exact_images` test images of every assignment are compared bit for bit with the reference.
    """
    start = time.monotonic()
    output.mkdir(parents=True, exist_ok=True)
    console = Console(width=max(Console().width, 150))
    results = _Results(make_assignments(list_methods()))
    # Workers are fresh processes: the compiler's library does not survive a fork.
    with (
        ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool,
        make_progress(console) as progress,
    ):
        _run_all(pool, progress, results, exact_images, output)
    _print(console, results)
    rows = results.rows()
    _write(output / "results.json", [row.to_json() for row in rows])
    _write(output / "slots.json", results.slots())
    inexact = [row for row in rows if row.bit_exact is False]
    console.print(
        f"{len(rows)} rows in {time.monotonic() - start:.0f} s, {os.cpu_count()} tasks at a time; "
        f"written to {output / 'results.json'}"
    )
    if inexact:
        raise SystemExit(f"error: {len(inexact)} rows are not bit exact")


class _Results:
    """What the steps gave, by setting."""

    def __init__(self, assignments: list[Assignment]):
        self.assignments = assignments
        self.floats: dict[str, Future] = {}
        self.scores: dict[Setting, Future] = {}
        self.runs: dict[Setting, list[Future]] = {}

    def rows(self) -> list[steps.Row]:
        """All rows, the float model once per model."""
        rows = []
        for model, future in self.floats.items():
            rows.append(future.result())
            for setting in SETTINGS:
                if setting.model == model:
                    rows += self.setting_rows(setting)
        return rows

    def setting_rows(self, setting: Setting) -> list[steps.Row]:
        return [future.result()[0] for future in self.runs[setting]]

    def chosen(self, setting: Setting) -> dict[str, dict[str, str]]:
        """Slot to method for every assignment that is not uniform."""
        return {
            assignment.title: future.result()[1]
            for assignment, future in zip(self.assignments, self.runs[setting], strict=True)
            if assignment.options is not None and not assignment.is_uniform
        }

    def slots(self) -> list[dict]:
        """The scores of every setting, with what was chosen."""
        return [
            {
                "model": setting.model,
                "setting": setting.name,
                "slots": self.scores[setting].result()["slots"],
                "chosen": self.chosen(setting),
            }
            for setting in SETTINGS
        ]


def _run_all(pool, progress: Progress, results: _Results, exact_images: int, output: Path) -> None:
    models = list(dict.fromkeys(setting.model for setting in SETTINGS))
    total = len(models) + len(SETTINGS) * (1 + len(results.assignments))
    task = progress.add_task("import and calibrate", total=total)

    def submit(function, *arguments) -> Future:
        future = pool.submit(function, *arguments)
        future.add_done_callback(lambda _: progress.advance(task))
        return future

    for model in models:
        results.floats[model] = submit(steps.prepare_model, model, output)
    for setting in SETTINGS:
        results.floats[setting.model].result()
        progress.update(task, description="quantize and measure")
        results.scores[setting] = submit(steps.prepare_setting, setting, output)
    for setting in SETTINGS:
        results.scores[setting].result()
        progress.update(task, description="assign, compile, run, compare")
        results.runs[setting] = [
            submit(steps.run_assignment, setting, assignment, exact_images, output)
            for assignment in results.assignments
        ]
    for futures in results.runs.values():
        for future in futures:
            future.result()


def make_progress(console: Console) -> Progress:
    """A bar with counts and the time."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )


def _print(console: Console, results: _Results) -> None:
    for setting in SETTINGS:
        rows = [results.floats[setting.model].result(), *results.setting_rows(setting)]
        tables.print_results(console, setting, rows)
    for setting in SETTINGS:
        scores = results.scores[setting].result()
        tables.print_slots(console, setting, scores, results.chosen(setting))
    for setting in SETTINGS:
        rows = results.setting_rows(setting)
        for sentence in tables.summarize(setting, results.assignments, rows):
            console.print(sentence)
    console.print(
        "Accuracies are these small models' own. SQNR is that of the logits against the float "
        "model; us/image the median CPU time on one core. 'bit exact' compares compiled code with "
        "the reference on so many images. A summary compares with the best uniform row of any "
        "widths."
    )


def _write(path: Path, value) -> None:
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1) + "\n")
