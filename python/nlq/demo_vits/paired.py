# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Two classifiers on the same samples."""

import math
from dataclasses import dataclass

import numpy as np

# The 97.5 % point of the normal distribution.
_Z = 1.959964


@dataclass(frozen=True)
class PairedDifference:
    """The share of samples that only the second gets right less that which only the first does.

    That is the difference of their accuracies; `low` to `high` is its 95 % interval.
    """

    only_first: int
    only_second: int
    difference: float
    low: float
    high: float


def compare_paired(first: np.ndarray, second: np.ndarray) -> PairedDifference:
    """Compares two arrays of booleans, whether a sample is classified correctly.

    The interval is Wald's with one half added to each of the four counts of the paired table
    (A. Agresti and Y. Min, Simple improved confidence intervals for comparing matched proportions,
    Statistics in Medicine 24, 2005, section 2), cut to -1 to 1.
    """
    only_first = int((first & ~second).sum())
    only_second = int((second & ~first).sum())
    count = len(first)
    gain, loss, total = only_second + 0.5, only_first + 0.5, count + 2
    centre = (gain - loss) / total
    spread = _Z * math.sqrt(gain + loss - (gain - loss) ** 2 / total) / total
    return PairedDifference(
        only_first,
        only_second,
        difference=(only_second - only_first) / count,
        low=max(-1.0, centre - spread),
        high=min(1.0, centre + spread),
    )
