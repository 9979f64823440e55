"""A model of another tool in the form that rounding reads: weights as initializers, float32, opset 13 or later.

What is in that form already stays as it is. What cannot come there is refused with the reason, before anybody waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, load, numpy_helper

from ..engines.artifact import check_onnx
from ..errors import ModelError
from ..files.limits import elements
from ..onnxfile.facts import Facts
from ..onnxfile.integers import PER_CHANNEL
from ..onnxfile.rewrite import rewritten
from ..runtime.model.card import Card
from ..whole_file import scratch
from .network import Array

LARGEST = 1 << 28  # numbers that a ConstantOfShape may make
IR = 8  # of what is written anew
ROWS = {"value_float": "f", "value_int": "i", "value_floats": "floats", "value_ints": "ints"}
TYPES = {"value_float": np.float32, "value_floats": np.float32, "value_int": np.int64, "value_ints": np.int64}
FLOAT, HALF = TensorProto.FLOAT, TensorProto.FLOAT16


def ready(source: Path) -> ModelProto:
    """The model; ModelError for what cannot be rounded: classical models, networks inside Ifs and Loops."""
    facts = Facts(check_onnx(source))
    if facts.file.functions:
        raise _refused(source, "it defines operators of its own", "它自己定义了算子")
    if facts.opset and facts.opset < PER_CHANNEL and not facts.quantized:
        with scratch() as folder:
            rewritten(source, folder / "model.onnx", facts.graph, PER_CHANNEL, IR)
            made = load(folder / "model.onnx", load_external_data=False)
            helper.set_model_props(made, dict(facts.file.metadata))
            return _made(made, facts.card, source)
    return _made(load(source, load_external_data=False), facts.card, source)


def _made(proto: ModelProto, card: Card | None, source: Path) -> ModelProto:
    graph = proto.graph
    if graph.sparse_initializer:
        raise _refused(source, "its weights are stored sparsely", "它的权重是稀疏存储的")
    _as_initializers(graph)
    inputs = {entry.name for entry in graph.input}
    stateful = card is not None and card.input.kind == "tokens"
    if not stateful and any(tensor.name in inputs for tensor in graph.initializer):
        filled = {tensor.name for tensor in graph.initializer}
        left = [entry for entry in graph.input if entry.name not in filled]
        del graph.input[:]
        graph.input.extend(left)
        proto.ir_version = max(proto.ir_version, IR if proto.ir_version < 4 else 0)
    if any(tensor.data_type == HALF for tensor in graph.initializer):
        _widen(graph)
    return proto


# -- constants ------------------------------------------------------------------------------------------------------


def _as_initializers(graph: GraphProto) -> None:
    """What Constant, ConstantOfShape and Identity make of constants, as such."""
    known = {tensor.name: tensor for tensor in graph.initializer}
    kept = []
    for node in graph.node:
        made = _constant(node, known)
        if made is None:
            kept.append(node)
            continue
        made.name = node.output[0]
        known[made.name] = made
        graph.initializer.append(made)
    if len(kept) < len(graph.node):
        nodes = [_copy(node) for node in kept]
        del graph.node[:]
        graph.node.extend(nodes)


def _copy(node: NodeProto) -> NodeProto:
    copy = NodeProto()
    copy.CopyFrom(node)
    return copy


def _constant(node: NodeProto, known: dict[str, TensorProto]) -> TensorProto | None:
    """The tensor that a node makes of constants alone; None where it makes another, or needs what is computed."""
    if node.domain not in ("", "ai.onnx"):
        return None
    if node.op_type == "Constant":
        return _of_attribute(node)
    if not node.input or node.input[0] not in known:
        return None
    copy = TensorProto()
    if node.op_type == "Identity":
        copy.CopyFrom(known[node.input[0]])
        return copy
    if node.op_type == "ConstantOfShape":
        shape = numpy_helper.to_array(known[node.input[0]]).reshape(-1).tolist()
        count = elements(tuple(shape))
        if count is None or count > LARGEST:
            return None
        given = next((numpy_helper.to_array(a.t) for a in node.attribute if a.name == "value"), np.zeros(1, np.float32))
        return numpy_helper.from_array(np.full(shape, given.reshape(-1)[0], given.dtype))
    return None


def _of_attribute(node: NodeProto) -> TensorProto | None:
    for attribute in node.attribute:
        if attribute.name == "value":
            copy = TensorProto()
            copy.CopyFrom(attribute.t)
            return copy
        if attribute.name in ROWS:
            numbers = getattr(attribute, ROWS[attribute.name])
            return numpy_helper.from_array(np.array(numbers, TYPES[attribute.name]))
    return None


# -- float16 --------------------------------------------------------------------------------------------------------


def _widen(graph: GraphProto) -> None:
    """float16 as float32, everywhere: its numbers are float32's too."""
    for tensor in _tensors(graph):
        if tensor.data_type == HALF:
            array: Array = numpy_helper.to_array(tensor).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    for inner in _graphs(graph):
        for entry in (*inner.input, *inner.output, *inner.value_info):
            if entry.type.tensor_type.elem_type == HALF:
                entry.type.tensor_type.elem_type = FLOAT
        for node in inner.node:
            for attribute in node.attribute:
                if node.op_type == "Cast" and attribute.name == "to" and attribute.i == HALF:
                    attribute.i = FLOAT


