"""What a SavedModel or a GraphDef says of itself, read without TensorFlow.

https://github.com/tensorflow/tensorflow/tree/v2.21.0/tensorflow/core/protobuf: saved_model.proto, meta_graph.proto,
and framework/graph.proto, node_def.proto, attr_value.proto
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from ...files.archive import Entry, directory, inflated
from ...files.refusals import damaged, short, unsafe
from ...files.wire import BYTES, Field, Message
from ..source import Opened

MOST_GRAPH = 1 << 30  # bytes of a graph, which is read at once; a frozen one has its numbers inside
MOST_SAID = 64 << 20  # of keras_metadata.pb
SHOWN = 4  # signatures, inputs and outputs in a message
DTYPES = {
    1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 7: "string", 9: "int64", 10: "bool",
    14: "bfloat16", 17: "uint16", 19: "float16", 22: "uint32", 23: "uint64",
}  # fmt: skip
NO_ENDS = ("Placeholder", "Const", "NoOp", "Assert", "VarHandleOp")  # which give nothing that somebody wants


@dataclass(frozen=True)
class End:
    """What goes in or comes out: its name, numpy's name of its dtype, and its sizes; -1 is free, None unknown."""

    name: str
    dtype: str
    shape: tuple[int, ...] | None

    def __str__(self) -> str:
        if self.dtype == "?" and self.shape is None:  # of a frozen graph's outputs nobody says more
            return short(self.name, 40)
        sizes = "?" if self.shape is None else ", ".join("N" if n < 0 else str(n) for n in self.shape)
        return f"{short(self.name, 40)} ({sizes}) {self.dtype}"


@dataclass(frozen=True)
class Signature:
    """A function that may be called from outside."""

    inputs: Sequence[End]
    outputs: Sequence[End]

    def __str__(self) -> str:
        return " -> ".join(_some([str(one) for one in ends]) for ends in (self.inputs, self.outputs))


@dataclass(frozen=True)
class Parts:
    """What a file holds. root: the folder of a SavedModel inside a folder or zip, "" or "name/"."""

    frozen: bool
    size: int
    version: str
    tags: Sequence[str]
    signatures: Mapping[str, Signature]
    nodes: Sequence[tuple[str, str]]
    root: str = ""
    keras: Sequence[str] = field(default=())

    @property
    def container(self) -> str:
        """What it is."""
        return "frozen GraphDef" if self.frozen else "SavedModel"

    @property
    def tool(self) -> str:
        """Who wrote it."""
        return f"TensorFlow {self.version}".strip()

    def facts(self) -> dict[str, object]:
        """In short plain values."""
        signatures = {f"signature {short(name, 60)}": str(one) for name, one in self.signatures.items()}
        layers = {"Keras layers": len(self.keras)} if self.keras else {}
        return {**signatures, **layers, "operators": len(self.nodes)}

    @property
    def ops(self) -> frozenset[str]:
        """The operators in it."""
        return frozenset(op for _, op in self.nodes)


def parts_of(opened: Opened) -> Parts:
    """CheckpointDamaged, UnsafeCheckpoint."""
    if opened.whole is not None and not opened.head.startswith(b"PK"):
        data = _whole(opened)
        return _frozen(data) if data[:1] == b"\x0a" else _saved(data, "", ())
    name = min((n for n in opened.members if PurePosixPath(n).name == "saved_model.pb"), key=len)
    root = name.removesuffix("saved_model.pb")
    said = f"{root}keras_metadata.pb"
    layers = _keras(bytes_of(opened, said, MOST_SAID)) if said in opened.members else ()
    return _saved(bytes_of(opened, name, MOST_GRAPH), root, layers)


def _whole(opened: Opened) -> bytes:
    if opened.file.size > MOST_GRAPH:
        raise unsafe(f"its graph has {opened.file.size} bytes", "计算图过大")
    return opened.file.read(0, opened.file.size)


def bytes_of(opened: Opened, name: str, most: int) -> bytes:
    """A member of a folder or zip, packed or not."""
    if opened.whole is None:
        member = opened.members[name]()
        if member.record.size > most:
            raise unsafe(f"its part {short(name)} has {member.record.size} bytes", f"{short(name)} 过大")
        return member.bytes()
    return inflated(opened.file, entries_of(opened)[name], most)


def entries_of(opened: Opened) -> dict[str, Entry]:
    """The parts of a zip by name."""
    return {entry.name: entry for entry in directory(opened.file, opened.limits)}


# -- SavedModel -------------------------------------------------------------------------------------------------------


def _saved(data: bytes, root: str, layers: Sequence[str]) -> Parts:
    message = Message(memoryview(data))
    metas = [message.inside(one) for one in message.fields() if one.number == 2]
    if not metas:
        raise damaged("it has no graph", "其中没有计算图")
    version, tags = "", list[str]()
    signatures: dict[str, Signature] = {}
    nodes: list[tuple[str, str]] = []
    meta = metas[0]
    for one in meta.fields():
        if one.number == 1:
            version, tags = _info(meta.inside(one))
        elif one.number == 2:
            nodes += _nodes(meta.inside(one))
        elif one.number == 5:
            name, value = _entry(meta, one)
            if value is not None and name != "__saved_model_init_op":
                signatures[name] = _signature(value)
    return Parts(False, len(data), version, tags, signatures, nodes, root, layers)


