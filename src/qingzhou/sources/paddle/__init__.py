"""PaddlePaddle: programs of Paddle 3 (`.json`) and Paddle 2 (`.pdmodel`) with their parameters (`.pdiparams`).

program.py   the one form that both become;  pir.py, desc.py: the two readers;  operators.py: names in both generations
parameters.py   the tensors, each held against the program;  parts.py: which files there are;  names.py: their names
walk.py      the operators one after the other;  table.py: which there are;  refuse.py: how this source speaks
layers.py, norms.py, pointwise.py, products.py, reductions.py, shapes.py, picking.py, resize.py   a page for each kind
said.py      labels and pre-processing, from what Paddle's suites write beside
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..source import Contents, Opened, Source
from .parts import LABELS, SETTINGS, inside, is_pir

if TYPE_CHECKING:
    from ...nets.recorded import Wanted
    from ..network import Network


def claims(opened: Opened) -> bool:
    """By its first bytes, a zip or folder by its members; CheckpointDamaged, UnsafeCheckpoint."""
    if opened.whole is None or opened.head.startswith(b"PK\x03\x04"):
        return inside(opened.names) or (opened.whole is None and _lone_program(opened))
    if is_pir(opened.head):
        return True
    from .desc import looks_like
    from .parameters import begins

    return looks_like(opened.head) or begins(opened.head) or inside([opened.path.name])


def _lone_program(opened: Opened) -> bool:
    """A folder with one program of Paddle 3 whose network has no parameters."""
    texts = [name for name in opened.names if name.endswith(".json")]
    if len(texts) != 1:
        return False
    found = opened.members[texts[0]]()
    return is_pir(found.file.read(0, min(found.file.size, 200)))


def read(opened: Opened, wanted: Wanted) -> Network:
    """Its operators, one after the other; UnsupportedCheckpoint names the one that is not known."""
    from .read import read_paddle

    return read_paddle(opened, wanted)


def look(opened: Opened) -> Contents:
    """Its tensors."""
    from .read import contents

    return contents(opened)


PADDLE = Source(
    "paddle",
    "PaddlePaddle",
    (".pdmodel", ".pdiparams", ".json"),
    claims,
    read,
    look,
    beside=(".json", ".pdmodel", ".pdiparams", ".pdiparams.info", *SETTINGS, *LABELS),
    zipped=inside,
)
