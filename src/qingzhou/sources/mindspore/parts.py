"""Which files are MindSpore's: light, since every file, zip and folder is looked at."""

from __future__ import annotations

from collections.abc import Iterable

MINDIR = ".mindir"
PRODUCER = b"\x12\x09MindSpore"  # field 2 of a ModelProto, behind the version of the format


def is_mindir(head: bytes) -> bool:
    """By its producer, which stands behind a short text at most."""
    return head[:1] in (b"\x0a", b"\x12") and PRODUCER in head[:32]


def inside(names: Iterable[str]) -> str:
    """The one .mindir of a zip or folder, in the outermost folder that has one; "" for none or several."""
    found = [name for name in names if name.lower().endswith(MINDIR) and not name.startswith("__MACOSX")]
    least = min((name.count("/") for name in found), default=0)
    outer = [name for name in found if name.count("/") == least]
    return outer[0] if len(outer) == 1 else ""
