# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The packages' photographs."""

import hashlib
from itertools import chain, combinations

import numpy as np
import pytest

from nlq.demo_vits.crops import FILES
from nlq.demo_vits.package import INPUT
from nlq.demo_vits.photographs import SPLITS, load_photograph
from nlq.demo_vits.write_crops import write_crops

NAMES = list(chain(*SPLITS.values()))


@pytest.fixture(scope="module")
def photographs():
    return {name: load_photograph(name) for name in NAMES}


def test_photographs_are_large_enough(photographs):
    """A crop of half the shorter side is at most enlarged threefold."""
    assert {picture.mode for picture in photographs.values()} == {"RGB"}
    assert min(min(picture.size) for picture in photographs.values()) >= 2 * 224 / 3


def test_photographs_differ(photographs):
    """No picture goes by two names, as scikit-image's chelsea and cat do."""
    for one, other in combinations(photographs.values(), 2):
        assert one.size != other.size or (np.asarray(one) != np.asarray(other)).mean() > 0.5


def test_files_are_the_same_again(tmp_path):
    hashes = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        write_crops(folder)
        hashes.append(
            [hashlib.sha256(np.load(folder / file.name)[INPUT]).hexdigest() for file in FILES]
        )
    assert hashes[0] == hashes[1]
    assert len(set(hashes[0])) == len(FILES)


def test_files_hold_their_split_only(tmp_path):
    write_crops(tmp_path)
    for file in FILES:
        with np.load(tmp_path / file.name) as arrays:
            assert set(arrays["photographs"]) == set(SPLITS[file.split])
            assert arrays[INPUT].shape == (file.count, 3, 224, 224)
            assert arrays[INPUT].dtype == np.float32
