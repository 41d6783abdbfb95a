# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Node chains that mean one operation.

Each recognizer replaces what it finds by one node of the domain "nlq", on which `emit` then works:

    Linear(x, w[, b])       w a constant [K, N], b a constant [N]: x @ w + b
    LayerNorm(x, g, b)      over the last dimension C, g and b constants [C]; epsilon
    RmsNorm(x, g)           the same without mean and b
    Gelu(x)                 approximate = b"none" (erf) or b"tanh"
    Silu(x)                 x * sigmoid x
    MaskedSoftmax(x[, m])   over the last dimension, m added to x; causal = 0 or 1

Constant factors after a Linear become part of its constants. The nodes that are left without a user
are removed. A chain that does not match stays as it is.
"""

from nlq.onnx_import.graph import Graph
from nlq.onnx_import.patterns.forwards import bypass_forwards
from nlq.onnx_import.patterns.gelu import recognize_gelu
from nlq.onnx_import.patterns.layer_norm import recognize_layer_norm
from nlq.onnx_import.patterns.linear import recognize_linear
from nlq.onnx_import.patterns.mask import recognize_masks
from nlq.onnx_import.patterns.scaling import fold_scalings
from nlq.onnx_import.patterns.silu import recognize_silu

__all__ = ["recognize"]


def recognize(graph: Graph) -> None:
    """Runs all recognizers on `graph`."""
    for recognizer in (
        bypass_forwards,
        recognize_layer_norm,
        recognize_gelu,
        recognize_silu,
        recognize_masks,
        recognize_linear,
        fold_scalings,
    ):
        recognizer(graph)
        graph.remove_dead_nodes()
