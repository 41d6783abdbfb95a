# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Cutting a part out of a graph, at values given by name.

`onnx.utils.Extractor` does this for files that record the types of their inner values. Exporters
leave these out, and they follow only once dimensions are fixed and shape glue is folded.
"""

import difflib
from collections.abc import Iterator, Sequence

import onnx

from nlq.errors import NlqError

_NEAREST = 3


def check_names(graph: onnx.GraphProto, model: str, names: Sequence[str]) -> None:
    """Raises NlqError, with the nearest names, if one of `names` is no value of the graph."""
    known = dict.fromkeys(_values(graph))
    for name in names:
        if name in known:
            continue
        # Who gives a node's name means its result.
        results = [output for node in graph.node if node.name == name for output in node.output]
        near = difflib.get_close_matches(name, known, n=_NEAREST, cutoff=0.0)
        listed = ", ".join(f"'{near}'" for near in dict.fromkeys([*results, *near]))
        raise NlqError(f"'{model}' has no value '{name}'; the nearest names: {listed}")


def keep_outputs(graph: onnx.GraphProto, outputs: Sequence[str]) -> None:
    """Makes the values `outputs` the results, and removes in place what they do not need.

    What is removed are nodes, initializers and inputs. A value that was no result before has no
    type among the results if the file records none; shape inference finds it.
    """
    recorded = {value.name: value for value in [*graph.value_info, *graph.input, *graph.output]}
    values = [recorded.get(name, onnx.ValueInfoProto(name=name)) for name in dict.fromkeys(outputs)]
    replace_values(graph.output, values)
    remove_unneeded(graph)


def replace_values(values: list[onnx.ValueInfoProto], wanted: list[onnx.ValueInfoProto]) -> None:
    """Replaces the elements of a repeated field, from which some of `wanted` may be."""
    copies = [onnx.ValueInfoProto.FromString(value.SerializeToString()) for value in wanted]
    del values[:]
    values.extend(copies)


def remove_unneeded(graph: onnx.GraphProto, sources: frozenset[str] = frozenset()) -> set[str]:
    """Removes what the results do not need if the values `sources` are given.

    Returns the names of what they need.
    """
    needed = {value.name for value in graph.output}
    for index in reversed(range(len(graph.node))):
        node = graph.node[index]
        if needed.isdisjoint(set(filter(None, node.output)) - sources):
            del graph.node[index]
            continue
        needed.update(_read(node))
        for position, name in enumerate(node.output):
            if name in sources:
                # A source that is computed beside a value that is needed.
                node.output[position] = f"{name}#unused"
    for values in (graph.input, graph.initializer):
        for index in reversed(range(len(values))):
            name = values[index].name
            if name not in needed or (values is graph.initializer and name in sources):
                del values[index]
    return needed


def _values(graph: onnx.GraphProto) -> Iterator[str]:
    for value in (*graph.input, *graph.initializer):
        yield value.name
    for node in graph.node:
        yield from filter(None, node.output)


def _read(node: onnx.NodeProto) -> Iterator[str]:
    """The values a node reads; its subgraphs may read any."""
    yield from node.input
    for attribute in node.attribute:
        for graph in (attribute.g, *attribute.graphs):
            for inner in graph.node:
                yield from _read(inner)
