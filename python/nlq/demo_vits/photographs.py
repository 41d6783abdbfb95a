# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The photographs: which packages ship, split by photograph, and seeded crops of them.

Only pictures that are files of an installed package, so that nothing is downloaded: those of
scikit-image, scikit-learn and matplotlib. (scikit-image downloads its others when asked for them.)
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from nlq.demo_vits.package import SIDE

# A photograph is in one split only. Ranges are fitted on the first; what they leave open is chosen
# by the second; the third confirms a choice; nothing is decided by the last, which is reported.
SPLITS: dict[str, tuple[str, ...]] = {
    "fit": ("astronaut", "coffee", "china", "rocket", "camera", "motorcycle"),
    "select": ("grace_hopper", "clock", "gravel", "cell"),
    "confirm": ("moon", "text", "page"),
    "test": (
        "brick",
        "chelsea",
        "coins",
        "flower",
        "grass",
        "hubble_deep_field",
        "immunohistochemistry",
        "retina",
    ),
}

# Means and standard deviations of red, green and blue over ImageNet, with which the model was
# trained (M. Oquab et al., DINOv2, arXiv 2304.07193, through torchvision's `Normalize`).
MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Crops:
    """Square crops: pixels [N, 224, 224, 3] of 8 bits, and the photograph each is from."""

    pixels: np.ndarray
    photographs: tuple[str, ...]

    def inputs(self) -> np.ndarray:
        """The model's input, float32 [N, 3, 224, 224]."""
        return normalize(self.pixels)


def load_photograph(name: str) -> Image.Image:
    """A photograph in RGB; a grey one three times the same."""
    loader = _LOADERS.get(name)
    picture = loader() if loader else _load_scikit_image(name)
    return picture.convert("RGB")


def load_crops(split: str, count: int, seed: int) -> Crops:
    """Crops of the photographs of a split, as make_crops makes them."""
    return make_crops({name: load_photograph(name) for name in SPLITS[split]}, count, seed)


def make_crops(photographs: dict[str, Image.Image], count: int, seed: int) -> Crops:
    """`count` crops, from one photograph after the other, again and again.

    The side is uniform in 50 to 100 % of the photograph's shorter side and the place uniform; each
    crop is scaled to 224 x 224 (bicubic, antialiased) and mirrored with probability 1/2.
    """
    random = np.random.default_rng(seed)
    names = [list(photographs)[index % len(photographs)] for index in range(count)]
    pixels = np.stack([np.asarray(_crop(photographs[name], random)) for name in names])
    return Crops(pixels, tuple(names))


def normalize(pixels: np.ndarray) -> np.ndarray:
    """Pixels [N, H, W, 3] of 8 bits to float32 [N, 3, H, W], (x / 255 - mean) / deviation."""
    mean, deviation = np.float32(MEAN), np.float32(DEVIATION)
    scaled = (pixels.astype(np.float32) / np.float32(255) - mean) / deviation
    return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))


def _crop(photograph: Image.Image, random: np.random.Generator) -> Image.Image:
    shorter = min(photograph.size)
    side = int(random.integers(-(-shorter // 2), shorter, endpoint=True))
    left, top = (int(random.integers(0, size - side, endpoint=True)) for size in photograph.size)
    box = (left, top, left + side, top + side)
    crop = photograph.crop(box).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    mirrored = random.random() < 0.5
    return crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirrored else crop


def _load_scikit_image(name: str) -> Image.Image:
    import skimage.data

    return Image.fromarray(getattr(skimage.data, name)())


def _load_motorcycle() -> Image.Image:
    """The left picture of the stereo pair."""
    import skimage.data

    return Image.fromarray(skimage.data.stereo_motorcycle()[0])


def _load_scikit_learn(name: str) -> Image.Image:
    import sklearn.datasets

    return Image.fromarray(sklearn.datasets.load_sample_image(name))


def _load_grace_hopper() -> Image.Image:
    import matplotlib.cbook

    with matplotlib.cbook.get_sample_data("grace_hopper.jpg") as stream:
        return Image.open(stream).copy()


# Photographs that are not a function of that name in skimage.data.
_LOADERS: dict[str, Callable[[], Image.Image]] = {
    "motorcycle": _load_motorcycle,
    "china": lambda: _load_scikit_learn("china.jpg"),
    "flower": lambda: _load_scikit_learn("flower.jpg"),
    "grace_hopper": _load_grace_hopper,
}
