# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Measures every peer, on one core."""

import json
import os
import tempfile
import time
from pathlib import Path

from rich.console import Console

from nlq.demo_vits.crops import FIT, TESTS, read_inputs
from nlq.demo_vits.peers import onnx_runtime, openvino_nncf, ours
from nlq.demo_vits.peers.graph import write_backbone
from nlq.demo_vits.peers.measure import measure_peer, run_inputs
from nlq.demo_vits.rows import TokenRow, print_rows
from nlq.files import make_folder, replacing


def run_peers(model: Path, crops: Path, output: Path) -> None:
    """Writes results.json into the folder `output` and prints its table.

    `crops` is the folder of `make demo-vits`; the program that it may hold is measured with them.
    """
    start = time.monotonic()
    # One core for all there is, whatever threads a tool makes.
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    console = Console(width=max(Console().width, 150))
    make_folder(output)
    with tempfile.TemporaryDirectory(dir=output) as folder:
        rows = _measure(model, crops, Path(folder), console)
    print_rows(console, "Peers: test crops against float, CPU time on one core", rows)
    with replacing(output / "results.json") as path:
        path.write_text(json.dumps([row.to_json() for row in rows], indent=1) + "\n")
    console.print(f"{len(rows)} rows in {time.monotonic() - start:.0f} s")


def _measure(model: Path, crops: Path, folder: Path, console: Console) -> list[TokenRow]:
    backbone = folder / "backbone.onnx"
    write_backbone(model, backbone)
    calibration = read_inputs(crops, FIT)
    tests = [read_inputs(crops, file) for file in TESTS]
    peers = [*onnx_runtime.peers(), *openvino_nncf.peers(), *ours.peers(crops)]
    # The float model by ONNX Runtime is what all are compared with.
    reference = peers[0].prepare(backbone, calibration, folder)
    references = [run_inputs(reference, inputs)[0] for inputs in tests]
    rows = []
    for peer in peers:
        with console.status(f"{peer.title}, {peer.widths}"):
            rows.append(measure_peer(peer, backbone, calibration, tests, references, folder))
    return rows
