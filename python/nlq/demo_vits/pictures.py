# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""A page of pictures: photograph, heat map of the float model, heat map of an integer backbone."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image

from nlq.demo_vits.sqnr import measure_sqnr
from nlq.files import make_folder, replacing


@dataclass(frozen=True)
class Scene:
    """A crop's photograph, pixels [H, W, 3] of 8 bits, and what both backbones make of it.

    Tokens are [257, 384], heat maps [H, W] of 0 to 1.
    """

    photograph: str
    pixels: np.ndarray
    float_tokens: np.ndarray
    integer_tokens: np.ndarray
    float_map: np.ndarray
    integer_map: np.ndarray


_PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ font: 16px sans-serif; margin: 2em auto; max-width: 60em; }}
td, th {{ padding: 0.4em; text-align: left; vertical-align: middle; }}
img {{ display: block; }}
</style>
<h1>{title}</h1>
<p>{text}</p>
<table>
<tr><th>photograph<th>float model<th>integer backbone<th>
{rows}
</table>
</html>
"""

_ROW = (
    '<tr><td><img src="{photograph}" alt="{name}"><td><img src="{float}" alt="float heat map">'
    '<td><img src="{integer}" alt="integer heat map">'
    "<td>{name}<br>tokens {sqnr:.1f} dB<br>heat maps at most {difference:.3f} apart"
)

_TEXT = (
    "Heat maps are the model's own output, from 0 (dark) to 1 (light). For the right one the "
    "backbone ran in integers only and the decoder in float."
)


def write_page(folder: Path, title: str, scenes: Sequence[Scene]) -> None:
    """Writes index.html and three PNG files per scene, beside it."""
    make_folder(folder)
    rows = "\n".join(_write_scene(folder, index, scene) for index, scene in enumerate(scenes))
    with replacing(folder / "index.html") as path:
        page = _PAGE.format(title=escape(title), text=escape(_TEXT), rows=rows)
        path.write_text(page, encoding="utf-8")


def color_map(values: np.ndarray) -> np.ndarray:
    """Values of 0 to 1 as pixels [H, W, 3] of 8 bits; the same value always has the same colour."""
    import matplotlib

    return matplotlib.colormaps["inferno"](np.clip(values, 0, 1), bytes=True)[..., :3]


def _write_scene(folder: Path, index: int, scene: Scene) -> str:
    pictures = {
        "photograph": scene.pixels,
        "float": color_map(scene.float_map),
        "integer": color_map(scene.integer_map),
    }
    names = {kind: f"{index}-{scene.photograph}-{kind}.png" for kind in pictures}
    for kind, pixels in pictures.items():
        with replacing(folder / names[kind]) as path:
            Image.fromarray(pixels).save(path)
    return _ROW.format(
        **{kind: escape(name) for kind, name in names.items()},
        name=escape(scene.photograph),
        sqnr=measure_sqnr(scene.float_tokens[None], scene.integer_tokens[None]).all,
        difference=np.abs(scene.float_map - scene.integer_map).max(),
    )
