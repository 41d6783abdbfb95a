# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The import of the real model, and its miniature compared with it node by node."""

import os
import re
import subprocess
import sys

import numpy as np
import onnx
import pytest

from commands_fixtures import nlq, sqnr
from nlq.demo_vits.package import BATCH, INPUT, TOKENS, find_model
from nlq.demo_vits.photographs import load_crops
from nlq.tools import find_nlq_opt
from vits_fixtures import onnxruntime_values
from vits_miniature import BLOCKS, make_miniature

DEPTH = 12


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """The imported module, and the most memory that a process of the import had, in bytes."""
    path = tmp_path_factory.mktemp("import") / "vits.mlirbc"
    options = ["--dim", f"{BATCH}=1", "--output", TOKENS, "-o", str(path)]
    process = subprocess.Popen([sys.executable, "-m", "nlq", "import", find_model(), *options])
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0
    return path, 1024 * usage.ru_maxrss


@pytest.fixture(scope="module")
def module(imported):
    return imported[0]


def test_import_takes_little_memory(imported):
    assert imported[1] < 8 * find_model().stat().st_size


def test_slots(module):
    printing = ("debuginfo", "local-scope")
    eliding = ("elementsattrs", "resource-strings")
    options = [f"--mlir-print-{what}" for what in printing]
    options += [f"--mlir-elide-{what}-if-larger=8" for what in eliding]
    command = [find_nlq_opt(), module, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    slots = re.findall(r'= nlq\.(\w+) .*loc\("(.*)"\)', done.stdout)
    kinds = [kind for kind, _ in slots]
    counts = {kind: kinds.count(kind) for kind in kinds}
    assert counts == {"softmax": DEPTH, "gelu": DEPTH, "layer_norm": 2 * DEPTH + 1}
    assert len({name for _, name in slots}) == len(slots)
    names = {node.name for node in onnx.load(find_model(), load_external_data=False).graph.node}
    assert names.issuperset(name for _, name in slots)
    assert "arith.mulf" not in done.stdout


def test_float_module_agrees_with_onnxruntime(module, tmp_path):
    """On photographs."""
    images = load_crops("test", 4, 0).inputs()
    np.savez(tmp_path / "x.npz", **{INPUT: images})
    nlq("run", module, "--samples", tmp_path / "x.npz", "-o", tmp_path / "y.npz")
    with np.load(tmp_path / "y.npz") as archive:
        found = archive[TOKENS]
    for image, tokens in zip(images, found, strict=True):
        feeds = {INPUT: image.reshape(1, 3, 224, 224)}
        (expected,) = onnxruntime_values(find_model(), feeds, [TOKENS])
        assert sqnr(expected, tokens.reshape(expected.shape)) >= 100


# --- The miniature ---------------------------------------------------------------------------

# What the real model has more of.
MORE = re.compile(rf"/layer\.({'|'.join(map(str, range(BLOCKS, DEPTH)))})/|/(upconv|bn|relu)[23]/")


def spelling(node):
    """What a node is, without numbers that the exporter gives to unnamed values."""
    names = [re.sub(r"^(onnx::\w+)_\d+$", r"\1", name) for name in (*node.input, *node.output)]
    # The last block, and the last step of the decoder, have other numbers.
    names = [re.sub(r"/layer\.\d+/Add_1_output_0", "/layer/Add_1_output_0", n) for n in names]
    names = [re.sub(r"/relu\d/", "/relu/", name) for name in names]
    attributes = sorted(attribute.name for attribute in node.attribute)
    return node.name, node.op_type, len(node.input), names, attributes


def test_miniature_is_spelled_like_the_real_model():
    spellings = [
        [
            spelling(node)
            for node in model.graph.node
            if not MORE.search(node.name) and not node.name.startswith("Constant_")
        ]
        for model in (onnx.load(find_model()), make_miniature())
    ]
    assert len(spellings[0]) > 300
    for real, ours in zip(*spellings, strict=True):
        assert real == ours
