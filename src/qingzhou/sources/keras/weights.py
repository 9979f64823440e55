"""The numbers of a layer, by the rules of each kind of file.

.keras   layers/<class in snake case>[_n]/…/vars/<i>: by place and order (Paths)
.h5      one group for each layer of the outermost model, in which names tell most and order the rest (Named)
TF.js    the same without groups
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from ...files.refusals import short
from ...files.types import TensorRef
from .refuse import garbled

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
class Named:
    """Of an .h5: each group's numbers in their order; a TF.js model is one group. Each is given out once."""

    groups: Mapping[str, Sequence[Found]]
    one: bool = False
    taken: set[str] = field(default_factory=set)

    def find(self, place: Place, roles: Sequence[str]) -> list[Found]:
        """By name where names tell, else the first that fits and was not taken."""
        found = []
        for role in roles:
            best = self._best(place, role)
            if best is None:
                name = place.names[-1] if place.names else ""
                raise garbled(
                    f"the {role} of layer '{short(name, 60)}' is missing", f"缺少层 '{short(name, 60)}' 的 {role}"
                )
            self.taken.add(best[0])
            found.append(best)
        return found

    def _best(self, place: Place, role: str) -> Found | None:
        fits = [(self._score(_parts(key), place), -i, one) for i, one in self._left(place) if _is(key := one[0], role)]
        return max(fits, key=lambda entry: entry[:2])[2] if fits else None

    def _score(self, parts: Sequence[str], place: Place) -> int:
        """How many names on the way are in the key; its own name and the part of a wrapper count most."""
        names = set(parts)
        own = 100 * (place.names[-1] in names or ("/" in place.names[-1] and place.names[-1] in "/".join(parts)))
        around = sum(name in names for name in place.names[:-1])
        hints = [CALLED[part] for part in place.at if part in CALLED]
        return own + around + 1000 * sum(_hinted(hint, parts) for hint in hints)

    def _left(self, place: Place) -> Iterable[tuple[int, Found]]:
        """Those of its group that nobody has taken yet."""
        group = "" if self.one else place.names[0]
        entries = enumerate(self.groups.get(group, ()))
        return [(i, entry) for i, entry in entries if entry[0] not in self.taken]

    def has_group(self, place: Place) -> bool:
        """Names are looked for wherever they stand."""
        return True

    def keys(self) -> list[str]:
        """All of them."""
        return [key for group in self.groups.values() for key, _ in group]


def _parts(key: str) -> list[str]:
    return re.sub(r":\d+$", "", key).split("/")


def _is(key: str, role: str) -> bool:
    return _parts(key)[-1] in role.split("|")


def _hinted(hint: str, parts: Sequence[str]) -> bool:
    return any(part.startswith(hint) if hint.endswith("_") else part == hint for part in parts)


def snake(kind: str) -> str:
    """As Keras calls the groups of a class: Conv2DTranspose -> conv2d_transpose, ReLU -> re_lu."""
    kind = re.sub(r"\W+", "", kind)
    kind = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", kind)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", kind).lower()
