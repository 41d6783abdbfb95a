# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""I-BERT's reference forms against the published code, which runs beside them on float64 tensors.

The oracle is transformers.models.ibert.quant_modules. Scales are float32 numbers, so that its
quotient of a tensor by its scale is the integer that the tensor carries.
"""

import numpy as np
import pytest
import torch
from transformers.models.ibert import quant_modules as published

from nlq.native import Module, Runner

torch.set_grad_enabled(False)


def as_float32(number):
    return float(np.float32(number))


def tensor(values):
    return torch.tensor(np.asarray(values, np.float64))


def rows_of(low, high, length, seed, count=24):
    """Adversarial rows, then Gaussian ones of several widths, uniform ones and outliers."""
    generator = np.random.default_rng(seed)
    rows = [np.full(length, value) for value in (low, high, 0, 1)]
    for hot in (0, length // 2, length - 1):
        for others, one in ((low, high), (high, low), (0, 1), (0, -1)):
            rows.append(np.full(length, others))
            rows[-1][hot] = one
    rows.append(np.where(np.arange(length) % 2, low, high))
    rows.append(np.arange(length) % 3 - 1)
    rows.append(low + (high - low) * np.arange(length) // max(length - 1, 1))
    for sigma in np.array([0.0005, 0.025, 0.12, 0.5]) * (high - low):
        rows += list(np.rint(generator.normal(sigma / 3, sigma + 0.4, (count, length))))
    rows += list(generator.integers(low, high + 1, (count, length)))
    outliers = np.rint(generator.normal(0, (high - low) / 200 + 0.4, (count, length)))
    outliers[np.arange(count), generator.integers(0, length, count)] = high
    return np.clip([*rows, *outliers], low, high).astype(np.int64)


def quantized(bits, low, high, scales):
    """A quantized type of one scale, or of one per column."""
    texts = [f"{scale:.17e}" for scale in np.ravel(scales)]
    if len(texts) == 1:
        return f"!quant.uniform<i{bits}<{low}:{high}>:f32, {texts[0]}>"
    return f"!quant.uniform<i{bits}<{low}:{high}>:f32:1, {{{', '.join(texts)}}}>"


def run_nlq(folder, operation, in_type, out_type, rows, out_bits, constants=()):
    """What evaluate makes of the rows; compiled code must make the same."""
    shape = f"{rows.shape[0]}x{rows.shape[1]}"
    row = f"tensor<{rows.shape[1]}xf32>"
    dense = "".join(
        f"  %c{number} = arith.constant dense<{[float(value) for value in values]}> : {row}\n"
        for number, values in enumerate(constants)
    )
    method = f"method = #nlq.ibert<form = reference, in = {in_type}, out_bits = {out_bits}>"
    source, result = f"tensor<{shape}x{in_type}>", f"tensor<{shape}x{out_type}>"
    path = folder / "kernel.mlir"
    path.write_text(
        f"func.func @main(%x: {source}) -> {result} {{\n{dense}"
        f"  %y = nlq.{operation.format(method=method)} : "
        f"{', '.join([source] + [row] * len(constants))} -> {result}\n"
        f"  return %y : {result}\n}}\n"
    )
    module = Module.parse(path)
    (evaluated,), _ = Runner.reference(module).run([rows[None]])
    (compiled,), _ = Runner.compile(module).run([rows[None]])
    np.testing.assert_array_equal(compiled, evaluated)
    return evaluated[0].astype(np.int64)


def storage(bits):
    return 8 if bits <= 8 else 16 if bits <= 16 else 32


def symmetric_range(bits):
    return 1 - 2 ** (bits - 1), 2 ** (bits - 1) - 1


SOFTMAX = [(bits, scale) for bits in (6, 8) for scale in (0.0087, 0.033, 0.05, 0.1, 0.13, 0.7)]
SOFTMAX += [(16, scale) for scale in (0.0002, 0.0006, 0.002)]


@pytest.mark.parametrize("length", [1, 2, 3, 64, 197])
@pytest.mark.parametrize("out_bits", [8, 16])
@pytest.mark.parametrize("bits, scale", SOFTMAX)
def test_softmax(tmp_path, bits, scale, out_bits, length):
    scale = as_float32(scale)
    low, high = symmetric_range(bits)
    rows = rows_of(low, high, length, seed=length)
    module = published.IntSoftmax(out_bits, quant_mode=True).to(torch.float64)
    x, step = tensor(rows * scale)[None, None], tensor([scale])
    module.train()  # one pass sets the range of the exponentials, which is that of e^0
    module(x, step)
    module.eval()
    # The code divides the exponentials by their scale after it has multiplied them by it, which
    # gives the integers back if the scale is a float32 number, too.
    own = as_float32(module.act.x_max.item() / 32767)
    module.act.x_max, module.act.x_min = tensor([32767 * own]), tensor([0.0])
    wanted = np.rint(module(x, step)[0][0, 0].numpy() * 2**out_bits).astype(np.int64)
    assert module.act.act_scaling_factor.item() == own

    got = run_nlq(
        tmp_path,
        "softmax %x {{{method}}}",
        quantized(storage(bits), low, high, scale),
        quantized(32, 0, 2**17, 2.0**-out_bits),
        rows,
        out_bits,
    )
    np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("length", [1, 7, 96, 384])
@pytest.mark.parametrize("bits, scales", [(8, [0.016]), (8, [0.1]), (16, [0.001]), (18, None)])
def test_gelu(tmp_path, bits, scales, length):
    low, high = symmetric_range(bits)
    if scales is None:  # the accumulator before it, with a scale per column
        scales = np.geomspace(4e-4, 4e-3, length)
    scales = np.float32(scales).astype(np.float64)
    rows = rows_of(low, high, length, seed=length)
    got, grid = published.IntGELU(quant_mode=True)(tensor(rows * scales)[None], tensor(scales))
    grid = np.ravel(grid.numpy())
    wanted = np.rint(got[0].numpy() / grid).astype(np.int64)

    assert (grid < 0).all()  # no quantized type has such scales: nlq's result is negated
    got = run_nlq(
        tmp_path,
        "gelu %x erf {{{method}}}",
        quantized(storage(bits), low, high, scales),
        quantized(32, -(2**31), 2**31 - 1, -grid),
        rows,
        16,
    )
    np.testing.assert_array_equal(got, -wanted)


@pytest.mark.parametrize("length", [8, 64, 192, 768])
@pytest.mark.parametrize("bits, scale", [(8, 0.03), (16, 0.001), (22, 1e-5)])
def test_layer_norm(tmp_path, bits, scale, length):
    scale = as_float32(scale)
    low, high = symmetric_range(bits)
    rows = rows_of(low, high, length, seed=length)
    generator = np.random.default_rng(length)
    gamma = np.float32(1 + 0.2 * generator.normal(size=length)).astype(np.float64)
    gamma[3::7] *= -1
    beta = np.float32(0.3 * generator.normal(size=length)).astype(np.float64)
    module = published.IntLayerNorm(length, 1e-5, quant_mode=True).to(torch.float64)
    module.weight.data, module.bias.data = tensor(gamma), tensor(beta)
    # The code learns the shift that keeps the sum of squares below 2^32. nlq takes none for 16
    # bits and less, and above the least that holds for every row of the range.
    if bits > 16:
        while length * ((high - low) / 2.0 ** module.shift.item()) ** 2 >= 2**32:
            module.shift += 1
    module.eval()
    got, grid = module(tensor(rows * scale)[None], tensor([scale]))
    grid, got = grid.numpy(), got[0].numpy()
    legal = np.isfinite(got).all(axis=1)  # a deviation of 0 divides by 0 there
    wanted = np.rint(got[legal] / grid).astype(np.int64)

    got = run_nlq(
        tmp_path,
        "layer_norm %x, %c0, %c1 {{epsilon = 1.0e-5, {method}}}",
        quantized(storage(bits), low, high, scale),
        quantized(32, -(2**31), 2**31 - 1, np.abs(grid)),
        rows[legal],
        16,
        [gamma, beta],
    )
    np.testing.assert_array_equal(got, wanted * np.where(grid < 0, -1, 1))
