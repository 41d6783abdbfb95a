# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""A peer's row, measured on a fake one."""

import numpy as np
import pytest

from nlq.demo_vits.crops import FIT, TESTS, read_inputs, read_photographs, read_pixels
from nlq.demo_vits.package import INPUT
from nlq.demo_vits.peers.measure import measure_peer
from nlq.demo_vits.peers.peer import Peer
from nlq.errors import NlqError


def tokens_of(sample):
    """[N, 3, 2, 2] as three tokens of four values."""
    return sample.reshape(len(sample), 3, 4)


def test_row(tmp_path):
    random = np.random.default_rng(0)
    calibration, *tests = random.normal(size=(4, 5, 3, 2, 2)).astype(np.float32)
    seen = []

    def prepare(model, inputs, folder):
        seen.append((model, inputs, folder))
        # Every value too large by a tenth: 20 dB on every crop of every seed.
        return lambda sample: tokens_of(sample) * np.float32(1.1)

    peer = Peer("int8", "fake", "u8", prepare)
    references = [tokens_of(test) for test in tests]
    row = measure_peer(peer, "model", calibration, tests, references, tmp_path)
    assert seen == [("model", calibration, tmp_path)]
    assert (row.setting, row.assignment, row.widths) == ("int8", "fake", "u8")
    assert row.seeds_db == pytest.approx([20, 20, 20], abs=0.01)
    figures = (row.logit_sqnr_db, row.median_db, row.min_db, row.cls_db)
    assert figures == pytest.approx((20,) * 4, abs=0.01)


def test_read_inputs(tmp_path):
    inputs = np.arange(6, dtype=np.float32)
    np.savez(tmp_path / FIT.name, **{INPUT: inputs, "pixels": inputs + 1})
    assert (read_inputs(tmp_path, FIT) == inputs).all()
    assert (read_pixels(tmp_path, FIT) == inputs + 1).all()
    with pytest.raises(NlqError) as error:
        read_inputs(tmp_path, TESTS[0])
    path = tmp_path / "crops-test-seed0.npz"
    assert str(error.value) == f"cannot read '{path}': No such file or directory"


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04"])
def test_not_a_file_of_crops(content, tmp_path):
    (tmp_path / FIT.name).write_bytes(content)
    with pytest.raises(NlqError) as error:
        read_inputs(tmp_path, FIT)
    message = f"'{tmp_path / FIT.name}' is not a file of crops; `make demo-vits` writes it"
    assert str(error.value) == message


def test_crops_without_photographs(tmp_path):
    np.savez(tmp_path / FIT.name, **{INPUT: np.zeros(3)})
    with pytest.raises(NlqError) as error:
        read_photographs(tmp_path, FIT)
    assert "is not a file of crops" in str(error.value)
