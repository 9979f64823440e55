"""The columns of a table, as a card describes them: [{"name": "colour", "texts": ["blue", "red"], "missing": true}, …].

counts   of a text: how its words are counted, see counted.py; it becomes as many numbers as there are words
texts    which a cell may be; the network takes the place of each. Without it cells are numbers
missing  a cell may be empty
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from . import fields

MOST_TEXTS = 100_000  # of one column


def columns_of(at: str, data: object, kind: str, shape: List[Optional[int]]) -> List[Dict[str, Any]]:
    """A card's columns, as many as the input has, which must be a table; ModelError."""
    if kind != "table" or len(shape) != 2:
        raise fields.bad(at, data)
    found = fields.items(at, data, _column, most=fields.LARGEST_SIZE)
    width = sum(len(one["counts"]["words"]) if "counts" in one else 1 for one in found)
    if shape[1] is not None and width != shape[1]:
        raise fields.bad(at, width)
    return found


def _column(at: str, data: object) -> Dict[str, Any]:
    given = fields.record(at, data, ("name",), ("texts", "missing", "counts"))
    found: Dict[str, Any] = {"name": fields.text("%s.name" % at, given["name"])}
    if "texts" in given:
        found["texts"] = fields.items("%s.texts" % at, given["texts"], fields.text, most=MOST_TEXTS)
    if "counts" in given:
        from .counted import counts

        found["counts"] = counts("%s.counts" % at, given["counts"])
    if "missing" in given:
        if given["missing"] is not True:
            raise fields.bad("%s.missing" % at, given["missing"])
        found["missing"] = True
    return found
