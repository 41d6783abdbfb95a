# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""What ONNX Runtime offers for an operation, on one thread."""

from collections.abc import Callable, Iterator

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from nlq.bench.kernels import Grid, Kernel

# A graph's nodes from the value "x" to "y", and its constants by name.
Body = tuple[list, dict[str, np.ndarray]]


def _node(op: str, inputs: str, output: str, domain: str = "", **attributes):
    return helper.make_node(op, inputs.split(), [output], domain=domain, **attributes)


def _unary(op: str, **attributes) -> Callable[[Kernel], Body]:
    return lambda _: ([_node(op, "x", "y", **attributes)], {})


def _silu(_: Kernel) -> Body:
    return [_node("Sigmoid", "x", "s"), _node("Mul", "x s", "y")], {}


def _layer_norm(kernel: Kernel) -> Body:
    gamma, beta = kernel.constants
    node = _node("LayerNormalization", "x gamma beta", "y", epsilon=kernel.epsilon)
    return [node], {"gamma": gamma, "beta": beta}


def _rms_norm(kernel: Kernel) -> Body:
    node = _node("SimplifiedLayerNormalization", "x gamma", "y", epsilon=kernel.epsilon)
    return [node], {"gamma": kernel.constants[0]}


# The float operation, by that of nlq.
_FLOAT: dict[str, Callable[[Kernel], Body]] = {
    "softmax": _unary("Softmax"),
    "gelu": _unary("Gelu"),
    "layer_norm": _layer_norm,
    "rms_norm": _rms_norm,
    "silu": _silu,
    "sigmoid": _unary("Sigmoid"),
    "tanh": _unary("Tanh"),
    "exp": _unary("Exp"),
}

# Operations on 8 bits, of the runtime's own domain.
_QUANTIZED = {"softmax": "QLinearSoftmax", "sigmoid": "QLinearSigmoid"}


def implementations(
    kernel: Kernel, rows: int
) -> Iterator[tuple[str, bool, Callable[[np.ndarray, np.ndarray], None]]]:
    """Yields what there is: a title, whether it is on 8 bits (else on f32), and a call(x, y)."""
    if kernel.op in _QUANTIZED:
        yield f"onnxruntime {_QUANTIZED[kernel.op]}", True, _session(kernel, rows, _quantized)
    if kernel.op in _FLOAT:
        yield "onnxruntime float between casts", True, _session(kernel, rows, _between_casts)
        yield "onnxruntime float", False, _session(kernel, rows, _float)


def _float(kernel: Kernel) -> Body:
    return _FLOAT[kernel.op](kernel)


def _between_casts(kernel: Kernel) -> Body:
    nodes, constants = _FLOAT[kernel.op](kernel)
    for node in nodes:
        for names in (node.input, node.output):
            names[:] = [{"x": "xf", "y": "yf"}.get(name, name) for name in names]
    return (
        [
            _node("DequantizeLinear", "x xs xz", "xf"),
            *nodes,
            _node("QuantizeLinear", "yf ys yz", "y"),
        ],
        constants | _grid("x", kernel.operand) | _grid("y", kernel.result),
    )


def _quantized(kernel: Kernel) -> Body:
    attributes = {"opset": 13, "axis": -1} if kernel.op == "softmax" else {}
    node = _node(_QUANTIZED[kernel.op], "x xs xz ys yz", "y", domain="com.microsoft", **attributes)
    return [node], _grid("x", kernel.operand) | _grid("y", kernel.result)


def _grid(name: str, grid: Grid) -> dict[str, np.ndarray]:
    return {
        f"{name}s": np.array(grid.scale, np.float32),
        f"{name}z": np.array(grid.zero_point, np.int8),
    }


def _session(
    kernel: Kernel, rows: int, make: Callable[[Kernel], Body]
) -> Callable[[np.ndarray, np.ndarray], None]:
    nodes, constants = make(kernel)
    kind = TensorProto.FLOAT if make is _float else TensorProto.INT8
    values = [
        helper.make_tensor_value_info(name, kind, [rows, kernel.columns]) for name in ("x", "y")
    ]
    graph = helper.make_graph(
        nodes,
        "graph",
        values[:1],
        values[1:],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    binding = session.io_binding()
    bound: list[np.ndarray] = []

    def call(x: np.ndarray, y: np.ndarray) -> None:
        # Arrays are bound once: what is timed allocates and copies nothing.
        if not bound or bound[0] is not x or bound[1] is not y:
            bound[:] = [x, y]
            for bind, name, array in (
                (binding.bind_input, "x", x),
                (binding.bind_output, "y", y),
            ):
                bind(name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)
        session.run_with_iobinding(binding)

    return call
