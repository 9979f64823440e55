"""What of a file a graph does not show: numbers inside Ifs and Loops, and types that are no tensors."""

from __future__ import annotations

from ..files.limits import elements
from ..files.protobuf import NAMES
from ..files.wire import BYTES, Message
from .tensor import read_tensor

DEEPEST = 50  # graphs inside graphs
SHAPES = ("int64", "str")  # types of which a network learns nothing
# Fields of a TypeProto that are no tensors, and in each the field of the type inside: onnx.proto
KINDS = {4: ("sequence", 1), 9: ("optional", 1), 5: ("map", 2), 8: ("sparse", 0)}


def held(graph: Message, depth: int = 0) -> int:
    """The numbers of a graph's constants, and of those inside it; shapes and indices are not counted."""
    if depth > DEEPEST:
        raise ValueError("graphs nest too deep")
    found = 0
    for one in graph.fields():
        if one.number == 5 and one.kind == BYTES:
            found += _numbers(graph.inside(one))
        elif one.number == 1:
            node = graph.inside(one)
            for attribute in (node.inside(f) for f in node.fields() if f.number == 5):
                for inside in attribute.fields():
                    if inside.number in (6, 11):
                        found += held(attribute.inside(inside), depth + 1)
                    elif inside.number == 5:
                        found += _numbers(attribute.inside(inside))
    return found


def _numbers(tensor: Message) -> int:
    one = read_tensor(tensor)
    return 0 if NAMES.get(one.kind, "") in SHAPES else elements(one.shape) or 0


def in_words(m: Message, depth: int = 0) -> str:
    """A TypeProto: "sequence(map(int64, float32))"; "?" for what has no name here."""
    for one in m.fields():
        if one.number == 1 and one.kind == BYTES:
            inner = m.inside(one)
            kind = next((inner.number(f) for f in inner.fields() if f.number == 1), 0)
            return NAMES.get(kind, "?")
        if one.number in KINDS and one.kind == BYTES and depth < 8:
            name, place = KINDS[one.number]
            inner = m.inside(one)
            parts = [
                in_words(inner.inside(f), depth + 1) for f in inner.fields() if f.number == place and f.kind == BYTES
            ]
            if name == "map":
                keys = [NAMES.get(inner.number(f), "?") for f in inner.fields() if f.number == 1]
                parts = [*keys, *parts]
            return f"{name}({', '.join(parts) or '?'})"
    return "?"
