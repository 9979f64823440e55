"""One node with its inputs: as ours, as onnx infers it, and as onnxruntime computes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

from qingzhou.graph.form import ML, Constant, Graph, Node, Value
from qingzhou.graph.shapes import infer
from qingzhou.graph.shapes_call import DTYPES

CODES = {name: code for code, name in DTYPES.items()}
Given = Value | np.ndarray | None  # a value that flows, a constant, or an input left out


def held(array: np.ndarray) -> Constant:
    """An array as a constant."""
    array = np.asarray(array)
    return Constant(array.shape, "str" if array.dtype.kind in "OU" else array.dtype.name, lambda: array)


def f(*shape: int | str) -> Value:
    return Value("", shape)


def i(*shape: int | str) -> Value:
    return Value("", shape, "int64")


def t(dtype: str, *shape: int | str) -> Value:
    return Value("", shape, dtype)


def n(*numbers: int) -> np.ndarray:
    """A constant vector of int64."""
    return np.array(numbers, np.int64)


def s(*numbers: float) -> np.ndarray:
    """A constant vector of float32."""
    return np.array(numbers, np.float32)


@dataclass(frozen=True)
class Case:
    """op: with its domain before a colon where it has one. gives: what is right where onnx does not know it."""

    op: str
    given: Sequence[Given]
    attrs: Mapping[str, Any] = field(default_factory=dict)
    outputs: int = 1
    opset: int = 17
    gives: Any = None

    def __str__(self) -> str:
        shapes = " ".join("-" if g is None else str(tuple(g.shape)).replace(" ", "") for g in self.given)
        return f"{self.op}{shapes}" + "".join(f" {k}={v}" for k, v in self.attrs.items() if not isinstance(v, Constant))

    @property
    def domain(self) -> str:
        return self.op.rpartition(":")[0]

    def node(self) -> Node:
        names = tuple("" if g is None else f"x{k}" for k, g in enumerate(self.given))
        outputs = tuple(f"y{k}" for k in range(self.outputs))
        return Node(self.op.rpartition(":")[2], names, outputs, self.attrs, self.domain)

    def ours(self) -> list[tuple[Any, str]] | None:
        """Inferred by our rules."""
        values = [Value("", g.shape, held(g).dtype) if isinstance(g, np.ndarray) else g for g in self.given]
        return infer(self.node(), values, lambda k: g if isinstance(g := self.given[k], np.ndarray) else None)

    def model(self) -> onnx.ModelProto:
        """As a model of one node."""
        node = self.node()
        made = proto(node)
        inputs, fixed = [], []
        for name, g in zip(node.inputs, self.given, strict=True):
            if isinstance(g, np.ndarray):
                fixed.append(numpy_helper.from_array(g, name))
            elif g is not None:
                inputs.append(helper.make_tensor_value_info(name, CODES[g.dtype], g.shape))
        outputs = [onnx.ValueInfoProto(name=name) for name in node.outputs]
        graph = helper.make_graph([made], "g", inputs, outputs, fixed)
        ml = [helper.make_opsetid(ML, 3)] if self.domain == ML else []
        others = [helper.make_opsetid("com.microsoft", 1)] if self.domain == "com.microsoft" else []
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset), *ml, *others], ir_version=8)

    def onnx(self) -> list[tuple[Any, str] | None]:
        """Inferred by onnx; a size that it does not know is "?"."""
        found = onnx.shape_inference.infer_shapes(self.model(), strict_mode=True, data_prop=True).graph.output
        return [_typed(value.type) for value in found]

    def computed(self) -> list[tuple[Any, str]]:
        """What onnxruntime gives for some numbers."""
        return run(self.model(), {f"x{k}": g for k, g in enumerate(self.given) if isinstance(g, Value)})


def proto(node: Node) -> onnx.NodeProto:
    """A node as onnx has it."""
    attrs = {k: numpy_helper.from_array(v.load(), k) if isinstance(v, Constant) else v for k, v in node.attrs.items()}
    return helper.make_node(node.op, node.inputs, node.outputs, domain=node.domain, **attrs)


def model_of(graph: Graph) -> onnx.ModelProto:
    """A network as onnx has it, with all of its values as outputs."""
    inputs = [helper.make_tensor_value_info(v.name, CODES[v.dtype], v.shape) for v in graph.inputs]
    outputs = [onnx.ValueInfoProto(name=name) for node in graph.nodes for name in node.outputs]
    constants = [numpy_helper.from_array(constant.load(), name) for name, constant in graph.constants.items()]
    made = helper.make_graph(list(map(proto, graph.nodes)), "g", inputs, outputs, constants)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def run(model: onnx.ModelProto, inputs: Mapping[str, Value]) -> list[tuple[Any, str]]:
    """Shape and dtype of each output, computed."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads, options.inter_op_num_threads = 4, 1, 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    answers = session.run(None, {name: numbers(value) for name, value in inputs.items()})
    return [(y.shape, "str" if y.dtype == object else y.dtype.name) for y in answers]


def numbers(value: Value) -> np.ndarray:
    """Something to feed: integers are zeros, which are valid indices anywhere."""
    shape = tuple(value.shape)
    if value.dtype == "str":
        return np.full(shape, "cat", dtype=object)
    if value.dtype.startswith("float"):
        return np.linspace(0.1, 1, int(np.prod(shape)), dtype=value.dtype).reshape(shape)
    return np.zeros(shape, value.dtype)


def _typed(kind: onnx.TypeProto) -> tuple[Any, str] | None:
    tensor = kind.tensor_type
    if not tensor.HasField("shape"):
        return None
    sizes = [d.dim_value if d.HasField("dim_value") else d.dim_param or "?" for d in tensor.shape.dim]
    return tuple("?" if str(size).startswith("unk_") else size for size in sizes), DTYPES[tensor.elem_type]
