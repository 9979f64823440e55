"""Models of TensorFlow Lite (`.tflite`), and the zips in which Teachable Machine gives them with their labels.

model.py    a file as plain data; the format itself is in files/tflite_schema.py
walk.py     its operators one after the other, and what integers stand for;  table.py: which there are
layers.py, pointwise.py, shapes.py, reductions.py, picking.py, recurrent.py   one page for each kind
detection.py   the end of an SSD: which boxes stay
said.py     what the file says of pictures and classes;  refuse.py: how this source speaks
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from ..source import Contents, Opened, Source

if TYPE_CHECKING:
    from ...nets.recorded import Wanted
    from ..network import Network


def claims(opened: Opened) -> bool:
    """By its mark; a zip by the names of its parts; CheckpointDamaged, UnsafeCheckpoint."""
    if opened.head[4:8] == b"TFL3":
        return True
    return opened.head.startswith(b"PK\x03\x04") and zipped(opened.members)


def zipped(names: Collection[str]) -> bool:
    """With a .tflite in it."""
    return any(name.endswith(".tflite") for name in names)


def read(opened: Opened, wanted: Wanted) -> Network:
    """Its operators, one after the other; UnsupportedCheckpoint names the one that is not known."""
    from .read import read_tflite

    return read_tflite(opened, wanted)


def look(opened: Opened) -> Contents:
    """Its tensors."""
    from .read import contents

    return contents(opened)


TFLITE = Source("tflite", "TensorFlow Lite", (".tflite",), claims, read, look, beside=("labels.txt",), zipped=zipped)
