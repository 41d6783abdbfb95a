# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Signal to quantization noise of tokens against the float model's."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class TokenSqnr:
    """10 log10(sum reference^2 / sum (tokens - reference)^2), in dB; infinite where all agree.

    `all` is one ratio over all tokens of all crops, `median` and `minimum` are over the ratios of
    the single crops, and `cls` is one ratio over the class tokens, which come first.
    """

    all: float
    median: float
    minimum: float
    cls: float


def measure_sqnr(reference: np.ndarray, tokens: np.ndarray) -> TokenSqnr:
    """The figures of tokens [N, T, C] against a reference of the same shape."""
    signal, noise = _energies(reference, tokens)
    crops = crop_decibels(reference, tokens)
    return TokenSqnr(
        all=_decibel(signal.sum(), noise.sum()),
        median=float(np.median(crops)),
        minimum=min(crops),
        cls=_decibel(signal[:, 0].sum(), noise[:, 0].sum()),
    )


def crop_decibels(reference: np.ndarray, tokens: np.ndarray) -> list[float]:
    """The ratio of each crop."""
    signal, noise = _energies(reference, tokens)
    return [_decibel(*pair) for pair in zip(_by_crop(signal), _by_crop(noise), strict=True)]


def mean_sqnr(figures: Sequence[TokenSqnr]) -> TokenSqnr:
    """The mean of each figure, over crop seeds."""
    names = ("all", "median", "minimum", "cls")
    return TokenSqnr(
        **{name: float(np.mean([getattr(f, name) for f in figures])) for name in names}
    )


def _energies(reference: np.ndarray, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    signal = reference.astype(np.float64) ** 2
    noise = (tokens.astype(np.float64) - reference) ** 2
    return signal, noise


def _by_crop(energy: np.ndarray) -> np.ndarray:
    return energy.sum(axis=(1, 2))


def _decibel(signal: float, noise: float) -> float:
    return 10 * math.log10(signal / noise) if noise else math.inf
