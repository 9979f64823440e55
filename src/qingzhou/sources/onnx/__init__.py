"""Models that are ONNX already: looked at, and adopted as they are, with a card that says how they are used.

read.py       the network and its card: by metadata, else by structure
entry.py      what goes in;  meaning.py: what comes out
yolo.py       what Ultralytics and YOLOv5 write;  originals.py: MMEdu and BaseNN
contents.py   what `qingzhou info` says
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...files.sniff import sniff
from ..source import Contents, Opened, Source

if TYPE_CHECKING:
    from ...nets.recorded import Wanted
    from ..network import Network


def claims(opened: Opened) -> bool:
    """An ONNX file starts with its ir_version (field 1, a varint) or producer; nothing else here does."""
    found = opened.head[:1] in (b"\x08", b"\x12")
    return found and not sniff(opened.head, opened.file.size)


def read(opened: Opened, wanted: Wanted) -> Network:
    """The network as it is, and a card; CheckpointTypeError of a model that has one."""
    from .read import read_foreign

    return read_foreign(opened, wanted)


def look(opened: Opened) -> Contents:
    """Its operators, and its card, where it is one of ours; ModelError."""
    from .contents import contents

    return contents(opened.path)


ONNX = Source("onnx", "ONNX", (".onnx",), claims, read, look)
