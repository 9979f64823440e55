"""What the author's program calls the parameters, from the `.pdiparams.info` that Paddle 2 writes beside."""

from __future__ import annotations

from collections.abc import Mapping

from ...errors import QingzhouError
from ...files.opcodes import Tape
from ...files.unpickle import read_pickle
from ..packed import small
from ..source import Opened
from .program import Program

MOST = 16 << 20
LONGEST = 200


def structured(opened: Opened, name: str, program: Program) -> Mapping[str, str]:
    """Parameter -> name; {} where nothing says it, or not of each its own."""
    if not name:
        return {}
    try:
        root = read_pickle(Tape(small(opened, name, MOST)), opened.limits)
    except QingzhouError:
        return {}
    if not isinstance(root, Mapping):
        return {}
    found = {}
    for one in program.in_file:
        about = root.get(one.name)
        said = about.get("structured_name") if isinstance(about, Mapping) else None
        if isinstance(said, str) and 0 < len(said) <= LONGEST and said.isprintable():
            found[one.name] = said
    return found if len(set(found.values())) == len(found) else {}
