# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""GELU, written out.

    erf     x/2 * (1 + erf(x / sqrt 2))
    tanh    x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))

Exporters and optimizers write the products in every order, divide instead of multiplying, move the
1/2 about, and spell x^3 as a power or as products. So no chain of nodes is matched: the argument of
Erf or Tanh is read as a polynomial in x, and what is made of its result t as p(x) + q(x) t; it is
GELU if both p and q are x/2. Coefficients may be off by 1e-3 relative (constants that went through
16-bit floats; exporters that write sqrt(2/pi) as 0.79772).
"""

import dataclasses
import math
from collections.abc import Iterator

import numpy as np
from numpy.polynomial import Polynomial

from nlq.onnx_import.graph import NLQ_DOMAIN, Graph, Node

TOLERANCE = 1e-3

_ARGUMENTS = {
    "Erf": (b"none", [0.0, math.sqrt(0.5)]),
    "Tanh": (b"tanh", [0.0, math.sqrt(2 / math.pi), 0.0, 0.044715 * math.sqrt(2 / math.pi)]),
}
_HALF_X = [0.0, 0.5]
# How far above the argument of Erf or Tanh x is looked for.
_DEPTH = 8
_MAX_DEGREE = 8


def recognize_gelu(graph: Graph) -> None:
    """Replaces every written out GELU in `graph` by a Gelu of the domain nlq.

    The new node has the name of the Erf or Tanh.
    """
    for anchor in [node for node in graph.nodes if node.op_type in _ARGUMENTS and not node.domain]:
        approximate, coefficients = _ARGUMENTS[anchor.op_type]
        for x in _ancestors(graph, anchor.input(0)):
            argument = _polynomial(graph, anchor.input(0), x)
            if argument is None or not _is_close(argument, coefficients):
                continue
            root = _climb(graph, anchor, x)
            if root is None or graph.shape(root.outputs[0]) != graph.shape(x):
                continue
            gelu = dataclasses.replace(
                root,
                name=anchor.name,
                op_type="Gelu",
                domain=NLQ_DOMAIN,
                inputs=[x],
                attributes={"approximate": approximate},
            )
            graph.replace(root, gelu)
            break


def _ancestors(graph: Graph, name: str) -> Iterator[str]:
    """Candidates for x, nearest first: values from which polynomial steps lead to `name`."""
    level = [name]
    for _ in range(_DEPTH):
        yield from level
        producers = [graph.producer(name) for name in level]
        level = list(
            dict.fromkeys(
                source
                for node in producers
                if node is not None and node.op_type in _STEPS
                for source in node.inputs
                if source not in graph.constants
            )
        )


def _polynomial(graph: Graph, name: str, x: str, depth: int = _DEPTH) -> Polynomial | None:
    """`name` as a polynomial in `x`, None if it is not one that can be read off the nodes."""
    if name == x:
        return Polynomial([0.0, 1.0])
    scalar = graph.scalar(name)
    if scalar is not None:
        return Polynomial([scalar])
    node = graph.producer(name)
    if node is None or node.domain or node.op_type not in _STEPS or depth == 0:
        return None
    operands = [_polynomial(graph, source, x, depth - 1) for source in node.inputs]
    if any(operand is None for operand in operands):
        return None
    result = _STEPS[node.op_type](*operands)
    return result if result is not None and result.degree() <= _MAX_DEGREE else None


def _divide(a: Polynomial, b: Polynomial) -> Polynomial | None:
    return a / b.coef[0] if b.degree() == 0 and b.coef[0] != 0 else None


def _power(a: Polynomial, b: Polynomial) -> Polynomial | None:
    exponent = b.coef[0]
    if b.degree() > 0 or exponent not in range(_MAX_DEGREE + 1):
        return None
    return a ** int(exponent)


_STEPS = {
    "Add": lambda a, b: a + b,
    "Sub": lambda a, b: a - b,
    "Mul": lambda a, b: a * b,
    "Neg": lambda a: -a,
    "Div": _divide,
    "Pow": _power,
}


def _climb(graph: Graph, anchor: Node, x: str) -> Node | None:
    """The node that completes x/2 + x/2 * t, t the result of `anchor`; None if there is none."""
    p, q = Polynomial([0.0]), Polynomial([1.0])
    node = anchor
    for _ in range(_DEPTH):
        value = node.outputs[0]
        node = graph.only_user(value)
        if node is None or node.domain or list(node.inputs).count(value) != 1:
            return None
        on_left = node.input(0) == value
        other = _polynomial(graph, node.inputs[1 if on_left else 0], x) if node.input(1) else None
        if other is None:
            return None
        if node.op_type == "Add":
            p = p + other
        elif node.op_type == "Mul":
            p, q = p * other, q * other
        elif node.op_type == "Div" and on_left and _divide(q, other) is not None:
            p, q = _divide(p, other), _divide(q, other)
        else:
            return None
        if _is_close(p, _HALF_X) and _is_close(q, _HALF_X):
            return node
    return None


def _is_close(polynomial: Polynomial, coefficients: list[float]) -> bool:
    found = polynomial.trim().coef
    if len(found) != len(coefficients):
        return False
    return np.allclose(found, coefficients, rtol=TOLERANCE, atol=1e-12)
