# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""`nlq compare`: a quantized module slot by slot, beside its float self and another run."""

import difflib
import json
from collections.abc import Sequence
from pathlib import Path

from nlq.commands import listing, read_module
from nlq.errors import NlqError
from nlq.files import replacing
from nlq.native import Module
from nlq.samples import read_samples


def compare(
    model: Path,
    samples: Path,
    target: str,
    float_model: Path | None = None,
    other: str | None = None,
    slots: Sequence[str] = (),
    output: Path | None = None,
) -> None:
    """Prints a line per slot and where the two runs part; writes them as JSON if `output` is given.

    The first run is that of `model` compiled for `target`. `other` says what the second one is:
    `reference`, a module file (.mlir or .mlirbc) compiled for `target`, or a target.
    """
    module = read_module(model)
    if slots:
        _check_slots(model, module, slots)
    arrays = read_samples(samples, module.signature().arguments)
    if not arrays:
        raise NlqError(f"'{model}' has no arguments to run on samples")
    second, second_target = _second(module, other, target)
    original = read_module(float_model) if float_model else None
    with listing(f"cannot compare '{model}'"):
        result = module.compare(arrays, target, second, second_target, original)
    first = next((value for value in result["values"] if value.get("different")), None)
    if slots:
        result["values"] = [value for value in result["values"] if value["name"] in slots]
    if output:
        with replacing(output) as path:
            path.write_text(json.dumps(result, indent=1) + "\n")
    print("\n".join(_table(result)))
    if other is not None:
        print(_sentence(first, result["samples"]))


def _second(module: Module, other: str | None, target: str) -> tuple[Module | None, str]:
    """The second run's module and target."""
    if other is None:
        return None, target
    if Path(other).suffix in (".mlir", ".mlirbc"):
        return read_module(Path(other)), target
    return module, other


def _check_slots(model: Path, module: Module, wanted: Sequence[str]) -> None:
    names = [slot["name"] for slot in module.slots()]
    for name in wanted:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=3, cutoff=0)
            nearest = ", ".join(f"'{text}'" for text in near)
            raise NlqError(f"'{model}' has no slot '{name}'; the nearest are {nearest}")


def _table(result: dict) -> list[str]:
    """Lines of columns as wide as they must be."""
    has_second = "first_difference" in result
    heading = ["slot", "op", "SQNR dB"]
    if has_second:
        heading += ["other dB", "different", "largest"]
    rows = [heading]
    for value in result["values"]:
        row = [value["name"], value["op"].removeprefix("nlq."), _decibels(value["sqnr_db"])]
        if has_second:
            row += [
                _decibels(value["other_sqnr_db"]),
                str(value["different"]),
                f"{value['largest_difference']:g}",
            ]
        rows.append(row)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(_pad(row, widths)).rstrip() for row in rows]


def _pad(row: list[str], widths: list[int]) -> list[str]:
    """Names to the left, numbers to the right."""
    return [
        text.ljust(width) if index < 2 else text.rjust(width)
        for index, (text, width) in enumerate(zip(row, widths, strict=True))
    ]


def _decibels(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _sentence(first: dict | None, samples: int) -> str:
    """Where the two runs part first, slots that are not shown included."""
    if first is None:
        return f"no difference on {samples} samples"
    total = first["elements"] * samples
    return (
        f"first difference: '{first['name']}', {first['different']} of {total} elements, "
        f"the largest {first['largest_difference']:g}"
    )
