"""Program: what both generations of Paddle's files say, in one form, with the names and arguments of Paddle 3.

An argument is a variable or an attribute, whichever the file has: Paddle 3 computes a `shape` or an `axis` by operators
of their own, Paddle 2 mostly writes it down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Names = tuple[str, ...]

# paddle/phi/core/framework/framework.proto, VarType.Type; the dtypes are numpy's names, and bfloat16
KINDS: Mapping[int, str] = {
    0: "bool", 1: "int16", 2: "int32", 3: "int64", 4: "float16", 5: "float32", 6: "float64", 20: "uint8", 21: "int8",
    22: "bfloat16", 36: "uint16", 37: "uint32", 38: "uint64",
}  # fmt: skip
DENSE = 7  # a VarType.Type as well: an ordinary tensor


@dataclass(frozen=True)
class Typed:
    """What a file says of a variable: its dtype, "" for one that is not known, and its sizes, -1 for a free one."""

    dtype: str
    dims: tuple[int, ...]


@dataclass(frozen=True)
class Operator:
    """One operation.

    inputs   argument -> the variables that it is; several where it is a list
    outputs  the variables of each result; () of one that nobody reads
    attrs    argument -> what the file writes down, in plain values
    label    what its results are called after
    """

    name: str
    inputs: Mapping[str, Names]
    outputs: Sequence[Names]
    attrs: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""


@dataclass(frozen=True)
class Stored:
    """A tensor of the file of parameters, which has no names: that is what the program calls it."""

    name: str
    type: Typed


@dataclass(frozen=True)
class Program:
    """A network as its file has it.

    form     "Paddle 3 program" or "Paddle 2 program";  version: of the Paddle that wrote it, "" where it is not told
    inputs   name and variable of each, in order;  outputs: variables
    stored   variable -> parameter;  types: of variables
    newer    the version of the format, where it is one that is not known here
    """

    form: str
    version: str
    inputs: Sequence[tuple[str, str]]
    outputs: Names
    operators: Sequence[Operator]
    stored: Mapping[str, Stored]
    types: Mapping[str, Typed]
    newer: int = 0

    @property
    def in_file(self) -> list[Stored]:
        """In the order in which they are written: by their names' bytes, each once."""
        named = {one.name: one for one in self.stored.values()}
        return [named[name] for name in sorted(named, key=lambda name: name.encode("utf-8", "surrogatepass"))]
