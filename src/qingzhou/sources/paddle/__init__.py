"""PaddlePaddle: programs of Paddle 3 (`.json`) and Paddle 2 (`.pdmodel`) with their parameters (`.pdiparams`).

program.py   the one form that both become;  pir.py, desc.py: the two readers;  operators.py: names in both generations
heads.py, parts.py   which files there are;  parameters.py: the tensors, each held against the program;  names.py: their
             names;  state.py: weights alone
walk.py      the operators one after the other;  table.py: which there are;  refuse.py: how this source speaks
layers.py, norms.py, pointwise.py, products.py, reductions.py, shapes.py, picking.py, resize.py   a page for each kind
said.py      labels and pre-processing, from what Paddle's suites write beside
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...files.sniff import TORCH, sniff
from ..source import Contents, Opened, Source
from .heads import LABELS, MOST_PROGRAM, SETTINGS, begins, inside, is_pir, looks_like, single

if TYPE_CHECKING:
    from ...nets.recorded import Wanted
    from ..network import Network

STATES = (".pdparams", ".pdopt")
NAMES, TAIL = b"StructuredToParameterName@@", 1 << 20
OWN = (b'._variance"', b'"_conv1._conv._conv.weight"')  # of BatchNorm; of SqueezeNet, which has none


def claims(opened: Opened) -> bool:
    """By its first bytes, a zip or folder by its members; CheckpointDamaged, UnsafeCheckpoint."""
    if opened.whole is None:
        return single(opened.names) or (not inside(opened.names) and _lone_program(opened))
    if opened.head.startswith(b"PK\x03\x04"):
        return inside(opened.names) or _lone_program(opened)
    if is_pir(opened.head):
        return True
    known = looks_like(opened.head) or begins(opened.head) or inside([opened.path.name])
    return known or is_weights(opened)


def is_weights(opened: Opened) -> bool:
    """A state_dict of Paddle: a pickle that ends in the parameters' names, or safetensors with Paddle's names."""
    if opened.whole is None:
        return False
    kind, size = sniff(opened.head, opened.whole.size), opened.whole.size
    if kind == "pickle" and TORCH not in opened.head:
        end = min(size, TAIL)
        return opened.path.suffix in STATES or NAMES in opened.whole.read(size - end, end)
    if kind != "safetensors":
        return False
    header = min(int.from_bytes(opened.head[:8], "little"), size - 8, TAIL)
    text = opened.whole.read(8, header)
    return any(name in text for name in OWN)


def _lone_program(opened: Opened) -> bool:
    """A folder or zip with one program of Paddle 3, whose network has no parameters, or whose other half is missing."""
    texts = [name for name in opened.names if name.endswith(".json")]
    if len(texts) != 1:
        return False
    from ..packed import small

    return is_pir(small(opened, texts[0], MOST_PROGRAM)[:200])


def read(opened: Opened, wanted: Wanted) -> Network:
    """Its operators, one after the other; UnsupportedCheckpoint names the one that is not known."""
    if is_weights(opened):
        from .state import read_weights

        return read_weights(opened, wanted)
    from .read import read_paddle

    return read_paddle(opened, wanted)


def look(opened: Opened) -> Contents:
    """Its tensors."""
    if is_weights(opened):
        from .state import contents as weights

        return weights(opened)
    from .read import contents

    return contents(opened)


PADDLE = Source(
    "paddle",
    "PaddlePaddle",
    (".pdmodel", ".json", ".pdparams"),
    claims,
    read,
    look,
    beside=(".json", ".pdmodel", ".pdiparams", ".pdiparams.info", *SETTINGS, *LABELS),
    zipped=inside,
    halves=(".pdiparams",),
)
