# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Measures peers on test crops against the float model."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nlq.demo_vits.peers.peer import Peer, Run
from nlq.demo_vits.rows import MODEL, TokenRow, fill_row
from nlq.demo_vits.sqnr import measure_sqnr


def run_inputs(run: Run, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tokens [N, 257, 384] of inputs [N, 3, 224, 224], and the CPU seconds of each."""
    tokens, seconds = [], []
    for sample in inputs:
        start = time.process_time()
        tokens.append(run(sample[None]))
        seconds.append(time.process_time() - start)
    return np.concatenate(tokens), np.array(seconds)


def measure_peer(
    peer: Peer,
    model: Path,
    calibration: np.ndarray,
    tests: Sequence[np.ndarray],
    references: Sequence[np.ndarray],
    folder: Path,
) -> TokenRow:
    """The row of a peer, on the test inputs and reference tokens of each crop seed."""
    row = TokenRow(MODEL, peer.setting, peer.title, peer.widths)
    run = peer.prepare(model, calibration, folder)
    # The first run allocates what the others use.
    run(tests[0][:1])
    results = [run_inputs(run, inputs) for inputs in tests]
    figures = [
        measure_sqnr(reference, tokens)
        for reference, (tokens, _) in zip(references, results, strict=True)
    ]
    fill_row(row, figures, np.concatenate([seconds for _, seconds in results]))
    return row
