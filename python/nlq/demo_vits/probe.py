# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The digits probe: what a classifier on the float model's class tokens does on other tokens."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from nlq.demo.steps import Row
from nlq.demo_vits.digits import Digits
from nlq.demo_vits.paired import compare_paired
from nlq.demo_vits.rows import MODEL

# A function from inputs [N, 3, 224, 224] to tokens [N, 257, 384], the class token first.
Run = Callable[[np.ndarray], np.ndarray]

# Inputs at a time.
_BATCH = 8

# Wraps the batches of one run, to show how far it is.
Progress = Callable[[Iterator[slice], int], Iterator[slice]]


@dataclass
class ProbeRow(Row):
    """A row of the probe: `correct` of `total` test digits.

    `difference_points` is the accuracy less the float model's, in percentage points, with its 95 %
    interval; `only_float` and `only_this` count the digits that only one of both gets right.
    """

    difference_points: float | None = None
    low_points: float | None = None
    high_points: float | None = None
    only_float: int | None = None
    only_this: int | None = None


def class_tokens(run: Run, digits: Digits, progress: Progress | None = None) -> np.ndarray:
    """The class tokens [N, 384] of digits."""
    batches = iter(slice(start, start + _BATCH) for start in range(0, len(digits), _BATCH))
    if progress:
        batches = progress(batches, -(-len(digits) // _BATCH))
    return np.concatenate([run(digits.inputs(batch))[:, 0] for batch in batches])


def probe(
    fit: tuple[np.ndarray, Digits], test: Digits, features: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """Whether each test digit is classified correctly, an array per array of class tokens.

    The classifier is a logistic regression, fitted on the float class tokens and digits in `fit`.
    """
    from sklearn.linear_model import LogisticRegression

    tokens, digits = fit
    classifier = LogisticRegression(max_iter=5000).fit(tokens, digits.labels)
    return [classifier.predict(values) == test.labels for values in features]


def make_row(
    setting: str, assignment: str, widths: str, correct: np.ndarray, by_float: np.ndarray
) -> ProbeRow:
    """The row of an integer model, beside the float model on the same digits."""
    paired = compare_paired(by_float, correct)
    return ProbeRow(
        MODEL,
        setting,
        assignment,
        widths,
        correct=int(correct.sum()),
        total=len(correct),
        difference_points=_points(paired.difference),
        low_points=_points(paired.low),
        high_points=_points(paired.high),
        only_float=paired.only_first,
        only_this=paired.only_second,
    )


def make_float_row(correct: np.ndarray) -> ProbeRow:
    """The row of the float model."""
    return ProbeRow(
        MODEL, "float32", "float", "float32", correct=int(correct.sum()), total=len(correct)
    )


def _points(share: float) -> float:
    return round(100 * share, 2)
