"""The numbers of a layer, by the rules of each kind of file.

.keras   layers/<class in snake case>[_n]/…/vars/<i>: by place and order (Paths)
.h5      one group for each layer of the outermost model, in which names tell most and order the rest (Named)
TF.js    the same without groups
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Protocol

from ...files.refusals import short
from ...files.types import TensorRef
from .refuse import garbled

MOST_LOOKED = 64  # numbers among which the likeliest is chosen
Found = tuple[str, TensorRef]  # its key in the file


@dataclass(frozen=True)
class Place:
    """Where a layer is: its path below the root of a .keras, and the names of the models around it and its own."""

    path: str
    names: tuple[str, ...]
    at: tuple[str, ...] = ()  # the parts of a wrapper on the way: "forward_layer", "cell"

    def inner(self, part: str) -> Place:
        """A part of a wrapper."""
        return replace(self, path=f"{self.path}/{part}", at=(*self.at, part))


class Weights(Protocol):
    """The numbers of a model."""

    def find(self, place: Place, roles: Sequence[str]) -> list[Found]:
        """Those of a layer, in the order of the roles; CheckpointDamaged where one is missing."""

    def has_group(self, place: Place) -> bool:
        """Whether a model has numbers of its own there."""

    def keys(self) -> list[str]:
        """All of them."""


@dataclass(frozen=True)
class Paths:
    """Of a .keras: `tensors` by their paths."""

    tensors: Mapping[str, TensorRef]
    owners: frozenset[str] = frozenset()

    @classmethod
    def of(cls, tensors: Mapping[str, TensorRef]) -> Paths:
        """With all paths below which there is something."""
        owners = {key[:i] for key in tensors for i, letter in enumerate(key) if letter == "/"}
        return cls(tensors, frozenset(owners))

    def find(self, place: Place, roles: Sequence[str]) -> list[Found]:
        """The first of its `vars`, in order."""
        folder = f"{self._folder(place)}/vars"
        keys = [f"{folder}/{i}" for i in range(len(roles))]
        for key, role in zip(keys, roles, strict=True):
            if key not in self.tensors:
                name = place.names[-1] if place.names else ""
                raise garbled(
                    f"the {role} of layer '{short(name, 60)}' is missing ({short(key, 120)})",
                    f"缺少层 '{short(name, 60)}' 的 {role}（{short(key, 120)}）",
                )
        return [(key, self.tensors[key]) for key in keys]

    def _folder(self, place: Place) -> str:
        head, _, last = place.path.rpartition("/")
        old = f"{head}/_{last}"  # Keras 2 writes _query_dense, …
        return old if place.at and place.path not in self.owners and old in self.owners else place.path

    def has_group(self, place: Place) -> bool:
        """Whether there is such a group."""
        return place.path in self.owners

    def keys(self) -> list[str]:
        """All of them but the optimiser's."""
        return [key for key in self.tensors if not key.startswith("optimizer")]


# How the parts of wrappers are called among names of weights.
CALLED = {
    "forward_layer": "forward_", "backward_layer": "backward_", "query_dense": "query", "key_dense": "key",
    "value_dense": "value", "output_dense": "attention_output",
}  # fmt: skip


@dataclass
class Shelf:
    """Numbers of one role: those that are left, in their order; and where a layer's name is among theirs."""

    left: dict[int, Found] = field(default_factory=dict)
    named: dict[str, list[int]] = field(default_factory=dict)


@dataclass
class Named:
    """Of an .h5: each group's numbers in their order; a TF.js model is one group. Each is given out once."""

    groups: Mapping[str, Sequence[Found]]
    one: bool = False
    shelves: dict[str, dict[str, Shelf]] = field(default_factory=dict)

    def find(self, place: Place, roles: Sequence[str]) -> list[Found]:
        """By name where names tell, else the first that fits and was not taken."""
        group = "" if self.one else place.names[0]
        if group not in self.shelves:
            self.shelves[group] = _shelves(self.groups.get(group, ()))
        found = []
        for role in roles:
            shelves = [self.shelves[group][one] for one in role.split("|") if one in self.shelves[group]]
            best = max((self._best(shelf, place, -i) for i, shelf in enumerate(shelves)), default=(-1, 0, 0))
            if best[0] < 0:
                name = place.names[-1] if place.names else ""
                raise garbled(
                    f"the {role} of layer '{short(name, 60)}' is missing", f"缺少层 '{short(name, 60)}' 的 {role}"
                )
            found.append(shelves[-best[1]].left.pop(-best[2]))
        return found

    def _best(self, shelf: Shelf, place: Place, order: int) -> tuple[int, int, int]:
        """Which of those that nobody has taken yet: its score, the order, and -its number; a score of -1 for none. All
        of a layer's name are looked at, of others the first.
        """
        own = [i for i in shelf.named.get(place.names[-1].rpartition("/")[2], ()) if i in shelf.left]
        fits = own[:MOST_LOOKED] or list(islice(shelf.left, MOST_LOOKED))
        scored = [(self._score(_parts(shelf.left[i][0]), place), order, -i) for i in fits]
        return max(scored, default=(-1, order, 0))

    def _score(self, parts: Sequence[str], place: Place) -> int:
        """How many names on the way are in the key; its own name and the part of a wrapper count most."""
        names = set(parts)
        own = 100 * (place.names[-1] in names or ("/" in place.names[-1] and place.names[-1] in "/".join(parts)))
        around = sum(name in names for name in place.names[:-1])
        hints = [CALLED[part] for part in place.at if part in CALLED]
        return own + around + 1000 * sum(_hinted(hint, parts) for hint in hints)

    def has_group(self, place: Place) -> bool:
        """Names are looked for wherever they stand."""
        return True

    def keys(self) -> list[str]:
        """All of them."""
        return [key for group in self.groups.values() for key, _ in group]


def _parts(key: str) -> list[str]:
    return re.sub(r":\d+$", "", key).split("/")


def _shelves(entries: Sequence[Found]) -> dict[str, Shelf]:
    """By their roles."""
    found: dict[str, Shelf] = {}
    for i, entry in enumerate(entries):
        parts = _parts(entry[0])
        shelf = found.setdefault(parts[-1], Shelf())
        shelf.left[i] = entry
        for name in set(parts[:-1]):
            shelf.named.setdefault(name, []).append(i)
    return found


def _hinted(hint: str, parts: Sequence[str]) -> bool:
    return any(part.startswith(hint) if hint.endswith("_") else part == hint for part in parts)


def snake(kind: str) -> str:
    """As Keras calls the groups of a class: Conv2DTranspose -> conv2d_transpose, ReLU -> re_lu."""
    kind = re.sub(r"\W+", "", kind)
    kind = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", kind)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", kind).lower()
