# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The demonstration on a pretrained ViT-S: it becomes integer-only programs, compared."""

import json
import os
import shutil
import time
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from rich.console import Console

from nlq.confirm import Verdict, confirm
from nlq.demo import make_progress
from nlq.demo_vits import steps
from nlq.demo_vits.compiled import BEST
from nlq.demo_vits.crops import CONFIRM, SELECT, TESTS, read_photographs, read_pixels
from nlq.demo_vits.memory import Memory, measure_memory
from nlq.demo_vits.package import find_model
from nlq.demo_vits.pictures import write_page
from nlq.demo_vits.rows import MODEL, TokenRow, print_rows
from nlq.demo_vits.scenes import make_scenes
from nlq.demo_vits.settings import (
    CHOICES,
    OURS,
    SETTINGS,
    SHIPPED,
    TUNED,
    Assignment,
    Choice,
    Setting,
    make_assignments,
    tuned_by,
)
from nlq.demo_vits.write_crops import write_crops
from nlq.files import replacing
from nlq.native import list_methods


@dataclass
class Results:
    """What the steps gave."""

    float_row: TokenRow | None = None
    choices: dict[Setting, Choice] = field(default_factory=dict)
    tried: dict[Setting, list[tuple[Choice, float]]] = field(default_factory=dict)
    rows: dict[Setting, list[tuple[Assignment, TokenRow]]] = field(default_factory=dict)
    verdicts: dict[Setting, list[Verdict]] = field(default_factory=dict)
    published: dict[Setting, list[Verdict]] = field(default_factory=dict)
    measure_seconds: float | None = None
    memory: Memory | None = None
    us_alone: dict[str, float] = field(default_factory=dict)

    def all_rows(self) -> list[TokenRow]:
        """The float row and those of all settings, in order."""
        return [self.float_row] + [row for rows in self.rows.values() for _, row in rows]

    def to_json(self) -> dict:
        """All but the rows, as JSON values."""
        return {
            "tried": {
                s.name: [asdict(c) | {"select_db": round(db, 2)} for c, db in tried]
                for s, tried in self.tried.items()
            },
            "chosen": {s.name: asdict(choice) for s, choice in self.choices.items()},
            "verdicts": {s.name: [v.to_json() for v in vs] for s, vs in self.verdicts.items()},
            "published_verdicts": {
                s.name: [v.to_json() for v in vs] for s, vs in self.published.items()
            },
            "measure_seconds": self.measure_seconds,
            "memory": asdict(self.memory) if self.memory else None,
            "us_per_image_alone": self.us_alone,
        }


def run_demo(folder: Path) -> Results:
    """Runs every step, prints the tables, writes results.json and summary.json into `folder`."""
    start = time.monotonic()
    model = find_model()  # Its errors before the work.
    folder.mkdir(parents=True, exist_ok=True)
    console = Console(width=max(Console().width, 160))
    results = Results()
    # Workers are fresh processes: the compiler's library does not survive a fork.
    with (
        ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool,
        make_progress(console) as progress,
    ):
        _Run(folder, pool, progress, results).run()
    best = folder / BEST
    shutil.copyfile(steps.assigned_path(folder, OURS, SHIPPED), best)
    results.memory = measure_memory(best, folder)
    tokens = {}
    for name, path in (("float", steps.float_path(folder)), (OURS.name, best)):
        tokens[name], seconds = steps.run_alone(folder, path)
        results.us_alone[name] = round(seconds * 1e6, 1)
    scenes = make_scenes(
        model,
        read_photographs(folder, TESTS[0]),
        read_pixels(folder, TESTS[0]),
        tokens["float"],
        tokens[OURS.name],
    )
    write_page(folder, f"{MODEL}, integer-only at {OURS.name}", scenes)
    _print(console, results)
    _write(folder / "results.json", [row.to_json() for row in results.all_rows()])
    _write(folder / "summary.json", results.to_json())
    rows = results.all_rows()
    console.print(
        f"{len(rows)} rows in {time.monotonic() - start:.0f} s, {os.cpu_count()} tasks at a time; "
        f"written to {folder / 'results.json'} and {folder / 'index.html'}"
    )
    inexact = [row for row in rows if row.bit_exact is False]
    if inexact:
        raise SystemExit(f"error: {len(inexact)} rows are not bit exact")
    return results


