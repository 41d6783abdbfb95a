# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The paired interval, against a simulation of what it promises."""

import numpy as np
import pytest

from nlq.demo_vits.paired import compare_paired


def outcomes(both, only_first, only_second, neither):
    """Two arrays of booleans with these counts."""
    counts = (both, only_first, only_second, neither)
    first = np.repeat([True, True, False, False], counts)
    second = np.repeat([True, False, True, False], counts)
    return first, second


def test_counts_and_sign():
    paired = compare_paired(*outcomes(70, 5, 12, 13))
    assert (paired.only_first, paired.only_second) == (5, 12)
    assert paired.difference == pytest.approx(0.07)
    assert paired.low < 0.07 < paired.high
    turned = compare_paired(*reversed(outcomes(70, 5, 12, 13)))
    assert turned.difference == -paired.difference
    assert (turned.low, turned.high) == pytest.approx((-paired.high, -paired.low))


def test_equal_but_not_certain():
    """No sample tells them apart, which proves no more than that few would."""
    paired = compare_paired(*outcomes(90, 0, 0, 10))
    assert paired.difference == 0
    assert paired.low == pytest.approx(-paired.high)
    # About three in a hundred could still differ without one of 100 showing it.
    assert 0.01 < paired.high < 0.03


def test_pairs_matter():
    """The same two accuracies are told apart the better the more often both agree."""
    together = compare_paired(*outcomes(80, 0, 5, 15))
    apart = compare_paired(*outcomes(55, 20, 25, 0))
    assert together.difference == apart.difference
    assert together.low > 0 > apart.low


@pytest.mark.parametrize(
    ("count", "only_first", "only_second"),
    [
        (1300, 0.01, 0.01),
        (1300, 0.02, 0.01),
        (1300, 0.002, 0.001),
        (200, 0.1, 0.05),
        (50, 0.1, 0.1),
    ],
)
def test_covers_the_truth_19_times_of_20(count, only_first, only_second):
    random = np.random.default_rng(0)
    rest = 1 - only_first - only_second
    draws = random.multinomial(count, [only_first, only_second, rest], size=4000)
    hit = 0
    for losses, gains, others in draws:
        paired = compare_paired(*outcomes(others, losses, gains, 0))
        hit += paired.low <= only_second - only_first <= paired.high
    assert 0.935 <= hit / len(draws) <= 0.995


def test_stays_within_one():
    paired = compare_paired(*outcomes(0, 0, 4, 0))
    assert paired.high <= 1
