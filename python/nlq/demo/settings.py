# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""What the demonstration compares: models, bit widths, assignments."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """A model at one width of weights and activations."""

    model: str
    bits: int

    @property
    def name(self) -> str:
        """W8A8 and the like."""
        return f"W{self.bits}A{self.bits}"

    @property
    def key(self) -> str:
        """A name for files."""
        return f"{self.model}-{self.name}"


SETTINGS = (Setting("vit65", 8), Setting("vit65", 6), Setting("vit197", 8))

# All but the methods to compare with; rows restrict them.
CANDIDATES = "seed,standalone,extra"

# The mixed method's paper's: one symmetric scale per tensor, extremes.
RECIPE = (
    "asymmetric=false norm-exponent=0 gelu-exponent=0 attention-exponent=0 value-exponent=0 "
    "query-key-exponent=0 weight-scales=extremes weight-rounding=nearest "
    "bias-correction=false"
)


@dataclass(frozen=True)
class Assignment:
    """A row of the table: how methods are assigned.

    `options` are those of the pass nlq-assign, `None` for the exact functions in float.
    """

    title: str
    widths: str
    options: str | None
    is_uniform: bool = False


def make_assignments(methods: list[dict]) -> list[Assignment]:
    """The rows below the float model, from the registry of methods."""
    families = [m for m in methods if has_set(m, "seed")]
    rows = [Assignment("exact functions (bound)", "operands as they are", None)]
    rows += [make_uniform(m, methods, "seed") for m in families]
    restricted = "form=reference set=seed"
    rows += [
        Assignment("mixed, paper's metric", "seed", "policy=paper"),
        Assignment("mixed, consumer metric", "seed", f"policy=best metric=consumer {restricted}"),
    ]
    rows += [make_uniform(m, methods, "standalone") for m in families]
    rows.append(
        Assignment(
            "best of everything, consumer metric",
            "any",
            "policy=best metric=consumer",
        )
    )
    return rows


def has_set(method: dict, name: str) -> bool:
    """Whether the registry has widths of a method in a set."""
    return any(c["set"] == name for i in method["implementations"] for c in i["candidates"])


def make_uniform(method: dict, methods: list[dict], widths: str) -> Assignment:
    """A method throughout, in its published form, at the widths of a set."""
    titles = {m["name"]: m["title"] for m in methods}
    # A fallback that only completes an unpublished method would not be a row here.
    loans = ", ".join(f"{titles[m]}'s {f}" for f, m in method["fallbacks"].items())
    title = f"uniform {method['title']}" + (f" ({loans})" if loans else "")
    options = f"policy=uniform method={method['name']} form=reference set={widths}"
    return Assignment(title, f"{widths}: {_softmax_widths(method, widths)}", options, True)


def _softmax_widths(method: dict, name: str) -> str:
    """The widths of softmax, the one operation where the sets differ."""
    for implementation in method["implementations"]:
        if implementation["function"] != "softmax" or implementation["form"] != "reference":
            continue
        for candidate in implementation["candidates"]:
            if candidate["set"] == name:
                return f"softmax {candidate['out_bits']}-bit"
    return "none"
