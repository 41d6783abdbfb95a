# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Reshapes as groups of neighbouring dimensions."""

Shape = tuple[int, ...]
Reassociation = list[list[int]]


def reassociate(source: Shape, target: Shape) -> tuple[Reassociation, Reassociation]:
    """Groups the dimensions of two shapes so that groups have equal products.

    Collapsing each group of `source` and then expanding to each group of `target` reshapes one
    into the other. There are as many groups as possible, found from the last dimension to the
    first, so that rows stay rows wherever they can; leading dimensions of 1 that are left over join
    the first group. Both lists are empty for a tensor of rank 0.

    Example: (2, 3, 4) to (6, 2, 2) gives [[0, 1], [2]] and [[0], [1, 2]].
    """
    groups: tuple[Reassociation, Reassociation] = ([], [])
    left, right = len(source) - 1, len(target) - 1
    while left >= 0 and right >= 0:
        ends = left, right
        product, wanted = source[left], target[right]
        while product != wanted:
            if product < wanted:
                left -= 1
                product *= source[left]
            else:
                right -= 1
                wanted *= target[right]
        groups[0].insert(0, list(range(left, ends[0] + 1)))
        groups[1].insert(0, list(range(right, ends[1] + 1)))
        left, right = left - 1, right - 1
    for group, left_over in zip(groups, (left, right), strict=True):
        if group:
            group[0][:0] = range(left_over + 1)
    return groups
