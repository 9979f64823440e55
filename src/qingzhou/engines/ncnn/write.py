"""Graph -> ncnn: a .param file that lists the layers, and a .bin file with their numbers one after another."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np

from ...errors import EngineError
from ...graph.form import Array, Graph, Node, Value
from ...graph.recognise import recognised
from ...onnxfile.integers import NOTHING, Integers
from ...runtime.engine.ncnn_format import MOST_AXES, SIZES, STORED, TAG_FLOAT16, TAG_FLOAT32, TAG_INT8
from ..sized import expressed
from .emitter import Blob, Emitter, NcnnModel, flowing, no_form
from .layers import ANY_BATCH_AXIS, OPERATORS, WITH_AXIS

OF_HEADS = {  # what tells the heads of classifiers that are not written for ncnn
    "Pow": ("generalised mean pooling (GeM)", "广义均值池化（GeM）"),
    "Div": ("a head of cosines (ArcFace)", "余弦分类头（ArcFace）"),
    "ReduceSum": ("a head with attention (CSRA)", "注意力分类头（CSRA）"),
    "GlobalMaxPool": ("a head with attention (CSRA)", "注意力分类头（CSRA）"),
}
OF_OTHERS = {"Shape", "ConstantOfShape", "Range", "If", "DynamicQuantizeLinear"}  # which none of our own files has


def emit_ncnn(graph: Graph, integers: Integers = NOTHING, foreign: bool = False) -> NcnnModel:
    """The graph for one input at a time; EngineError names the operation that ncnn cannot express. foreign: of another
    tool, whose operators tell no head of ours.
    """
    emitter = Emitter(recognised(graph), integers)
    _check(emitter, foreign)
    graph = emitter.graph
    for i, value in enumerate(graph.inputs):
        sizes = emitter.sizes(value.name)
        emitter.put("Input", [], value.name, dict(zip(SIZES[len(sizes)], sizes, strict=True)), f"in{i}")
    for node in graph.nodes:
        if node.outputs[0] not in emitter.fused:
            with expressed("ncnn", node):
                OPERATORS[node.domain, node.op](emitter, node)
    return emitter.model()


def _check(emitter: Emitter, foreign: bool) -> None:
    """EngineError for operations, sizes and axes that ncnn does not know."""
    graph = emitter.graph
    for node in graph.nodes:
        if (node.domain, node.op) not in OPERATORS:
            raise no_form(node.op) if foreign else _no_form(node, {other.op for other in graph.nodes})
        batch = emitter.batch.get(flowing(node, graph))
        axis = node.attrs.get("axis") if node.op in WITH_AXIS and node.inputs[0] not in graph.constants else None
        if axis is not None and axis % len(graph.values[node.inputs[0]].shape) == batch:
            raise no_form(f"{node.op} (axis {batch})")
        embeds = node.op == "Gather" and node.inputs[0] in graph.constants
        if (batch != 0 and node.op not in ANY_BATCH_AXIS) or (batch != 1 and (node.op == "Lstm" or embeds)):
            raise no_form(f"{node.op} (batch axis {batch})")
    made = [name for node in graph.nodes for name in node.outputs if name]
    for value in (*graph.inputs, *(_shaped(graph, name) for name in made)):
        at = emitter.batch[value.name]
        size = 1 if at is None or at >= len(value.shape) else value.shape[at]
        inner = [n for i, n in enumerate(value.shape) if i != at]
        fits = 1 <= len(inner) <= MOST_AXES and all(isinstance(n, int) for n in inner)
        if not fits or not (size == 1 or isinstance(size, str)):
            raise no_form(f"a value of shape {value.shape}")


def _no_form(node: Node, kinds: set[str]) -> EngineError:
    """The error for what ncnn has no layer for; of a head that is known, by its name."""
    head = next((head for kind, head in OF_HEADS.items() if kind in kinds and not kinds & OF_OTHERS), None)
    return no_form(f"{node.op}, as in {head[0]}", f"{node.op}（例如{head[1]}）") if head else no_form(node.op)


def _shaped(graph: Graph, name: str) -> Value:
    """A value with its shape; EngineError where that is not known."""
    if name not in graph.values:
        raise no_form(f"a value of unknown shape ({name[:60]})")
    return graph.values[name]


def write_ncnn(param: Path, numbers: Path, model: NcnnModel, half: bool = False) -> None:
    """Write both files; with `half`, the weights of convolutions and linear layers are stored as FP16."""
    with numbers.open("wb") as file:
        for blob in model.blobs:
            _write_blob(file, blob, half)
    param.write_text(model.param, "utf-8", newline="\n")


def _write_blob(file: BinaryIO, blob: Blob, half: bool) -> None:
    array = np.ascontiguousarray(blob.load())
    tag = _tag(array, half) if blob.tagged else TAG_FLOAT32
    if blob.tagged:
        file.write(tag.to_bytes(4, "little"))
    data = array.astype(STORED[tag]).tobytes()
    file.write(data + bytes(-len(data) % 4))


def _tag(array: Array, half: bool) -> int:
    """How an array is stored. What FP16 cannot hold stays FP32: each blob has a tag of its own."""
    if array.dtype == np.int8:
        return TAG_INT8
    fits = half and float(np.abs(array).max(initial=0)) <= float(np.finfo(np.float16).max)
    return TAG_FLOAT16 if fits else TAG_FLOAT32
