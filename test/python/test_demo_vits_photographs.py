# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Splits and crops, on pictures made here: red counts columns and green rows."""

from itertools import combinations

import numpy as np
import pytest
from PIL import Image

from nlq.demo_vits.crops import FILES
from nlq.demo_vits.photographs import SPLITS, load_photograph, make_crops, normalize

WIDTH, HEIGHT = 240, 200


@pytest.fixture(scope="module")
def ramp():
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.uint8)
    return Image.fromarray(np.stack([columns, rows, np.full_like(rows, 7)], axis=-1))


@pytest.fixture(scope="module")
def crops(ramp):
    return make_crops({"ramp": ramp}, 200, seed=3).pixels.astype(int)


def test_splits_share_no_photograph():
    for one, other in combinations(SPLITS.values(), 2):
        assert not set(one) & set(other)


def test_split_by_seed():
    """Each file is of one split; what is reported has three seeds of 24 crops or more."""
    test = [file for file in FILES if file.split == "test"]
    assert len({file.seed for file in test}) == 3
    assert min(file.count for file in test) >= 24
    assert {file.split for file in FILES} == set(SPLITS)


def test_crops_lie_in_the_photograph(crops):
    """The ramp tells where a crop's first and last columns and rows were."""
    sides = []
    for crop in crops:
        columns, rows = crop[112, :, 0], crop[:, 112, 1]
        assert (np.abs(crop[:, :, 2] - 7) <= 1).all()
        slopes = np.diff(columns), np.diff(rows)
        assert (slopes[0] >= 0).all() or (slopes[0] <= 0).all()
        assert (slopes[1] >= 0).all()
        width = abs(columns[-1] - columns[0]) + 1
        height = rows[-1] - rows[0] + 1
        assert abs(width - height) <= 2
        sides.append(height)
    # 50 to 100 % of 200; the ends of the ramp are rounded.
    assert 98 <= min(sides) <= 105
    assert 195 <= max(sides) <= 201


def test_half_are_mirrored(crops):
    mirrored = sum(crop[112, 0, 0] > crop[112, -1, 0] for crop in crops)
    # Four standard deviations of 200 fair coins.
    assert abs(mirrored - 100) < 29


def test_places_cover_the_photograph(crops):
    assert crops[..., 0].min() <= 2 and crops[..., 0].max() >= WIDTH - 3
    assert crops[..., 1].min() <= 2 and crops[..., 1].max() >= HEIGHT - 3


def test_photographs_take_turns(ramp):
    crops = make_crops({"a": ramp, "b": ramp, "c": ramp}, 8, seed=0)
    assert crops.photographs == ("a", "b", "c", "a", "b", "c", "a", "b")
    assert crops.pixels.shape == (8, 224, 224, 3)


def test_same_seed_same_crops(ramp):
    first, again, other = (make_crops({"ramp": ramp}, 4, seed).pixels for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_normalized():
    """Black, white and the mean colour, worked out by hand."""
    pixels = np.zeros((3, 1, 1, 3), np.uint8)
    pixels[1] = 255
    pixels[2] = (0.485 * 255, 0.456 * 255, 0.406 * 255)
    values = normalize(pixels)
    assert values.dtype == np.float32 and values.shape == (3, 3, 1, 1)
    np.testing.assert_allclose(values[0].ravel(), [-2.117904, -2.035714, -1.804444], atol=1e-6)
    np.testing.assert_allclose(values[1].ravel(), [2.248908, 2.428571, 2.64], atol=1e-6)
    assert np.abs(values[2]).max() < 1 / 255 / 0.22


def test_channels_stay_apart():
    pixels = np.zeros((1, 2, 2, 3), np.uint8)
    pixels[0, 1, 0, 2] = 255
    changed = normalize(pixels) != normalize(np.zeros_like(pixels))
    assert np.argwhere(changed).tolist() == [[0, 2, 1, 0]]


def test_grey_becomes_rgb(monkeypatch):
    grey = Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4))
    monkeypatch.setattr("nlq.demo_vits.photographs._LOADERS", {"grey": lambda: grey})
    picture = np.asarray(load_photograph("grey"))
    assert picture.shape == (3, 4, 3)
    assert (picture == np.asarray(grey)[..., None]).all()
