# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Reassociation of dimensions."""

import itertools
import math

import pytest

from nlq.onnx_import.reshape import reassociate


@pytest.mark.parametrize(
    ("source", "target", "collapse", "expand"),
    [
        ((2, 3, 4), (6, 2, 2), [[0, 1], [2]], [[0], [1, 2]]),
        ((1, 65, 64), (65, 64), [[0, 1], [2]], [[0], [1]]),
        ((65, 64), (1, 65, 64), [[0], [1]], [[0, 1], [2]]),
        ((8, 1, 4), (8, 4), [[0, 1], [2]], [[0], [1]]),
        ((8, 1), (8,), [[0, 1]], [[0]]),
        ((1, 65, 64), (1, 65, 4, 16), [[0], [1], [2]], [[0], [1], [2, 3]]),
        ((1, 1, 8, 8), (1, 4, 2, 4, 2), [[0, 1], [2], [3]], [[0], [1, 2], [3, 4]]),
        ((4, 6), (6, 4), [[0, 1]], [[0, 1]]),
        ((1, 1), (), [], []),
        ((), (1,), [], []),
    ],
)
def test_groups(source, target, collapse, expand):
    assert reassociate(source, target) == (collapse, expand)


def factorizations(number, rank):
    sizes = [size for size in range(1, number + 1) if number % size == 0]
    return [shape for shape in itertools.product(sizes, repeat=rank) if math.prod(shape) == number]


@pytest.mark.parametrize(("rank", "other"), [*itertools.product((1, 2, 3, 4), repeat=2)])
def test_every_pair_of_shapes(rank, other):
    """Groups cover all dimensions in order, are not empty, and pair off with equal products."""
    for number in (1, 12):
        for source, target in itertools.product(
            factorizations(number, rank), factorizations(number, other)
        ):
            collapse, expand = reassociate(source, target)
            assert [axis for group in collapse for axis in group] == list(range(rank))
            assert [axis for group in expand for axis in group] == list(range(other))
            assert all(collapse) and all(expand) and len(collapse) == len(expand)
            for left, right in zip(collapse, expand, strict=True):
                assert math.prod(source[a] for a in left) == math.prod(target[a] for a in right)
