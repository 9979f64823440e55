"""MindSpore: `.mindir`, with its data folder where it is large, and checkpoints of networks that are known; nothing is
run.

proto.py    the messages of the format;  model.py: a file as plain data;  container.py, numbers.py: where numbers lie
walk.py     its operations one after the other;  table.py: which there are
layers.py, pools.py, pointwise.py, shapes.py, reductions.py, picking.py, recurrent.py   one page for each kind
checkpoint.py, weights.py   weights alone, of networks that are known;  refuse.py: how this source speaks
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from ..source import Contents, Opened, Source
from .parts import AIR, LABELS, MINDIR, inside, is_checkpoint, is_mindir, is_safetensors

if TYPE_CHECKING:
    from ...nets.recorded import Wanted
    from ..network import Network


def claims(opened: Opened) -> bool:
    """By the name of its producer; a zip or a folder by its one .mindir. CheckpointDamaged, UnsafeCheckpoint."""
    if opened.whole is None:
        return bool(inside(opened.names))
    if opened.path.suffix == AIR and opened.head[:1] in (
        b"\x0a",
        b"\x12",
    ):  # of Ascend's own, whose messages have no mark
        return True
    if is_mindir(opened.head) or _is_weights(opened) or opened.head.startswith(b"\xd8\x5e\x3a\x7f"):
        return True
    return opened.head.startswith(b"PK\x03\x04") and zipped(opened.members)


def _is_weights(opened: Opened) -> bool:
    return opened.whole is not None and (is_checkpoint(opened.head) or is_safetensors(opened.head))


def zipped(names: Collection[str]) -> bool:
    """With one .mindir in it."""
    return bool(inside(names))


def read(opened: Opened, wanted: Wanted) -> Network:
    """Its operations, one after the other; UnsupportedCheckpoint names the one that is not known."""
    if _is_weights(opened):
        from .weights import read_weights

        return read_weights(opened, wanted)
    from .read import read_mindir

    return read_mindir(opened, wanted)


def look(opened: Opened) -> Contents:
    """Its parameters."""
    if _is_weights(opened):
        from .weights import contents as of_weights

        return of_weights(opened)
    from .read import contents

    return contents(opened)


MINDSPORE = Source("mindspore", "MindSpore", (MINDIR, ".ckpt"), claims, read, look, beside=(LABELS,), zipped=zipped)
