"""Any .onnx -> Graph, without the onnx package: names and shapes are read, numbers stay in the file until wanted.

Nodes mean what the file's own opset says; upgrade.py brings them to the meaning that the rest of the house knows.
https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ModelError, QingzhouError
from ..files.limits import MOST_AXES
from ..files.protobuf import NAMES
from ..files.wire import BYTES, Field, Message
from ..graph.count import NOTHING, Work, work
from ..graph.form import UNRANKED, Constant, Graph, Node, Raw, Shape, Value
from ..graph.infer import inferred
from ..runtime.file import open_file
from .inner import held, in_words
from .tensor import Tensor, constant_of, read_sparse, read_tensor, row
from .traces import TRACES, is_trace
from .upgrade import upgraded

MOST_INSIDE = 50  # graphs inside graphs
FLOAT, INT, STRING, TENSOR, GRAPH, FLOATS, INTS, STRINGS = range(1, 9)  # AttributeProto.AttributeType


@dataclass(frozen=True)
class OnnxFile:
    """A model as it lies in a file.

    outside    names of other files that its tensors are said to lie in
    functions  how many the model defines of its own, which are not looked into
    types      of inputs and outputs that are no tensors, in words: "sequence(map(int64, float32))"
    inner      numbers that its Ifs and Loops hold
    traces     nodes at which the exporter left where in somebody's program they come from
    """

    path: Path
    size: int
    graph: Graph
    ir_version: int
    producer: str
    metadata: Mapping[str, str]
    outside: tuple[str, ...] = ()
    functions: int = 0
    types: Mapping[str, str] = field(default_factory=dict)
    inner: int = 0
    traces: int = 0

    @property
    def opset(self) -> int:
        """Of ONNX's own operators; 0 where the file uses none."""
        return self.graph.opsets.get("", 0)


def read_onnx(path: Path) -> OnnxFile:
    """The model in a file, of any size; ModelError where it is none, or half of one."""
    with reading(path), mapped(path) as data:
        return _Model(path, Message(data)).read()


def read_graph(path: Path) -> Graph:
    """The network in a file, in the meaning that the rest of the house knows; ModelError."""
    return upgraded(read_onnx(path).graph)


def body_of(path: Path, attribute: Raw) -> Graph:
    """The graph in an attribute of a Loop, as it stands there; what it reads from outside has no shape in it."""
    with reading(path):
        m = Message(memoryview(attribute.data))
        model = _Model(path, m)
        for one in m.fields():
            if one.number == 6 and one.kind == BYTES:
                model._graph(m.inside(one))
    parts = model.parts
    return Graph(tuple(parts.inputs), tuple(parts.outputs), tuple(parts.nodes), parts.values, parts.constants)


def work_in(found: OnnxFile) -> Work:
    """What a model has to do; NOTHING where its shapes cannot be inferred."""
    if found.functions:  # nothing is counted inside them
        return NOTHING
    try:
        return work(inferred(upgraded(found.graph)))
    except ModelError:
        return NOTHING


def free_sizes(found: OnnxFile) -> list[str]:
    """Sizes of inputs that the file leaves open, but for the first of each: "height", or "x[2]" without a name."""
    inputs = [value for value in found.graph.inputs if value.name not in found.graph.optional]
    named = {
        n if isinstance(n, str) and n not in ("?", "*") else f"{value.name}[{i}]": None
        for value in inputs
        for i, n in enumerate(value.shape)
        if i and not (isinstance(n, int) and n > 0)
    }
    return list(named)


def macs_in(found: OnnxFile) -> int:
    """Multiply-accumulates of one inference; 0 where they depend on sizes that are free."""
    return 0 if free_sizes(found) else work_in(found).macs


