# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""`nlq methods`: the registry of methods, and where each of them is legal and how good it is."""

import json

from nlq.errors import NlqError
from nlq.native import list_methods, survey_methods


def default_result_bits(operation: str) -> int:
    """Bits of results where none are asked for: probabilities have 16."""
    return 16 if operation == "softmax" else 8


def print_registry(as_json: bool) -> None:
    """Prints every implementation with its widths."""
    methods = list_methods()
    if as_json:
        print(json.dumps(methods, indent=2))
        return
    rows = [("method", "operation", "form", "widths (set: in -> out)", "source")]
    for method in methods:
        for entry in method["implementations"]:
            widths = ", ".join(describe_widths(each) for each in entry["candidates"])
            operation, form = entry["function"], entry["form"]
            rows.append((method["name"], operation, form, widths, method["source"]))
    _print_table(rows)


def print_survey(
    operation: str, bits: int, scale: float, row: int, result_bits: int | None, as_json: bool
) -> None:
    """Prints every candidate for an operation, legal or not.

    Raises NlqError where there is no such operation, or a number is out of its range.
    """
    known = list(
        dict.fromkeys(each["function"] for m in list_methods() for each in m["implementations"])
    )
    if operation not in known:
        raise NlqError(f"no method has the operation '{operation}': {', '.join(known)}")
    if result_bits is None:
        result_bits = default_result_bits(operation)
    entries = survey_methods(operation, bits, scale, row, result_bits)
    if as_json:
        query = {"op": operation, "bits": bits, "scale": scale, "row": row}
        print(json.dumps({**query, "result_bits": result_bits, "methods": entries}, indent=2))
        return
    print(f"{operation} of {bits}-bit operands, scale {scale:g}, rows of {row}, ", end="")
    print(f"{result_bits}-bit results")
    print("Errors in steps of the result; cost in instructions per element on 64-byte vectors.\n")
    legal = [entry for entry in entries if is_legal(entry)]
    header = ("method", "form", "widths", "lanes", "row lanes", "worst", "rms", "SQNR dB", "cost")
    _print_table([header, *map(figures, legal)])
    for entry in legal:
        if entry["widths"] is not None:
            print(f"\n{_name(entry)}: {entry['widths']}")
    for entry in entries:
        if not is_legal(entry):
            print(f"\nnot legal, {describe_widths(entry)}: {entry['reason']}")


def _name(entry: dict) -> str:
    return f"{entry['method']} {entry['form']}, {describe_widths(entry)}"


def is_legal(entry: dict) -> bool:
    """Whether a candidate of a survey is."""
    return entry["reason"] is None


def describe_widths(candidate: dict) -> str:
    """The set of a candidate and its widths; `act` is that of the activations."""
    in_bits = candidate["in_bits"]
    operand = "as is" if in_bits is None else str(in_bits) if in_bits else "act"
    return f"{candidate['set']}: {operand} -> {candidate['out_bits']}"


def figures(entry: dict) -> tuple[str, ...]:
    """A legal candidate as a row of a table, its method first."""
    sqnr = "exact" if entry["sqnr"] is None else f"{entry['sqnr']:.1f}"
    return (
        *(entry["method"], entry["form"], describe_widths(entry)),
        *(str(entry["element_lane"]), str(entry["row_lane"]) if entry["row_lane"] else "-"),
        *(f"{entry['worst']:.2f}", f"{entry['rms']:.3f}", sqnr, f"{entry['cost']:.2f}"),
    )


def _print_table(rows: list[tuple[str, ...]]) -> None:
    """Columns as wide as their widest entry, two spaces between them."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(map(str.ljust, row, widths)).rstrip())
