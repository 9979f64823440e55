"""Which files are MindSpore's: light, since every file, zip and folder is looked at."""

from __future__ import annotations

from collections.abc import Iterable

MINDIR, LABELS, AIR = ".mindir", "labels.txt", ".air"
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


def is_checkpoint(head: bytes) -> bool:
    """A list of named tensors: field 1, in it a name and a tensor whose type is a word such as Float32."""
    if head[:1] != b"\x0a":
        return False
    at = 1
    while at < len(head) and head[at] & 0x80:  # how long the first entry is
        at += 1
    if head[at + 1 : at + 2] != b"\x0a" or at + 3 > len(head):
        return False
    name_end = at + 3 + head[at + 2]
    name = head[at + 3 : name_end]
    behind = head[name_end : name_end + 400]
    return head[at + 2] < 0x80 and bool(name) and behind[:1] == b"\x12" and any(kind in behind for kind in TYPES)


TYPES = (b"Float", b"Int", b"Bool", b"BFloat", b"str")


def is_safetensors(head: bytes) -> bool:
    """Whose metadata name MindSpore."""
    return head[8:9] == b"{" and b'"format":"ms"' in head.replace(b" ", b"")
