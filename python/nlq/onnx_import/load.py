# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Reading an ONNX file: decoding, external data, fixed dimensions and the checks of onnx."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import google.protobuf.message
import numpy as np
import onnx
import onnx.checker
import onnx.defs
import onnx.inliner
import onnx.numpy_helper

from nlq.errors import NlqError
from nlq.onnx_import.cut import check_names, keep_outputs
from nlq.onnx_import.legacy_gelu import expand_legacy_gelu
from nlq.onnx_import.legacy_rms_norm import expand_legacy_rms_norm

OLDEST_OPSET = 13

_UNKNOWN_DOMAIN = "unknown"


@dataclasses.dataclass
class LoadedModel:
    """A checked model whose inputs have static shapes.

    Attributes:
        name: the file's name, for messages.
        proto: the model; its initializers are moved to `constants`, except that `fold` keeps small
            ones in both.
        constants: the values of the initializers and, later, of folded nodes.
        well_formed: whether every node is of an operator that onnx knows; if not, the model is
            unsupported and only the list of unsupported nodes is still to be made.
    """

    name: str
    proto: onnx.ModelProto
    constants: dict[str, np.ndarray]
    well_formed: bool

    def opset(self, domain: str) -> int | None:
        """The version of `domain` the model imports, None if it does not."""
        for entry in self.proto.opset_import:
            if _domain(entry.domain) == _domain(domain):
                return entry.version
        return None


def load_model(
    path: Path, dims: dict[str, int], outputs: Sequence[str], named: Sequence[str]
) -> LoadedModel:
    """Loads and checks the model at `path`, with symbolic dimensions fixed as `dims` says.

    Its results are the values `outputs`, or its own if there are none, and nothing is kept but what
    leads to them. The values `named` must exist too.

    Raises NlqError naming what is wrong with the file, its opset, its inputs or the arguments.
    """
    proto = _decode(path)
    _load_external_data(path, proto)
    model = LoadedModel(path.name, proto, {}, True)
    _check_opset(model)
    if proto.functions:
        model.proto = proto = onnx.inliner.inline_local_functions(proto)
    expand_legacy_gelu(proto)
    expand_legacy_rms_norm(proto)
    check_names(proto.graph, model.name, [*outputs, *named])
    if outputs:
        keep_outputs(proto.graph, outputs)
    _fix_dimensions(model, dims)
    _move_initializers(model)
    _check(model)
    return model


def is_known(node: onnx.NodeProto, version: int | None) -> bool:
    """Whether onnx defines the node's operator in version `version` of its domain."""
    if version is None:
        return False
    try:
        onnx.defs.get_schema(node.op_type, version, _domain(node.domain))
    except onnx.defs.SchemaError:
        return False
    return True


def _domain(name: str) -> str:
    return "" if name == "ai.onnx" else name


def _decode(path: Path) -> onnx.ModelProto:
    try:
        with open(path, "rb") as stream:
            proto = onnx.load(stream, format="protobuf", load_external_data=False)
    except OSError as error:
        raise NlqError(f"cannot read '{path}': {error.strerror or error}") from error
    except google.protobuf.message.DecodeError as error:
        raise NlqError(f"'{path}' is not an ONNX model, or is cut short ({error})") from error
    if not proto.HasField("graph") or not proto.graph.output:
        raise NlqError(f"'{path}' is not an ONNX model: it holds no graph with outputs")
    if not all(isinstance(text, str) for text in _texts(proto)):
        raise NlqError(f"'{path}' is not an ONNX model: it holds text that is not UTF-8")
    return proto


def _texts(message: google.protobuf.message.Message) -> Iterator[str | bytes]:
    """All text in a message; protobuf leaves what is not UTF-8 as bytes."""
    for field, value in message.ListFields():
        values = value if field.is_repeated else [value]
        if field.type == field.TYPE_STRING:
            yield from values
        elif field.type == field.TYPE_MESSAGE:
            for inner in values:
                yield from _texts(inner)


def _load_external_data(path: Path, proto: onnx.ModelProto) -> None:
    try:
        onnx.load_external_data_for_model(proto, str(path.parent))
    except (OSError, ValueError, onnx.checker.ValidationError) as error:
        raise NlqError(f"cannot read the external data of '{path}': {error}") from error


def _check_opset(model: LoadedModel) -> None:
    version = model.opset("")
    newest = onnx.defs.onnx_opset_version()
    if version is None:
        raise NlqError(f"'{model.name}' does not say which opset it uses")
    if not OLDEST_OPSET <= version <= newest:
        raise NlqError(
            f"'{model.name}' uses opset {version}; {OLDEST_OPSET} to {newest} are supported"
        )


# --- Dimensions ------------------------------------------------------------------------------


