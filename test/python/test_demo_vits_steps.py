# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The steps of the demonstration on the ViT-S, on its miniature."""

import numpy as np
import pytest

from nlq.confirm import confirm
from nlq.demo_vits import steps
from nlq.demo_vits.crops import CONFIRM, FILES, SELECT, TESTS
from nlq.demo_vits.memory import measure_memory
from nlq.demo_vits.package import INPUT
from nlq.demo_vits.settings import CHOICES, OURS, SEED, SHIPPED, make_assignments
from nlq.native import list_methods
from vits_miniature import make_images


@pytest.fixture(scope="module")
def folder(miniature, tmp_path_factory):
    """What the demonstration has in its folder before it assigns."""
    folder = tmp_path_factory.mktemp("demo-vits")
    for seed, file in enumerate(FILES):
        images = make_images(4, seed=seed)
        np.savez(folder / file.name, **{INPUT: images.reshape(len(images), *images.shape[-3:])})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps, "find_model", lambda: miniature / "model.onnx")
        steps.import_model(folder)
    steps.calibrate(folder)
    for file in (SELECT, CONFIRM, *TESTS):
        assert len(steps.run_float(folder, file)) == 4
    for setting, choice in ((SEED, None), (OURS, CHOICES[0])):
        steps.quantize(folder, setting, choice)
        for kind in ("local", "logits"):
            steps.measure(folder, setting, kind)
    return folder


@pytest.mark.parametrize("setting", [SEED, OURS], ids=lambda setting: setting.key)
def test_every_row_is_exact_and_every_mix_is_judged(folder, setting):
    rows = [(a, steps.run_assignment(folder, setting, a))
            for a in make_assignments(setting, list_methods())]  # fmt: skip
    ran = [(a, row) for a, row in rows if row.logit_sqnr_db is not None]
    assert all(row.bit_exact for a, row in ran if a.options is not None)
    assert all(row.note.startswith("refused: ") for _, row in rows if row.logit_sqnr_db is None)
    # Exact functions on 8 bits; a fault in a scale would leave a few dB.
    bound = next(row for a, row in ran if a.kind == "bound")
    assert bound.logit_sqnr_db > (20 if setting is OURS else 12)
    assert all(len(row.seeds_db) == len(TESTS) for _, row in ran)
    results = {
        kind: {
            a.title: [steps.load_confirmed(folder, setting, a)] for a, _ in ran if a.kind == kind
        }
        for kind in ("mix", "uniform")
    }
    reference = [steps.load_float_tokens(folder, CONFIRM)]
    verdicts = confirm(reference, results["mix"], results["uniform"])
    assert len(verdicts) == len(results["mix"]) >= 4


def test_choices_are_scored_on_samples_left_out(folder):
    scores = [steps.try_choice(folder, OURS, choice) for choice in (CHOICES[0], CHOICES[1])]
    assert all(20 < score < 60 for score in scores)
    assert scores[0] != scores[1]


def test_a_program_of_the_model_is_small(folder):
    path = steps.assigned_path(folder, OURS, SHIPPED)
    if not path.exists():
        steps.run_assignment(folder, OURS, SHIPPED)
    memory = measure_memory(path, folder)
    weights = 2 * 12 * 36 * 36
    assert weights < memory.object_bytes < memory.resident_bytes < 20e6
