"""Our dataclasses are the standard library's: every case is done with both, and both say the same."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from qingzhou import dataclass as ours


def made(by: Any) -> SimpleNamespace:
    """The same classes, made by one of the two."""

    @by.dataclass(frozen=True)
    class Base:
        name: str
        size: int = 3
        items: list[int] = by.field(default_factory=list)

    @by.dataclass(frozen=True, kw_only=True)
    class Below(Base):
        told: str
        size: int = 4

    @by.dataclass(frozen=True)
    class Hidden:
        shown: int
        hidden: dict[str, int] = by.field(default_factory=dict, compare=False, repr=False)

        @property
        def twice(self) -> int:
            return self.shown * 2

    @by.dataclass(eq=False)
    class Alone:
        """Mutable; each is equal to itself only."""

        name: str = ""

    @by.dataclass
    class Mutable:
        name: str
        seen: list[str] = by.field(default_factory=list)

    @by.dataclass(frozen=True)
    class Own:
        name: str

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Own) and other.name.lower() == self.name.lower()

        def __repr__(self) -> str:
            return "own"

    @by.dataclass(frozen=True)
    class Empty:
        pass

    @by.dataclass
    class Ready:
        name: str

        def __post_init__(self) -> None:
            self.made = self.name * 2

    return SimpleNamespace(**{key: value for key, value in locals().items() if key != "by"}, by=by)


BOTH = [made(ours), made(dataclasses)]


def matched(value: Any, kind: type) -> object:
    match value:
        case kind(first):  # type: ignore[misc]
            return first
    return None


CASES: dict[str, Callable[[SimpleNamespace], object]] = {
    "by place": lambda c: vars(c.Base("a", 1, [2])),
    "by name": lambda c: vars(c.Base(items=[1], name="a")),
    "defaults": lambda c: vars(c.Base("a")),
    "made anew": lambda c: c.Base("a").items is c.Base("a").items,
    "repr": lambda c: repr(c.Base("a", items=[1])).rpartition(".")[2],
    "repr below": lambda c: repr(c.Below("a", told="x")).rpartition(".")[2],
    "repr hidden": lambda c: repr(c.Hidden(1, {"a": 1})).rpartition(".")[2],
    "order below": lambda c: vars(c.Below("a", told="x", items=[7])),
    "keywords only": lambda c: c.Below("a", 1, [], "x"),
    "missing": lambda c: c.Base(),
    "missing keyword": lambda c: c.Below("a"),
    "unknown": lambda c: c.Base("a", other=1),
    "too many": lambda c: c.Base("a", 1, [], 2),
    "twice": lambda c: c.Base("a", name="b"),
    "equal": lambda c: (c.Base("a") == c.Base("a"), c.Base("a") == c.Base("b"), c.Base("a") != c.Base("a", 3)),
    "equal hidden": lambda c: c.Hidden(1, {"a": 1}) == c.Hidden(1) and hash(c.Hidden(1, {"a": 1})) == hash(c.Hidden(1)),
    "of other classes": lambda c: (c.Hidden(1) == 1, c.Base("a") == c.Below("a", told=""), c.Hidden(1) == (1,)),
    "no hash": lambda c: hash(c.Base("a")),  # its list has none
    "no hash of mutable": lambda c: hash(c.Mutable("a")),
    "alone": lambda c: (c.Alone() == c.Alone(), len({c.Alone(), c.Alone()})),
    "mutable": lambda c: (setattr(one := c.Mutable("a"), "name", "b"), vars(one), one == c.Mutable("b")),
    "own methods": lambda c: (c.Own("A") == c.Own("a"), repr(c.Own("a")), hash(c.Own("a")) == hash(c.Own("a"))),
    "empty": lambda c: (c.Empty() == c.Empty(), hash(c.Empty()) == hash(c.Empty()), matched(c.Empty(), c.Base)),
    "set": lambda c: setattr(c.Base("a"), "name", "b"),
    "set unknown": lambda c: setattr(c.Base("a"), "other", "b"),
    "delete": lambda c: delattr(c.Base("a"), "name"),
    "replace": lambda c: vars(c.by.replace(c.Below("a", told="x"), told="y", items=[1])),
    "replace unknown": lambda c: c.by.replace(c.Base("a"), other=1),
    "replace by the standard library": lambda c: vars(dataclasses.replace(c.Below("a", told="x"), name="b")),
    "replace its own by ours": lambda c: vars(ours.replace(c.Below("a", told="x"), name="b")),
    "made ready": lambda c: (c.Ready("a").made, c.by.replace(c.Ready("a"), name="b").made),
    "is one": lambda c: (dataclasses.is_dataclass(c.Base), dataclasses.is_dataclass(c.Base("a"))),
    "fields": lambda c: [(f.name, f.type, f.kw_only, f.repr, f.compare) for f in dataclasses.fields(c.Below)],
    "fields of an object": lambda c: {f.name: f.default for f in dataclasses.fields(c.Below("a", told=""))}["size"],
    "asdict": lambda c: dataclasses.asdict(c.Base("a", items=[1, 2])),
    "copies": lambda c: [vars(how(c.Base("a", 1, [2]))) for how in (copy.copy, copy.deepcopy)],
    "matched": lambda c: (c.Base.__match_args__, c.Below.__match_args__, matched(c.Hidden(5), c.Hidden)),
    "a class attribute": lambda c: (c.Base.size, hasattr(c.Base, "items"), c.Hidden(2).twice),
}  # fmt: skip


def said(case: Callable[[SimpleNamespace], object], classes: SimpleNamespace) -> object:
    """What a case gives, or the kind of its error."""
    try:
        return case(classes)
    except (TypeError, AttributeError) as err:
        return type(err)


@pytest.mark.parametrize("name", CASES)
def test_it_is_as_in_the_standard_library(name: str) -> None:
    of_ours, of_theirs = (said(CASES[name], classes) for classes in BOTH)
    assert of_ours == of_theirs
