# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Rows and options of the demonstration on the ViT-S."""

import pytest

from nlq.demo_vits.settings import (
    CHOICES,
    OURS,
    SEED,
    SETTINGS,
    SHIPPED,
    SIX,
    make_assignments,
    quantize_options,
    tuned_by,
)
from nlq.native import Module, list_methods

MODEL = """
func.func @main(%x: tensor<4x8xf32> {nlq.name = "x"}) -> tensor<4x8xf32> {
  %y = nlq.gelu %x erf : tensor<4x8xf32> -> tensor<4x8xf32> loc("gelu")
  return %y : tensor<4x8xf32>
}
"""
PROFILE = """{"format": "nlq-profile", "version": 1, "samples": 1, "kept": 0, "values": [
  {"name": "x", "shape": [4, 8], "min": -2, "max": 2},
  {"name": "gelu", "shape": [4, 8], "min": -0.2, "max": 2}
]}"""


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.key)
@pytest.mark.parametrize("choice", [*CHOICES, None], ids=str)
def test_quantize_takes_the_options(setting, choice, tmp_path):
    (tmp_path / "model.mlir").write_text(MODEL)
    (tmp_path / "profile.json").write_text(PROFILE)
    module = Module.parse(tmp_path / "model.mlir")
    options = quantize_options(setting, choice)
    module.run_passes(f"nlq-quantize{{profile={tmp_path / 'profile.json'} {options}}}")
    assert "#nlq.ibert" in module.text()
    assert ("#nlq.table" in module.text()) == (setting.recipe == "ours")


def test_widths_share_what_is_chosen_for_their_activations():
    assert tuned_by(SEED) is None
    assert tuned_by(SIX) is SIX
    assert all(tuned_by(s) is OURS for s in SETTINGS if s.act_bits == 8 and s is not SEED)


def test_rows_compare_three_published_methods_by_four_metrics():
    methods = list_methods()
    for setting in (SEED, OURS):
        rows = make_assignments(setting, methods)
        published = [r for r in rows if r.kind == "uniform" and "form=reference" in r.options]
        assert [r.title.split()[1] for r in published] == ["I-BERT", "I-ViT", "FQ-ViT"]
        mixes = [r for r in rows if r.title.startswith("mixed")]
        assert len(mixes) == 4
        # Whatever is chosen by scores says which ones.
        assert all((r.scores is None) == ("policy=uniform" in (r.options or "policy=uniform"))
                   for r in rows)  # fmt: skip
    assert SHIPPED in make_assignments(OURS, methods)
    assert SHIPPED not in make_assignments(SEED, methods)
    for setting in SETTINGS:
        assert any(r.scores for r in make_assignments(setting, methods))
    assert len({r.title for r in make_assignments(OURS, methods)}) == len(
        make_assignments(OURS, methods)
    )