def _graphs(graph: GraphProto) -> Iterator[GraphProto]:
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                yield from _graphs(inner)


def _tensors(graph: GraphProto) -> Iterator[TensorProto]:
    for inner in _graphs(graph):
        yield from inner.initializer
        for node in inner.node:
            yield from (attribute.t for attribute in node.attribute if attribute.HasField("t"))


# -- what can be wrong ----------------------------------------------------------------------------------------------


def why_nothing(proto: ModelProto, source: Path) -> ModelError:
    """Why a model has nothing that could become INT8."""
    nodes = list(proto.graph.node)
    ml = [node.op_type for node in nodes if node.domain == "ai.onnx.ml"]
    if ml:
        en, zh = (
            f"it is a classical model ({ml[0]}), which computes in no layers",
            f"它是经典模型（{ml[0]}），没有网络层",
        )
        return _refused(source, en, zh)
    bodies = [node.op_type for node in nodes if any(a.HasField("g") or a.graphs for a in node.attribute)]
    if bodies:
        en, zh = f"its layers lie inside an operator {bodies[0]}", f"它的网络层在算子 {bodies[0]} 里面"
        return _refused(source, f"{en}, where nothing can be measured", f"{zh}，无法测量")
    other = [f"{node.domain}.{node.op_type}" for node in nodes if node.domain not in ("", "ai.onnx")]
    if other:
        en, zh = f"its layers are operators of another maker ({other[0]})", f"它的网络层是其他厂商的算子（{other[0]}）"
        return _refused(source, en, zh)
    recurrent = [node.op_type for node in nodes if node.op_type in ("LSTM", "GRU", "RNN")]
    if recurrent:
        en, zh = f"its weights are those of {recurrent[0]}", f"它的权重属于 {recurrent[0]}"
        way = (
            ". --precision int8-weights or fp16 makes its file smaller",
            "。可以用 --precision int8-weights 或 fp16 缩小文件",
        )
        return _refused(source, f"{en}, which is never rounded{way[0]}", f"{zh}，不做量化{way[1]}")
    return _refused(source, "it has no convolution or matrix of FP32 weights", "它没有 FP32 权重的卷积或矩阵乘法")


def _refused(source: Path, en: str, zh: str) -> ModelError:
    return ModelError(
        en=f"{source.name} has nothing that could become INT8: {en}. A network of convolutions and matrices was "
        "expected. Use it as it is.",
        zh=f"{source.name} 里没有可以转换成 INT8 的部分：{zh}。应为由卷积和矩阵组成的网络。请直接使用原模型。",
    )


def check_rounded(made: ModelProto, source: Path) -> None:
    """ModelError where nothing became integers, or the file would be no smaller: INT8 that only seems to be."""
    integers = [t for t in made.graph.initializer if t.data_type in (TensorProto.INT8, TensorProto.UINT8)]
    if not any(len(tensor.dims) >= 2 for tensor in integers):
        raise _refused(source, "no layer's weights became integers", "没有一层的权重变成整数")
    check_smaller(made, source)


def nothing_large(source: Path) -> ModelError:
    """The error for a network without large weights, whose file could not become smaller."""
    return ModelError(
        en=f"{source.name} has no large weights in float32 that could be stored in fewer bits, so nothing was written. "
        "A matrix or convolution of 1024 numbers or more was expected. Use it as it is.",
        zh=f"{source.name} 里没有可以用更少位数保存的大块 float32 权重，因此没有写出文件。"
        "应有至少 1024 个数的矩阵或卷积。请直接使用原模型。",
    )


def check_smaller(made: ModelProto, source: Path) -> None:
    """ModelError where the file would be no smaller."""
    before, after = source.stat().st_size, made.ByteSize()
    if after >= before:
        raise ModelError(
            en=f"{source.name} has {before} bytes and would have {after}, so nothing was written. A smaller file was "
            "expected: it has too few large weights in float32. Use it as it is.",
            zh=f"{source.name} 现在有 {before} 字节，压缩后有 {after} 字节，因此没有写出文件。本应变小："
            "它的大块 float32 权重太少。请直接使用原模型。",
        )
