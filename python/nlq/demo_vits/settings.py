# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""What the demonstration on the ViT-S compares: widths, recipes, assignments."""

from dataclasses import dataclass

from nlq.demo.settings import CANDIDATES, RECIPE, has_set, make_uniform


@dataclass(frozen=True)
class Setting:
    """Widths of weights and activations, and the recipe of quantization.

    `recipe` is `seed`, the mixed method's paper's (one symmetric scale per tensor, extremes), or
    `ours`, the options of nlq-quantize with what CHOICES leave open chosen on samples.
    """

    weight_bits: int
    act_bits: int
    recipe: str = "ours"

    @property
    def name(self) -> str:
        """W8A8 and the like; with the recipe where it is not ours."""
        widths = f"W{self.weight_bits}A{self.act_bits}"
        return widths if self.recipe == "ours" else f"{widths} {self.recipe}"

    @property
    def key(self) -> str:
        """A name for files."""
        return self.name.replace(" ", "-")

    @property
    def is_studied(self) -> bool:
        """Whether the published methods are compared at it."""
        return self.weight_bits == self.act_bits == 8


SEED = Setting(8, 8, "seed")
OURS = Setting(8, 8)
SIX = Setting(6, 6)
SETTINGS = (SEED, OURS, SIX, Setting(6, 8), Setting(4, 8))

# Where options are chosen, and for which settings they hold: those of the same activations.
TUNED = (OURS, SIX)


def tuned_by(setting: Setting) -> Setting | None:
    """The setting whose options a setting has; None where nothing is chosen."""
    if setting.recipe != "ours":
        return None
    return next(tuned for tuned in TUNED if tuned.act_bits == setting.act_bits)


@dataclass(frozen=True)
class Choice:
    """Options that are chosen on samples: exponents of channel factors, scales of weights.

    `norm` is the exponent after layer normalization, `other` that after GELU and attention.
    """

    norm: float
    other: float
    weight_scales: str = "extremes"

    @property
    def options(self) -> str:
        """In the syntax of nlq-quantize."""
        return (
            f"norm-exponent={self.norm} gelu-exponent={self.other} attention-exponent={self.other} "
            f"weight-scales={self.weight_scales}"
        )

    def __str__(self) -> str:
        return f"{self.norm}/{self.other} {self.weight_scales}"


CHOICES = (
    Choice(0.4, 0.25),
    Choice(0.5, 0.25),
    Choice(0.6, 0.25),
    Choice(0.5, 0.4),
    Choice(0.5, 0.25, "least-squares"),
    Choice(0.5, 0.4, "least-squares"),
)


def quantize_options(setting: Setting, choice: Choice | None) -> str:
    """Options of nlq-quantize, without the profile."""
    recipe = RECIPE if choice is None else choice.options
    candidates = "seed" if setting.recipe == "seed" else CANDIDATES
    return (
        f"weight-bits={setting.weight_bits} act-bits={setting.act_bits} candidates={candidates} "
        f"{recipe}"
    )


@dataclass(frozen=True)
class Assignment:
    """A row of the table: how methods are assigned.

    `options` are those of the pass nlq-assign, None for exact functions in float; `scores` names
    the scores that they need; `kind` is `bound`, `uniform` or `mix`; `is_published` says that all
    methods are in their published forms.
    """

    title: str
    widths: str
    options: str | None
    kind: str
    scores: str | None = None
    is_published: bool = False


BOUND = Assignment("exact functions (bound)", "operands as they are", None, "bound")

# What is shipped: per slot the cheapest candidate near the best one.
WITHIN_DB = 0.5
SHIPPED = Assignment(
    f"cheapest within {WITHIN_DB} dB, consumer metric",
    "any",
    f"policy=best metric=consumer within={WITHIN_DB}",
    "mix",
    "local",
)

# Mixes of the three published methods, by metric; `logits` has a file of its own.
_PUBLISHED = "form=reference set=seed"
_MIXES = (
    Assignment("mixed, paper's metric", "seed", "policy=paper", "mix", "local", True),
    *(
        Assignment(
            f"mixed, {metric} metric",
            "seed",
            f"policy=best metric={metric} {_PUBLISHED}",
            "mix",
            "logits" if metric == "logits" else "local",
            True,
        )
        for metric in ("own", "consumer", "logits")
    ),
)

# Without a metric: one choice for all slots of corrected forms, to hold the shipped one against.
_CORRECTED = (
    Assignment(
        "uniform I-BERT, corrected", "16-bit softmax", "policy=uniform method=ibert form=corrected",
        "uniform",
    ),
    Assignment(
        "uniform tables (I-BERT's layer_norm), corrected", "operands at 8 bits",
        "policy=uniform method=table form=corrected", "uniform",
    ),
)  # fmt: skip


def make_assignments(setting: Setting, methods: list[dict]) -> list[Assignment]:
    """The rows of a setting, from the registry of methods."""
    if not setting.is_studied:
        return [BOUND, *_CORRECTED, SHIPPED]
    uniform = [make_uniform(m, methods, "seed") for m in methods if has_set(m, "seed")]
    rows = [BOUND] if setting.recipe == "seed" else [BOUND, *_CORRECTED]
    rows += [
        Assignment(row.title, row.widths, row.options, "uniform", is_published=True)
        for row in uniform
    ]
    rows += _MIXES
    return rows if setting.recipe == "seed" else [*rows, SHIPPED]
