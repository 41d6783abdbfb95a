# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Whether a mix of methods holds on samples that its choice has not seen.

A choice per operation has many degrees of freedom and fools itself on the samples that it was made
on. So it is held against the best uniform choice once more, on others, and given up where it is not
better there.
"""

import contextlib
import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from nlq.commands import listing, read_module, write_module
from nlq.errors import NlqError
from nlq.files import replacing
from nlq.native import Module, Runner, Signature
from nlq.samples import read_samples

# The results of a model over samples: an array [N, ...] for each of them.
Results = Sequence[np.ndarray]


@dataclass(frozen=True)
class Figures:
    """Signal-to-quantization-noise ratios against the float model, in dB.

    `sqnr_db` is that of all elements of all samples together, which the worst samples dominate;
    `median_db` and `minimum_db` are over samples. None of them is finite where there is no error.
    """

    name: str
    sqnr_db: float
    median_db: float
    minimum_db: float

    def to_json(self) -> dict:
        """The figures as JSON values, which know no infinities: null stands for these."""
        return {
            key: value if isinstance(value, str) or math.isfinite(value) else None
            for key, value in asdict(self).items()
        }


@dataclass(frozen=True)
class Verdict:
    """What became of a mix: its own figures, and the best uniform choice's."""

    mix: Figures
    uniform: Figures
    kept: bool

    @property
    def chosen(self) -> str:
        """The name of what to use."""
        return self.mix.name if self.kept else self.uniform.name

    def __str__(self) -> str:
        difference = self.mix.sqnr_db - self.uniform.sqnr_db
        margin = 0.0 if math.isnan(difference) else abs(difference)
        mix = f"{self.mix.name}, {self.mix.sqnr_db:.1f} dB,"
        uniform = f"{self.uniform.name} ({self.uniform.sqnr_db:.1f} dB)"
        side = "over" if self.mix.sqnr_db >= self.uniform.sqnr_db else "under"
        if self.kept:
            return f"{mix} is kept: {margin:.1f} dB {side} {uniform}"
        return f"{mix} is given up for {uniform}: {margin:.1f} dB {side} it"

    def to_json(self) -> dict:
        """The verdict as JSON values."""
        return {
            "mix": self.mix.to_json(),
            "uniform": self.uniform.to_json(),
            "kept": self.kept,
            "chosen": self.chosen,
            "text": str(self),
        }


def measure(name: str, reference: Results, results: Results) -> Figures:
    """The figures of one model's results."""
    signal = sum(_energy(wanted) for wanted in reference)
    noise = sum(
        _energy(wanted.astype(np.float64) - found)
        for wanted, found in zip(reference, results, strict=True)
    )
    each = [_decibels(*pair) for pair in zip(signal, noise, strict=True)]
    total = _decibels(signal.sum(), noise.sum())
    return Figures(name, total, float(np.median(each)), min(each))


def confirm(
    reference: Results,
    mixes: Mapping[str, Results],
    uniforms: Mapping[str, Results],
    margin: float = 0.0,
) -> list[Verdict]:
    """Holds every mix against the best uniform choice; all results are on the same samples.

    A mix is kept if its SQNR, over all samples together, is at least that of the best uniform
    choice plus `margin` dB.
    """
    if not uniforms:
        raise ValueError("there is no uniform choice to hold mixes against")
    best = max(
        (measure(name, reference, results) for name, results in uniforms.items()),
        key=lambda figures: figures.sqnr_db,
    )
    verdicts = []
    for name, results in mixes.items():
        figures = measure(name, reference, results)
        verdicts.append(Verdict(figures, best, figures.sqnr_db >= best.sqnr_db + margin))
    return verdicts


def confirm_files(
    mix: Path,
    uniforms: Sequence[Path],
    float_model: Path,
    samples: Path,
    output: Path,
    margin: float = 0.0,
    report: Path | None = None,
) -> None:
    """Runs assigned modules and the float one, and writes the module to use: the mix or a uniform.

    Prints which, and writes the figures as JSON into `report` if it is given.
    """
    original = read_module(float_model)
    signature = original.signature()
    arrays = read_samples(samples, signature.arguments)
    if not arrays:
        raise NlqError(f"'{float_model}' has no arguments to run on samples")
    # All are read before one is run.
    modules = {path: _read_like(path, float_model, signature) for path in (mix, *uniforms)}
    results = {path: _run(path, module, arrays) for path, module in modules.items()}
    others = {str(path): results[path] for path in uniforms}
    verdict = confirm(
        _run(float_model, original, arrays), {str(mix): results[mix]}, others, margin
    )[0]
    with replacing(report) if report else contextlib.nullcontext() as text:
        if text:
            text.write_text(json.dumps(verdict.to_json(), indent=1) + "\n")
        write_module(modules[Path(verdict.chosen)], output)
    print(verdict, file=sys.stderr if str(output) == "-" else sys.stdout)


def _read_like(path: Path, float_model: Path, signature: Signature) -> Module:
    """Reads a module that takes and makes what the float one does."""
    module = read_module(path)
    found = module.signature()
    for mine, other in ((found.arguments, signature.arguments), (found.results, signature.results)):
        if [(t.name, t.kind, t.shape) for t in mine] != [(t.name, t.kind, t.shape) for t in other]:
            raise NlqError(f"'{path}' has other arguments or results than '{float_model}'")
    return module


def _run(path: Path, module: Module, arrays: Results) -> Results:
    with listing(f"cannot run '{path}'"):
        results, _ = Runner.compile(module).run(arrays)
    return results


def _energy(array: np.ndarray) -> np.ndarray:
    """The sum of squares of each sample."""
    return (array.astype(np.float64) ** 2).reshape(len(array), -1).sum(axis=1)


def _decibels(signal: float, noise: float) -> float:
    if noise == 0:
        return math.inf
    return 10 * math.log10(signal / noise) if signal > 0 else -math.inf
