"""How much of anything a checkpoint may ask for. Honest files stay far below; a hostile one stops here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

MOST_AXES = 32  # of a tensor or an array; numpy before 2 has no more
MOST_ELEMENTS = 1 << 62


class Limits(NamedTuple):
    """The budgets of one reading."""

    pickle_bytes: int = 64 << 20  # the object graph without its weights; a large detector has under 2 MiB
    unpacked_bytes: int = 1 << 30  # a pickle with its arrays inside, as joblib writes it, once it is unpacked
    header_bytes: int = 16 << 20  # zip directory, safetensors header
    records: int = 100_000  # entries of a zip
    opcodes: int = 2_000_000
    stack: int = 1_000_000
    memo: int = 1_000_000
    depth: int = 300  # containers inside containers
    repeats: int = 2  # for each byte of a pickle: items that calls such as set(list) copy, together, and objects met by
    # a walk that does not know what is shared (repr, json, ...); 16 characters count as one
    repeats_floor: int = 1 << 16  # for small pickles
    key_steps: int = 1 << 24  # that numbers as keys of dicts and sets may take at worst: 5792 that are not in order
    integer_bytes: int = 256  # one number; torch's magic number has 10
    name: int = 400  # characters in the name of a tensor or class
    dimensions: int = MOST_AXES
    modules: int = 10_000  # visited in a pickled module
    tensors: int = 20_000
    spread: int = 16  # all tensors together may be this much larger than the file ...
    spread_floor: int = 64 << 20  # ... or this many bytes, whichever is more

    def repeats_of(self, size: int) -> int:
        """What a pickle of so many bytes may copy, or unfold to."""
        return self.repeats_floor + self.repeats * size


def elements(shape: Iterable[int], most: int = MOST_ELEMENTS) -> int | None:
    """The product of the sizes; None once there are more than `most`, too many axes, or a size below zero."""
    count = 1
    for axis, size in enumerate(shape):
        count *= size
        if axis >= MOST_AXES or size < 0 or count > most:
            return None
    return count
