# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Mixes are kept where they hold on other samples, and given up where they do not."""

import json

import numpy as np
import pytest

from commands_fixtures import images, load, nlq, sqnr
from nlq.confirm import confirm, measure
from nlq.native import list_methods
from onnx_models import single_line

# Two samples of two elements.
REFERENCE = [np.array([[3.0, 4.0], [0.0, 10.0]], np.float32)]


def off_by(*errors):
    """The reference with an error in the first element of each sample."""
    changed = REFERENCE[0].copy()
    changed[:, 0] += errors
    return [changed]


def test_figures():
    # 25 / 0.25 and 100 / 4: 20 and 14 dB; together 125 / 4.25.
    figures = measure("x", REFERENCE, off_by(0.5, 2))
    assert figures.sqnr_db == pytest.approx(10 * np.log10(125 / 4.25))
    assert figures.median_db == pytest.approx((20 + 10 * np.log10(25)) / 2)
    assert figures.minimum_db == pytest.approx(10 * np.log10(25))


def test_the_best_uniform_decides():
    uniforms = {"good": off_by(1, 1), "bad": off_by(3, 3)}
    mixes = {"better": off_by(0.5, 0.5), "worse": off_by(2, 2), "same": off_by(1, 1)}
    verdicts = confirm(REFERENCE, mixes, uniforms)
    assert [verdict.kept for verdict in verdicts] == [True, False, True]
    assert [verdict.chosen for verdict in verdicts] == ["better", "good", "same"]
    assert all(verdict.uniform.name == "good" for verdict in verdicts)
    # 125 / 2 is 18.0 dB; a quarter of the noise is 6 dB more, four times as much 6 less.
    assert str(verdicts[0]) == "better, 24.0 dB, is kept: 6.0 dB over good (18.0 dB)"
    assert str(verdicts[1]) == "worse, 11.9 dB, is given up for good (18.0 dB): 6.0 dB under it"
    (verdict,) = confirm(REFERENCE, {"better": off_by(0.5, 0.5)}, uniforms, margin=6.1)
    assert not verdict.kept
    assert str(verdict) == "better, 24.0 dB, is given up for good (18.0 dB): 6.0 dB over it"


def test_no_error_at_all():
    (verdict,) = confirm(REFERENCE, {"mix": REFERENCE}, {"uniform": off_by(1, 1)})
    assert verdict.kept
    text = json.loads(json.dumps(verdict.to_json(), allow_nan=False))
    assert text["mix"] == {"name": "mix", "sqnr_db": None, "median_db": None, "minimum_db": None}
    with pytest.raises(ValueError, match="no uniform choice"):
        confirm(REFERENCE, {"mix": REFERENCE}, {})


# --- The command -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def uniforms(chain, tmp_path_factory):
    """A module for each method."""
    folder = tmp_path_factory.mktemp("uniforms")
    paths = []
    for method in list_methods():
        if not any(c["set"] == "seed" for i in method["implementations"] for c in i["candidates"]):
            continue
        paths.append(folder / f"{method['name']}.mlirbc")
        options = ("--policy", "uniform", "--method", method["name"])
        nlq("assign", chain / "quantized.mlir", *options, "-o", paths[-1])
    return paths


@pytest.fixture
def samples(tmp_path):
    np.savez(tmp_path / "other.npz", image=images(25)[5:])
    return tmp_path / "other.npz"


def figures_of(path, chain, samples, folder):
    """The SQNR of a module by two runs."""
    for model, name in ((chain / "model.mlir", "f.npz"), (path, "q.npz")):
        nlq("run", model, "--samples", samples, "-o", folder / name)
    return sqnr(load(folder / "f.npz"), load(folder / "q.npz"))


def test_command(chain, uniforms, samples, tmp_path, capsys):
    """The best uniform module is kept against the others; the worst one gives way to it."""
    expected = {path: figures_of(path, chain, samples, tmp_path) for path in uniforms}
    best, worst = max(uniforms, key=expected.get), min(uniforms, key=expected.get)
    options = ("--float", chain / "model.mlir", "--samples", samples)
    for mix, kept in ((best, True), (worst, False)):
        against = [path for path in uniforms if path != mix]
        capsys.readouterr()
        outputs = ("-o", tmp_path / "c.mlirbc", "--json", tmp_path / "c.json")
        nlq("confirm", mix, "--against", *against, *options, *outputs)
        verdict = json.loads((tmp_path / "c.json").read_text())
        assert capsys.readouterr().out == verdict["text"] + "\n"
        assert verdict["kept"] == kept
        assert verdict["mix"]["sqnr_db"] == pytest.approx(expected[mix], abs=1e-3)
        other = max(against, key=expected.get)
        assert verdict["uniform"]["name"] == str(other)
        assert verdict["uniform"]["sqnr_db"] == pytest.approx(expected[other], abs=1e-3)
        assert (tmp_path / "c.mlirbc").read_bytes() == best.read_bytes()


def test_modules_of_other_results(chain, uniforms, samples, tmp_path, fail):
    (tmp_path / "m.mlir").write_text(
        "func.func @main(%a: tensor<3xf32>) -> tensor<3xf32> {\n  return %a : tensor<3xf32>\n}\n"
    )
    options = ("--float", chain / "model.mlir", "--samples", samples, "-o", tmp_path / "c.mlirbc")
    error = fail("confirm", uniforms[0], "--against", tmp_path / "m.mlir", *options)
    message = f"'{tmp_path}/m.mlir' has other arguments or results than '{chain}/model.mlir'\n"
    single_line(error, message)


def test_module_without_methods(chain, uniforms, samples, tmp_path, fail):
    options = ("--float", chain / "model.mlir", "--samples", samples, "-o", tmp_path / "c.mlirbc")
    error = fail("confirm", chain / "quantized.mlir", "--against", uniforms[0], *options)
    assert error.splitlines()[0] == f"error: cannot run '{chain}/quantized.mlir':"
