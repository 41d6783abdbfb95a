# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""scikit-learn's digits as inputs of the ViT-S: the labelled task of the probe."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from nlq.demo_vits.package import SIDE
from nlq.demo_vits.photographs import normalize

# How many the probe's classifier is fitted on, and how many are kept for whoever calibrates on
# digits too. The others are the test.
FITTED = 400
CALIBRATION = 97


@dataclass(frozen=True)
class Digits:
    """Grey pictures [N, 8, 8] of 0 to 16, and their labels."""

    pixels: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def inputs(self, indices: slice) -> np.ndarray:
        """Some of them as the model's inputs [N, 3, 224, 224]; all at once are a gigabyte."""
        return make_inputs(self.pixels[indices])


def load_digits() -> dict[str, Digits]:
    """All 1,797, shuffled by a fixed seed and split in `fit`, `calibration` and `test`."""
    import sklearn.datasets

    data = sklearn.datasets.load_digits()
    order = np.random.default_rng(0).permutation(len(data.target))
    ends = np.split(order, [FITTED, FITTED + CALIBRATION])
    names = ("fit", "calibration", "test")
    return {
        name: Digits(data.images[part], data.target[part])
        for name, part in zip(names, ends, strict=True)
    }


def make_inputs(pixels: np.ndarray) -> np.ndarray:
    """Pictures [N, 8, 8] of 0 to 16 as inputs: 0 is black, 16 white, scaled bicubically."""
    grey = np.round(pixels * (255 / 16)).astype(np.uint8)
    large = [Image.fromarray(p).resize((SIDE, SIDE), Image.Resampling.BICUBIC) for p in grey]
    return normalize(np.stack([np.asarray(picture.convert("RGB")) for picture in large]))
