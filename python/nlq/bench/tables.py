# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The tables of `make bench`, on the terminal and as Markdown."""

import itertools

from rich.console import Console
from rich.table import Table

from nlq.bench.measure import Row

_WORDS = ("operation", "shape", "implementation", "elements")
_FIGURES = ("ns/elem", "x memcpy", "x nlq", "differ from nlq", "by")


def print_rows(rows: list[Row]) -> None:
    """A section for every operation and shape, the fastest first."""
    title = "one thread, medians of CPU time, one run per shape"
    table = Table(title=title, title_justify="left")
    for heading in _WORDS:
        table.add_column(heading)
    for heading in _FIGURES:
        table.add_column(heading, justify="right")
    for section in _sections(rows):
        for row in section:
            table.add_row(*_cells(row))
        table.add_section()
    Console(width=140).print(table)


def to_markdown(rows: list[Row], kernels: list[dict]) -> str:
    """The same, and before it what nlq-bench said of the kernels."""
    lines = [
        "| function | result | ns/elem | x memcpy | instructions/elem | lanes | compile ms |",
        "|---|---|--:|--:|--:|---|--:|",
    ]
    for entry in kernels:
        instructions = entry["instructions_per_element"]
        cells = (
            entry["function"],
            "x".join(map(str, entry["results"][0])),
            f"{entry['ns_per_element']:.4f}",
            f"{entry['memcpy_ratio']:.2f}",
            "-" if instructions is None else f"{instructions:.3f}",
            ", ".join(map(str, entry["lanes"])),
            f"{entry['compile_ms']:.0f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        f"| {' | '.join(_WORDS + _FIGURES)} |",
        f"|{'---|' * len(_WORDS)}{'--:|' * len(_FIGURES)}",
    ]
    for section in _sections(rows):
        lines += [f"| {' | '.join(_cells(row))} |" for row in section]
    return "\n".join(lines) + "\n"


def _sections(rows: list[Row]) -> list[list[Row]]:
    groups = itertools.groupby(rows, lambda row: (row.op, row.rows, row.columns))
    return [sorted(group, key=lambda row: row.ns_per_element) for _, group in groups]


def _cells(row: Row) -> tuple[str, ...]:
    difference = ("-", "-")
    if row.different is not None:
        share = row.different / (row.rows * row.columns)
        difference = (f"{share:.2%}", str(row.largest_difference))
    return (
        *(row.op, f"{row.rows}x{row.columns}", row.implementation, row.elements),
        *(f"{row.ns_per_element:.4f}", f"{row.memcpy_ratio:.2f}", f"{row.library_ratio:.2f}"),
        *difference,
    )
