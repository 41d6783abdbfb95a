# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Small ONNX models for the tests of the importer."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class ModelBuilder:
    """Builds a model with one float input `x` node by node.

    Constants are initializers, or Constant nodes where `constant_nodes` is set.
    """

    def __init__(self, shape, opset=17, constant_nodes=False, extra_domains=()):
        self.opset = opset
        self.inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
        self.constant_nodes = constant_nodes
        self.extra_domains = extra_domains
        self.nodes = []
        self.initializers = []
        self._count = 0

    def input(self, name, shape, element=TensorProto.FLOAT):
        self.inputs.append(helper.make_tensor_value_info(name, element, shape))
        return name

    def const(self, value, dtype=np.float32):
        """A constant; returns the name of its value."""
        self._count += 1
        name = f"c{self._count}"
        tensor = numpy_helper.from_array(np.asarray(value, dtype), name)
        if self.constant_nodes:
            self.nodes.append(helper.make_node("Constant", [], [name], value=tensor))
        else:
            self.initializers.append(tensor)
        return name

    def ints(self, *values):
        return self.const(values, np.int64)

    def op(self, op_type, *inputs, name=None, domain="", outputs=1, **attributes):
        """A node; returns the name of its result, or a list of names."""
        self._count += 1
        results = [f"v{self._count}_{index}" for index in range(outputs)]
        name = f"/{op_type}_{self._count}" if name is None else name
        self.nodes.append(
            helper.make_node(op_type, inputs, results, name=name, domain=domain, **attributes)
        )
        return results[0] if outputs == 1 else results

    def model(self, *outputs, shape=None):
        """The model that returns the values, with inferred shapes unless `shape` is given."""
        inputs = {value.name: value for value in self.inputs}
        results = [
            inputs.get(name) or helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name in outputs
        ]
        graph = helper.make_graph(self.nodes, "test", self.inputs, results, self.initializers)
        domains = [helper.make_opsetid(name, 1) for name in self.extra_domains]
        opsets = [helper.make_opsetid("", self.opset), *domains]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
        return onnx.shape_inference.infer_shapes(model) if shape is None else model

    def save(self, path, *outputs, shape=None):
        onnx.save(self.model(*outputs, shape=shape), str(path))
        return path


def simple_model(tmp_path, shape=(1, 4)):
    """The path of a model that consists of a softmax."""
    b = ModelBuilder(list(shape))
    return b.save(tmp_path / "model.onnx", b.op("Softmax", "x"))


def single_line(error, start):
    """The error is one line that starts so."""
    assert error.startswith(f"error: {start}") and error.count("\n") == 1, error