def _info(m: Message) -> tuple[str, list[str]]:
    version, tags = "", []
    for one in m.fields():
        if one.number == 4:
            tags.append(short(m.text(one), 60))
        elif one.number == 5:
            version = short(m.text(one), 40)
    return version, tags


def _entry(m: Message, one: Field) -> tuple[str, Message | None]:
    """Of a map: its key and its value."""
    inner, key, value = m.inside(one), "", None
    for part in inner.fields():
        if part.number == 1 and part.kind == BYTES:
            key = inner.text(part)
        elif part.number == 2 and part.kind == BYTES:
            value = inner.inside(part)
    return key, value


def _signature(m: Message) -> Signature:
    ends: dict[int, list[End]] = {1: [], 2: []}
    for one in m.fields():
        if one.number in ends:
            name, value = _entry(m, one)
            ends[one.number].append(_end(name, value))
    return Signature(*(sorted(ends[k], key=lambda end: _in_order(end.name)) for k in (1, 2)))


def _in_order(name: str) -> list[tuple[int, str]]:
    """output_2 before output_10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d{1,9})", name)]


def _end(name: str, m: Message | None) -> End:
    dtype, shape = "?", None  # type: tuple[str, tuple[int, ...] | None]
    for one in m.fields() if m is not None else ():
        if m is not None and one.number == 2:
            dtype = DTYPES.get(m.number(one), "?")
        elif m is not None and one.number == 3:
            shape = _shape(m.inside(one))
    return End(name, dtype, shape)


def _shape(m: Message) -> tuple[int, ...] | None:
    sizes = []
    for one in m.fields():
        if one.number == 2:
            side = m.inside(one)
            sizes.append(next((side.number(f) for f in side.fields() if f.number == 1), 0))
        elif one.number == 3 and one.value:
            return None
    return tuple(sizes)


# -- GraphDef ---------------------------------------------------------------------------------------------------------


def _nodes(m: Message) -> Iterator[tuple[str, str]]:
    """(name, operator) of all nodes, also of the functions that it has."""
    for one in m.fields():
        if one.number == 1:
            yield _named(m.inside(one))
        elif one.number == 2:
            library = m.inside(one)
            for function in (library.inside(f) for f in library.fields() if f.number == 1):
                yield from (_named(function.inside(f)) for f in function.fields() if f.number == 3)


def _named(m: Message) -> tuple[str, str]:
    name = op = ""
    for one in m.fields():
        if one.number == 1:
            name = m.text(one)
        elif one.number == 2:
            op = m.text(one)
            break
    return name, op


def _frozen(data: bytes) -> Parts:
    """Inputs are the Placeholders, outputs what nobody reads: a GraphDef marks neither."""
    m = Message(memoryview(data))
    nodes: dict[str, Message] = {}
    ops: dict[str, str] = {}
    for one in m.fields():
        if one.number == 1:
            node = m.inside(one)
            name, ops[name] = _named(node)
            nodes[name] = node
    read = {_maker(node.text(f)) for node in nodes.values() for f in node.fields() if f.number == 3}
    inputs = [_placeholder(name, nodes[name]) for name, op in ops.items() if op == "Placeholder"]
    outputs = [End(name, "?", None) for name, op in ops.items() if name not in read and op not in NO_ENDS]
    every = list(_nodes(m))
    return Parts(True, len(data), "", (), {"": Signature(inputs, outputs)}, every)


def _maker(name: str) -> str:
    return name.lstrip("^").partition(":")[0]


def _placeholder(name: str, m: Message) -> End:
    dtype, shape = "?", None  # type: tuple[str, tuple[int, ...] | None]
    for one in m.fields():
        if one.number == 5:
            key, value = _entry(m, one)
            for part in value.fields() if value is not None else ():
                if value is not None and key == "dtype" and part.number == 6:
                    dtype = DTYPES.get(value.number(part), "?")
                elif value is not None and key == "shape" and part.number == 7:
                    shape = _shape(value.inside(part))
    return End(name, dtype, shape)


def _keras(data: bytes) -> list[str]:
    """The names of the layers in Keras 2's keras_metadata.pb."""
    m, names = Message(memoryview(data)), []
    for node in (m.inside(one) for one in m.fields() if one.number == 1):
        said = {one.number: node.text(one) for one in node.fields() if one.number in (4, 5)}
        if said.get(4, "").startswith("_tf_keras_") and said[4] != "_tf_keras_metric":
            try:
                found = json.loads(said.get(5, ""))
            except (ValueError, RecursionError):
                continue
            if isinstance(found, dict):
                names.append(short(found.get("name"), 60))
    return names


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (" …" if len(names) > SHOWN else "")
