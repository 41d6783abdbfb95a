# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The page of pictures, and the parts of the float model, on the miniature."""

from html.parser import HTMLParser
from urllib.parse import urlsplit

import numpy as np
import onnx
import onnxruntime
import pytest
from PIL import Image

from nlq.demo_vits import pictures
from nlq.demo_vits.float_model import open_backbone, open_decoder
from nlq.demo_vits.package import INPUT
from nlq.demo_vits.pictures import Scene, write_page
from nlq.demo_vits.scenes import make_scenes
from vits_miniature import make_images, make_miniature


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.onnx"
    onnx.save(make_miniature(), path)
    return path


@pytest.fixture(scope="module")
def images():
    return make_images(6, seed=3)[:, 0]


@pytest.fixture(scope="module")
def tokens(model, images):
    return open_backbone(model)(images)


@pytest.fixture
def grey(monkeypatch):
    """Colours that can be read back; matplotlib's need matplotlib."""

    def show(values):
        return np.repeat((values * 255).astype(np.uint8)[..., None], 3, axis=-1)

    monkeypatch.setattr(pictures, "color_map", show)


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.sources, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.sources += [found[name] for name in ("src", "href") if name in found]

    def handle_data(self, data):
        self.text += data


def scene(name="cat", offset=0.1):
    reference = np.ones((5, 4), np.float32)
    float_map = np.tile(np.linspace(0, 1, 7), (6, 1))
    pixels = np.arange(6 * 7 * 3, dtype=np.uint8).reshape(6, 7, 3)
    moved = float_map.copy()
    moved[3, 2] += 0.125
    return Scene(name, pixels, reference, reference + np.float32(offset), float_map, moved)


def test_page_shows_what_it_was_given(tmp_path, grey):
    given = scene()
    write_page(tmp_path / "page", "Title", [given, scene("dog", 0.01)])
    page = Page((tmp_path / "page" / "index.html").read_text())
    # Everything the page shows lies beside it.
    assert all(not urlsplit(source).scheme and "/" not in source for source in page.sources)
    files = {path.name for path in (tmp_path / "page").iterdir()}
    assert files == {"index.html", *page.sources} and len(files) == 7
    shown = [np.asarray(Image.open(tmp_path / "page" / source)) for source in page.sources]
    assert (shown[0] == given.pixels).all()
    assert (shown[1][..., 0] == (given.float_map * 255).astype(int)).all()
    assert np.argwhere(shown[1][..., 0] != shown[2][..., 0]).tolist() == [[3, 2]]
    for text in ("Title", "cat", "20.0 dB", "dog", "40.0 dB", "0.125"):
        assert text in page.text


def test_names_are_escaped(tmp_path, grey):
    write_page(tmp_path, "A < B", [scene("cat & dog")])
    page = Page((tmp_path / "index.html").read_text())
    assert "A < B" in page.text and "cat & dog" in page.text
    assert all((tmp_path / source).exists() for source in page.sources)


def test_parts_make_the_whole(model, images, tokens):
    """Backbone and decoder one after the other give the model's own heat map."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {INPUT: images})
    found = open_decoder(model)(tokens)
    assert expected.std() > 0.01
    np.testing.assert_allclose(found, expected[:, 0], atol=1e-5)


def test_scenes_are_first_crops(model, tokens):
    names = ["a", "b", "a", "b", "c", "c"]
    pixels = np.arange(6, dtype=np.uint8)
    integer = tokens + np.float32(0.5)
    scenes = make_scenes(model, names, pixels, tokens, integer)
    assert [(s.photograph, s.pixels) for s in scenes] == [("a", 0), ("b", 1), ("c", 4)]
    decode = open_decoder(model)
    for found, index in zip(scenes, (0, 1, 4), strict=True):
        assert np.array_equal(found.float_tokens, tokens[index])
        assert np.array_equal(found.integer_tokens, integer[index])
        assert np.allclose(found.float_map, decode(tokens[[index]])[0], atol=1e-6)
        assert np.allclose(found.integer_map, decode(integer[[index]])[0], atol=1e-6)
        assert not np.allclose(found.float_map, found.integer_map, atol=1e-3)