def incomplete(path: Path) -> ModelError:
    """The error for what is no model, or half of one."""
    return ModelError(
        en=f"{path.name} is no complete ONNX model. Convert the checkpoint again, or copy the file again.",
        zh=f"{path.name} 不是完整的 ONNX 模型。请重新转换权重文件，或重新复制。",
    )


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Whatever shows that a file is no model, as the ModelError that says so."""
    try:
        yield
    except ModelError:
        raise
    except (QingzhouError, OSError, ValueError, RecursionError):
        raise incomplete(path) from None


@contextmanager
def mapped(path: Path) -> Iterator[memoryview]:
    """The bytes of a file, not read before they are wanted; no view of them may be left when the block ends."""
    with open_file(path) as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        view = memoryview(mapped)
        try:
            yield view
        finally:
            view.release()


@dataclass
class _Parts:
    """What a GraphProto holds, collected field by field."""

    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, Constant] = field(default_factory=dict)
    inputs: list[Value] = field(default_factory=list)
    outputs: list[Value] = field(default_factory=list)
    values: dict[str, Value] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)


class _Model:
    """Reads a ModelProto."""

    def __init__(self, path: Path, message: Message) -> None:
        self.path, self.message = path, message
        self.outside: dict[str, None] = {}
        self.inner = self.traces = 0
        self.parts = _Parts()

    def read(self) -> OnnxFile:
        """Everything; a graph may come in several parts, which protobuf puts together."""
        m, ir, producer, functions = self.message, 0, "", 0
        opsets: dict[str, int] = {}
        metadata: dict[str, str] = {}
        for one in m.fields():
            if one.number == 1:
                ir = m.number(one)
            elif one.number == 2:
                producer = m.text(one)
            elif one.number == 7:
                self._graph(m.inside(one))
            elif one.number == 8:
                opsets |= dict([_opset(m.inside(one))])
            elif one.number == 14:
                metadata |= dict([_entry(m.inside(one))])
            elif one.number == 25:
                functions += 1
        if not self.parts.nodes and not self.parts.outputs:
            raise incomplete(self.path)
        graph = _graph(self.parts, opsets, ir)
        return OnnxFile(
            self.path,
            len(m.data),
            graph,
            ir,
            producer,
            metadata,
            tuple(self.outside),
            functions,
            self.parts.types,
            self.inner,
            self.traces,
        )

    def _graph(self, m: Message) -> None:
        parts = self.parts
        for one in m.fields():
            if one.number == 1:
                parts.nodes.append(self._node(m.inside(one)))
            elif one.number == 5:
                tensor = read_tensor(m.inside(one))
                parts.constants[tensor.name] = self._constant(tensor)
            elif one.number == 15:
                name, constant = read_sparse(self.path, len(self.message.data), m.inside(one))
                parts.constants[name] = constant
            elif one.number in (11, 12, 13):
                value, kind = _value(m.inside(one))
                parts.values[value.name] = value
                parts.types |= {value.name: kind} if kind else {}
                {11: parts.inputs, 12: parts.outputs}.get(one.number, []).append(value)

    def _constant(self, tensor: Tensor) -> Constant:
        self.outside |= dict.fromkeys([tensor.place.name] if tensor.place else [])
        return constant_of(self.path, len(self.message.data), tensor)

    def _node(self, m: Message) -> Node:
        inputs, outputs, attrs = [], [], {}
        op = domain = name = ""
        for one in m.fields():
            if one.number == 1:
                inputs.append(m.text(one))
            elif one.number == 2:
                outputs.append(m.text(one))
            elif one.number == 3:
                name = m.text(one)
            elif one.number == 4:
                op = m.text(one)
            elif one.number == 5:
                key, value = self._attribute(m.inside(one))
                attrs[key] = value
            elif one.number == 7:
                domain = m.text(one)
            elif one.number in TRACES:
                self.traces += is_trace(m, one)
        return Node(op, tuple(inputs), tuple(outputs), attrs, "" if domain == "ai.onnx" else domain, name)

    def _attribute(self, m: Message) -> tuple[str, Any]:
        """Its name and an Attr. Lists come in several fields; what is not read stays as its bytes."""
        name, kind, single = "", 0, None  # type: tuple[str, int, Any]
        lists: dict[int, list[Any]] = {FLOATS: [], INTS: [], STRINGS: []}
        for one in m.fields():
            match one.number:
                case 1:
                    name = m.text(one)
                case 2:
                    single = m.real(one)
                case 3:
                    single = m.number(one)
                case 4:
                    single = m.text(one)
                case 5:
                    single = self._constant(read_tensor(m.inside(one)))
                case 7:
                    lists[FLOATS] += m.reals(one)
                case 8:
                    lists[INTS] += m.numbers(one)
                case 9:
                    lists[STRINGS].append(m.text(one))
                case 20:
                    kind = m.number(one)
                case 6 | 10 | 11 | 14 | 15 | 22 | 23:
                    single = _raw(m)
                    self.inner += held(m.inside(one)) if one.number in (6, 11) else 0
        return name, tuple(lists[kind]) if kind in lists and not isinstance(single, Raw) else _default(single, kind)


def _default(value: Any, kind: int) -> Any:
    """protobuf leaves out what is 0 or empty."""
    return {FLOAT: 0.0, INT: 0, STRING: ""}.get(kind, 0) if value is None else value


def _raw(m: Message) -> Raw:
    """An attribute with graphs inside, and the names of outer values that these may read."""
    return Raw(bytes(m.data[m.start : m.end]), tuple(_outer(m, 0)))


def _outer(m: Message, depth: int) -> dict[str, None]:
    """What the graphs in an attribute read and do not make themselves."""
    if depth > MOST_INSIDE:
        raise ValueError("graphs nest too deep")
    found: dict[str, None] = {}
    for body in (m.inside(one) for one in m.fields() if one.number in (6, 11) and one.kind == BYTES):
        read: dict[str, None] = {}
        made: set[str] = set()
        for one in body.fields():
            if one.number == 1:
                inner = body.inside(one)
                made |= {inner.text(f) for f in inner.fields() if f.number == 2}
                read |= {inner.text(f): None for f in inner.fields() if f.number == 1}
                for attribute in (inner.inside(f) for f in inner.fields() if f.number == 5):
                    read |= _outer(attribute, depth + 1)
            elif one.number in (5, 11):
                made.add(_named(body.inside(one), 8 if one.number == 5 else 1))
            elif one.number == 12:
                read[_named(body.inside(one), 1)] = None
        found |= {name: None for name in read if name and name not in made}
    return found


def _named(m: Message, number: int) -> str:
    return next((m.text(f) for f in m.fields() if f.number == number), "")


def _opset(m: Message) -> tuple[str, int]:
    domain, version = "", 0
    for one in m.fields():
        if one.number == 1:
            domain = m.text(one)
        elif one.number == 2:
            version = m.number(one)
    return "" if domain == "ai.onnx" else domain, version


def _entry(m: Message) -> tuple[str, str]:
    found = {one.number: m.text(one) for one in m.fields() if one.number in (1, 2)}
    return found.get(1, ""), found.get(2, "")


def _value(m: Message) -> tuple[Value, str]:
    """And what it is in words, where it is no tensor; sequences, maps and the like are "other"."""
    name, kind, shape, text = "", "other", UNRANKED, ""  # type: tuple[str, str, Shape, str]
    for one in m.fields():
        if one.number == 1:
            name = m.text(one)
        elif one.number == 2:
            kind, shape = _type(m.inside(one))
            text = in_words(m.inside(one)) if kind == "other" else ""
    return Value(name, shape, kind), text


def _type(m: Message) -> tuple[str, Shape]:
    tensor = next((one for one in m.fields() if one.number == 1), None)
    if tensor is None:
        return "other", UNRANKED
    inner, kind, shape = m.inside(tensor), "other", None  # type: tuple[Message, str, Shape | None]
    for one in inner.fields():
        if one.number == 1:
            kind = NAMES.get(inner.number(one), "other")
        elif one.number == 2:
            body = inner.inside(one)
            shape = tuple(_side(body, f) for f in body.fields() if f.number == 1)
    return kind, UNRANKED if shape is None or len(shape) > MOST_AXES else shape


def _side(m: Message, one: Field) -> int | str:
    side = m.inside(one)
    for found in side.fields():
        if found.number == 1:
            return side.number(found)
        if found.number == 2:
            return side.text(found) or "?"
    return "?"


def _graph(parts: _Parts, opsets: dict[str, int], ir_version: int) -> Graph:
    """Constant nodes are constants; an input with numbers is optional, or before IR version 4 a constant."""
    nodes, constants = [], dict(parts.constants)
    for node in parts.nodes:
        made = row(node) if node.op == "Constant" and not node.domain else None
        if made is None:
            nodes.append(node)
        else:
            constants[node.outputs[0]] = made
    filled = {value.name for value in parts.inputs} & set(constants)
    inputs = tuple(value for value in parts.inputs if ir_version >= 4 or value.name not in filled)
    optional = frozenset(filled if ir_version >= 4 else ())
    values = {name: value for name, value in parts.values.items() if value.shape != UNRANKED and name not in constants}
    values |= {value.name: value for value in inputs}
    return Graph(inputs, tuple(parts.outputs), tuple(nodes), values, constants, optional, opsets)
