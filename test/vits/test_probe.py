# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The digits and the probe's classifier, on pixels in place of class tokens."""

import numpy as np
import pytest
import scipy.stats

from nlq.demo_vits.digits import CALIBRATION, FITTED, load_digits
from nlq.demo_vits.paired import compare_paired
from nlq.demo_vits.pictures import color_map
from nlq.demo_vits.probe import probe


@pytest.fixture(scope="module")
def digits():
    return load_digits()


def features(some):
    return some.pixels.reshape(len(some), -1)


def test_splits(digits):
    counts = {name: len(part) for name, part in digits.items()}
    assert counts == {"fit": FITTED, "calibration": CALIBRATION, "test": 1300}
    # No two of the 1,797 are equal, so together they must be as many.
    pictures = np.concatenate([features(part) for part in digits.values()])
    assert len(np.unique(pictures, axis=0)) == 1797
    assert all(set(part.labels) == set(range(10)) for part in digits.values())


def test_labels_belong_to_pictures(digits):
    """A classifier of pixels is right far more often than a wrong pairing could be."""
    fit = digits["fit"]
    test = features(digits["test"])
    right, wrong = probe((features(fit), fit), digits["test"], [test, test[::-1]])
    assert right.mean() > 0.9
    assert wrong.mean() < 0.2


def test_interval_as_by_bootstrap():
    random = np.random.default_rng(0)
    first = random.random(1300) < 0.9
    second = np.where(random.random(1300) < 0.03, ~first, first)
    differences = second.astype(float) - first
    done = scipy.stats.bootstrap((differences,), np.mean, method="percentile", rng=random)
    paired = compare_paired(first, second)
    found = (paired.low, paired.high)
    assert found == pytest.approx(tuple(done.confidence_interval), abs=0.002)


def test_colors():
    colors = color_map(np.array([[-1.0, 0.0, 0.5, 1.0, 2.0]])).astype(int)
    assert colors.shape == (1, 5, 3)
    assert (colors[0, 0] == colors[0, 1]).all() and (colors[0, 3] == colors[0, 4]).all()
    brightness = colors[0, 1:4].sum(axis=-1)
    assert (np.diff(brightness) > 100).all()