class _Run:
    """The steps in their order, as many at a time as there are cores."""

    def __init__(self, folder: Path, pool, progress, results: Results):
        self.folder = folder
        self.pool = pool
        self.progress = progress
        self.results = results
        self.methods = list_methods()
        self.task = progress.add_task("import", total=None)

    def run(self) -> None:
        """Fills the results."""
        self._phase("import", [self._submit(write_crops), self._submit(steps.import_model)])
        files = (SELECT, CONFIRM, *TESTS)
        runs = [self._submit(steps.calibrate)]
        runs += [self._submit(steps.run_float, file) for file in files]
        seconds = self._phase("calibrate and run the float model", runs)[1:]
        self.results.float_row = steps.float_row(np.concatenate(seconds))
        self._choose()
        self._phase(
            "quantize",
            [
                self._submit(steps.quantize, s, self.results.choices.get(tuned_by(s)))
                for s in SETTINGS
            ],
        )
        self._measure()
        for setting in SETTINGS:
            self._assign(setting)

    def _submit(self, function, *arguments) -> Future:
        return self.pool.submit(function, self.folder, *arguments)

    def _phase(self, title: str, futures: list[Future]) -> list:
        self.progress.update(self.task, description=title, total=len(futures), completed=0)
        for future in futures:
            future.add_done_callback(lambda _: self.progress.advance(self.task))
        return [future.result() for future in futures]

    def _choose(self) -> None:
        pairs = [(setting, choice) for setting in TUNED for choice in CHOICES]
        futures = [self._submit(steps.try_choice, *pair) for pair in pairs]
        for (setting, choice), decibels in zip(
            pairs, self._phase("choose exponents and scales of weights", futures), strict=True
        ):
            self.results.tried.setdefault(setting, []).append((choice, decibels))
        for setting, tried in self.results.tried.items():
            self.results.choices[setting] = max(tried, key=lambda pair: pair[1])[0]

    def _measure(self) -> None:
        # Each takes all cores by itself.
        kinds = [(s, "local") for s in SETTINGS]
        kinds += [(s, "logits") for s in SETTINGS if s.is_studied]
        self.progress.update(self.task, description="measure", total=len(kinds), completed=0)
        for setting, kind in kinds:
            start = time.monotonic()
            self._submit(steps.measure, setting, kind).result()
            if (setting, kind) == (OURS, "local"):
                self.results.measure_seconds = round(time.monotonic() - start, 1)
            self.progress.advance(self.task)

    def _assign(self, setting: Setting) -> None:
        assignments = make_assignments(setting, self.methods)
        title = f"{setting.name}: assign, compile, run, compare"
        futures = [self._submit(steps.run_assignment, setting, a) for a in assignments]
        rows = list(zip(assignments, self._phase(title, futures), strict=True))
        self.results.rows[setting] = rows

        # A mix of published forms is held against these alone as well.
        self.results.verdicts[setting] = self._confirm(setting, rows)
        published = [(a, row) for a, row in rows if a.is_published]
        if published and setting.recipe == "ours":
            self.results.published[setting] = self._confirm(setting, published)

    def _confirm(self, setting: Setting, rows: list[tuple[Assignment, TokenRow]]) -> list[Verdict]:
        def load(kind: str) -> dict[str, list[np.ndarray]]:
            return {
                a.title: [steps.load_confirmed(self.folder, setting, a)]
                for a, row in rows
                if a.kind == kind and row.logit_sqnr_db is not None
            }

        mixes, uniforms = load("mix"), load("uniform")
        if not mixes or not uniforms:
            return []
        return confirm([steps.load_float_tokens(self.folder, CONFIRM)], mixes, uniforms)


def _print(console: Console, results: Results) -> None:
    for setting, rows in results.rows.items():
        print_rows(console, setting.name, [results.float_row, *(row for _, row in rows)])
    for setting, choice in results.choices.items():
        tried = ", ".join(f"{other} {db:.1f}" for other, db in results.tried[setting])
        console.print(
            f"{setting.name}: {choice} (exponents after layer normalization / after GELU and "
            f"attention, scales of weights) of {tried} dB on crops left out of the fit."
        )
    for setting, verdicts in results.verdicts.items():
        for verdict in verdicts:
            console.print(f"{setting.name}, on crops that no choice has seen: {verdict}.")
        for verdict in results.published.get(setting, []):
            console.print(f"{setting.name}, among published forms: {verdict}.")
    console.print(
        f"Measuring all candidates of all slots of {OURS.name} took "
        f"{results.measure_seconds:.0f} s. Alone, on one core: float "
        f"{results.us_alone['float'] / 1000:.1f} ms/image, {OURS.name} "
        f"{results.us_alone[OURS.name] / 1000:.1f} ms/image. Its object file has "
        f"{results.memory.object_bytes / 1e6:.1f} MB; a program that only runs it has "
        f"{results.memory.resident_bytes / 1e6:.1f} MB resident."
    )
    console.print(
        "Tokens dB: signal-to-quantization-noise ratio over all tokens of 24 test crops, the mean "
        "of three crop seeds; median and min are over single crops, CLS dB over class tokens. "
        "ms/image is CPU time with two tasks at a time. Accuracy is make probe-vits's business."
    )


def _write(path: Path, value) -> None:
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1) + "\n")
