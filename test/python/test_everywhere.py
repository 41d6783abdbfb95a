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

import re

import numpy as np
import pytest

from commands_fixtures import images
from every_kernel import kernels, make_module, make_rows
from machines import EVERYWHERE, build_program, emulator, run_program
from nlq.errors import NlqError
from nlq.native import Module, Runner, list_methods

# With byte permutations and dot products, and without. (Of Zen 4 the emulator lacks SSE4a.)
AVX512 = ["icelake-client", "x86-64-v4"]
# What runs here, or may: all instructions, AVX-512, AVX2, SSE4.2, SSE2.
FEWER = ["x86-64-v3", "x86-64-v2", "x86-64"]
HERE = ["native", *AVX512, *FEWER]
# AArch64 with dot products, and without.
EMULATED = ["aarch64", "cortex-a72", "riscv64", *AVX512]
LENGTHS = [1, 16, 49, 200] if EVERYWHERE else [49]
ROWS = 24 if EVERYWHERE else 12
PER_MODULE = 24


def _bytes(condition):
    """The pattern of a byte for which a condition holds."""
    return b"[%b]" % b"".join(re.escape(bytes([i])) for i in range(256) if condition(i))


# Modules that Bochs 2.7 runs otherwise than machines do, on which all kernels equal evaluate: with
# gathers by an index register above 15 (EVEX of the map 0F38 with 66 and V'), which it refuses,
# and with GFNI's affine bytes (the map 0F3A). Of the latter only the modules were told apart, by
# x86-64-v4 having no GFNI, not the instruction.
WRONG_IN_BOCHS = re.compile(
    b"|".join(
        (
            b"\x62"
            + _bytes(lambda i: i & 7 == 2)
            + _bytes(lambda i: i & 7 == 5)
            + _bytes(lambda i: not i & 8)
            + b"[\x90-\x93]",
            b"\x62" + _bytes(lambda i: i & 7 == 3) + b"..\xce",
            b"\xc4" + _bytes(lambda i: i & 31 == 3) + b".\xce",
        )
    ),
    re.DOTALL,
)


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
    run = 0
    for batch in batches[:2] if takes_long else batches:
        program = build_program(batch.module, target, tmp_path)
        if target in AVX512 and WRONG_IN_BOCHS.search((tmp_path / "kernels.o").read_bytes()):
            continue
        batch.expect_equal(run_program(program, target, batch.module, batch.samples))
        run += 1
    assert run > 0


@pytest.mark.parametrize("target", [*EMULATED, "znver4"])
def test_kernels_compile(batches, target, tmp_path):
    """No target's code generation ends in a missing instruction."""
    for batch in batches[: None if EVERYWHERE else 1]:
        batch.module.emit_object(target, "nlq_main", tmp_path / "kernels.o")
        assert (tmp_path / "kernels.o").read_bytes().startswith(b"\x7fELF")


@pytest.mark.parametrize("target", [*FEWER, *EMULATED])
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


# Rows, columns, depth: of one element, less than a block, more than one, with rests of all three.
PRODUCTS = [(1, 1, 1), (3, 5, 7), (6, 16, 8), (13, 70, 33), (12, 64, 256)]


def make_products(generator):
    """The text of products with a right operand of the caller and with weights, and arguments."""
    parameters, body, values, samples, expected = [], [], [], [], []
    for left_bits in (8, 16):
        for rows, columns, depth in PRODUCTS:
            left, right = (
                generator.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), shape)
                for bits, shape in ((left_bits, (rows, depth)), (8, (depth, columns)))
            )
            left[0] = -(2 ** (left_bits - 1))
            right[:, 0] = -128
            types = [f"{rows}x{depth}xi{left_bits}", f"{depth}x{columns}xi8"]
            result = f"tensor<{rows}x{columns}xi32>"
            for is_constant in (False, True):
                number = len(values)
                names = [f"%a{number}", f"%b{number}"]
                given = [left, right][: 1 if is_constant else 2]
                for name, kind, array in zip(names, types, given, strict=False):
                    parameters.append(f"{name}: tensor<{kind}>")
                    samples.append(array[None])
                if is_constant:
                    constant = f"dense<{right.tolist()}> : tensor<{types[1]}>"
                    body.append(f"{names[1]} = arith.constant {constant}")
                body += [
                    f"%e{number} = tensor.empty() : {result}",
                    f"%z{number} = linalg.fill ins(%zero : i32) outs(%e{number} : {result}) "
                    f"-> {result}",
                    f"%y{number} = linalg.matmul ins({', '.join(names)} : "
                    f"{', '.join(f'tensor<{kind}>' for kind in types)}) "
                    f"outs(%z{number} : {result}) -> {result}",
                ]
                values.append(f"%y{number} : {result}")
                expected.append((left @ right).astype(np.int32))
    names, types = (", ".join(part) for part in zip(*(v.split(" : ") for v in values), strict=True))
    lines = "\n  ".join(["%zero = arith.constant 0 : i32", *body, f"return {names} : {types}"])
    text = f"func.func @main({', '.join(parameters)}) -> ({types}) {{\n  {lines}\n}}\n"
    return text, samples, expected


@pytest.mark.parametrize("target", EMULATED)
def test_products_emulated(target, tmp_path):
    emulator(target)
    text, samples, expected = make_products(np.random.default_rng(7))
    (tmp_path / "products.mlir").write_text(text)
    module = Module.parse(tmp_path / "products.mlir")
    program = build_program(module, target, tmp_path)
    results = run_program(program, target, module, samples)
    for result, each in zip(results, expected, strict=True):
        np.testing.assert_array_equal(result[0], each)
