# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Compiled code gives the same bits on every target as evaluate does.

A kernel of every method, operation and form, and the whole digits model: for this machine, for
x86-64 with its features restricted, and under emulation for x86-64 with AVX-512, for AArch64 and
for RISC-V without vectors. `make test-everywhere` tries all widths, operands and more row
lengths, and installs the emulators; `make test` tries one of each, and those machines whose
emulator it finds: of AVX-512, which takes longest, some kernels.
"""

import numpy as np
import pytest

from commands_fixtures import images
from every_kernel import kernels, make_module, make_rows
from machines import EVERYWHERE, build_program, emulator, run_program
from nlq.errors import NlqError
from nlq.native import Module, Runner, list_methods

# What runs here: all instructions, AVX2, SSE4.2, SSE2.
HERE = ["native", "x86-64-v3", "x86-64-v2", "x86-64"]
# With byte permutations and dot products, and without. (Of Zen 4 the emulator lacks SSE4a.)
AVX512 = ["icelake-client", "x86-64-v4"]
EMULATED = ["aarch64", "riscv64", *AVX512]
LENGTHS = [1, 16, 49, 200] if EVERYWHERE else [49]
ROWS = 24 if EVERYWHERE else 12
PER_MODULE = 24


class Batch:
    """Some kernels in one module, their arguments, and what evaluate makes of them."""

    def __init__(self, some, path):
        self.names = [kernel.name for kernel in some]
        self.module = make_module(some, ROWS, path)
        self.samples = [make_rows(kernel, ROWS)[None] for kernel in some]
        self.expected, _ = Runner.reference(self.module).run(self.samples)

    def expect_equal(self, results):
        for name, result, expected in zip(self.names, results, self.expected, strict=True):
            np.testing.assert_array_equal(result, expected, name)


@pytest.fixture(scope="module")
def batches(tmp_path_factory):
    folder = tmp_path_factory.mktemp("everywhere")
    everything = [kernel for length in LENGTHS for kernel in kernels(length, EVERYWHERE)]
    return [
        Batch(everything[begin : begin + PER_MODULE], folder / f"batch{begin}.mlir")
        for begin in range(0, len(everything), PER_MODULE)
    ]


def test_all_are_there(batches):
    names = {name.split(" of ")[0] for batch in batches for name in batch.names}
    assert names >= {
        f"{method['name']} {entry['form']} {entry['function']}"
        for method in list_methods()
        for entry in method["implementations"]
    }


@pytest.mark.parametrize("target", HERE)
def test_kernels_here(batches, target):
    for batch in batches:
        try:
            runner = Runner.compile(batch.module, target)
        except NlqError as error:
            pytest.skip(str(error))
        batch.expect_equal(runner.run(batch.samples)[0])


@pytest.mark.parametrize("target", EMULATED)
def test_kernels_emulated(batches, target, tmp_path):
    emulator(target)
    takes_long = target in AVX512 and not EVERYWHERE
    for batch in batches[:2] if takes_long else batches:
        program = build_program(batch.module, target, tmp_path)
        batch.expect_equal(run_program(program, target, batch.module, batch.samples))


@pytest.mark.parametrize("target", [*EMULATED, "znver4"])
def test_kernels_compile(batches, target, tmp_path):
    """No target's code generation ends in a missing instruction."""
    for batch in batches[: None if EVERYWHERE else 1]:
        batch.module.emit_object(target, "nlq_main", tmp_path / "kernels.o")
        assert (tmp_path / "kernels.o").read_bytes().startswith(b"\x7fELF")


@pytest.mark.parametrize("target", [*HERE[1:], *EMULATED])
def test_digits_model(chain, target, tmp_path):
    count = 200 if EVERYWHERE else 20
    module = Module.parse(chain / "assigned.mlirbc")
    (expected,), _ = Runner.compile(module).run([images(count)])
    if target in EMULATED:
        emulator(target)
        program = build_program(module, target, tmp_path)
        (result,) = run_program(program, target, module, [images(count)])
    else:
        (result,), _ = Runner.compile(module, target).run([images(count)])
    assert result.tobytes() == expected.tobytes()