def _model_inputs(proto: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    """The graph's inputs, without initializers that older models list among them."""
    constants = {tensor.name for tensor in proto.graph.initializer}
    return [value for value in proto.graph.input if value.name not in constants]


def _dimensions(
    value: onnx.ValueInfoProto,
) -> Iterator[tuple[str, onnx.TensorShapeProto.Dimension]]:
    """The dimensions of a value, each with the name that `dims` calls it by."""
    for axis, dimension in enumerate(value.type.tensor_type.shape.dim):
        yield dimension.dim_param or f"{value.name}:{axis}", dimension


def _is_dynamic(dimension: onnx.TensorShapeProto.Dimension) -> bool:
    return not dimension.HasField("dim_value") or dimension.dim_value < 1


def _fix_dimensions(model: LoadedModel, dims: dict[str, int]) -> None:
    graph = model.proto.graph
    inputs = _model_inputs(model.proto)
    for value in inputs:
        if not value.type.HasField("tensor_type") or not value.type.tensor_type.HasField("shape"):
            raise NlqError(f"input '{value.name}' of '{model.name}' is not a tensor with a shape")
    names = {name: None for value in inputs for name, dim in _dimensions(value) if _is_dynamic(dim)}
    for name in dims:
        if name not in names:
            known = ", ".join(f"'{known}'" for known in names) or "none"
            raise NlqError(
                f"'{model.name}' has no symbolic dimension '{name}'; the symbolic ones: {known}"
            )
    missing = [name for name in names if name not in dims]
    if missing:
        listed = ", ".join(f"'{name}'" for name in missing)
        raise NlqError(
            f"'{model.name}' has dynamic dimensions: {listed}; fix each with --dim {missing[0]}=N"
        )
    for value in [*inputs, *graph.output]:
        for name, dimension in _dimensions(value):
            if _is_dynamic(dimension) and name in dims:
                dimension.dim_value = dims[name]
    # Shapes recorded for inner values may still be symbolic; they are inferred anew.
    del graph.value_info[:]


# --- Constants and checks --------------------------------------------------------------------


def _move_initializers(model: LoadedModel) -> None:
    """Moves the weights out of the protobuf, whose tools copy all of it on every call."""
    graph = model.proto.graph
    if graph.sparse_initializer:
        name = graph.sparse_initializer[0].values.name
        raise NlqError(f"initializer '{name}' of '{model.name}' is sparse, which is unsupported")
    for tensor in graph.initializer:
        try:
            model.constants[tensor.name] = onnx.numpy_helper.to_array(tensor)
        except (ValueError, TypeError, KeyError) as error:
            raise NlqError(
                f"initializer '{tensor.name}' of '{model.name}' is malformed: {error}"
            ) from error
    inputs = _model_inputs(model.proto)
    del graph.initializer[:]
    del graph.input[:]
    graph.input.extend(inputs)
    for name, array in model.constants.items():
        declare_constant(model, name, array)


def declare_constant(model: LoadedModel, name: str, array: np.ndarray) -> None:
    """Tells the protobuf of a constant.

    Integers and scalars stay initializers, because shape inference reads them; of all others only
    the type is declared, as if they were inputs.
    """
    graph = model.proto.graph
    tensor = onnx.numpy_helper.from_array(
        array if _is_small(array) else np.empty(0, array.dtype), name
    )
    if _is_small(array):
        graph.initializer.append(tensor)
    if model.proto.ir_version < 4 or not _is_small(array):
        graph.input.append(onnx.helper.make_tensor_value_info(name, tensor.data_type, array.shape))


def _is_small(array: np.ndarray) -> bool:
    return array.size == 1 or (array.dtype.kind in "iub" and array.size <= 1024)


def _check(model: LoadedModel) -> None:
    """Runs the checker of onnx, which stops at the first unknown operator.

    For it such nodes are moved to a domain of which it knows nothing, so that it checks the rest.
    """
    checked = onnx.ModelProto()
    checked.CopyFrom(model.proto)
    for value in checked.graph.output:
        if not value.HasField("type"):
            # A result by `keep_outputs`, whose type follows; the checker wants any.
            value.type.tensor_type.elem_type = onnx.TensorProto.FLOAT
            value.type.tensor_type.shape.SetInParent()
    for node in checked.graph.node:
        if not is_known(node, model.opset(node.domain)):
            model.well_formed = False
            node.domain = _UNKNOWN_DOMAIN
    if not model.well_formed:
        checked.opset_import.append(onnx.helper.make_opsetid(_UNKNOWN_DOMAIN, 1))
    try:
        onnx.checker.check_model(checked)
    except onnx.checker.ValidationError as error:
        raise NlqError(f"'{model.name}' is not a valid ONNX model: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]
