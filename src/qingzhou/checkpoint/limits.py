"""How much of anything a checkpoint may ask for. Honest files stay far below; a hostile one stops here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The budgets of one reading."""

    pickle_bytes: int = 64 << 20  # the object graph without its weights; a large detector has under 2 MiB
    header_bytes: int = 16 << 20  # zip directory, safetensors header
    records: int = 100_000  # entries of a zip
    opcodes: int = 2_000_000
    stack: int = 1_000_000
    memo: int = 1_000_000
    depth: int = 300  # containers inside containers
    copied: int = 8 << 20  # items that calls such as set(list) copy, together; 16 characters count as one
    unfolded: int = 10_000_000  # objects met by a walk that does not know what is shared: repr, json, ...
    integer_bytes: int = 256  # one number; torch's magic number has 10
    name: int = 400  # characters in the name of a tensor or class
    dimensions: int = 32
    modules: int = 100_000  # visited in a pickled module
    tensors: int = 100_000
    spread: int = 16  # all tensors together may be this much larger than the file ...
    spread_floor: int = 64 << 20  # ... or this many bytes, whichever is more
