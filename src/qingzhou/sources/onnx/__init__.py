"""Models that are ONNX already: looked at, and adopted as they are, with a card that says how they are used.

read.py       the network and its card: by metadata, else by structure
entry.py      what goes in;  meaning.py: what comes out
yolo.py       what Ultralytics and YOLOv5 write;  originals.py: MMEdu and BaseNN
contents.py   what `qingzhou info` says;  zipped.py: a model in a zip with the files of its weights
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ...files.sniff import HEAD, model_suffix, sniff
from ..source import Contents, Opened, Source

if TYPE_CHECKING:
    from ...nets.recorded import Wanted
    from ..network import Network


def claims(opened: Opened) -> bool:
    """An ONNX file starts with its ir_version (field 1, a varint) or producer; nothing else here does."""
    found = opened.head[:1] in (b"\x08", b"\x12")
    return found and not sniff(opened.head, opened.file.size)


def is_zip(path: Path) -> bool:
    """Whether a file is one, whatever it is called, and none of torch's."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(HEAD)
    return head.startswith(b"PK\x03\x04") and model_suffix(head, len(head)) != ".pth"


@contextmanager
def unzipped(path: Path) -> Iterator[Path]:
    """The .onnx inside, of a zip of just one, for as long as the block runs; any other path as it is."""
    if not is_zip(path):
        yield path
        return
    from .zipped import unpacked

    with unpacked(path) as found:
        yield found


def zipped(names: Collection[str]) -> bool:
    """One model, and what may be the files of its weights."""
    others = [name for name in names if not name.endswith("/")]
    return sum(name.lower().endswith(".onnx") for name in others) == 1


def read(opened: Opened, wanted: Wanted) -> Network:
    """The network as it is, and a card; CheckpointTypeError of a model that has one."""
    from .read import read_foreign

    return read_foreign(opened, wanted)


def look(opened: Opened) -> Contents:
    """Its operators, and its card, where it is one of ours; ModelError."""
    from .contents import contents

    return contents(opened.path)


ONNX = Source("onnx", "ONNX", (".onnx",), claims, read, look, zipped=zipped)
