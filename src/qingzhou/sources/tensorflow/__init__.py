"""TensorFlow's own files: a SavedModel (a folder, or a zip of one) and a frozen GraphDef.

They hold a program of TensorFlow, not layers. What it takes and gives is read here without TensorFlow; only where the
user has installed the extra does TensorFlow itself run it, in a process of its own.

parts.py     what such a file says of itself
read.py      the network in it, by way of the isolated process
isolated.py  that process from outside;  worker.py  and inside
refuse.py    what cannot be done, and the ways out
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from ..source import Contents, Opened, Part, Source

if TYPE_CHECKING:
    from ...nets.recorded import Wanted
    from ..network import Network

SAVED = "saved_model.pb"
# A GraphDef begins with a node: its name, then its operator. A SavedModel with version 1, then a graph that begins with
# its description, where an ONNX file has the name of its maker.
FROZEN = re.compile(rb"\x0a[\x80-\xff]{0,9}[\x01-\x7f]\x0a([\x01-\x7f])([A-Za-z0-9.][\w.\\/>-]*)")
BARE = re.compile(rb"\x08\x01\x12[\x80-\xff]{0,9}[\x01-\x7f]\x0a[\x80-\xff]{0,9}[\x01-\x7f][\x0a\x12\x1a\x22\x2a]")


def claims(opened: Opened) -> bool:
    """By the members of a folder or zip, or by its first bytes; CheckpointDamaged, UnsafeCheckpoint."""
    if opened.whole is None or opened.head.startswith(b"PK\x03\x04"):
        return zipped(opened.names)
    return bool(BARE.match(opened.head)) or _is_frozen(opened.head)


def zipped(names: Collection[str]) -> bool:
    """With a saved_model.pb in it."""
    return any(name == SAVED or name.endswith(f"/{SAVED}") for name in names)


def _is_frozen(head: bytes) -> bool:
    found = FROZEN.match(head)
    if found is None:
        return False
    name, rest = head[found.start(2) :][: found[1][0]], head[found.start(2) + found[1][0] :]
    return bool(re.fullmatch(rb"[\w.\\/>-]+", name)) and bool(re.match(rb"\x12[\x01-\x40][A-Z_]\w", rest))


def read(opened: Opened, wanted: Wanted) -> Network:
    """ExtraMissing says what it holds and the two ways out; UnsupportedCheckpoint what became of it in TensorFlow."""
    from .read import read_tensorflow

    return read_tensorflow(opened, wanted)


def look(opened: Opened) -> Contents:
    """Its operators, what it takes and gives, and which TensorFlow wrote it."""
    from .parts import parts_of
    from .refuse import unseen

    found = opened.content(parts_of)
    shown = [Part(name, op, ()) for name, op in found.nodes]
    return Contents(found.container, found.size, shown, found.tool, found.facts(), problem=unseen(found, opened.path))


TENSORFLOW = Source(
    "tensorflow", "TensorFlow SavedModels and frozen graphs", (".pb",), claims, read, look, zipped=zipped
)
