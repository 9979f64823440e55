"""Graph -> .tflite: the operators, then the file with its metadata and the texts that stand behind it."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...errors import EngineError
from ...files.flatbuffer_write import Later, pieces
from ...files.tflite_schema import (
    IDENTIFIER,
    METADATA_NAME,
    OPERATORS,
    OPTIONS,
    SCHEMA,
    TYPES,
    VERSION,
)
from ...graph.form import Graph, Node, Value
from ...graph.recognise import recognised
from ...onnxfile.integers import NOTHING, Integers
from ..behind import append
from ..sized import expressed
from .emitter import LAST, Emitter, no_form, plain
from .form import Held, Network, Operator, Tensor
from .layers import LAYERS, Rule
from .moves import MOVES
from .pointwise import POINTWISE

RULES: dict[tuple[str, str], Rule] = {**LAYERS, **POINTWISE, **MOVES}
# Options whose name does not follow from the operator's
OF_KIND = {
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    **dict.fromkeys(("MEAN", "SUM", "REDUCE_MAX"), "ReducerOptions"),
}


def emit_litert(
    graph: Graph, integers: Integers = NOTHING, pictures: frozenset[str] = frozenset(), half: bool = False
) -> Network:
    """The graph as operators; EngineError names what cannot be written.

    pictures  inputs that the file has with channels last;  half: weights are stored as FP16
    """
    e = Emitter(recognised(graph), integers, pictures, half)
    _check(e.graph)
    inputs = [_input(e, value.name) for value in graph.inputs]
    for node in e.graph.nodes:
        if node.outputs[0] not in e.fused:
            with expressed("LiteRT", node):
                RULES[node.domain, node.op](e, node)
    outputs = [_output(e, value.name) for value in graph.outputs]
    return Network(e.tensors, e.operators, inputs, outputs)


def _check(graph: Graph) -> None:
    """EngineError for operations, types and sizes that are not written."""
    for node in graph.nodes:
        if (node.domain, node.op) not in RULES:
            raise no_form(node.op)
    for value in (*graph.inputs, *(_shaped(graph, node) for node in graph.nodes)):
        if value.dtype != "float32":
            raise no_form(f"a value of {value.dtype} ({value.name[:60]})")
        if not all(isinstance(n, int) and n > 0 for n in value.shape) or len(value.shape) > 6:
            raise no_form(f"a value of shape {value.shape}")


def _shaped(graph: Graph, node: Node) -> Value:
    name = node.outputs[0]
    if name not in graph.values:
        raise no_form(f"a value of unknown shape ({name[:60]})")
    return graph.values[name]


def _input(e: Emitter, name: str) -> int:
    """Pictures have their channels last in the file."""
    sizes = e.shape(name)
    order = LAST if name in e.pictures else plain(len(sizes))
    index = e.flowing(name, [sizes[axis] for axis in order], None)
    e.held[name] = [Held(index, order, None)]
    return index


def _output(e: Emitter, name: str) -> int:
    """Floats, with their axes as in the graph, and the graph's name."""
    index = e.take(name, plain(len(e.shape(name))))
    if any(index == held.index for other in e.graph.inputs for held in e.held[other.name]):
        index = e.reshaped(index, name, e.shape(name))
    e.tensors[index] = replace(e.tensors[index], name=name)
    return index


# -- the file ----------------------------------------------------------------------------------------------------------


def write_tflite(
    path: Path, network: Network, names: tuple[Sequence[str], Sequence[str]], metadata: bytes, texts: Mapping[str, str]
) -> None:
    """The whole file; names of inputs and outputs, metadata of TensorFlow Lite, and texts behind it by their names.

    What reads these texts on phones takes them only where they are stored as they are.
    """
    content = _content(network, names, metadata)
    size = checksum = 0
    try:
        with path.open("wb") as file:
            for piece in pieces(SCHEMA, "Model", content, IDENTIFIER):
                file.write(piece)
                size, checksum = size + len(piece), zlib.crc32(piece, checksum)
    except OverflowError:
        raise too_large() from None
    append(path, texts, size, checksum)


def _content(network: Network, names: tuple[Sequence[str], Sequence[str]], metadata: bytes) -> dict[str, Any]:
    buffers: list[dict[str, Any]] = [{}]  # the first is nobody's
    rows = []
    for tensor in network.tensors:
        place = len(buffers) if tensor.data else 0
        buffers += [{"data": tensor.data}] if tensor.data else []
        rows.append(_tensor(tensor, place))
    codes = list(dict.fromkeys((op.kind, op.version) for op in network.operators))
    ends = [
        [{"name": name, "tensor_index": index} for name, index in zip(side, indices, strict=True)]
        for side, indices in zip(names, (network.inputs, network.outputs), strict=True)
    ]
    graph = {
        "tensors": rows,
        "inputs": network.inputs,
        "outputs": network.outputs,
        "operators": [_operator(op, codes.index((op.kind, op.version))) for op in network.operators],
        "name": "main",
    }
    buffers.append({"data": Later(len(metadata), lambda: metadata)} if metadata else {})
    return {
        "version": VERSION,
        "operator_codes": [_code(*one) for one in codes],
        "subgraphs": [graph],
        "description": "Qingzhou",
        "buffers": buffers,
        "metadata": [{"name": METADATA_NAME, "buffer": len(buffers) - 1}],
        "signature_defs": [{"inputs": ends[0], "outputs": ends[1], "signature_key": "serving_default"}],
    }


def _tensor(tensor: Tensor, buffer: int) -> dict[str, Any]:
    row: dict[str, Any] = {
        "shape": tensor.shape,
        "type": TYPES.index(tensor.dtype),
        "buffer": buffer,
        "name": tensor.name,
        "has_rank": True,
    }
    if len(tensor.scales):
        row["quantization"] = {
            "scale": tensor.scales,
            "zero_point": tensor.zeros,
            "quantized_dimension": tensor.axis,
        }
    return row


def _code(kind: str, version: int) -> dict[str, Any]:
    """Runtimes before 2.4 read the older field, which holds 127 at most."""
    number = OPERATORS.index(kind)
    return {"deprecated_builtin_code": min(number, 127), "builtin_code": number, "version": version}


def _operator(op: Operator, code: int) -> dict[str, Any]:
    kind = OF_KIND.get(op.kind) or next((one for one in OPTIONS if one.lower() == _plain(op.kind)), "")
    row: dict[str, Any] = {"opcode_index": code, "inputs": op.inputs, "outputs": op.outputs}
    if kind in SCHEMA:
        row |= {"builtin_options_type": OPTIONS.index(kind), "builtin_options": (kind, op.options)}
    return row


def _plain(kind: str) -> str:
    return kind.replace("_", "").lower() + "options"


def too_large() -> EngineError:
    """The error for a network that does not fit into one file."""
    return EngineError(
        en="A .tflite holds 2 GB at most, and this network is larger. Store its weights as FP16 (--precision fp16), or "
        "use another engine.",
        zh="一个 .tflite 文件最大 2 GB，而这个网络更大。请把权重存为 FP16（--precision fp16），或换一个引擎。",
    )
