"""Models that are ONNX already: what they hold. They are run as they are, so there is nothing to convert."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...files.refusals import naming
from ...files.sniff import sniff, something_else
from ..source import Contents, Opened, Source

if TYPE_CHECKING:
    from ...nets.recorded import Wanted
    from ..network import Network


def claims(opened: Opened) -> bool:
    """An ONNX file starts with its ir_version (field 1, a varint) or producer; nothing else here does."""
    found = opened.head[:1] in (b"\x08", b"\x12")
    return found and not sniff(opened.head, opened.file.size)


def read(opened: Opened, wanted: Wanted) -> Network:
    """CheckpointTypeError: it needs no conversion."""
    with naming(opened.path):
        raise something_else(opened.head, opened.file.size)


def look(opened: Opened) -> Contents:
    """Its operators, and its card, where it is one of ours; ModelError."""
    from .contents import contents

    return contents(opened.path)


ONNX = Source("onnx", "ONNX", (".onnx",), claims, read, look)
