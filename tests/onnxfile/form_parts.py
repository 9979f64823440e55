"""What forms of models are made of, and the table that they stand in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Made = tuple[onnx.ModelProto, dict[str, np.ndarray]]  # a model, and what goes into it
FORMS: dict[str, Callable[[], Made]] = {}
CHANCE = np.random.default_rng(7)


def numbers(*shape: int) -> np.ndarray:
    return CHANCE.normal(size=shape).astype(np.float32)


def model(
    nodes: list[onnx.NodeProto],
    shape: list[Any],
    opset: int = 13,
    ir: int = 8,
    out: int | None = None,
    **constants: object,
) -> Made:
    """x (shape) -> y, and an input of ones in place of free sizes."""
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    ends = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape), helper.make_empty_tensor_value_info("y")]
    ends[1].type.tensor_type.elem_type = TensorProto.FLOAT
    inputs = ends[:1]
    if ir < 4:
        inputs = [*inputs, *(helper.make_tensor_value_info(t.name, t.data_type, t.dims) for t in tensors)]
    graph = helper.make_graph(nodes, "g", inputs, ends[1:], tensors)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)
    return made, {"x": numbers(*(n if isinstance(n, int) else 1 for n in shape))}


def node(op: str, inputs: str, outputs: str, **attrs: object) -> onnx.NodeProto:
    return helper.make_node(op, inputs.split(), outputs.split(), **attrs)


def form(make: Callable[[], Made]) -> None:
    FORMS[make.__name__] = make


PICTURE = ["n", 3, 9, 10]
