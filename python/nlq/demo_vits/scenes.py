# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The scenes of the page of pictures: the first test crop of each photograph."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nlq.demo_vits.float_model import open_decoder
from nlq.demo_vits.pictures import Scene


def make_scenes(
    model: Path,
    photographs: Sequence[str],
    pixels: np.ndarray,
    float_tokens: np.ndarray,
    integer_tokens: np.ndarray,
) -> list[Scene]:
    """One scene per photograph, of its first crop.

    `model` is the package's ONNX file, whose decoder makes heat maps of tokens [N, 257, 384];
    `pixels` are the crops [N, 224, 224, 3], and `photographs` names that of each crop.
    """
    decode = open_decoder(model)
    first = [photographs.index(name) for name in dict.fromkeys(photographs)]
    maps = [decode(tokens[first]) for tokens in (float_tokens, integer_tokens)]
    return [
        Scene(
            photographs[index],
            pixels[index],
            float_tokens[index],
            integer_tokens[index],
            float_map,
            integer_map,
        )
        for index, float_map, integer_map in zip(first, *maps, strict=True)
    ]
