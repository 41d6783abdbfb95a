# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Masks of softmax, written as an addition or a selection before it.

    Softmax(Add(scores, mask))              mask 0, or far below 0 where an element is left out
    Softmax(Where(condition, scores, c))    c far below 0; or Where(condition, c, scores)

A constant is taken for a mask if it is 0 and at most FAR_BELOW: others, such as relative positions,
stay additions. Of values that are no constants those are taken that come from an input of the model
by shape operations and numbers alone, where the scores do not, such as (1 - input) * -10000;
quantizing holds them to the same levels.

Several masks are added up. A constant that lets every query see itself and all keys before it
becomes causality, and one that leaves nothing out disappears.
"""

import dataclasses

import numpy as np

from nlq.onnx_import.graph import NLQ_DOMAIN, Graph, Node

# What quantizing takes for left out: lib/Quantization/QuantizeMask.cpp.
FAR_BELOW = -64.0
# Low enough for every float, and its sums are exact enough for integers.
LOWEST = -10000.0

_MOVEMENTS = {"Reshape", "Squeeze", "Unsqueeze", "Expand", "Identity", "Flatten"}
_ARITHMETIC = {"Add", "Sub", "Mul", "Div", "Neg"}


def recognize_masks(graph: Graph) -> None:
    """Replaces every Softmax of masked scores in `graph` by a MaskedSoftmax of the domain nlq."""
    for softmax in [node for node in graph.nodes if node.op_type == "Softmax" and not node.domain]:
        shape = graph.shape(softmax.input(0))
        if shape is None or softmax.attributes.get("axis", -1) not in (-1, len(shape) - 1):
            continue
        scores, user, masks = softmax.input(0), softmax, []
        while (found := _unmask(graph, scores, user)) is not None:
            user = graph.producer(scores)
            scores, mask = found
            masks.append(mask)
        if masks:
            _replace(graph, softmax, scores, masks)


def _unmask(graph: Graph, masked: str, user: Node) -> tuple[str, str] | None:
    """What `masked`, which only `user` reads, masks, and the mask that is added."""
    node = graph.producer(masked)
    if node is None or node.domain or graph.only_user(masked) is not user:
        return None
    found = _RECOGNIZERS.get(node.op_type, _none)(graph, node)
    return found if found and graph.shape(found[0]) == graph.shape(masked) else None


def _none(_graph: Graph, _node: Node) -> None:
    return None


def _sum(graph: Graph, node: Node) -> tuple[str, str] | None:
    """The scores and the mask of an Add."""
    masks = [name for name in node.inputs if _is_constant_mask(graph, name)] or [
        name for name in node.inputs if _comes_from_input(graph, name)
    ]
    if len(masks) != 1:
        return None
    mask = masks[0]
    scores = node.inputs[1 - node.inputs.index(mask)]
    return (scores, mask) if _masks_rows(graph, mask, graph.shape(scores)) else None


def _selection(graph: Graph, node: Node) -> tuple[str, str] | None:
    """The scores of a Where and its condition as a mask to be added."""
    condition = graph.constants.get(node.input(0))
    if condition is None or condition.dtype != bool:
        return None
    for index in (1, 2):
        scores, level = node.inputs[index], graph.scalar(node.inputs[3 - index])
        if level is None or not level <= FAR_BELOW:
            continue
        takes_part = condition if index == 1 else ~condition
        mask = np.where(takes_part, np.float32(0), np.float32(level))
        shape = graph.shape(scores)
        if shape and mask.ndim and mask.shape[-1] == 1:
            mask = np.broadcast_to(mask, (*mask.shape[:-1], shape[-1]))
        name = graph.add_constant(f"{node.name}/mask", mask)
        return (scores, name) if _masks_rows(graph, name, shape) else None
    return None


_RECOGNIZERS = {"Add": _sum, "Where": _selection}


def _masks_rows(graph: Graph, mask: str, scores: tuple[int, ...] | None) -> bool:
    """Whether a mask has whole rows of the scores."""
    shape = graph.shape(mask)
    return bool(scores) and bool(shape) and len(shape) <= len(scores) and shape[-1] == scores[-1]


def _is_constant_mask(graph: Graph, name: str) -> bool:
    array = graph.constants.get(name)
    return (
        array is not None
        and array.dtype == np.float32
        and array.size > 1
        and bool(((array == 0) | (array <= FAR_BELOW)).all())
    )


def _comes_from_input(graph: Graph, name: str) -> bool:
    """Whether a value is an input of the model, moved and scaled."""
    while name not in graph.inputs:
        node = graph.producer(name)
        if node is None or node.domain:
            return False
        if node.op_type in _MOVEMENTS:
            name = node.inputs[0]
        elif node.op_type in _ARITHMETIC:
            varying = [each for each in node.inputs if graph.scalar(each) is None]
            if len(varying) != 1:
                return False
            name = varying[0]
        else:
            return False
    return True


def _replace(graph: Graph, softmax: Node, scores: str, masks: list[str]) -> None:
    added, causal = [], 0
    for mask in masks:
        array = graph.constants.get(mask)
        if array is not None and (array == 0).all():
            continue
        if array is not None and _is_causal(array == 0, graph.shape(scores)):
            causal = 1
        else:
            added.append(mask)
    node = dataclasses.replace(
        softmax,
        op_type="MaskedSoftmax",
        domain=NLQ_DOMAIN,
        inputs=[scores, _add(graph, softmax, added)] if added else [scores],
        attributes={"causal": causal},
    )
    graph.replace(softmax, node)


def _add(graph: Graph, softmax: Node, masks: list[str]) -> str:
    """The sum of several masks, by nodes in front of the Softmax."""
    total = masks[0]
    for mask in masks[1:]:
        terms = [_finite(graph, name) for name in (total, mask)]
        shape = np.broadcast_shapes(*(graph.shape(name) for name in terms))
        arrays = [graph.constants.get(name) for name in terms]
        if all(array is not None for array in arrays):
            total = graph.add_constant(f"{softmax.name}/mask", arrays[0] + arrays[1])
            continue
        node = dataclasses.replace(
            softmax, name=f"{softmax.name}/mask", op_type="Add", inputs=terms, attributes={}
        )
        node.outputs = [f"{softmax.name}/mask/{mask}"]
        graph.shapes[node.outputs[0]] = shape
        graph.nodes.insert(graph.nodes.index(softmax), node)
        graph.reindex()
        total = node.outputs[0]
    return total


def _finite(graph: Graph, name: str) -> str:
    """The value with constants of at least LOWEST, whose sums are finite."""
    array = graph.constants.get(name)
    if array is None or (array >= LOWEST).all():
        return name
    return graph.add_constant(f"{name}/finite", np.maximum(array, np.float32(LOWEST)))


def _is_causal(takes_part: np.ndarray, scores: tuple[int, ...]) -> bool:
    if len(scores) < 2 or takes_part.shape[-2:] != scores[-2:]:
        return False
    queries, keys = scores[-2:]
    seen = np.tri(queries, keys, keys - queries, dtype=bool)
    return bool((takes_part == seen).all())
